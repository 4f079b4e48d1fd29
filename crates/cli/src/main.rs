// SPDX-License-Identifier: Apache-2.0
//! lazaret

#![forbid(unsafe_code)]

fn main() {}
