// SPDX-License-Identifier: Apache-2.0
//! `/proc/PID/stat`, whose second field may contain anything.

use std::io;

/// `PF_KTHREAD` of the kernel's `include/linux/sched.h`.
const PF_KTHREAD: u64 = 0x0020_0000;

/// The fields of `/proc/PID/stat` that identify a process and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X` and so on.
    pub state: u8,
    /// Parent.
    pub ppid: i32,
    /// Process group.
    pub group: i32,
    /// Session.
    pub session: i32,
    /// Controlling terminal, 0 for none.
    pub terminal: i32,
    /// Runs in the kernel only.
    pub kernel_thread: bool,
    /// Threads that still run, the leader included unless it has exited.
    pub threads: u32,
    /// Clock ticks since boot.
    pub start_time: u64,
}

impl Stat {
    /// Stopped by a signal or by a tracer.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// Ended, perhaps not yet reaped. A leader that has exited while other threads run is not.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.is_leaderless() && self.threads <= 1
    }

    /// The first thread has exited; others may still run.
    #[must_use]
    pub const fn is_leaderless(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// Reads `/proc/PID/stat`.
///
/// # Errors
/// `NotFound` when the process is gone, `InvalidData` when the text is not what proc(5) describes.
pub fn stat(pid: i32) -> io::Result<Stat> {
    read(pid, &format!("/proc/{pid}/stat"))
}

/// Whether every thread of the process stands still (stopped, traced to a halt, or ended): the
/// state of the first thread alone says nothing of the others.
///
/// # Errors
/// `NotFound` when the process is gone.
pub fn stands_still(pid: i32) -> io::Result<bool> {
    let first = stat(pid)?;
    if first.threads <= 1 {
        return Ok(first.is_stopped() || first.is_dead());
    }
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let Some(path) = task.path().join("stat").to_str().map(str::to_owned) else { continue };
        // A thread that is gone by now stands still.
        if read(pid, &path).is_ok_and(|s| !s.is_stopped() && !s.is_leaderless()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(pid: i32, path: &str) -> io::Result<Stat> {
    use std::io::Read;
    let gone = |e: io::Error| match e.raw_os_error() {
        // Reading the file of a process that ends meanwhile gives ESRCH.
        Some(libc::ESRCH) => io::Error::new(io::ErrorKind::NotFound, format!("process {pid} is gone")),
        _ => e,
    };
    // One read gives the whole line, of 52 numbers at most.
    let mut text = [0; 2048];
    let n = std::fs::File::open(path).map_err(gone)?.read(&mut text).map_err(gone)?;
    parse(text.get(..n).unwrap_or_default())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("{path} is not understood")))
}

fn parse(text: &[u8]) -> Option<Stat> {
    // The command may hold parentheses, spaces and newlines: only what follows the last `)` counts.
    let after = text.iter().rposition(|b| *b == b')')?;
    let rest = std::str::from_utf8(text.get(after + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // proc(5) counts from 1 and the state is field 3.
    let field = |n: usize| fields.get(n - 3).copied();
    Some(Stat {
        state: *field(3)?.as_bytes().first()?,
        ppid: field(4)?.parse().ok()?,
        group: field(5)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        terminal: field(7)?.parse().ok()?,
        kernel_thread: field(9)?.parse::<u64>().ok()? & PF_KTHREAD != 0,
        threads: field(20)?.parse().ok()?,
        start_time: field(22)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 4242 1000 100";

    #[test]
    fn odd_command_names_do_not_confuse() {
        for comm in ["bash", "a b", ")", "(x) R 1 1 1", "new\nline) Z 1 2 3", ""] {
            let s = parse(format!("17 ({comm}) {TAIL}").as_bytes()).unwrap();
            assert_eq!((s.state, s.ppid, s.group, s.session, s.start_time), (b'S', 7, 8, 9, 4242), "{comm}");
            assert_eq!(s.threads, 3, "{comm}");
        }
        let mut raw = b"17 (\xff\xfe) ".to_vec();
        raw.extend_from_slice(TAIL.as_bytes());
        assert_eq!(parse(&raw).unwrap().start_time, 4242);
    }

    #[test]
    fn broken_text_is_an_error() {
        for text in ["", ")", "1 (x)", "1 (x) S", "1 (x) S a b c", "no parenthesis at all"] {
            assert!(parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn kernel_threads_are_told_apart() {
        let me = stat(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(!me.kernel_thread && !me.is_dead());
        assert!(!stands_still(i32::try_from(std::process::id()).unwrap()).unwrap());
        // pid 2 is kthreadd unless this runs in a pid namespace.
        if std::fs::read("/proc/2/comm").is_ok_and(|c| c == b"kthreadd\n") {
            assert!(stat(2).unwrap().kernel_thread);
        }
        assert_eq!(stat(i32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
