// SPDX-License-Identifier: Apache-2.0
//! Frozen first, killed only when nobody objects. Stand-ins end by themselves.

mod support;

use lazaret_model::{Action, AlarmId, Outcome};
use lazaret_response::{
    Answer, Objection, Order, Plan, Report, Responder, Standstill, Window, WindowEnd, let_go_frozen,
};
use lazaret_sys::process::{ProcessHandle, Signal};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use support::{Fs, State, handle, isolate, target};

/// A copy of an interpreter: whoever executes the copy belongs to the set.
fn copy_of(program: &str, dir: &Path) -> PathBuf {
    let path = dir.join("program");
    std::fs::copy(program, &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Writes the numbers from 1 to `last`, one every 20 ms, and ends.
fn counter(program: &Path, out: &Path, last: u32) -> Child {
    let text = format!(
        "$| = 1; open F, '>>', '{}'; F->autoflush(1); for (1..{last}) {{ print F \"$_\\n\"; select undef, undef, undef, 0.02 }}",
        out.display()
    );
    Command::new(program).args(["-MIO::Handle", "-e", &text]).spawn().unwrap()
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
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

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn still_frozen(child: &Child) -> bool {
    lazaret_sys::procfs::stat(child.id().cast_signed()).unwrap().is_stopped()
}

/// Runs a plan with a window in the background and does `meanwhile` once everything stands still.
fn window(
    r: &Responder,
    path: &Path,
    wait: Duration,
    meanwhile: impl FnOnce(Standstill, &Objection) + Send,
) -> Report {
    let objection = Arc::new(Objection::default());
    let (tell, told) = mpsc::channel();
    let mut t = target(path);
    t.kill = true;
    let on_frozen = Box::new(move |s| tell.send(s).unwrap());
    let window = Window { wait, objection: Arc::clone(&objection), on_frozen };
    let plan = Plan { alarm: Some(AlarmId::new()), who: "test".into(), order: Order::Window(t, window) };
    std::thread::scope(|scope| {
        let done = scope.spawn(|| r.execute(plan));
        if let Ok(standstill) = told.recv_timeout(Duration::from_secs(10)) {
            meanwhile(standstill, &objection);
        }
        done.join().unwrap()
    })
}

const LONG: Duration = Duration::from_secs(15);

fn thaw(objection: &Objection) {
    assert!(objection.answer(Answer::Thaw("uid 0".into())));
    assert!(!objection.answer(Answer::Now("uid 0".into())), "the first answer counts");
}

fn nothing_open(state: &State, r: Responder) {
    drop(r);
    let (r, replayed) = Responder::open(state.config()).unwrap();
    assert!(replayed.is_empty() && r.interrupted().is_empty(), "{replayed:?}");
}

#[test]
fn case_30_thawed_goes_on_with_its_work_intact() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/usr/bin/perl", &fs.dir);
    let out = fs.dir.join("out");
    let mut child = counter(&program, &out, 60);
    wait_for(|| lines(&out) >= 5);
    let inode = target(&program).identity;
    let report = window(&r, &program, LONG, |s, objection| {
        assert_eq!(s.processes, 1);
        let before = lines(&out);
        std::thread::sleep(Duration::from_millis(400));
        assert!(lines(&out) <= before + 1, "it goes on while it is frozen");
        assert!(state.denied.0.lock().unwrap().contains(&(inode.dev, inode.ino)), "denied");
        assert_eq!(target(&program).identity, inode, "and in place");
        thaw(objection);
    });
    assert_eq!(report.window, Some(WindowEnd::Thawed("uid 0".into())), "{report:?}");
    assert_eq!(report.outcome(Action::Thaw), Some(&Outcome::Done), "{report:?}");
    assert!(report.killed.is_empty() && report.isolated.is_none());
    assert!(child.wait().unwrap().success());
    let numbers: Vec<String> = (1..=60).map(|n| n.to_string()).collect();
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().collect::<Vec<_>>(), numbers);
    assert!(state.denied.0.lock().unwrap().is_empty());
    assert_eq!(target(&program).identity, inode);
    nothing_open(&state, r);
}

#[test]
fn without_objection_it_is_killed_and_isolated() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/usr/bin/perl", &fs.dir);
    let out = fs.dir.join("out");
    let mut child = counter(&program, &out, 900);
    wait_for(|| lines(&out) >= 2);
    let began = Instant::now();
    let report = window(&r, &program, Duration::from_millis(600), |_, _| {});
    assert!(began.elapsed() >= Duration::from_millis(600));
    assert_eq!(report.window, Some(WindowEnd::Expired), "{report:?}");
    let actions: Vec<Action> = report.records.iter().map(|r| r.action).collect();
    assert_eq!(actions, [Action::Deny, Action::Freeze, Action::Kill, Action::Isolate], "{report:?}");
    assert!(report.records.iter().all(|r| r.outcome.is_settled()), "{report:?}");
    assert!(gone(&mut child) && !program.exists());
    assert_eq!(report.killed.len(), 1);
    nothing_open(&state, r);
}

