// SPDX-License-Identifier: Apache-2.0
//! The driver's system calls: listed once, then failed or cut off one by one with `strace -e inject`.

use serde_json::Value;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// One call of a verb.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Of the calls of this name within the verb, from 1.
    pub(crate) nth: usize,
    /// As strace shows it.
    pub(crate) text: String,
}

/// What is done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program is killed before the call is made.
    Kill,
    /// The call is not made and gives this error.
    Error(&'static str),
    /// So do all later ones of its name.
    Lasting(&'static str),
}

/// How often each call is made before the verb begins: strace counts from the program's start. It depends on
/// what else is mounted, and is asked again when a fault did not come where it should.
pub(crate) type Before = HashMap<String, usize>;

const ALL_ERRORS: &[&str] = &["ENOSPC", "EIO", "EROFS", "EDQUOT", "EPERM"];

/// Calls that change a file, a name or what is durable.
const CHANGING: &[&str] = &[
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "syncfs",
    "ftruncate",
    "fallocate",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "fchownat",
    "utimensat",
    "fsetxattr",
    "fremovexattr",
    "setxattr",
    "copy_file_range",
    "sendfile",
];

/// Calls that only look.
const LOOKING: &[&str] = &[
    "read",
    "readv",
    "pread64",
    "openat",
    "open",
    "openat2",
    "statx",
    "stat",
    "newfstatat",
    "fstat",
    "lstat",
    "lseek",
    "getdents64",
    "flistxattr",
    "fgetxattr",
    "statfs",
    "fstatfs",
    "ioctl",
    "readlink",
    "readlinkat",
    "fcntl",
    "dup",
    "flock",
];

impl Call {
    /// Whether the disk can be another one after it.
    pub(crate) fn changes(&self) -> bool {
        CHANGING.contains(&self.name.as_str())
            || (self.name.starts_with("open")
                && (self.text.contains("O_CREAT") || self.text.contains("O_TMPFILE")))
            || (self.name == "ioctl" && self.text.contains("SETFLAGS"))
    }

    /// The errors that it can meet.
    pub(crate) fn errors(&self) -> &'static [&'static str] {
        if self.changes() {
            ALL_ERRORS
        } else if self.name.starts_with("open") {
            &["EIO", "EPERM"]
        } else if LOOKING.contains(&self.name.as_str()) {
            &["EIO"]
        } else {
            // Memory, clocks, random numbers, close: nothing of the disk in their answers.
            &[]
        }
    }
}

/// How a run of the driver ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The lines of JSON that it got out.
    pub(crate) said: Vec<Value>,
    /// It ended well.
    pub(crate) ok: bool,
    /// It was killed.
    pub(crate) killed: bool,
    /// The fault came to pass.
    pub(crate) hit: bool,
    pub(crate) errors: String,
}

impl Ran {
    /// The report of the verb, where it got that far.
    pub(crate) fn report(&self) -> Option<&Value> {
        self.said.iter().find_map(|v| v.get("report"))
    }

    /// What a replay said of intents that were open.
    pub(crate) fn replayed(&self) -> Vec<&Value> {
        self.said.iter().filter(|v| v.get("replayed").is_some()).collect()
    }
}

pub(crate) fn driver() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let path = exe.parent().unwrap().parent().unwrap().join("examples/driver");
    assert!(path.exists(), "{} is built with --all-targets", path.display());
    path
}

fn ended(out: &Output) -> Ran {
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let said = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    let killed = out.status.signal() == Some(9);
    let ok = out.status.success();
    Ran { said, ok, killed, hit: killed, errors: String::from_utf8_lossy(&out.stderr).into_owned() }
}

/// Without a fault.
pub(crate) fn plain(arguments: &[OsString]) -> Ran {
    ended(&Command::new(driver()).args(arguments).stdin(Stdio::null()).output().unwrap())
}

/// With one.
pub(crate) fn faulty(arguments: &[OsString], call: &Call, before: &Before, fault: Fault, log: &Path) -> Ran {
    let name = &call.name;
    let nth = call.nth + before.get(name).copied().unwrap_or_default();
    let mut strace = Command::new("strace");
    let what = match fault {
        // Not with --seccomp-bpf: there strace passes the signal on at a stop where the kernel drops it.
        Fault::Kill => format!("inject={name}:signal=SIGKILL:when={nth}"),
        Fault::Error(e) | Fault::Lasting(e) => {
            strace.args(["-f", "--seccomp-bpf"]);
            let on = if fault == Fault::Error(e) { "" } else { "+" };
            format!("inject={name}:error={e}:when={nth}{on}")
        }
    };
    let trace = format!("trace={name},getppid");
    strace.args(["-qq", "-s", "0", "-e", "signal=none", "-e", &trace, "-e", &what, "-o"]);
    let out = strace.arg(log).arg(driver()).args(arguments).stdin(Stdio::null()).output().unwrap();
    let mut ran = ended(&out);
    // Within the verb: after the first mark and before the second.
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut parts = text.split("getppid(");
    let (first, within) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    ran.hit = match fault {
        Fault::Kill => ran.killed && text.matches("getppid(").count() == 1,
        _ => !first.contains("(INJECTED)") && within.contains("(INJECTED)"),
    };
    ran
}

/// The calls of the verb between the driver's two marks, in order, and what was called before.
pub(crate) fn trace(arguments: &[OsString], log: &Path) -> (Vec<Call>, Before) {
    let out = Command::new("strace")
        .args(["-qq", "-s", "0", "-e", "signal=none", "-o"])
        .arg(log)
        .arg(driver())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("strace: {e}"));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(log).unwrap();
    let (mut before, mut counts) = (Before::new(), Before::new());
    let (mut calls, mut marks) = (Vec::new(), 0);
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if name == "getppid" {
            marks += 1;
            continue;
        }
        let counted = if marks == 0 { &mut before } else { &mut counts };
        let nth = counted.entry(name.to_owned()).or_default();
        *nth += 1;
        if marks == 1 {
            calls.push(Call { name: name.to_owned(), nth: *nth, text: line.to_owned() });
        }
    }
    assert_eq!(marks, 2, "the driver marks where a verb begins and ends\n{text}");
    (calls, before)
}
