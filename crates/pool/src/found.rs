// SPDX-License-Identifier: Apache-2.0
//! What a walk sends to the thread that asked for it.

use crate::cache::Key;
use lazaret_model::{ScanError, ScanReport};
use rustix::fd::OwnedFd;

/// What is remembered of a walk's file while it is scanned.
pub(crate) struct Pending {
    /// Raw bytes.
    pub(crate) path: Vec<u8>,
    /// Bytes when it was opened.
    pub(crate) size: u64,
    /// Under which a clean answer may be kept.
    pub(crate) key: Option<Key>,
}

/// A scanned file; it comes back open.
pub(crate) struct Scanned {
    pub(crate) pending: Pending,
    pub(crate) file: OwnedFd,
    pub(crate) result: Result<ScanReport, ScanError>,
}

/// To the thread that asked for the walk.
pub(crate) enum Message {
    Scanned(Vec<Scanned>),
    Problem { path: Vec<u8>, error: ScanError },
    KnownClean { files: u64, partly: u64, bytes: u64 },
}