#[test]
fn a_window_ends_early_and_what_nobody_runs_needs_none() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/bin/sleep", &fs.dir);
    let began = Instant::now();
    let report = window(&r, &program, LONG, |_, _| panic!("nothing runs it"));
    assert_eq!(report.window, Some(WindowEnd::NothingRan));
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    let program = copy_of("/bin/sleep", &fs.dir);
    let mut child = Command::new(&program).arg("20").spawn().unwrap();
    let report = window(&r, &program, LONG, |_, o| assert!(o.answer(Answer::Now("uid 0".into()))));
    assert_eq!(report.window, Some(WindowEnd::Now("uid 0".into())));
    assert!(gone(&mut child) && !program.exists());
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn woken_from_outside_it_is_stopped_again() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/usr/bin/perl", &fs.dir);
    let out = fs.dir.join("out");
    let mut child = counter(&program, &out, 900);
    wait_for(|| lines(&out) >= 2);
    let helper = handle(&child);
    let report = window(&r, &program, Duration::from_secs(1), |_, _| {
        let before = lines(&out);
        // 40 times within 800 ms: free, it would write 40 lines.
        for _ in 0..40 {
            helper.signal(Signal::CONT).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        let written = lines(&out) - before;
        assert!(written <= 45 && still_frozen(&child), "{written} lines");
    });
    assert!(
        matches!(report.outcome(Action::Freeze), Some(Outcome::Partial(why)) if why.contains("from outside")),
        "{report:?}"
    );
    assert!(gone(&mut child));
}

#[test]
fn woken_without_end_it_is_killed_at_once() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/bin/sleep", &fs.dir);
    let mut child = Command::new(&program).arg("20").spawn().unwrap();
    let helper = handle(&child);
    let began = Instant::now();
    let report = window(&r, &program, LONG, |_, _| {
        while !helper.is_gone() && began.elapsed() < LONG {
            let _ = helper.signal(Signal::CONT);
            std::thread::sleep(Duration::from_micros(300));
        }
    });
    assert!(began.elapsed() < Duration::from_secs(10), "{report:?}");
    assert!(matches!(&report.window, Some(WindowEnd::Now(why)) if why.contains("again")), "{report:?}");
    assert!(gone(&mut child));
}

/// The parent is told of the stop and lets its child go on, as a shell with job control may.
#[test]
fn a_parent_that_notices_changes_nothing() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/bin/sleep", &fs.dir);
    let seen = fs.dir.join("seen");
    let text = format!(
        "use POSIX ':sys_wait_h'; my $c = fork // die; if (!$c) {{ exec '{}', '20' }}\n\
         my $n = 0; while (waitpid($c, WUNTRACED) == $c) {{ last if !WIFSTOPPED(${{^CHILD_ERROR_NATIVE}});\n\
         open F, '>>', '{}'; print F \"stopped\\n\"; close F; kill 'CONT', $c if $n++ < 20 }}",
        program.display(),
        seen.display()
    );
    let mut parent = Command::new("/usr/bin/perl").args(["-e", &text]).spawn().unwrap();
    let file = target(&program).identity;
    wait_for(|| lazaret_sys::procfs::users_of(&file, true).len() == 1);
    let report = window(&r, &program, Duration::from_millis(800), |_, _| {
        wait_for(|| lines(&seen) >= 20);
    });
    assert_eq!(report.window, Some(WindowEnd::Expired), "{report:?}");
    assert_eq!(report.killed.len(), 1, "the parent is not of the set: {report:?}");
    assert!(report.killed.iter().all(|k| k.outcome == Outcome::Done), "{report:?}");
    wait_for(|| gone(&mut parent));
}

