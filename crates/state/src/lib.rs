// SPDX-License-Identifier: Apache-2.0
//! The agent's own database: alarms, whitelist, exceptions, switches, open breakers; of Malware Cloud Scan
//! the programs of this host, what the server answered about them, its verdicts, and what was sent to it.
//!
//! One SQLite file (WAL, every commit synced). What was done to the host stands in the journal of
//! `response`, not here; verdicts are cached in memory by the agent, not here.

#![forbid(unsafe_code)]

mod alarms;
mod answers;
mod breakers;
mod changed;
mod cloud_verdicts;
mod commands;
mod corrupt;
mod database;
mod error;
mod exceptions;
mod programs;
mod questions;
mod retention;
mod samples;
mod schema;
mod sent;
mod settings;
mod whitelist;

pub use alarms::{AlarmFilter, AlarmRow};
pub use answers::AnswerRow;
pub use breakers::BreakerRow;
pub use changed::Changed;
pub use cloud_verdicts::{CloudVerdictRow, Feed, KnownVerdict};
pub use commands::CommandRow;
pub use corrupt::Recovered;
pub use database::{Database, Opened};
pub use error::StateError;
pub use exceptions::ExceptionRow;
pub use programs::{ProgramRow, ProgramSeen};
pub use questions::QuestionRow;
pub use retention::{Pruned, Retention};
pub use samples::{SampleRow, SampleStanding, WantedAgain};
pub use sent::{Sending, SentFilter, SentRetention, SentRow, SentTotals, SentWhat};
pub use whitelist::WhitelistRow;
