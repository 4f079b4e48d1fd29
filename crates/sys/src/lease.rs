// SPDX-License-Identifier: Apache-2.0
//! Read leases: the kernel's own word that nobody has a file open, or mapped, for writing.
//!
//! A store through a shared mapping that is already dirty changes neither mtime nor ctime nor size
//! (seen on tmpfs, ext4, xfs and btrfs), so that no stored verdict may be used on these numbers
//! alone. A read lease is not granted while the file is open for writing or mapped writably.

use crate::mounts::is_overlay;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Once;

/// A granted lease; dropping it gives it back.
#[derive(Debug)]
pub struct Lease<'a> {
    file: BorrowedFd<'a>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // SAFETY: no pointers; the descriptor is open for the length of the borrow.
        let _ = unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
    }
}

/// Takes a read lease on a file that is open for reading only; `None` while somebody has it open
/// for writing, and on filesystems without leases. Costs 5 to 14 microseconds with its release.
///
/// # Errors
/// `EACCES` when the file belongs to another user and `CAP_LEASE` is missing.
pub fn read_lease(file: BorrowedFd<'_>) -> io::Result<Option<Lease<'_>>> {
    // A lease on an overlay inode says nothing of the writers of the layer below.
    if is_overlay(file)? {
        return Ok(None);
    }
    ignore_break_signal();
    // SAFETY: no pointers; the descriptor is open for the length of the borrow.
    let r = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) };
    if r == 0 {
        return Ok(Some(Lease { file }));
    }
    let e = io::Error::last_os_error();
    match e.raw_os_error() {
        Some(libc::EAGAIN | libc::EINVAL | libc::EOPNOTSUPP | libc::ENOLCK) => Ok(None),
        _ => Err(e),
    }
}

/// Whether a read lease can be had at this moment; gives it back at once.
///
/// # Errors
/// As [`read_lease`].
pub fn try_read_lease(file: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(read_lease(file)?.is_some())
}

/// Whether nobody but the caller has the file open at this moment: nobody reads it, executes it or
/// has it mapped, by whatever name, in whatever mount or container. The kernel counts the opens of
/// an inode (an overlay counts on the layer's inode too), and grants a write lease only when the one
/// asking is alone. Costs microseconds; walking through /proc costs milliseconds.
///
/// `false` says nothing: another open may be our own, the filesystem may have no leases, or a
/// process that has just ended may not have let go yet.
///
/// # Errors
/// `EACCES` when the file belongs to another user and `CAP_LEASE` is missing.
pub fn is_open_nowhere_else(file: BorrowedFd<'_>) -> io::Result<bool> {
    if is_overlay(file)? {
        return Ok(false);
    }
    ignore_break_signal();
    // SAFETY: no pointers; the descriptor is open for the length of the borrow.
    let r = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) };
    if r == 0 {
        drop(Lease { file });
        return Ok(true);
    }
    let e = io::Error::last_os_error();
    match e.raw_os_error() {
        Some(libc::EAGAIN | libc::EINVAL | libc::EOPNOTSUPP | libc::ENOLCK) => Ok(false),
        _ => Err(e),
    }
}

/// Somebody who opens the file for writing while we hold the lease makes the kernel send `SIGIO`,
/// whose default is to end the process.
fn ignore_break_signal() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: installing SIG_IGN has no handler that could run.
        unsafe { libc::signal(libc::SIGIO, libc::SIG_IGN) };
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[test]
    fn no_lease_while_a_writer_has_the_file_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let mut writer = File::create(&path).unwrap();
        writer.write_all(b"x").unwrap();
        let reader = File::open(&path).unwrap();
        assert!(!try_read_lease(reader.as_fd()).unwrap());
        drop(writer);
        assert!(try_read_lease(reader.as_fd()).unwrap());
    }

    #[test]
    fn a_runner_and_a_reader_are_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sleeper");
        std::fs::copy("/bin/sleep", &path).unwrap();
        let own = File::open(&path).unwrap();
        let alone = || is_open_nowhere_else(own.as_fd()).unwrap();
        assert!(alone());
        let reader = File::open(&path).unwrap();
        assert!(!alone());
        drop(reader);
        assert!(alone());
        let mut runner = std::process::Command::new(&path).arg("20").spawn().unwrap();
        assert!(!alone());
        runner.kill().unwrap();
        runner.wait().unwrap();
        // The kernel lets go of a dead process's program a little later.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while !alone() {
            assert!(std::time::Instant::now() < end);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}
