// SPDX-License-Identifier: Apache-2.0
//! Which state of which inode, and how far its numbers can be trusted.

use rustix::fs::{FileType, Stat};
use rustix::process::geteuid;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A ctime younger than this may be shared by two writes, ns.
const SETTLED: i64 = 100_000_000;

/// One state of one inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// `st_dev`.
    pub dev: u64,
    /// `st_ino`.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since the epoch.
    pub mtime: i64,
    /// Nanoseconds since the epoch.
    pub ctime: i64,
}

/// Whether a file's numbers say that its content is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Only root or the caller can write it.
    Numbers,
    /// Others can: only with a read lease at this moment.
    NumbersAndLease,
}

impl Key {
    /// The key of a regular file; `None` for times outside the years 1677 to 2262.
    #[must_use]
    pub fn of(stat: &Stat) -> Option<Self> {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return None;
        }
        Some(Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).ok()?,
            mtime: nanoseconds(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec))?,
            ctime: nanoseconds(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec))?,
        })
    }

    /// Whether nothing changed the inode in the last 100 ms before `now` (nanoseconds).
    #[must_use]
    pub fn is_settled(&self, now: i64) -> bool {
        self.ctime < now.saturating_sub(SETTLED)
    }
}

fn nanoseconds(seconds: i128, rest: i128) -> Option<i64> {
    i64::try_from(seconds * 1_000_000_000 + rest).ok()
}

/// The time, nanoseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

impl Trust {
    /// By owner and mode. A POSIX ACL cannot hide a writer: its mask is what the mode shows as the
    /// group's bits.
    #[must_use]
    pub fn of(stat: &Stat) -> Self {
        let owner_is_trusted = stat.st_uid == 0 || stat.st_uid == geteuid().as_raw();
        if owner_is_trusted && stat.st_mode & 0o022 == 0 { Self::Numbers } else { Self::NumbersAndLease }
    }
}
