// SPDX-License-Identifier: Apache-2.0
//! Ending processes: the right ones, all of them, nobody else. Stand-ins end by themselves.

mod support;

use lazaret_model::{Action, Guard, Outcome};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Fs, State, handle, isolate, target};

fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn copy_of_sleep(dir: &Path) -> PathBuf {
    let path = dir.join("sleeper");
    std::fs::copy("/bin/sleep", &path).unwrap();
    path
}

fn wait_for(mut f: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !f() {
        assert!(Instant::now() < end, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn gone(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

#[test]
fn case_33_runners_die_readers_live() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of_sleep(&fs.dir);
    let mut runners: Vec<Child> = (0..3).map(|_| Command::new(&program).arg("20").spawn().unwrap()).collect();
    let mut reader = Command::new("sleep")
        .arg("20")
        .stdin(Stdio::from(std::fs::File::open(&program).unwrap()))
        .spawn()
        .unwrap();
    let mut bystander = Command::new("sleep").arg("20").spawn().unwrap();
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.killed.len(), 3);
    for k in &report.killed {
        assert!(k.exe.starts_with(program.as_os_str().as_encoded_bytes()), "{k:?}");
        assert_eq!(k.outcome, Outcome::Done);
    }
    for c in &mut runners {
        assert!(gone(c));
    }
    for c in [&mut reader, &mut bystander] {
        assert!(!gone(c));
        c.kill().unwrap();
        c.wait().unwrap();
    }
    let m = r.vault().manifest(report.isolated.unwrap()).unwrap();
    assert_eq!(m.killed.len(), 3);
}

#[test]
fn case_32_named_interpreter_dies_with_what_it_started() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let mark = fs.dir.join("child");
    let bad = script(
        &fs.dir,
        "bad.sh",
        &format!("#!/bin/sh\nsetsid sleep 19 &\necho $! >{}\nsleep 19\n", mark.display()),
    );
    let mut shell = Command::new("sh").arg(&bad).spawn().unwrap();
    wait_for(|| std::fs::read_to_string(&mark).is_ok_and(|t| t.ends_with('\n')));
    let child: i32 = std::fs::read_to_string(&mark).unwrap().trim().parse().unwrap();
    let child = lazaret_sys::process::ProcessHandle::open(child).unwrap();
    let mut other = Command::new("sh").args(["-c", "sleep 19"]).spawn().unwrap();
    let mut t = target(&bad);
    t.kill = true;
    let known = handle(&shell);
    t.processes = Box::new(move || vec![known]);
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(gone(&mut shell));
    assert!(child.wait_gone(Duration::from_secs(1)));
    assert!(!gone(&mut other), "a shell that does not run the script lives");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn case_32_pair_that_restarts_each_other() {
    let fs = Fs::new("ext4");
    for round in 0..10 {
        let state = State::new();
        let r = state.open();
        // Each watches the other and starts it again; both end when the time is over.
        let text = "#!/bin/bash\nend=$1; other=$2\n\
            while [ $(date +%s) -lt $end ]; do\n\
            if ! kill -0 $other 2>/dev/null; then setsid \"$0\" $end $$ & other=$!; fi\n\
            read -t 0.02 <> <(:)\ndone\n";
        let interpreter = fs.dir.join("bash");
        let _ = std::fs::copy("/bin/bash", &interpreter);
        let text = text.replace("/bin/bash", interpreter.to_str().unwrap());
        let path = script(&fs.dir, "pair.sh", &text);
        let end = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 15;
        let mut first = Command::new(&path).arg(end.to_string()).arg("999999999").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150));
        // The interpreter itself is the stand-in: everybody who executes it belongs to the pair.
        let mut t = target(&interpreter);
        t.kill = true;
        let file = t.identity;
        let report = isolate(&r, t);
        assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{round} {report:?}");
        assert!(report.killed.len() >= 2, "{round} {report:?}");
        assert!(gone(&mut first));
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(lazaret_sys::procfs::users_of(&file, true), Vec::<i32>::new(), "{round}");
    }
}

#[test]
fn case_31_dead_handle_signals_nobody() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let bad = script(&fs.dir, "bad.sh", "#!/bin/sh\nexit 0\n");
    let mut child = Command::new("sleep").arg("20").spawn().unwrap();
    let h = handle(&child);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut t = target(&bad);
    t.kill = true;
    t.processes = Box::new(move || vec![h]);
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::AlreadyGone), "{report:?}");
    assert!(report.killed.is_empty());
}

#[test]
fn case_33_guards_hold_for_every_origin() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let bad = script(&fs.dir, "bad.sh", "#!/bin/sh\nexit 0\n");
    let parent = lazaret_sys::procfs::stat(i32::try_from(std::process::id()).unwrap()).unwrap().ppid;
    let mut spared = Command::new("sleep").arg("20").spawn().unwrap();
    let me = i32::try_from(std::process::id()).unwrap();
    let open = |pid| lazaret_sys::process::ProcessHandle::open(pid).unwrap();
    let mut t = target(&bad);
    t.kill = true;
    let known = vec![open(me), open(1), open(parent), handle(&spared)];
    t.processes = Box::new(move || known);
    let pid = i32::try_from(spared.id()).unwrap();
    t.may_kill =
        Arc::new(
            move |f| {
                if f.process.pid == pid { Err(Guard::ContainerRuntime("stand-in".into())) } else { Ok(()) }
            },
        );
    let report = isolate(&r, t);
    assert!(matches!(report.outcome(Action::Kill), Some(Outcome::Refused(_))), "{report:?}");
    assert!(report.killed.len() >= 3);
    assert!(report.killed.iter().all(|k| matches!(k.outcome, Outcome::Refused(_))), "{report:?}");
    assert!(!gone(&mut spared));
    spared.kill().unwrap();
    spared.wait().unwrap();
    // Nobody was left stopped.
    assert!(!lazaret_sys::procfs::stat(parent).unwrap().is_stopped());
}

#[test]
fn case_34_stopped_and_deleted_programs_die_too() {
    let fs = Fs::new("xfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of_sleep(&fs.dir);
    let mut child = Command::new(&program).arg("20").spawn().unwrap();
    wait_for(|| std::fs::read_link(format!("/proc/{}/exe", child.id())).is_ok_and(|p| p == program));
    handle(&child).signal(lazaret_sys::process::Signal::STOP).unwrap();
    let mut t = target(&program);
    t.kill = true;
    std::fs::remove_file(&program).unwrap();
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::AlreadyGone), "{report:?}");
    assert!(gone(&mut child));
}

#[test]
fn a_group_of_its_own_is_frozen_whole_and_let_go() {
    let root = Path::new("/sys/fs/cgroup/unified");
    let root = if root.exists() { root } else { Path::new("/sys/fs/cgroup") };
    let dir = root.join(format!("lz-kill-{}", std::process::id()));
    if !root.join("cgroup.procs").exists() || std::fs::create_dir(&dir).is_err() {
        return;
    }
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of_sleep(&fs.dir);
    let mut child = Command::new(&program).arg("20").spawn().unwrap();
    std::fs::write(dir.join("cgroup.procs"), child.id().to_string()).unwrap();
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    let killed = gone(&mut child);
    let frozen = std::fs::read_to_string(dir.join("cgroup.freeze")).unwrap();
    wait_for(|| std::fs::remove_dir(&dir).is_ok());
    assert!(killed, "{report:?}");
    assert_eq!(frozen.trim(), "0");
}
