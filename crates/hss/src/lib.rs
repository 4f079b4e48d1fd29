// SPDX-License-Identifier: Apache-2.0
//! The API of HSS, for programs that were written for it: the public SDK, pointed at this server, drives Lazaret
//! (docs/hss-api.md). Each operation is a translation into `/api/v1`: what may be done, and what is written down of it,
//! is decided there (docs/adr/0017).

#![forbid(unsafe_code)]

mod address;
mod alarm;
mod antivirus;
mod ask;
mod billing;
mod body;
mod call;
mod error;
mod events;
mod gate;
mod handling;
mod history;
mod host;
mod hosts;
mod iam;
mod ids;
mod kinds;
mod order;
mod page;
mod policies;
mod project;
mod rest;
mod rights;
mod rule;
mod run;
mod sdk;
mod settings;
mod sign;
mod words;

pub use gate::routes;
