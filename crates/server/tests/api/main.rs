// SPDX-License-Identifier: Apache-2.0
//! The people's half of the server, over HTTP on loopback and SQLite in a folder of its own.

#![forbid(unsafe_code)]

mod alarms;
mod audit;
mod coverage;
mod document;
mod hostile;
mod isolated;
mod kit;
mod orders;
mod rows;
mod scans;
mod settings;
mod sign_in;
mod stream;
mod upkeep;
mod whitelist;
