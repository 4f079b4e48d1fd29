// SPDX-License-Identifier: Apache-2.0
//! Why something with a sample did not work, and whether it is worth trying again.

use std::io;
use std::path::Path;

/// What went wrong, with the way out. Nothing that was stored is lost by one of these.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Larger than this server takes.
    #[error("it has {size} bytes, and at most {most} are taken ([samples] max_sample_bytes)")]
    TooLarge {
        /// As the host says.
        size: u64,
        /// The bound.
        most: u64,
    },
    /// The project has too many.
    #[error(
        "project {project}: {needed} bytes are needed, {used} of {most} are used ([samples] project_bytes); delete \
         samples, keep them for fewer days, or raise the bound"
    )]
    Quota {
        /// Which.
        project: String,
        /// Of this sample.
        needed: u64,
        /// By its samples.
        used: u64,
        /// The bound.
        most: u64,
    },
    /// Too many samples are on their way, or somebody else has this one in hand.
    #[error("{0}")]
    Busy(String),
    /// No room on a file system.
    #[error("{0}")]
    Full(String),
    /// What a host sent is not what it said.
    #[error("what was sent is refused: {0}")]
    Lied(String),
    /// There is no such sample.
    #[error("there is no sample {0}")]
    NotFound(String),
    /// What is stored does not open, or is not what it should be.
    #[error("the stored sample {key} is damaged: {why}; delete it, and a host will send it again")]
    Corrupt {
        /// Its object.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A name, hash or password that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// The configuration, the key or a folder cannot be used.
    #[error("{0}")]
    Setup(String),
    /// The folder or the bucket did not do what was asked.
    #[error("{place}: {what}: {why}")]
    Store {
        /// The folder or the bucket.
        place: String,
        /// What was tried.
        what: String,
        /// What was answered.
        why: String,
        /// It may go better later.
        retryable: bool,
    },
}

impl SampleError {
    /// The same may work later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Full(_) => true,
            Self::Store { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// For `map_err` on a file or folder of this machine.
    pub(crate) fn file(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |e| match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full(format!("{what}: {e}; make room on its file system"))
            }
            _ => Self::Store {
                place: "the file system".to_owned(),
                what,
                why: e.to_string(),
                retryable: !matches!(
                    e.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::ReadOnlyFilesystem
                        | io::ErrorKind::NotADirectory
                ),
            },
        }
    }

    /// A task of ours that did not come to its end: the process stops.
    pub(crate) fn stopped(_: tokio::task::JoinError) -> Self {
        Self::Busy("the server stops".to_owned())
    }
}
