// SPDX-License-Identifier: Apache-2.0
//! The fleet's server as a library, so that tests start its parts in their own process (docs/adr/0008).

#![forbid(unsafe_code)]

mod api;
mod attack;
pub mod authority;
pub mod backup;
pub mod break_glass;
pub mod config;
pub mod console;
pub mod content;
mod deep_scan;
mod descriptors;
pub mod diagnose;
mod editions;
pub mod gateway;
pub mod init;
pub mod inside;
mod json;
mod log;
mod numbers;
mod outbound;
mod people;
pub mod read_only;
mod redact;
mod sample_retention;
mod samples;
mod scans;
mod serve;
pub mod settings;
pub mod start;
mod time;
mod worker;

pub use api::route::RouteRow;
