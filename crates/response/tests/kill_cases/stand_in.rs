// SPDX-License-Identifier: Apache-2.0
//! Starting the stand-in (`examples/stand_in.rs`) and looking after it.

use lazaret_model::{FileRef, Outcome, ProcessFacts};
use lazaret_response::Report;
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where cargo puts it.
pub(crate) fn original() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let path = exe.parent().unwrap().parent().unwrap().join("examples/stand_in");
    assert!(path.exists(), "{} is built with --all-targets", path.display());
    path
}

/// A file of its own.
pub(crate) fn copy(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::copy(original(), &path).unwrap();
    path
}

/// The time at which stand-ins that start now end.
pub(crate) fn end() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    (now + 15_000).to_string()
}

/// A child that is ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> Self {
        Self::spawn(Command::new(program).args(arguments))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for _ in 0..100 {
            match command.spawn() {
                Ok(child) => return Self(child),
                // Another thread of this test program was about to exec when the copy was written.
                Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(e) => panic!("{command:?}: {e}"),
            }
        }
        panic!("{command:?}: busy");
    }

    pub(crate) fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    pub(crate) fn handle(&self) -> ProcessHandle {
        ProcessHandle::open(self.pid()).unwrap()
    }

    pub(crate) fn ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends strangers that a test had started, by their own handle.
pub(crate) struct Guarded(pub(crate) Vec<ProcessHandle>);

impl Drop for Guarded {
    fn drop(&mut self) {
        for handle in &self.0 {
            let _ = handle.signal(Signal::KILL);
        }
    }
}

pub(crate) fn wait_for(what: &str, mut f: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !f() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Living processes whose executable is the file, threads without their leader included.
pub(crate) fn alive(file: &FileRef) -> Vec<i32> {
    let sought = file.into();
    procfs::pids()
        .filter(|pid| {
            procfs::stat(*pid)
                .is_ok_and(|s| !s.is_dead() && procfs::is_executed_by(&sought, procfs::of_a_thread(*pid, &s)))
        })
        .collect()
}

pub(crate) fn alive_are(file: &FileRef, n: usize) {
    wait_for("the stand-ins to be there", || alive(file).len() >= n);
}

/// All that was killed is gone.
pub(crate) fn all_done(report: &Report) {
    for k in &report.killed {
        assert!(k.outcome.is_settled(), "{k:?}");
    }
}

pub(crate) fn left_alone(report: &Report, pid: i32) -> &str {
    let found = report.left_alone.iter().find(|k| k.process.pid == pid);
    let found = found.unwrap_or_else(|| panic!("process {pid} is not listed: {report:?}"));
    assert!(matches!(found.outcome, Outcome::Refused(_)), "{found:?}");
    found.outcome.reason()
}

pub(crate) fn exe_is(pid: i32, path: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|p| p == path)
}

/// Spares programs by their path.
pub(crate) struct Packaged(pub(crate) &'static str);

impl lazaret_response::SpareProcess for Packaged {
    fn as_library_host(&self, process: &ProcessFacts) -> Option<String> {
        (process.exe == self.0.as_bytes()).then(|| "its program belongs to a package".to_owned())
    }
    fn as_supervisor(&self, process: &ProcessFacts) -> Option<String> {
        process.exe.ends_with(b"/keeper-of-the-house").then(|| "it is ours".to_owned())
    }
}
