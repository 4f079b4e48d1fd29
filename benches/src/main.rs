// SPDX-License-Identifier: Apache-2.0
//! Benchmarks.

#![forbid(unsafe_code)]

fn main() {}
