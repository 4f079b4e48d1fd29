// SPDX-License-Identifier: Apache-2.0
//! What a server keeps, in SQLite or PostgreSQL: one body of SQL, one suite over both (docs/adr/0008).

#![forbid(unsafe_code)]

mod alarms;
mod approvals;
mod backup;
mod cloud;
mod commands;
mod content;
mod db;
mod error;
mod exports;
mod fleet;
mod ingest;
mod isolated;
mod live;
mod outbound;
mod people;
mod quotas;
mod records;
mod retain;
mod scans;
mod sign_on;
mod store;
mod whitelist;

pub use approvals::{Approved, Decision};
pub use backup::{TableSink, TableSource};
pub use commands::Order;
pub use db::migrate::Migrated;
pub use db::open::Options;
pub use error::{Result, StoreError};
pub use records::*;
pub use store::{Meta, Store};

/// The newest schema that this program knows.
#[must_use]
pub fn newest_schema() -> i64 {
    db::migrate::newest()
}
