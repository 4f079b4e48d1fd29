// SPDX-License-Identifier: Apache-2.0
//! Beginnings and ends of processes that the standard library does not offer: a process with a
//! number of one's choice, a process that goes on without its first thread. They happen on real
//! hosts; tests need them on purpose.

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `struct clone_args` of `linux/sched.h`, up to `set_tid_size`.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
}

/// Starts a program as the process number `pid` of this pid namespace (Linux 5.5), with this
/// process's environment and descriptors. The caller reaps it.
///
/// # Errors
/// `AlreadyExists` while the number is in use, `PermissionDenied` without `CAP_CHECKPOINT_RESTORE`
/// or `CAP_SYS_ADMIN`. A program that cannot be executed ends with status 127.
pub fn start_as(pid: i32, program: &Path, arguments: &[OsString]) -> io::Result<OwnedFd> {
    let text = |b: &[u8]| CString::new(b).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let program = text(program.as_os_str().as_bytes())?;
    let mut words = vec![program.clone()];
    for a in arguments {
        words.push(text(a.as_bytes())?);
    }
    let mut argv: Vec<*const libc::c_char> = words.iter().map(|w| w.as_ptr()).collect();
    argv.push(std::ptr::null());
    let args = CloneArgs {
        exit_signal: libc::SIGCHLD as u64,
        set_tid: (&raw const pid) as u64,
        set_tid_size: 1,
        ..CloneArgs::default()
    };
    // SAFETY: without CLONE_VM the child has a copy of everything and its own stack; `args` and the
    // number it points to live for the length of the call.
    let r = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
    if r == 0 {
        // SAFETY: the copy of a threaded process may do what is async-signal-safe: these two calls.
        // `argv` is a NULL-terminated array of NUL-terminated strings that live on.
        unsafe {
            libc::execv(program.as_ptr(), argv.as_ptr());
            libc::_exit(127);
        }
    }
    if r < 0 {
        return Err(io::Error::last_os_error());
    }
    let id = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(id, PidfdFlags::empty())?)
}

/// Ends the calling thread alone, without running destructors; the process goes on when it has
/// others. As the first thread it leaves a process whose `/proc` entry looks dead.
pub fn end_this_thread() -> ! {
    loop {
        // SAFETY: ends this thread without touching memory. What its stack owns is leaked, so other
        // threads may go on using what they borrowed from it.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ProcessHandle;
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    use std::os::fd::AsFd;

    #[test]
    fn a_number_can_be_had_again() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id().cast_signed();
        assert_eq!(
            start_as(pid, Path::new("/bin/sleep"), &["20".into()]).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        child.wait().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let again = start_as(pid, Path::new("/bin/sleep"), &["20".into()]).unwrap();
        let handle = ProcessHandle::open(pid).unwrap();
        handle.signal(crate::process::Signal::KILL).unwrap();
        waitid(WaitId::PidFd(again.as_fd()), WaitIdOptions::EXITED).unwrap();
        assert!(handle.is_gone());
    }
}
