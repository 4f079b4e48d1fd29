// SPDX-License-Identifier: Apache-2.0
//! What a daemon that others wait for asks of the kernel for itself.

use std::io;

/// Keeps every page that was ever touched in memory: a page fault that needs the disk, on a
/// filesystem whose opens wait for us, would be a deadlock. Pages are locked as they are touched,
/// so that stacks do not cost their full reservation.
///
/// # Errors
/// `EPERM` or `ENOMEM` without `CAP_IPC_LOCK` beyond `RLIMIT_MEMLOCK`.
pub fn lock_all() -> io::Result<()> {
    // SAFETY: no pointers.
    let r = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) };
    if r == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The kernel sends SIGKILL to this process when the thread that started it ends.
///
/// # Errors
/// What `prctl` reports.
pub fn die_with_parent() -> io::Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes a signal number and no pointer.
    let r = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if r == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Raises the soft limit of open descriptors to the hard one; every pending event holds one.
///
/// # Errors
/// What `setrlimit` reports.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum })?;
    Ok(now.maximum.unwrap_or(u64::MAX))
}
