// SPDX-License-Identifier: Apache-2.0
//! What changed, for live streams.

/// Something of a project changed; look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Grows; without gaps for a reader that keeps up.
    pub seq: i64,
    /// Whose.
    pub project: String,
    /// What kind.
    pub kind: ChangeKind,
    /// Which; empty: many.
    pub id: String,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// An alarm.
    Alarm,
    /// An isolated file.
    Isolated,
    /// A host.
    Host,
    /// A command; its id is the host's.
    Command,
    /// A scan task.
    Scan,
    /// Switches, groups, whitelist: what hosts are to apply.
    Desired,
    /// A file of Malware Cloud Scan, its sample or its deep scan; the id is its SHA-256 in hex.
    File,
    /// A verdict of Malware Cloud Scan: the project's feed goes on; the id is the file's SHA-256 in hex.
    Verdict,
}

/// Changes behind a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Newest number; ask for what is behind it the next time.
    pub seq: i64,
    /// In order.
    pub items: Vec<Change>,
    /// Some are gone already: look at everything again.
    pub missed: bool,
}
