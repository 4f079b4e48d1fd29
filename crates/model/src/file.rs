// SPDX-License-Identifier: Apache-2.0
//! A file's identity and what is known about it. The path is a label, never an identity.

use crate::Sha256;

/// Seconds and nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileTime {
    /// Seconds, may be negative.
    pub sec: i64,
    /// 0..1_000_000_000.
    pub nsec: u32,
}

/// Which inode, and which state of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileRef {
    /// `st_dev` as the opened descriptor reports it.
    pub dev: u64,
    /// `st_ino`.
    pub ino: u64,
    /// Inode change time: tells a reused inode number apart.
    pub ctime: FileTime,
    /// Bytes.
    pub size: u64,
}

impl FileRef {
    /// Same inode, whatever happened to its content and attributes.
    #[must_use]
    pub fn same_inode(&self, other: &Self) -> bool {
        self.dev == other.dev && self.ino == other.ino
    }
}

/// What an alarm keeps about the file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileFacts {
    /// Path at the time of the event, raw bytes.
    pub path: Vec<u8>,
    /// Identity.
    pub file: FileRef,
    /// Content digest, where the file could be read to its end.
    pub sha256: Option<Sha256>,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// `st_mode`.
    pub mode: u32,
    /// Hard links.
    pub nlink: u64,
    /// Access time.
    pub atime: FileTime,
    /// Modification time.
    pub mtime: FileTime,
    /// `name version` of the owning package, where there is one.
    pub package: Option<String>,
    /// Whether the file is as the package shipped it.
    pub package_intact: Option<bool>,
}
