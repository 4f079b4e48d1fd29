// SPDX-License-Identifier: Apache-2.0
//! A preview names what a kill kills, and neither it nor a rehearsal changes anything.

mod support;

use lazaret_model::{Action, Guard, Outcome};
use lazaret_response::journal::{Body, Note};
use lazaret_response::{Order, Plan, PreviewProcess};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use support::{Fs, State, handle, isolate, target};

/// Everything about the inode and its folder's names.
fn state_of(path: &Path) -> (Vec<i64>, Vec<std::ffi::OsString>) {
    let m = std::fs::symlink_metadata(path).unwrap();
    let numbers = vec![
        m.ino().cast_signed(),
        m.nlink().cast_signed(),
        m.atime(),
        m.atime_nsec(),
        m.mtime(),
        m.mtime_nsec(),
        m.ctime(),
        m.ctime_nsec(),
    ];
    let mut names: Vec<_> =
        std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    (numbers, names)
}

fn pids(processes: impl Iterator<Item = i32>) -> BTreeSet<i32> {
    processes.collect()
}

fn sleeper(program: &Path) -> Child {
    Command::new(program).arg("20").spawn().unwrap()
}

#[test]
fn case_33_preview_is_what_the_kill_does() {
    let fs = Fs::new("ext4");
    fs.remount("strictatime");
    let state = State::new();
    let r = state.open();
    let program = fs.dir.join("sleeper");
    std::fs::copy("/bin/sleep", &program).unwrap();
    std::fs::create_dir(fs.dir.join("d")).unwrap();
    std::fs::hard_link(&program, fs.dir.join("d/second")).unwrap();
    let mut runners: Vec<Child> = (0..3).map(|_| sleeper(&program)).collect();
    let mut spared = sleeper(&program);
    let mut reader = Command::new("sleep")
        .arg("20")
        .stdin(Stdio::from(std::fs::File::open(&program).unwrap()))
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let spared_pid = spared.id().cast_signed();
    let plan = |t: &mut lazaret_response::Target| {
        t.kill = true;
        t.may_kill = Arc::new(move |f| {
            if f.process.pid == spared_pid { Err(Guard::ContainerRuntime("stand-in".into())) } else { Ok(()) }
        });
    };
    let mut looked = target(&program);
    plan(&mut looked);
    let (before, position) = (state_of(&program), r.journal().position());
    let preview = r.preview(looked);
    assert_eq!(state_of(&program), before);
    assert_eq!(r.journal().position(), position);
    assert!(!fs.dir.join(".lazaret-staging").exists(), "not even a folder is made");
    assert!(state.denied.0.lock().unwrap().is_empty());
    for c in runners.iter_mut().chain([&mut spared, &mut reader]) {
        assert!(c.try_wait().unwrap().is_none());
        assert!(!lazaret_sys::procfs::stat(c.id().cast_signed()).unwrap().is_stopped());
    }
    let would: BTreeSet<i32> = pids(preview.killed().map(|p| p.facts.process.pid));
    assert_eq!(would, pids(runners.iter().map(|c| c.id().cast_signed())), "{preview:?}");
    assert!(preview.killed().all(|p| p.why == "executes the file"), "{preview:?}");
    let kept: Vec<&PreviewProcess> = preview.processes.iter().filter(|p| p.kept_by.is_some()).collect();
    assert_eq!(kept.len(), 1, "{preview:?}");
    assert!(kept[0].kept_by.as_deref().is_some_and(|g| g.contains("container runtime")), "{preview:?}");
    assert_eq!(kept[0].facts.process.pid, spared_pid);
    let readers: Vec<i32> = preview.readers.iter().map(|f| f.process.pid).collect();
    assert_eq!(readers, [reader.id().cast_signed()]);
    assert_eq!((preview.names.len(), preview.names_missing), (2, 0), "{preview:?}");
    assert_eq!((&preview.stays, &preview.no_room), (&None, &None));
    // And that is what happens then.
    let mut t = target(&program);
    plan(&mut t);
    let report = isolate(&r, t);
    let did = pids(report.killed.iter().filter(|k| k.outcome == Outcome::Done).map(|k| k.process.pid));
    assert_eq!(did, would, "{report:?}");
    assert!(!fs.dir.join("d/second").exists());
    for mut c in runners {
        c.wait().unwrap();
    }
    for mut c in [spared, reader] {
        c.kill().unwrap();
        c.wait().unwrap();
    }
}

