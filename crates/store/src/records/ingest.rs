// SPDX-License-Identifier: Apache-2.0
//! What hosts send.

use crate::{AlarmRow, IsolatedRow, Position};

/// Consecutive entries of one host's journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Whose journal.
    pub host: String,
    /// In order.
    pub records: Vec<Record>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it stands.
    pub at: Position,
    /// When.
    pub at_ms: i64,
    /// What it says.
    pub what: What,
}

/// What an entry says. Host, project and position of the rows are set by the store.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The whole alarm as it is now.
    Alarm(Box<AlarmRow>),
    /// The same for an isolated file.
    Isolated(Box<IsolatedRow>),
    /// A line of the host's history.
    Event {
        /// `alarm`, `action`, `switch`, `mount`, `content`, `daemon`.
        kind: String,
        /// For people.
        text: String,
        /// Alarm, or empty.
        alarm: String,
    },
    /// A record that this server cannot read or keep otherwise: a line of the host's history, and its bytes.
    Unread {
        /// For people: why.
        text: String,
        /// As it came.
        record: Vec<u8>,
        /// When it came, by the server's clock.
        received_ms: i64,
    },
    /// Hits of whitelist entries: entry, count, last, path, SHA-256.
    Hits(Vec<Hit>),
    /// Keeps the numbers without gaps.
    Nothing,
}

/// Hits of one whitelist entry since the last such record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which entry; an unknown one is passed over.
    pub entry: String,
    /// How often.
    pub count: i64,
    /// Last of them.
    pub last_ms: i64,
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes, or empty.
    pub sha256: Vec<u8>,
}

/// What came of a batch; it is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingested {
    /// What the server now has of the host.
    pub acked: Position,
    /// Records that were not there before.
    pub taken: u64,
    /// Alarms written.
    pub alarms: Vec<String>,
    /// Isolated files written.
    pub isolated: Vec<String>,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadRow {
    /// Whose.
    pub host: String,
    /// Where in its journal.
    pub at: Position,
    /// When it came.
    pub received_ms: i64,
    /// As it came.
    pub record: Vec<u8>,
}

/// A line of a host's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Where.
    pub host: String,
    /// Where in its journal.
    pub at: Position,
    /// When.
    pub at_ms: i64,
    /// `alarm`, `action`, `switch`, `mount`, `content`, `daemon`.
    pub kind: String,
    /// For people.
    pub text: String,
    /// Alarm, or empty.
    pub alarm: String,
}
