// SPDX-License-Identifier: Apache-2.0
//! A small fanotify reader of our own: the crates on offer drop information records or allocate on
//! the answer path.
//!
//! Two groups, because the kernel refuses `FAN_REPORT_FID` together with permission events:
//! [`PermissionGroup`] asks for answers and carries descriptors, [`MoveGroup`] only tells and
//! carries file handles.

mod moves;
mod permission;

pub use moves::{FileHandle, MoveEvent, MoveGroup, MoveItem, open_handle};
pub use permission::{Answer, EventBuffer, PermissionEvent, PermissionGroup};

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A set of event bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask(u64);

impl Mask {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Permission: a file is opened to be executed (kernel 5.0).
    pub const OPEN_EXEC_PERM: Self = Self(libc::FAN_OPEN_EXEC_PERM);
    /// Permission: a file is opened.
    pub const OPEN_PERM: Self = Self(libc::FAN_OPEN_PERM);
    /// A file that was open for writing is closed.
    pub const CLOSE_WRITE: Self = Self(libc::FAN_CLOSE_WRITE);
    /// A name appeared by a rename.
    pub const MOVED_TO: Self = Self(libc::FAN_MOVED_TO);
    /// The queue was full; events were lost.
    pub const OVERFLOW: Self = Self(libc::FAN_Q_OVERFLOW);

    /// All bits of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any bit of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether somebody waits for an answer.
    #[must_use]
    pub const fn wants_answer(self) -> bool {
        self.has(Self(libc::FAN_OPEN_EXEC_PERM | libc::FAN_OPEN_PERM))
    }

    const fn bits(self) -> u64 {
        self.0
    }
}

/// What a mark call acts on.
enum Object<'a> {
    Path(&'a Path),
    Fd(BorrowedFd<'a>),
}

fn mark(group: BorrowedFd<'_>, flags: u32, mask: Mask, object: &Object<'_>) -> io::Result<()> {
    let (dirfd, path) = match object {
        Object::Path(p) => (libc::AT_FDCWD, Some(CString::new(p.as_os_str().as_bytes())?)),
        Object::Fd(fd) => (fd.as_raw_fd(), None),
    };
    let path = path.as_ref().map_or(std::ptr::null(), |p| p.as_ptr());
    // SAFETY: the group descriptor is open for the length of the borrow, `path` is null or a
    // NUL-terminated string that outlives the call.
    let r = unsafe { libc::fanotify_mark(group.as_raw_fd(), flags, mask.bits(), dirfd, path) };
    if r == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
