// SPDX-License-Identifier: Apache-2.0
//! Starting processes: a fork from a single-threaded process, and an exec that waits for a word.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsRawFd, OwnedFd, RawFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Forked {
    /// The new process.
    Child,
    /// The old one.
    Parent {
        /// Of the new process.
        pid: i32,
        /// Holds the new process, so that its number cannot mean another one.
        pidfd: OwnedFd,
    },
}

/// Forks this process, which must have exactly one thread: the child of a threaded process may
/// inherit locks that nobody will ever release.
///
/// # Errors
/// `Other` when there are more threads; what `fork(2)` and `pidfd_open(2)` (Linux 5.3) report.
pub fn fork() -> io::Result<Forked> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!("refusing to fork: this process has {threads} threads")));
    }
    // SAFETY: the process has a single thread, so the child's copy of memory, locks included, is
    // consistent and it may run any code.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent { pid, pidfd: hold(pid)? }),
    }
}

/// A pidfd of an own child that was not reaped yet; a child that cannot be held is ended.
fn hold(pid: i32) -> io::Result<OwnedFd> {
    let id = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    pidfd_open(id, PidfdFlags::empty()).map_err(|e| {
        // SAFETY: the process is a child of this one and nobody reaped it, so the number is its.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        let _ = waitid(WaitId::Pid(id), WaitIdOptions::EXITED);
        e.into()
    })
}

/// A process that was started by [`exec`] and is not reaped yet.
#[derive(Debug)]
pub struct Child {
    /// Its number, valid until it is reaped.
    pub pid: i32,
    /// Holds it.
    pub pidfd: OwnedFd,
}

/// Starts `program` with `arguments`, an empty environment, `/dev/null` as standard input and
/// output, this process's standard error, `socket` as descriptor 3, and nothing else.
///
/// `announce` is called with the new process's number before that process opens anything: a caller
/// that answers permission events can exempt it first. May be called from a threaded process.
///
/// # Errors
/// What forking reports, and what `execve(2)` reported in the child (chiefly `ENOENT`, `EACCES`);
/// then no process is left behind, though its number was announced.
pub fn exec(
    program: &Path,
    arguments: &[OsString],
    socket: &OwnedFd,
    announce: &mut dyn FnMut(i32),
) -> io::Result<Child> {
    let text =
        |s: &OsStr| CString::new(s.as_bytes()).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e));
    let program = text(program.as_os_str())?;
    let mut argv = vec![program.clone()];
    for argument in arguments {
        argv.push(text(argument)?);
    }
    let mut pointers: Vec<*const libc::c_char> = argv.iter().map(|a| a.as_ptr()).collect();
    pointers.push(std::ptr::null());

    // All numbers that the child moves to 0..=4 begin above, so that no move overwrites a source.
    let above = |fd: OwnedFd| fcntl_dupfd_cloexec(&fd, 10);
    let (gate_read, gate) = pipe_with(PipeFlags::CLOEXEC)?;
    let (failure, failure_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (gate_read, failure_write) = (above(gate_read)?, above(failure_write)?);
    let null = above(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)?;
    let socket = fcntl_dupfd_cloexec(socket, 10)?;
    let plan = ExecPlan {
        gate: gate_read.as_raw_fd(),
        gate_write: gate.as_raw_fd(),
        failure: failure_write.as_raw_fd(),
        null: null.as_raw_fd(),
        socket: socket.as_raw_fd(),
        program: program.as_ptr(),
        argv: pointers.as_ptr(),
    };
    // SAFETY: the child calls only async-signal-safe functions (`run_exec`) and never returns.
    let pid = match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        // SAFETY: the plan's pointers and descriptors live in this frame, which the child copied.
        0 => unsafe { run_exec(&plan) },
        pid => pid,
    };
    let pidfd = hold(pid)?;
    drop((gate_read, failure_write, null, socket));
    announce(pid);
    // A child that is already gone shows in the read below.
    let _ = rustix::io::write(&gate, &[1]);
    drop(gate);
    let mut code = [0; 4];
    match rustix::io::retry_on_intr(|| rustix::io::read(&failure, &mut code)) {
        Ok(0) => Ok(Child { pid, pidfd }),
        Ok(_) => {
            let _ = waitid(WaitId::PidFd(rustix::fd::AsFd::as_fd(&pidfd)), WaitIdOptions::EXITED);
            Err(io::Error::from_raw_os_error(i32::from_ne_bytes(code)))
        }
        Err(e) => Err(e.into()),
    }
}

