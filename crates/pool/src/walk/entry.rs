// SPDX-License-Identifier: Apache-2.0
//! One name in an open folder.

use crate::job::type_word;
use lazaret_model::ScanError;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use std::ffi::CStr;

/// A regular file in an open folder, not opened yet.
#[derive(Debug)]
pub struct Entry<'a> {
    pub(super) folder: BorrowedFd<'a>,
    pub(super) folder_path: &'a [u8],
    pub(super) name: &'a CStr,
    /// The path itself was named, not found in a folder.
    pub(super) named: bool,
    pub(super) local: bool,
    pub(super) noatime: bool,
}

/// Why a file could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryError {
    /// It is gone: no loss for a walk.
    Vanished,
    /// It is something else by now, or cannot be read.
    Scan(ScanError),
}

impl Entry<'_> {
    /// The path, raw bytes.
    #[must_use]
    pub fn path(&self) -> Vec<u8> {
        join(self.folder_path, self.name)
    }

    /// Its last part, raw bytes.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        let name = self.name.to_bytes();
        name.rsplit(|b| *b == b'/').next().unwrap_or(name)
    }

    /// Whether it is on a filesystem whose inode numbers and times can be trusted.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Looks at it without opening it.
    ///
    /// # Errors
    /// When it is gone or cannot be looked at.
    pub fn stat(&self) -> Result<Stat, EntryError> {
        statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| self.refused(e))
    }

    /// Opens it for reading, without following a link, without waiting for a FIFO's writer, and
    /// without touching its access time where that is allowed; sees to it that it is a regular file.
    ///
    /// # Errors
    /// When it is gone, not a regular file, or not readable.
    pub fn open(&self) -> Result<(OwnedFd, Stat), EntryError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = if self.noatime {
            match openat(self.folder, self.name, flags | OFlags::NOATIME, Mode::empty()) {
                // Owned by a user that this process cannot stand for, as in a user namespace.
                Err(Errno::PERM) => openat(self.folder, self.name, flags, Mode::empty()),
                other => other,
            }
        } else {
            openat(self.folder, self.name, flags, Mode::empty())
        };
        let file = opened.map_err(|e| self.refused(e))?;
        let stat = fstat(&file).map_err(|e| self.refused(e))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((file, stat)),
            other => Err(EntryError::Scan(ScanError::NotAFile(type_word(other).into()))),
        }
    }

    fn refused(&self, error: Errno) -> EntryError {
        match error {
            Errno::NOENT | Errno::STALE if !self.named => EntryError::Vanished,
            Errno::LOOP => EntryError::Scan(ScanError::NotAFile(type_word(FileType::Symlink).into())),
            Errno::NXIO => EntryError::Scan(ScanError::NotAFile(type_word(FileType::Socket).into())),
            e => EntryError::Scan(ScanError::Unreadable(e.to_string())),
        }
    }
}

/// A folder's path and a name as one path.
pub(super) fn join(folder: &[u8], name: &CStr) -> Vec<u8> {
    let mut path = Vec::with_capacity(folder.len() + 1 + name.to_bytes().len());
    path.extend_from_slice(folder);
    append(&mut path, name);
    path
}

/// Adds a name to a folder's path.
pub(super) fn append(path: &mut Vec<u8>, name: &CStr) {
    if !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name.to_bytes());
}
