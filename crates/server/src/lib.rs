// SPDX-License-Identifier: Apache-2.0
//! The fleet's server as a library, so that tests start its parts in their own process (docs/adr/0008).

#![forbid(unsafe_code)]

pub mod authority;
pub mod gateway;
pub mod settings;