/// Runs a program to its end, as [`exec`] starts it, and gives its exit status. One that takes longer
/// than `limit` is killed. Never through a shell.
///
/// # Errors
/// What [`exec`] reports, `TimedOut`, and `Other` when a signal ended it.
pub fn run(program: &Path, arguments: &[OsString], limit: Duration) -> io::Result<i32> {
    let (_mine, theirs) = crate::fd_passing::pair()?;
    let child = exec(program, arguments, &theirs, &mut |_| {})?;
    let mut ready = [PollFd::new(&child.pidfd, PollFlags::IN)];
    let wait = Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    };
    let in_time = rustix::io::retry_on_intr(|| poll(&mut ready, Some(&wait)))? > 0;
    if !in_time {
        let _ = rustix::process::pidfd_send_signal(&child.pidfd, rustix::process::Signal::KILL);
    }
    let status = waitid(WaitId::PidFd(rustix::fd::AsFd::as_fd(&child.pidfd)), WaitIdOptions::EXITED)?;
    if !in_time {
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("it did not end within {limit:?}")));
    }
    status.and_then(|s| s.exit_status()).ok_or_else(|| io::Error::other("a signal ended it"))
}

struct ExecPlan {
    gate: RawFd,
    gate_write: RawFd,
    failure: RawFd,
    null: RawFd,
    socket: RawFd,
    program: *const libc::c_char,
    argv: *const *const libc::c_char,
}

/// The child's way to the new program.
///
/// # Safety
/// Only in a freshly forked child, with a plan whose pointers are valid.
unsafe fn run_exec(plan: &ExecPlan) -> ! {
    // SAFETY: only async-signal-safe calls on descriptors and pointers that the caller vouches for.
    unsafe {
        // The own copy of the gate's other end would keep the read below from ever ending.
        libc::close(plan.gate_write);
        let mut word = 0u8;
        loop {
            match libc::read(plan.gate, (&raw mut word).cast(), 1) {
                1 => break,
                -1 if *libc::__errno_location() == libc::EINTR => {}
                _ => libc::_exit(127),
            }
        }
        let mut empty: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut empty);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let moved = libc::dup2(plan.null, 0) == 0
            && libc::dup2(plan.null, 1) == 1
            && libc::dup2(plan.socket, 3) == 3
            && libc::dup3(plan.failure, 4, libc::O_CLOEXEC) == 4;
        if moved {
            close_from_raw(5);
            let environment = [std::ptr::null::<libc::c_char>()];
            libc::execve(plan.program, plan.argv, environment.as_ptr());
        }
        let code = (*libc::__errno_location()).to_ne_bytes();
        let failure = if moved { 4 } else { plan.failure };
        libc::write(failure, code.as_ptr().cast(), code.len());
        libc::_exit(127)
    }
}

/// Closes every descriptor from `first` on.
///
/// # Safety
/// Nothing in this process may use any of them afterwards.
unsafe fn close_from_raw(first: libc::c_uint) {
    // SAFETY: plain system calls; the caller vouches for the descriptors.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) == 0 {
            return;
        }
        // Before Linux 5.9.
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        let end = libc::c_int::try_from(limit.rlim_cur.min(1 << 20)).unwrap_or(1 << 20);
        for fd in libc::c_int::try_from(first).unwrap_or(3)..end {
            libc::close(fd);
        }
    }
}