#[test]
fn interpreters_and_their_children_are_named_with_the_reason() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let script = fs.dir.join("script");
    std::fs::write(&script, "sleep 19 & wait\n").unwrap();
    let mut shell = Command::new("/bin/sh").arg(&script).spawn().unwrap();
    let child = || {
        lazaret_sys::procfs::pids()
            .find(|p| lazaret_sys::procfs::stat(*p).is_ok_and(|s| s.ppid == shell.id().cast_signed()))
    };
    while child().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut t = target(&script);
    let known = handle(&shell);
    t.processes = Box::new(move || vec![known]);
    let preview = r.preview(t);
    let why: Vec<&str> = preview.processes.iter().map(|p| p.why.as_str()).collect();
    let started = format!("was started by it (parent {})", shell.id());
    assert_eq!(why, ["interprets the file", started.as_str()], "{preview:?}");
    let child = lazaret_sys::process::ProcessHandle::open(child().unwrap()).unwrap();
    child.signal(lazaret_sys::process::Signal::KILL).unwrap();
    shell.wait().unwrap();
}

#[test]
fn limits_are_foretold() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let mut config = state.config();
    config.vault_limits.total_bytes = 100;
    let (r, _) = lazaret_response::Responder::open(config).unwrap();
    let path = fs.dir.join("x");
    std::fs::write(&path, vec![7; 1000]).unwrap();
    fs.remount("ro");
    let preview = r.preview(target(&path));
    assert!(preview.no_room.as_deref().is_some_and(|w| w.contains("full")), "{preview:?}");
    assert!(preview.stays.as_deref().is_some_and(|w| w.contains("read-only")), "{preview:?}");
}

#[test]
fn a_rehearsal_journals_the_same_set_and_does_nothing() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = fs.dir.join("sleeper");
    std::fs::copy("/bin/sleep", &program).unwrap();
    let mut child = sleeper(&program);
    std::thread::sleep(Duration::from_millis(100));
    let before = state_of(&program);
    let position = r.journal().position().1;
    let mut t = target(&program);
    t.kill = true;
    let report = r.execute(Plan { alarm: None, who: "policy".into(), order: Order::Rehearse(t) });
    for action in [Action::Deny, Action::Kill, Action::Isolate] {
        let outcome = report.outcome(action);
        assert!(matches!(outcome, Some(Outcome::Refused(w)) if w.starts_with("dry run")), "{report:?}");
    }
    assert_eq!(state_of(&program), before);
    assert!(state.denied.0.lock().unwrap().is_empty());
    assert!(child.try_wait().unwrap().is_none());
    assert!(!lazaret_sys::procfs::stat(child.id().cast_signed()).unwrap().is_stopped());
    assert_eq!((report.isolated, report.status), (None, None));
    let entries = r.journal().entries(position, 10).unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let Body::Note(Note { kind, data }) = &entry.body else { panic!("{entry:?}") };
    assert_eq!(kind, "dry_run");
    assert_eq!(data["processes"][0]["pid"], child.id(), "{data}");
    assert_eq!(data["processes"][0]["start_time"], handle(&child).process().start_time);
    // A rehearsal is no intent: nothing is replayed.
    drop(r);
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&state.open(), t);
    assert_eq!(report.killed.len(), 1, "{report:?}");
    child.wait().unwrap();
}