#[test]
fn new_threads_and_children_stand_still_too() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/usr/bin/python3", &fs.dir);
    let out = fs.dir.join("out");
    // Starts a thread or a child every 10 ms for 4 s; each writes one line.
    let text = format!(
        "import os, threading, time\n\
         f = os.open({:?}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n\
         def work():\n os.write(f, b'x\\n')\n time.sleep(0.05)\n\
         end = time.monotonic() + 12\n\
         for i in range(200):\n\
         \x20 if i % 10 == 0:\n\
         \x20  if os.fork() == 0:\n    work(); os._exit(0)\n\
         \x20 else: threading.Thread(target=work).start()\n\
         \x20 time.sleep(0.01)\n\
         \x20 if time.monotonic() > end: break\n",
        out.display().to_string()
    );
    let mut child = Command::new(&program).args(["-c", &text]).stderr(Stdio::null()).spawn().unwrap();
    wait_for(|| lines(&out) >= 20);
    let report = window(&r, &program, LONG, |_, objection| {
        let before = lines(&out);
        std::thread::sleep(Duration::from_millis(300));
        assert!(lines(&out) <= before + 1, "{before} before, {} now", lines(&out));
        thaw(objection);
    });
    assert_eq!(report.outcome(Action::Thaw), Some(&Outcome::Done), "{report:?}");
    assert!(child.wait().unwrap().success());
    wait_for(|| lines(&out) == 200);
}

#[test]
fn a_frozen_group_is_woken_by_nobody_and_let_go() {
    let root = Path::new("/sys/fs/cgroup/unified");
    let root = if root.exists() { root } else { Path::new("/sys/fs/cgroup") };
    let dir = root.join(format!("lz-window-{}", std::process::id()));
    if !root.join("cgroup.procs").exists() || std::fs::create_dir(&dir).is_err() {
        return;
    }
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/usr/bin/perl", &fs.dir);
    let out = fs.dir.join("out");
    let mut child = counter(&program, &out, 50);
    std::fs::write(dir.join("cgroup.procs"), child.id().to_string()).unwrap();
    wait_for(|| lines(&out) >= 2);
    let helper = handle(&child);
    let report = window(&r, &program, LONG, |_, objection| {
        let before = lines(&out);
        for _ in 0..1_000 {
            helper.signal(Signal::CONT).unwrap();
            std::thread::sleep(Duration::from_micros(200));
        }
        assert_eq!(lines(&out), before, "not one line");
        thaw(objection);
    });
    let ended = child.wait().unwrap();
    let frozen = std::fs::read_to_string(dir.join("cgroup.freeze")).unwrap();
    wait_for(|| std::fs::remove_dir(&dir).is_ok());
    assert!(ended.success() && lines(&out) == 50, "{report:?}");
    assert_eq!(report.outcome(Action::Freeze), Some(&Outcome::Done), "{report:?}");
    assert_eq!(frozen.trim(), "0");
}

#[test]
fn what_stood_still_before_stands_still_after() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/bin/sleep", &fs.dir);
    let stopped = Command::new(&program).arg("20").spawn().unwrap();
    let running = Command::new(&program).arg("20").spawn().unwrap();
    handle(&stopped).signal(Signal::STOP).unwrap();
    wait_for(|| still_frozen(&stopped));
    let report = window(&r, &program, LONG, |s, objection| {
        assert_eq!(s.processes, 2);
        assert!(still_frozen(&running));
        thaw(objection);
    });
    assert_eq!(report.outcome(Action::Thaw), Some(&Outcome::Done), "{report:?}");
    assert!(still_frozen(&stopped) && !still_frozen(&running));
    end(stopped);
    end(running);
}

/// The driver dies the moment everything stands still.
fn cut_off(state: &State, program: &Path, wait_ms: u64) {
    let exe = std::env::current_exe().unwrap();
    let driver = exe.parent().unwrap().parent().unwrap().join("examples/hold_one");
    assert!(driver.exists(), "{} is built with --all-targets", driver.display());
    let out =
        Command::new(driver).arg(state.dir.path()).arg(program).arg(wait_ms.to_string()).output().unwrap();
    assert_eq!(out.status.signal(), Some(9), "{}", String::from_utf8_lossy(&out.stderr));
}

fn resume(r: &Responder, answer: Option<Answer>) -> Report {
    let mut cut = r.interrupted();
    assert_eq!(cut.len(), 1);
    assert!(r.interrupted().is_empty(), "each once");
    let objection = Arc::new(Objection::default());
    let told = Arc::clone(&objection);
    let on_frozen = Box::new(move |_| {
        answer.map(|a| told.answer(a));
    });
    let window = Window { wait: LONG, objection, on_frozen };
    let order = Order::Resume(cut.remove(0), Arc::new(|_| Ok(())), window);
    r.execute(Plan { alarm: None, who: "test".into(), order })
}

