// SPDX-License-Identifier: Apache-2.0
//! Which interpreter runs which script: the exec and open events that paired process and inode.
//!
//! Only pairs that were judged are remembered, at most [`ROOM`]; an interpreter that keeps its
//! script open (every Bourne shell does) is found by that as well. Whoever merely reads a file is
//! never listed here as running it.

use lazaret_model::{FileRef, ProcessFacts};
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs;
use std::collections::{HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const ROOM: usize = 4096;

/// Programs that run what they read, by the beginning of their file name.
const INTERPRETERS: [&[u8]; 24] = [
    b"sh",
    b"dash",
    b"bash",
    b"rbash",
    b"zsh",
    b"ksh",
    b"mksh",
    b"ash",
    b"busybox",
    b"python",
    b"pypy",
    b"perl",
    b"php",
    b"ruby",
    b"node",
    b"lua",
    b"tclsh",
    b"awk",
    b"gawk",
    b"mawk",
    b"java",
    b"ld-linux",
    b"ld.so",
    b"deno",
];

#[derive(Default)]
struct Inner {
    by_inode: HashMap<(u64, u64), Vec<ProcessHandle>>,
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
        let Ok(handle) = ProcessHandle::open(pid) else { return };
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
        let handles = inner.by_inode.entry(key).or_default();
        handles.retain(|h| !h.is_gone() && h.process() != handle.process());
        handles.push(handle);
    }

    /// Notes a clean file that may turn out otherwise later, where it is about to be interpreted.
    pub(crate) fn note_if_script(&self, file: BorrowedFd<'_>, pid: i32) {
        let mut head = [0; 2];
        let shebang = rustix::io::pread(file, &mut head, 0).is_ok_and(|n| n == 2) && head == *b"#!";
        if (shebang || is_interpreter(pid))
            && let Ok(stat) = rustix::fs::fstat(file)
        {
            self.note(stat.st_dev, stat.st_ino, pid);
        }
    }

    /// Interpreters that run this script now.
    pub(crate) fn of(&self, file: &FileRef) -> Vec<ProcessHandle> {
        let mut found: Vec<ProcessHandle> = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let noted = inner.by_inode.get_mut(&(file.dev, file.ino));
            noted
                .map(|handles| handles.iter().filter_map(|h| h.try_clone().ok()).collect())
                .unwrap_or_default()
        };
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
    if !INTERPRETERS.iter().any(|i| name.starts_with(i)) {
        return false;
    }
    let is_pool = name.starts_with(b"php-fpm") || name.starts_with(b"php-cgi");
    !is_pool || procfs::facts(process.ppid).is_ok_and(|parent| parent.exe == process.exe)
}

fn is_interpreter(pid: i32) -> bool {
    let Ok(exe) = std::fs::read_link(format!("/proc/{pid}/exe")) else { return false };
    let name = exe.file_name().unwrap_or_default().as_encoded_bytes();
    INTERPRETERS.iter().any(|i| name.starts_with(i))
}

fn holds_open(pid: i32, file: &FileRef) -> bool {
    // Cheap first: few processes are interpreters.
    if !is_interpreter(pid) {
        return false;
    }
    let folder = Path::new("/proc").join(pid.to_string());
    let Ok(fds) = std::fs::read_dir(folder.join("fd")) else { return false };
    fds.flatten()
        .any(|fd| std::fs::metadata(fd.path()).is_ok_and(|m| m.dev() == file.dev && m.ino() == file.ino))
}

#[cfg(test)]
mod tests {
    use super::*;
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
