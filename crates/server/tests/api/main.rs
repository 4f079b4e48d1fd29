// SPDX-License-Identifier: Apache-2.0
//! The people's half of the server, over HTTP on loopback; what is about data runs on both databases.

#![forbid(unsafe_code)]

mod alarms;
mod audit;
mod base;
mod conformance;
mod coverage;
mod document;
mod hostile;
mod isolated;
mod kit;
mod orders;
mod proxy;
mod rows;
mod scans;
mod settings;
mod sign_in;
mod stream;
mod tls;
mod watched;
mod whitelist;
