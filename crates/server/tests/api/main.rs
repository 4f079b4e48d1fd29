// SPDX-License-Identifier: Apache-2.0
//! The people's half of the server, over HTTP on loopback; what is about data runs on both databases.

#![forbid(unsafe_code)]

mod alarms;
mod approvals;
mod audit;
mod base;
mod cloud;
mod cloud_samples;
mod conformance;
mod console;
mod coverage;
mod document;
mod hostile;
mod idp;
mod isolated;
mod kit;
mod known_routes;
mod matrix;
mod orders;
mod provider;
mod proxy;
mod quotas;
mod rows;
mod scans;
mod second_factor;
mod settings;
mod sign_in;
mod sign_on;
mod stream;
mod targets;
mod tls;
mod upkeep;
mod watched;
mod whitelist;
