// SPDX-License-Identifier: Apache-2.0
//! Isolated files.

use crate::{Outcome, ProcessRef};

/// Where an isolated file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsolatedStatus {
    /// On its way into the vault.
    Isolating,
    /// In the vault, verified, its names gone.
    Isolated,
    /// Name gone or execution denied, content not movable.
    IsolatedInPlace,
    /// On its way back.
    Restoring,
    /// Back where it was, or where somebody asked; the vault no longer holds it.
    Restored,
    /// Being destroyed.
    Deleting,
    /// Destroyed.
    Deleted,
    /// See the reason.
    IsolateFailed,
    /// See the reason; the vault still holds it.
    RestoreFailed,
    /// See the reason.
    DeleteFailed,
}

impl IsolatedStatus {
    /// All, for tables.
    pub const ALL: [Self; 10] = [
        Self::Isolating,
        Self::Isolated,
        Self::IsolatedInPlace,
        Self::Restoring,
        Self::Restored,
        Self::Deleting,
        Self::Deleted,
        Self::IsolateFailed,
        Self::RestoreFailed,
        Self::DeleteFailed,
    ];

    /// The word in JSON and in the manifest.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Isolating => "isolating",
            Self::Isolated => "isolated",
            Self::IsolatedInPlace => "isolated_in_place",
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::IsolateFailed => "isolate_failed",
            Self::RestoreFailed => "restore_failed",
            Self::DeleteFailed => "delete_failed",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// A process that was ended together with the isolation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KilledProcess {
    /// Which.
    pub process: ProcessRef,
    /// Its executable, raw bytes.
    pub exe: Vec<u8>,
    /// Its arguments, NUL-separated.
    pub cmdline: Vec<u8>,
    /// What came of it.
    pub outcome: Outcome,
    /// The service of the host's service manager that it belonged to; it can be started again.
    pub unit: Option<String>,
    /// The container that it was in.
    pub container: Option<String>,
}
