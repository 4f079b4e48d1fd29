// SPDX-License-Identifier: Apache-2.0
//! A bad file that is loaded, not executed (docs/adr/0007-who-is-killed.md).

use crate::stand_in::{Packaged, Running, copy, end, left_alone, wait_for};
use crate::support::{Fs, State, isolate, target};
use lazaret_model::{Action, FileRef, Outcome};
use lazaret_response::Responder;
use lazaret_sys::procfs::{self, Use};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A library of the C library that programs here do not load by themselves.
fn library(dir: &Path) -> PathBuf {
    let found = [
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu",
        "/lib64",
        "/usr/lib64",
    ]
    .iter()
    .map(|d| Path::new(d).join("libutil.so.1"))
    .find(|p| p.exists())
    .expect("libutil.so.1");
    let path = dir.join("injected.so");
    std::fs::copy(found, &path).unwrap();
    path
}

fn linker() -> PathBuf {
    ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
        .iter()
        .map(PathBuf::from)
        .find(|p| p.exists())
        .expect("the dynamic linker")
}

fn loaded(program: &Path, library: &Path, file: &FileRef) -> Running {
    let running = Running::spawn(Command::new(program).arg("15").env("LD_PRELOAD", library));
    wait_for("the library to be loaded", || procfs::uses(running.pid(), file, true) == Some(Use::Maps));
    running
}

#[test]
fn case_33_library_in_an_innocent_program_is_not_killed_but_offered() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let mut config = state.config();
    let sleep: &'static str =
        std::fs::canonicalize("/bin/sleep").unwrap().to_str().unwrap().to_owned().leak();
    config.spare = Arc::new(Packaged(sleep));
    let r = Responder::open(config).unwrap().0;
    let bad = library(&fs.dir);
    let mut t = target(&bad);
    let mut innocent = loaded(Path::new("/bin/sleep"), &bad, &t.identity);
    // Nobody's program, outside of any service.
    let own = fs.dir.join("nobodys");
    std::fs::copy("/bin/sleep", &own).unwrap();
    let mut nobodys = loaded(&own, &bad, &t.identity);
    t.kill = true;
    let report = isolate(&r, t);
    assert!(!innocent.ended(), "{report:?}");
    assert!(nobodys.ended(), "{report:?}");
    assert!(!procfs::stat(innocent.pid()).unwrap().is_stopped());
    let why = left_alone(&report, innocent.pid());
    assert!(why.contains("belongs to a package") && why.contains("to be rid of it"), "{why}");
    // The bad code still runs in there: that is not all that was to be done.
    assert!(matches!(report.outcome(Action::Kill), Some(Outcome::Partial(_))), "{report:?}");
    assert_eq!(report.killed.len(), 1);
}

#[test]
fn case_33_program_started_through_the_dynamic_linker_is_no_library() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let mut config = state.config();
    config.spare = Arc::new(Packaged(linker().canonicalize().unwrap().to_str().unwrap().to_owned().leak()));
    let r = Responder::open(config).unwrap().0;
    let program = copy(&fs.dir, "bad");
    let mut t = target(&program);
    let file = t.identity;
    let mut victim = Running::spawn(Command::new(linker()).arg(&program).args(["idle", &end()]));
    wait_for("it to be mapped", || procfs::uses(victim.pid(), &file, true) == Some(Use::Maps));
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended());
}
