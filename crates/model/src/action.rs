// SPDX-License-Identifier: Apache-2.0
//! What is done to a host, and what really happened.

use std::fmt;

/// One thing done to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Execution and opening refused.
    Deny,
    /// Processes stopped.
    Freeze,
    /// Stopped processes let go.
    Thaw,
    /// Processes ended.
    Kill,
    /// File moved into the vault.
    Isolate,
    /// File put back.
    Restore,
    /// Vault object destroyed.
    Delete,
    /// What would bring the program back taken out of force.
    Disable,
    /// The same put back as it was.
    Enable,
    /// Service started again that was ended with a file.
    Restart,
}

impl Action {
    /// All, for tables.
    pub const ALL: [Self; 10] = [
        Self::Deny,
        Self::Freeze,
        Self::Thaw,
        Self::Kill,
        Self::Isolate,
        Self::Restore,
        Self::Delete,
        Self::Disable,
        Self::Enable,
        Self::Restart,
    ];

    /// The word in JSON and in the journal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Kill => "kill",
            Self::Isolate => "isolate",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Restart => "restart",
        }
    }
}

/// What really happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of it, confirmed.
    Done,
    /// Some of it; says what is missing.
    Partial(String),
    /// There was nothing left to act on.
    AlreadyGone,
    /// A guard or a limit said no; says which.
    Refused(String),
    /// It was tried and did not work; says why.
    Failed(String),
}

impl Outcome {
    /// The word in JSON and in the journal.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial(_) => "partial",
            Self::AlreadyGone => "already_gone",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// The reason, empty where there is none.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Partial(r) | Self::Refused(r) | Self::Failed(r) => r,
            Self::Done | Self::AlreadyGone => "",
        }
    }

    /// From a word and a reason.
    #[must_use]
    pub fn from_word(word: &str, reason: &str) -> Option<Self> {
        Some(match word {
            "done" => Self::Done,
            "partial" => Self::Partial(reason.to_owned()),
            "already_gone" => Self::AlreadyGone,
            "refused" => Self::Refused(reason.to_owned()),
            "failed" => Self::Failed(reason.to_owned()),
            _ => return None,
        })
    }

    /// Nothing of it is left to do.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Done | Self::AlreadyGone)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        if self.reason().is_empty() { Ok(()) } else { write!(f, ": {}", self.reason()) }
    }
}

/// One line of an alarm's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRecord {
    /// Milliseconds UTC.
    pub at_ms: i64,
    /// What was done.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
    /// On what: a path or a process, for people.
    pub target: String,
}
