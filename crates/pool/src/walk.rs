// SPDX-License-Identifier: Apache-2.0
//! Walks folders by descriptor: never follows a link, never opens what is not a regular file.
//!
//! Every name is opened relative to its open folder with `O_NOFOLLOW`, so that nobody can lead the
//! walk elsewhere by exchanging a folder for a link. A file that vanishes while it is walked is
//! counted; one that cannot be read is reported. Pseudo filesystems (/proc, /sys and their like) are
//! left out unless they were named. Order is not defined.

mod entry;
mod filesystem;
mod folder;
mod pending;
mod reopened;
mod run;

pub use entry::{Entry, EntryError};
pub use run::walk;

use lazaret_model::ScanError;
use std::path::PathBuf;

/// Folders nested deeper than this are reported and not entered: deeper than any path that a program
/// could be run by (`PATH_MAX` is 4096 bytes, two for each folder).
pub const MAX_DEPTH: usize = 4096;

/// What to leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WalkOptions {
    /// Do not enter folders of another filesystem than that of the named path.
    pub one_file_system: bool,
    /// Paths to leave out with all that is below them, as the walk would spell them.
    pub exclude: Vec<PathBuf>,
}

/// Sees what a walk finds. Each thread of the walk has its own.
pub trait Visitor: Send {
    /// A regular file, or what looked like one a moment ago.
    fn file(&mut self, entry: &Entry<'_>);

    /// Something that could not be walked, or that was named and is not a file or folder.
    fn problem(&mut self, path: Vec<u8>, error: ScanError);

    /// The thread has nothing more to do at this moment: what was gathered should move on.
    fn idle(&mut self) {}
}

/// What a walk saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalkSummary {
    /// Folders that were read.
    pub folders: u64,
    /// Regular files that a visitor saw.
    pub files: u64,
    /// Links, FIFOs, sockets and devices, which were left alone.
    pub other: u64,
    /// Names that were gone before they could be looked at.
    pub vanished: u64,
    /// Folders left out: pseudo or other filesystems, excluded paths.
    pub left_out: u64,
}

impl std::ops::AddAssign for WalkSummary {
    fn add_assign(&mut self, other: Self) {
        self.folders += other.folders;
        self.files += other.files;
        self.other += other.other;
        self.vanished += other.vanished;
        self.left_out += other.left_out;
    }
}
