// SPDX-License-Identifier: Apache-2.0
//! Which interpreter runs which script: the exec and open events that paired process and inode.
//!
//! Only pairs that were judged are remembered, at most [`ROOM`]; an interpreter that keeps its
//! script open (every Bourne shell does) is found by that as well. Whoever merely reads a file is
//! never listed here as running it.

use lazaret_model::{FileRef, ProcessFacts, ProcessRef};
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs;
use std::collections::{HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

const ROOM: usize = 4096;

/// Processes remembered for one script.
const MAX_EACH: usize = 64;

/// Programs that run what they read, by their file name: `python3.11`, `php8.2`: the name may end in a version. Not java and node, which read the files of
/// their users all day; what they run is in archives or found by the exec of its `#!` line.
const INTERPRETERS: [&[u8]; 20] = [
    b"sh", b"dash", b"bash", b"rbash", b"zsh", b"ksh", b"mksh", b"ash", b"busybox", b"python", b"pypy",
    b"perl", b"php", b"php-fpm", b"php-cgi", b"ruby", b"lua", b"tclsh", b"gawk", b"mawk",
];

const SHELLS: [&[u8]; 9] = [b"sh", b"dash", b"bash", b"rbash", b"zsh", b"ksh", b"mksh", b"ash", b"busybox"];

#[derive(Default)]
struct Inner {
    by_inode: HashMap<(u64, u64), Vec<ProcessRef>>,
    order: VecDeque<(u64, u64)>,
}

pub(crate) struct Runners {
    inner: Mutex<Inner>,
}

impl Runners {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::new(Inner::default()) }
    }

    /// `process` is about to execute or has opened this file; its task still waits for our answer.
    pub(crate) fn note(&self, dev: u64, ino: u64, pid: i32) {
        let Ok(process) = ProcessHandle::open(pid).map(|h| h.process()) else { return };
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (dev, ino);
        if !inner.by_inode.contains_key(&key) {
            inner.order.push_back(key);
            if inner.order.len() > ROOM
                && let Some(oldest) = inner.order.pop_front()
            {
                inner.by_inode.remove(&oldest);
            }
        }
        // No descriptors are kept: whoever starts many processes could exhaust ours.
        let known = inner.by_inode.entry(key).or_default();
        known.retain(|p| *p != process);
        if known.len() >= MAX_EACH {
            known.remove(0);
        }
        known.push(process);
    }

    /// Notes a clean file that may turn out otherwise later, where it is about to be interpreted.
    pub(crate) fn note_if_script(&self, file: BorrowedFd<'_>, pid: i32) {
        let mut head = [0; 2];
        let shebang = rustix::io::pread(file, &mut head, 0).is_ok_and(|n| n == 2) && head == *b"#!";
        if (shebang || (is_interpreter(pid) && is_young(pid)))
            && let Ok(stat) = rustix::fs::fstat(file)
        {
            self.note(stat.st_dev, stat.st_ino, pid);
        }
    }

    /// Interpreters that run this script now.
    pub(crate) fn of(&self, file: &FileRef) -> Vec<ProcessHandle> {
        let noted: Vec<ProcessRef> = {
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.by_inode.get(&(file.dev, file.ino)).cloned().unwrap_or_default()
        };
        let mut found: Vec<ProcessHandle> = noted
            .into_iter()
            .filter_map(|p| ProcessHandle::open(p.pid).ok().filter(|h| h.process() == p))
            .collect();
        let holders =
            procfs::pids().filter(|pid| holds_open(*pid, file)).filter_map(|p| ProcessHandle::open(p).ok());
        for handle in holders {
            if !found.iter().any(|h| h.process() == handle.process()) {
                found.push(handle);
            }
        }
        found.retain(|h| !h.is_gone() && procfs::facts(h.process().pid).is_ok_and(|f| runs_scripts(&f)));
        found
    }
}

/// An interpreter, and not the master process of a service: its children run the file.
fn runs_scripts(process: &ProcessFacts) -> bool {
    let name = process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
    if !is_interpreter_name(name) {
        return false;
    }
    // The first process of a service is its master; what it started for the file is a child of it. A
    // shell serves nobody: it runs its script and nothing else.
    let is_shell = SHELLS.contains(&name);
    let is_service =
        process.unit.as_deref().is_some_and(|u| u.ends_with(".service") && !u.starts_with("user@"));
    let is_pool = (is_service && !is_shell) || name.starts_with(b"php-fpm") || name.starts_with(b"php-cgi");
    !is_pool
        || procfs::facts(process.ppid)
            .is_ok_and(|parent| parent.exe == process.exe || parent.unit == process.unit)
}

pub(crate) fn is_interpreter_name(name: &[u8]) -> bool {
    let is_version = |rest: &[u8]| rest.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    INTERPRETERS.iter().any(|i| name.strip_prefix(*i).is_some_and(is_version))
}

/// Interpreters open their script right after their start; a later open reads data.
fn is_young(pid: i32) -> bool {
    procfs::facts(pid).is_ok_and(|f| crate::look::now_ms() - f.started_ms < 2_000)
}

fn is_interpreter(pid: i32) -> bool {
    let Ok(exe) = std::fs::read_link(format!("/proc/{pid}/exe")) else { return false };
    is_interpreter_name(exe.file_name().unwrap_or_default().as_encoded_bytes())
}

fn holds_open(pid: i32, file: &FileRef) -> bool {
    // Cheap first: few processes are interpreters.
    is_interpreter(pid) && procfs::uses(pid, file, false).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_versions_and_no_others() {
        for name in [&b"sh"[..], b"python3", b"python3.11", b"php8.2", b"php-fpm8.2", b"bash"] {
            assert!(is_interpreter_name(name), "{}", name.escape_ascii());
        }
        for name in [&b"sha256sum"[..], b"shutdown", b"node_exporter", b"perldoc", b"luatex", b"java"] {
            assert!(!is_interpreter_name(name), "{}", name.escape_ascii());
        }
    }
    use crate::look::file_ref;
    use std::process::{Command, Stdio};

    #[test]
    fn a_shell_is_found_by_its_open_script_and_a_reader_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("s");
        std::fs::write(&script, "read x\n").unwrap();
        let mut shell = Command::new("/bin/sh").arg(&script).stdin(Stdio::piped()).spawn().unwrap();
        let mut reader = Command::new("/usr/bin/tail")
            .args(["-f", script.to_str().unwrap()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let file = file_ref(&rustix::fs::stat(&script).unwrap());
        let pid = i32::try_from(shell.id()).unwrap();
        let found = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            Runners::new().of(&file).iter().map(|h| h.process().pid).collect::<Vec<_>>() == [pid]
        });
        drop(shell.stdin.take());
        shell.wait().unwrap();
        reader.kill().unwrap();
        reader.wait().unwrap();
        assert!(found);
    }
}
