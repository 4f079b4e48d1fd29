// SPDX-License-Identifier: Apache-2.0
//! The group that is asked before a file is opened or executed.

use super::{Mask, Object, mark};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Allow,
    /// `EPERM` to the caller.
    Deny,
}

/// One event. Dropping it closes the descriptor; it does **not** answer.
#[derive(Debug)]
pub struct PermissionEvent {
    /// What happened.
    pub mask: Mask,
    /// The very inode, readable; opening through it makes no events. `None` on overflow.
    pub fd: Option<OwnedFd>,
    /// Thread group of whoever did it. While an answer is pending its task waits in the kernel, so
    /// that the number cannot be reused unless it is killed meanwhile.
    pub pid: i32,
}

/// Room for one read, allocated once.
pub struct EventBuffer {
    bytes: Box<[EventSlot]>,
}

/// Keeps the buffer aligned for `fanotify_event_metadata`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct EventSlot([u8; METADATA]);

const METADATA: usize = size_of::<libc::fanotify_event_metadata>();
const SLOTS: usize = 64;

impl EventBuffer {
    /// For up to 64 events a read.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: vec![EventSlot([0; METADATA]); SLOTS].into_boxed_slice() }
    }
}

impl Default for EventBuffer {
    fn default() -> Self {
        Self::new()
    }
}

/// A group of class `FAN_CLASS_CONTENT`.
#[derive(Debug)]
pub struct PermissionGroup {
    fd: OwnedFd,
}

impl PermissionGroup {
    /// Needs `CAP_SYS_ADMIN`. The queue is unlimited: a full one would lose questions.
    ///
    /// # Errors
    /// `EPERM` without the capability, `ENOSYS` without kernel support, `EMFILE` over
    /// `fs.fanotify.max_user_groups`.
    pub fn open() -> io::Result<Self> {
        let flags = libc::FAN_CLASS_CONTENT
            | libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_UNLIMITED_QUEUE
            | libc::FAN_UNLIMITED_MARKS;
        // Non-blocking, because the kernel opens the file inside our read: a file under a write lease
        // would hold up the thread that everybody waits for.
        let event_flags =
            libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC | libc::O_NOATIME | libc::O_NONBLOCK;
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::fanotify_init(flags, event_flags.cast_unsigned()) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so that `fd` is open and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Asks about everything on the filesystem that `path` is on, through whatever mount.
    ///
    /// # Errors
    /// `EINVAL` for filesystems that cannot be marked (proc), `ENOENT` where there is no such path.
    pub fn mark_filesystem(&self, path: &Path, mask: Mask) -> io::Result<()> {
        self.change(libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM, mask, &Object::Path(path))
    }

    /// The same for the filesystem of an open file, such as `/proc/PID/exe` of a process in a
    /// mount namespace where no path of ours leads.
    ///
    /// # Errors
    /// As [`Self::mark_filesystem`].
    pub fn mark_filesystem_of(&self, file: BorrowedFd<'_>, mask: Mask) -> io::Result<()> {
        self.change(libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM, mask, &Object::Fd(file))
    }

    /// Takes the mark of a filesystem away.
    ///
    /// # Errors
    /// `ENOENT` where there is no mark.
    pub fn unmark_filesystem(&self, path: &Path, mask: Mask) -> io::Result<()> {
        self.change(libc::FAN_MARK_REMOVE | libc::FAN_MARK_FILESYSTEM, mask, &Object::Path(path))
    }

    /// The kernel answers "allow" for this inode by itself until it is written to with `write(2)`
    /// or the inode leaves the cache.
    ///
    /// A store through a shared writable mapping does **not** end it: only for files that no
    /// untrusted user can open for writing.
    ///
    /// # Errors
    /// `EINVAL` on kernels without evictable marks (before 5.19).
    pub fn ignore_inode(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_IGNORED_MASK | libc::FAN_MARK_EVICTABLE;
        self.change(flags, Mask::OPEN_EXEC_PERM.and(Mask::OPEN_PERM), &Object::Fd(file))
    }

    /// Forgets every [`Self::ignore_inode`], as new content must judge again.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn forget_ignored(&self) -> io::Result<()> {
        self.change(libc::FAN_MARK_FLUSH, Mask::NONE, &Object::Path(Path::new("/")))
    }

    /// Takes every mark away: nobody is asked about any more.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn unmark_all(&self) -> io::Result<()> {
        let root = Object::Path(Path::new("/"));
        self.change(libc::FAN_MARK_FLUSH | libc::FAN_MARK_FILESYSTEM, Mask::NONE, &root)?;
        self.forget_ignored()
    }

    fn change(&self, flags: u32, mask: Mask, object: &Object<'_>) -> io::Result<()> {
        mark(self.fd.as_fd(), flags, mask, object)
    }

    /// Reads what is there without waiting and hands each event to `each`. Does not allocate.
    /// Returns how many there were.
    ///
    /// An event whose file the kernel cannot open for us (no descriptor left, a lease, a failing
    /// disk) is refused by the kernel itself; that is not an error here.
    ///
    /// # Errors
    /// Only what makes further reading senseless.
    pub fn read(&self, buffer: &mut EventBuffer, mut each: impl FnMut(PermissionEvent)) -> io::Result<usize> {
        let room = size_of_val(&*buffer.bytes);
        // SAFETY: the buffer is `room` bytes of plain data that we own exclusively.
        let got = unsafe { libc::read(self.fd.as_raw_fd(), buffer.bytes.as_mut_ptr().cast(), room) };
        let Ok(got) = usize::try_from(got) else {
            let e = io::Error::last_os_error();
            return match e.raw_os_error() {
                Some(libc::EBADF | libc::EINVAL | libc::EFAULT) => Err(e),
                _ => Ok(0),
            };
        };
        let mut count = 0;
        // Without information records every event is exactly one metadata structure, so that the
        // slots line up with the events.
        for slot in &buffer.bytes[..got / METADATA] {
            // SAFETY: the kernel wrote a whole `fanotify_event_metadata` here, the slot has its size
            // and alignment, and every bit pattern is valid for its integer fields.
            let m = unsafe { &*std::ptr::from_ref(slot).cast::<libc::fanotify_event_metadata>() };
            let fd = (m.fd >= 0).then(|| {
                // SAFETY: the kernel installed this descriptor for us and nobody else knows of it.
                unsafe { OwnedFd::from_raw_fd(m.fd) }
            });
            if m.vers != libc::FANOTIFY_METADATA_VERSION || m.event_len as usize != METADATA {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "fanotify speaks another version"));
            }
            count += 1;
            each(PermissionEvent { mask: Mask(m.mask), fd, pid: m.pid });
        }
        Ok(count)
    }

    /// Answers the event that came with this descriptor. Does not allocate.
    ///
    /// # Errors
    /// `ENOENT` when nobody waits any more (killed, or already answered).
    pub fn answer(&self, event: BorrowedFd<'_>, answer: Answer) -> io::Result<()> {
        let response = libc::fanotify_response {
            fd: event.as_raw_fd(),
            response: match answer {
                Answer::Allow => libc::FAN_ALLOW,
                Answer::Deny => libc::FAN_DENY,
            },
        };
        // SAFETY: `response` is a plain structure on our stack of exactly the length given.
        let r = unsafe {
            libc::write(self.fd.as_raw_fd(), std::ptr::from_ref(&response).cast(), size_of_val(&response))
        };
        if r < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl AsFd for PermissionGroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
