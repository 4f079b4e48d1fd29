// SPDX-License-Identifier: Apache-2.0
//! xtask

#![forbid(unsafe_code)]

fn main() {}