/// Closes every descriptor but 0, 1, 2 and `keep`, which become descriptors 3 and following.
///
/// For a process that was just started or forked and owns nothing else that it means to use: any
/// other `OwnedFd` or `File` that is still alive would afterwards name nothing, or something else.
/// The caller must have forgotten (`std::mem::forget`) those.
///
/// # Errors
/// What `fcntl(2)` and `dup3(2)` report, chiefly `EMFILE`.
pub fn keep_only<const N: usize>(keep: [OwnedFd; N]) -> io::Result<[OwnedFd; N]> {
    use rustix::fd::{FromRawFd, IntoRawFd};
    let first_other = RawFd::try_from(3 + N).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut numbers = [0; N];
    for (number, fd) in numbers.iter_mut().zip(keep) {
        // Above all targets, so that no move overwrites a source.
        *number = fcntl_dupfd_cloexec(&fd, first_other)?.into_raw_fd();
        // Perhaps a target already: closed or overwritten below.
        let _ = fd.into_raw_fd();
    }
    for (number, target) in numbers.iter_mut().zip(3..) {
        // SAFETY: what `target` named is given up by this function's contract.
        if unsafe { libc::dup3(*number, target, libc::O_CLOEXEC) } != target {
            return Err(io::Error::last_os_error());
        }
        *number = target;
    }
    // SAFETY: given up by this function's contract.
    unsafe { close_from_raw(libc::c_uint::try_from(first_other).unwrap_or(libc::c_uint::MAX)) };
    // SAFETY: the descriptors are open and owned by nobody else.
    Ok(numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) }))
}

/// Makes standard output and standard error the same as standard input, which [`exec`] left as
/// `/dev/null`: a jailed process must not write into the service's log.
///
/// # Errors
/// What `dup2(2)` reports.
pub fn mute() -> io::Result<()> {
    for fd in [1, 2] {
        // SAFETY: the standard streams are owned by nobody; only what they name changes.
        if unsafe { libc::dup2(0, fd) } != fd {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd_passing;

    #[test]
    fn a_threaded_process_does_not_fork() {
        // The test harness itself has two threads.
        let e = fork().unwrap_err();
        assert!(e.to_string().contains("threads"), "{e}");
    }

    #[test]
    fn exec_announces_first_and_passes_only_the_socket() {
        let (mine, theirs) = fd_passing::pair().unwrap();
        let mut announced = 0;
        let script = "ls /proc/self/fd >&3; env >&3; echo end >&3";
        let child = exec(Path::new("/bin/sh"), &["-c".into(), script.into()], &theirs, &mut |pid| {
            announced = pid;
            let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
            assert_ne!(exe, Path::new("/bin/sh").canonicalize().unwrap(), "it waits for the word");
        })
        .unwrap();
        drop(theirs);
        assert_eq!(announced, child.pid);
        let (mut said, mut buffer, mut fds) = (Vec::new(), [0; 4096], Vec::new());
        loop {
            match fd_passing::receive(&mine, &mut buffer, &mut fds).unwrap() {
                0 => break,
                n => said.extend_from_slice(&buffer[..n]),
            }
        }
        let status = waitid(WaitId::PidFd(rustix::fd::AsFd::as_fd(&child.pidfd)), WaitIdOptions::EXITED);
        assert_eq!(status.unwrap().unwrap().exit_status(), Some(0));
        let said = String::from_utf8(said).unwrap();
        // 4 is the folder that `ls` itself reads; `sh` adds PWD and the like to its environment.
        assert!(said.starts_with("0\n1\n2\n3\n4\n"), "{said}");
        assert!(!said.contains("CARGO"), "{said}");
        assert!(said.ends_with("end\n"), "{said}");
    }

    #[test]
    fn a_program_runs_to_its_end_or_to_its_limit() {
        let run = |script: &str, limit| run(Path::new("/bin/sh"), &["-c".into(), script.into()], limit);
        assert_eq!(run("exit 7", Duration::from_secs(10)).unwrap(), 7);
        let slow = run("exec sleep 20", Duration::from_millis(50)).unwrap_err();
        assert_eq!(slow.kind(), io::ErrorKind::TimedOut);
        assert!(run("kill -9 $$", Duration::from_secs(10)).unwrap_err().to_string().contains("signal"));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_and_leaves_nothing() {
        let (_mine, theirs) = fd_passing::pair().unwrap();
        let mut announced = 0;
        let e =
            exec(Path::new("/nonexistent/program"), &[], &theirs, &mut |pid| announced = pid).unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::NotFound);
        assert!(!Path::new(&format!("/proc/{announced}")).exists(), "reaped");
    }
}
