// SPDX-License-Identifier: Apache-2.0
//! The rows, as they are asked for and given. Times are milliseconds UTC, ids UUID text unless said.

mod alarms;
mod approvals;
mod changes;
mod cloud;
mod cloud_scans;
mod commands;
mod content;
mod exports;
mod groups;
mod hosts;
mod ingest;
mod isolated;
mod outbound;
mod people;
mod quotas;
mod scans;
mod sign_on;
mod whitelist;

pub use alarms::*;
pub use approvals::*;
pub use changes::*;
pub use cloud::*;
pub use cloud_scans::*;
pub use commands::*;
pub use content::*;
pub use exports::*;
pub use groups::*;
pub use hosts::*;
pub use ingest::*;
pub use isolated::*;
pub use outbound::*;
pub use people::*;
pub use quotas::*;
pub use scans::*;
pub use sign_on::*;
pub use whitelist::*;

/// The enterprise project that everything belongs to unless a person says otherwise, as in HSS.
pub const DEFAULT_PROJECT: &str = "0";

/// A place in a host's journal; ordered by epoch, then seq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Opened anew by a fork of the journal.
    pub epoch: i64,
    /// Goes on across epochs.
    pub seq: i64,
}

/// One page, and where the next begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In the order that was asked for.
    pub items: Vec<T>,
    /// Opaque; `None` at the end.
    pub next: Option<String>,
    /// Counted up to [`COUNT_CAP`]; equal to it means "at least".
    pub total: u64,
}

/// Counting stops here.
pub const COUNT_CAP: u64 = 10_000;

/// Which page.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// From [`Page::next`]; `None` begins.
    pub after: Option<String>,
    /// 1 to 1000.
    pub limit: u32,
}

/// Which projects a caller may see. An empty list sees nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every project.
    All,
    /// These.
    Projects(Vec<String>),
}

/// An enterprise project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// UUID text, or [`DEFAULT_PROJECT`].
    pub id: String,
    /// For people; unique.
    pub name: String,
    /// When.
    pub created_ms: i64,
}
