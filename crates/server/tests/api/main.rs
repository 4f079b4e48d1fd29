// SPDX-License-Identifier: Apache-2.0
//! The people's half of the server, over HTTP on loopback and SQLite in a folder of its own.

#![forbid(unsafe_code)]

mod alarms;
mod approvals;
mod audit;
mod coverage;
mod document;
mod hostile;
mod idp;
mod isolated;
mod kit;
mod matrix;
mod orders;
mod provider;
mod quotas;
mod rows;
mod scans;
mod second_factor;
mod settings;
mod sign_in;
mod sign_on;
mod stream;
mod whitelist;
