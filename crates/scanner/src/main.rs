// SPDX-License-Identifier: Apache-2.0
//! lazaret-scanner

#![forbid(unsafe_code)]

fn main() {}