#[test]
fn case_26_a_crash_inside_the_window_leaves_nothing_frozen() {
    for (wait_ms, answer) in
        [(8_000, Some(Answer::Thaw("uid 0".into()))), (8_000, Some(Answer::Now("uid 0".into()))), (50, None)]
    {
        let fs = Fs::new("tmpfs");
        let state = State::new();
        drop(state.open());
        let program = copy_of("/usr/bin/perl", &fs.dir);
        let out = fs.dir.join("out");
        let mut child = counter(&program, &out, 60);
        wait_for(|| lines(&out) >= 2);
        cut_off(&state, &program, wait_ms);
        assert!(still_frozen(&child), "frozen until the daemon is back");
        std::thread::sleep(Duration::from_millis(60));
        let (r, replayed) = Responder::open(state.config()).unwrap();
        assert!(replayed.is_empty(), "{replayed:?}");
        let inode = target(&program).identity;
        assert!(state.denied.0.lock().unwrap().contains(&(inode.dev, inode.ino)), "denied at once");
        let report = resume(&r, answer.clone());
        if matches!(answer, Some(Answer::Thaw(_))) {
            assert_eq!(report.outcome(Action::Thaw), Some(&Outcome::Done), "{report:?}");
            assert!(child.wait().unwrap().success());
            assert_eq!(lines(&out), 60);
            assert!(program.exists());
        } else {
            assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
            assert!(gone(&mut child) && !program.exists());
        }
        nothing_open(&state, r);
    }
}

#[test]
fn a_daemon_that_cannot_start_again_lets_go_what_it_froze() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    drop(state.open());
    let program = copy_of("/bin/sleep", &fs.dir);
    let stood = Command::new(&program).arg("20").spawn().unwrap();
    let mut child = Command::new(&program).arg("20").spawn().unwrap();
    handle(&stood).signal(Signal::STOP).unwrap();
    wait_for(|| still_frozen(&stood));
    cut_off(&state, &program, 200);
    assert!(still_frozen(&child));
    let config = state.config();
    assert_eq!(let_go_frozen(&config.journal_dir, config.journal_bytes).unwrap(), 1);
    wait_for(|| !still_frozen(&child));
    assert!(still_frozen(&stood));
    // The next start that works ends what was begun.
    let (r, _) = Responder::open(state.config()).unwrap();
    let report = resume(&r, None);
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    wait_for(|| gone(&mut child));
    let mut stood = stood;
    wait_for(|| gone(&mut stood));
}

#[test]
fn a_number_given_to_another_process_is_left_alone_after_a_crash() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    drop(state.open());
    let program = copy_of("/bin/sleep", &fs.dir);
    let child = Command::new(&program).arg("20").spawn().unwrap();
    cut_off(&state, &program, 10);
    let pid = child.id().cast_signed();
    end(child);
    // Another file of that name, and whoever has the number now runs something else.
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, "innocent").unwrap();
    let (r, _) = Responder::open(state.config()).unwrap();
    let report = resume(&r, None);
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::AlreadyGone), "{report:?}");
    assert!(!report.killed.iter().any(|k| k.outcome == Outcome::Done), "{report:?}");
    assert_eq!(std::fs::read(&program).unwrap(), b"innocent");
    assert!(
        !ProcessHandle::open(pid)
            .is_ok_and(|h| lazaret_sys::procfs::stat(h.pid()).is_ok_and(|s| s.is_stopped()))
    );
}

#[test]
fn case_23_changed_meanwhile_goes_back() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    // An interpreted file may be written while it runs.
    let script = fs.dir.join("script");
    std::fs::write(&script, "sleep 19\n").unwrap();
    let mut shell = Command::new("/bin/sh").arg(&script).spawn().unwrap();
    let known = handle(&shell);
    let mut t = target(&script);
    t.kill = true;
    t.processes = Box::new(move || vec![known]);
    let on_frozen = Box::new({
        let script = script.clone();
        move |_| std::fs::write(script, "other content\n").unwrap()
    });
    let window = Window { wait: Duration::from_millis(100), objection: Arc::default(), on_frozen };
    let report = r.execute(Plan { alarm: None, who: "test".into(), order: Order::Window(t, window) });
    assert!(matches!(report.outcome(Action::Isolate), Some(Outcome::Failed(_))), "{report:?}");
    assert!(gone(&mut shell), "what ran the judged content is ended");
    assert_eq!(std::fs::read(&script).unwrap(), b"other content\n");
    nothing_open(&state, r);
}

#[test]
fn a_plain_isolation_after_it_finds_the_file_gone() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let program = copy_of("/bin/sleep", &fs.dir);
    let mut child = Command::new(&program).arg("20").spawn().unwrap();
    let second = target(&program);
    window(&r, &program, Duration::from_millis(50), |_, _| {});
    assert_eq!(isolate(&r, second).outcome(Action::Isolate), Some(&Outcome::AlreadyGone));
    child.wait().unwrap();
}
