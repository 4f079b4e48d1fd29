// SPDX-License-Identifier: Apache-2.0
//! lazaretd

#![forbid(unsafe_code)]

fn main() {}
