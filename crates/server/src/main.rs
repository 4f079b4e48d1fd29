// SPDX-License-Identifier: Apache-2.0
//! lazaret-server: the fleet's server (docs/adr/0008).

#![forbid(unsafe_code)]

fn main() {}
