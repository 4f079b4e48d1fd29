// SPDX-License-Identifier: Apache-2.0
//! Processes held by pidfd: a signal reaches the very process that was looked at, or nobody.

use crate::procfs;
use lazaret_model::ProcessRef;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use std::io;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;

/// A process that cannot be mistaken for a later one with the same pid.
#[derive(Debug)]
pub struct ProcessHandle {
    process: ProcessRef,
    fd: OwnedFd,
}

fn gone(pid: i32) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("process {pid} is gone"))
}

impl ProcessHandle {
    /// Takes hold of a living process. The order matters: descriptor, then start time, then a look
    /// whether the descriptor still lives; so the start time belongs to the descriptor's process.
    ///
    /// # Errors
    /// `NotFound` when there is no such process (any more, or already a zombie), `InvalidInput` for
    /// a number that is no process id or names a thread, else what the kernel says (before Linux
    /// 5.3 there are no pidfds: `Unsupported`).
    pub fn open(pid: i32) -> io::Result<Self> {
        let raw = if pid > 0 { Pid::from_raw(pid) } else { None };
        let raw = raw.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{pid} is not a process id"))
        })?;
        let fd = pidfd_open(raw, PidfdFlags::empty()).map_err(|e| match e {
            rustix::io::Errno::SRCH => gone(pid),
            e => e.into(),
        })?;
        Self::seal(pid, fd)
    }

    /// Takes over a descriptor that the kernel gave with an event.
    ///
    /// # Errors
    /// `InvalidInput` when the descriptor is not a pidfd of `pid`; `NotFound` when that process is gone.
    pub fn from_pidfd(pid: i32, fd: OwnedFd) -> io::Result<Self> {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()))?;
        let named =
            info.lines().find_map(|l| l.strip_prefix("Pid:")).and_then(|v| v.trim().parse::<i32>().ok());
        match named {
            Some(n) if n == pid => Self::seal(pid, fd),
            // The kernel writes -1 once the process has been reaped.
            Some(-1) => Err(gone(pid)),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the descriptor does not belong to process {pid}"),
            )),
        }
    }

    fn seal(pid: i32, fd: OwnedFd) -> io::Result<Self> {
        let start_time = procfs::stat(pid)?.start_time;
        let handle = Self { process: ProcessRef { pid, start_time, boot_id: procfs::boot_id() }, fd };
        if handle.is_gone() { Err(gone(pid)) } else { Ok(handle) }
    }

    /// The identity.
    #[must_use]
    pub const fn process(&self) -> ProcessRef {
        self.process
    }

    /// The process id. For reading `/proc` only: check [`Self::is_gone`] afterwards.
    #[must_use]
    pub const fn pid(&self) -> i32 {
        self.process.pid
    }

    /// A second hold of the same process.
    ///
    /// # Errors
    /// When no further descriptor is to be had.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { process: self.process, fd: self.fd.try_clone()? })
    }

    /// Sends a signal. Never reaches another process, even when the pid was reused.
    ///
    /// # Errors
    /// `NotFound` when the process has ended; `PermissionDenied` when it may not be signalled.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        pidfd_send_signal(&self.fd, signal).map_err(|e| match e {
            rustix::io::Errno::SRCH => gone(self.process.pid),
            e => e.into(),
        })
    }

    /// Whether every thread has ended (a zombie counts as gone: nothing of it runs any more).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.wait_gone(Duration::ZERO)
    }

    /// Waits until every thread has ended; false when `limit` passes first.
    #[must_use]
    pub fn wait_gone(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(n) => return n > 0 && fds[0].revents().contains(PollFlags::IN),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

impl AsFd for ProcessHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn holds_a_living_process() {
        let me = ProcessHandle::open(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(!me.is_gone());
        assert!(me.process().start_time > 0);
        assert_ne!(me.process().boot_id, [0; 16]);
    }

    #[test]
    fn dead_process_signals_nobody() {
        let mut child = Command::new("sleep").arg("20").spawn().unwrap();
        let handle = ProcessHandle::open(i32::try_from(child.id()).unwrap()).unwrap();
        handle.signal(Signal::KILL).unwrap();
        assert!(handle.wait_gone(Duration::from_secs(5)));
        child.wait().unwrap();
        let err = handle.signal(Signal::KILL).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::NotFound);
        assert!(!ProcessHandle::open(handle.pid()).is_ok_and(|h| h.process() == handle.process()));
    }

    #[test]
    fn a_foreign_pidfd_is_refused() {
        let mut child = Command::new("sleep").arg("20").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let fd = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
        let err = ProcessHandle::from_pidfd(1, fd.try_clone().unwrap()).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::InvalidInput);
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(ProcessHandle::from_pidfd(pid, file.into()).is_err());
        let handle = ProcessHandle::from_pidfd(pid, fd).unwrap();
        assert!(!handle.wait_gone(Duration::from_millis(10)));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(handle.is_gone());
    }

    #[test]
    fn no_pid_is_no_panic() {
        for pid in [0, -1, i32::MIN, i32::MAX] {
            assert!(ProcessHandle::open(pid).is_err(), "{pid}");
        }
    }
}
