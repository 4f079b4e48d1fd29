// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with a vault, and the way out.

use lazaret_model::{IsolatedId, Sha256};
use std::io;
use std::path::PathBuf;

/// Why the vault could not do it. Nothing is ever lost by one of these: what was stored stays, what
/// was not stored completely is removed again.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No object with this id.
    #[error("the vault holds no object {0}; `lazaret isolated list` shows what it holds")]
    NotFound(IsolatedId),
    /// The object exists already: an id is used once.
    #[error("the vault already holds an object {0}")]
    Exists(IsolatedId),
    /// A new object does not fit; the old ones stay.
    #[error("the vault is full: {why}")]
    Full {
        /// Which limit, with its figures and the way out.
        why: String,
    },
    /// The bytes read are not those that were judged.
    #[error("the content changed: SHA-256 {expected} was judged, {found} was read")]
    Changed {
        /// From the verdict.
        expected: Sha256,
        /// Of the bytes read.
        found: Sha256,
    },
    /// The blob does not give back what the manifest says.
    #[error("object {id} is corrupt: {why}")]
    Corrupt {
        /// Which object.
        id: IsolatedId,
        /// What is wrong.
        why: String,
    },
    /// The manifest cannot be understood; the blob may still be opened with `age -d`.
    #[error(
        "the manifest {path} cannot be read: {why}; its blob can still be opened with `age -d`, or with lazaret vault export"
    )]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A key file is missing, unreadable or not a key.
    #[error("the key file {path} cannot be used: {why}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong and the way out.
        why: String,
    },
    /// There are keys already; new ones would make the old objects unreadable.
    #[error("{0} is a vault already; it is opened, not made anew")]
    AlreadyInitialised(PathBuf),
    /// The file to be isolated cannot be read.
    #[error("the file cannot be read: {0}")]
    Source(#[source] io::Error),
    /// The system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, on which file.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl VaultError {
    /// For `map_err`: names what was tried. A full disk or quota becomes [`VaultError::Full`].
    pub(crate) fn io<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |e| {
            let source = e.into();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Self::Full { why: format!("{what}: {source}; make room on its filesystem") }
                }
                _ => Self::Io { what, source },
            }
        }
    }
}
