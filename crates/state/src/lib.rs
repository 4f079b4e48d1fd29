// SPDX-License-Identifier: Apache-2.0
//! The agent's own database: alarms, whitelist, exceptions, switches, open breakers, what was sent to a server.
//!
//! One SQLite file (WAL, every commit synced). What was done to the host stands in the journal of
//! `response`, not here; verdicts are cached in memory by the agent, not here.

#![forbid(unsafe_code)]

mod alarms;
mod breakers;
mod changed;
mod commands;
mod corrupt;
mod database;
mod error;
mod exceptions;
mod retention;
mod samples;
mod schema;
mod sent;
mod settings;
mod whitelist;

pub use alarms::{AlarmFilter, AlarmRow};
pub use breakers::BreakerRow;
pub use changed::Changed;
pub use commands::CommandRow;
pub use corrupt::Recovered;
pub use database::{Database, Opened};
pub use error::StateError;
pub use exceptions::ExceptionRow;
pub use retention::{Pruned, Retention};
pub use samples::{SampleRow, SampleStanding};
pub use sent::{Sending, SentFilter, SentRetention, SentRow, SentTotals, SentWhat};
pub use whitelist::WhitelistRow;
