// SPDX-License-Identifier: Apache-2.0
//! Programs that are hard to kill, one trick each.

use crate::stand_in::{
    Guarded, Packaged, Running, alive, alive_are, all_done, copy, end, exe_is, left_alone, original, wait_for,
};
use crate::support::{Fs, State, isolate, target};
use lazaret_model::{Action, Outcome};
use lazaret_response::Responder;
use lazaret_sys::life::start_as;
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn case_31_reused_number_is_left_alone() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut victim = Running::start(&program, &["idle", &end()]);
    let (pid, stale) = (victim.pid(), victim.handle());
    victim.0.kill().unwrap();
    victim.0.wait().unwrap();
    // Start times count in hundredths of a second: an innocent process gets the number after that.
    std::thread::sleep(Duration::from_millis(30));
    let innocent = start_as(pid, Path::new("/bin/sleep"), &["15".into()]).unwrap();
    let innocent = ProcessHandle::from_pidfd(pid, innocent).unwrap();
    let _guard = Guarded(vec![innocent.try_clone().unwrap()]);
    let mut t = target(&program);
    t.kill = true;
    t.processes = Box::new(move || vec![stale]);
    let report = isolate(&r, t);
    assert!(!innocent.is_gone(), "{report:?}");
    assert!(left_alone(&report, pid).contains("another process"), "{report:?}");
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::AlreadyGone), "{report:?}");
}

#[test]
fn case_32_fork_chain_of_200() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut first = Running::start(&program, &["chain", &end(), "200"]);
    let mut t = target(&program);
    let file = t.identity;
    alive_are(&file, 200);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.killed.len(), 200);
    all_done(&report);
    assert!(first.ended());
    assert_eq!(alive(&file), Vec::<i32>::new());
}

#[test]
fn case_32_hopping_from_number_to_number() {
    let fs = Fs::new("tmpfs");
    for round in 0..5 {
        let state = State::fast();
        let r = state.open();
        let program = copy(&fs.dir, &format!("bad{round}"));
        let _first = Running::start(&program, &["hop", &end(), "190"]);
        let mut t = target(&program);
        let file = t.identity;
        std::thread::sleep(Duration::from_millis(40 + 20 * round));
        t.kill = true;
        let report = isolate(&r, t);
        assert!(report.outcome(Action::Kill).unwrap().is_settled(), "{report:?}");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(alive(&file), Vec::<i32>::new(), "round {round}: {report:?}");
    }
}

#[test]
fn case_32_double_fork_and_setsid() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut first = Running::start(&program, &["orphan", &end(), "0"]);
    let mut t = target(&program);
    let file = t.identity;
    wait_for("only the orphan to be left", || {
        first.ended()
            && matches!(alive(&file)[..], [pid] if procfs::stat(pid).is_ok_and(|s| s.session != s.group || s.ppid == 1))
    });
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert_eq!(alive(&file), Vec::<i32>::new());
}

fn with_keeper(name: &str) -> (lazaret_response::Report, bool, usize) {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let mut config = state.config();
    config.spare = Arc::new(Packaged("/usr/bin/none"));
    let r = Responder::open(config).unwrap().0;
    let program = copy(&fs.dir, "bad");
    // Another executable: nothing but its deeds tells that it belongs to the bad one.
    let keeper = copy(&fs.dir, name);
    let mut keeper = Running::start(&keeper, &["keeper", &end(), program.to_str().unwrap()]);
    let mut t = target(&program);
    let file = t.identity;
    alive_are(&file, 1);
    t.kill = true;
    let report = isolate(&r, t);
    std::thread::sleep(Duration::from_millis(50));
    let left = alive(&file);
    let _guard = Guarded(left.iter().filter_map(|p| ProcessHandle::open(*p).ok()).collect());
    (report, keeper.ended(), left.len())
}

#[test]
fn case_32_watchdog_of_another_executable_dies_too() {
    let (report, ended, left) = with_keeper("watchdog");
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(ended, "{report:?}");
    assert_eq!(left, 0, "{report:?}");
    assert!(report.killed.len() >= 3, "{report:?}");
}

#[test]
fn case_33_supervisor_that_starts_it_again_is_reported_not_killed() {
    let (report, ended, _) = with_keeper("keeper-of-the-house");
    assert!(!ended, "{report:?}");
    let Some(Outcome::Partial(why)) = report.outcome(Action::Kill) else { panic!("{report:?}") };
    assert!(why.contains("it is ours"), "{why}");
}

#[test]
fn case_33_other_name_and_other_program_under_the_same_number() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    // Takes longer than the event that named it.
    let mut victim = Running::start(&program, &["morph", &end(), "/bin/sleep"]);
    let mut bystander = Running::start(Path::new("/bin/sleep"), &["15"]);
    let named = victim.handle();
    wait_for("the other program", || !exe_is(victim.pid(), &program));
    let mut t = target(&program);
    t.kill = true;
    t.processes = Box::new(move || vec![named]);
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended());
    assert!(!bystander.ended(), "it has the program that the victim has by now, and is innocent");
}

#[test]
fn case_32_exec_while_being_frozen() {
    let fs = Fs::new("tmpfs");
    for round in 0..20 {
        let state = State::fast();
        let r = state.open();
        let program = copy(&fs.dir, &format!("bad{round}"));
        let other = copy(&fs.dir, &format!("other{round}"));
        let mut victim = Running::start(
            &program,
            &["flip", &end(), other.to_str().unwrap(), program.to_str().unwrap(), "200"],
        );
        let mut innocent = Running::start(&other, &["idle", &end()]);
        let named = victim.handle();
        std::thread::sleep(Duration::from_millis(20 + round));
        let mut t = target(&program);
        t.kill = true;
        t.processes = Box::new(move || vec![named]);
        let report = isolate(&r, t);
        assert!(report.outcome(Action::Kill).unwrap().is_settled(), "{report:?}");
        assert!(victim.ended(), "round {round}: {report:?}");
        assert!(!innocent.ended(), "round {round}: {report:?}");
    }
}

#[test]
fn case_34_held_by_a_tracer() {
    if !Path::new("/usr/bin/strace").exists() {
        println!("skipped: no strace");
        return;
    }
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let mut config = state.config();
    config.kill_wait = Duration::from_millis(300);
    let r = Responder::open(config).unwrap().0;
    let program = copy(&fs.dir, "bad");
    // The tracer stops itself: its tracee stays where its next system call was caught.
    let mut tracer =
        Running::spawn(Command::new("strace").args(["-o", "/dev/null"]).arg(&program).args(["idle", &end()]));
    let mut t = target(&program);
    let file = t.identity;
    wait_for("the tracee", || !alive(&file).is_empty());
    let tracee = ProcessHandle::open(alive(&file)[0]).unwrap();
    tracer.handle().signal(Signal::STOP).unwrap();
    wait_for("the tracee to stand still", || procfs::stat(tracee.pid()).is_ok_and(|s| s.state == b't'));
    t.kill = true;
    let report = isolate(&r, t);
    assert!(!tracer.ended(), "who traces it is not it");
    // A tracer that asked to see the exit keeps the dead one from going: that is said, and by whom.
    let held = format!("held by its tracer, process {}", tracer.pid());
    let outcome = report.outcome(Action::Kill).unwrap();
    assert!(matches!(outcome, Outcome::Partial(why) if why.contains(&held)), "{report:?}");
    tracer.handle().signal(Signal::CONT).unwrap();
    wait_for("it to go", || tracee.is_gone());
}

#[test]
fn case_34_stopped_in_a_debugger() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut victim = Running::start(&program, &["idle", &end()]);
    let debugger = Command::new("gdb")
        .args(["-nx", "--batch", "-ex", "shell sleep 12", "-p", &victim.pid().to_string()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let Ok(debugger) = debugger else {
        println!("skipped: no gdb");
        return;
    };
    let mut debugger = Running(debugger);
    let handle = victim.handle();
    wait_for("it to be stopped", || procfs::stat(victim.pid()).is_ok_and(|s| s.state == b't'));
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    // Who debugs it reaps it first, so that its parent hears of it later.
    assert!(handle.is_gone());
    assert!(!debugger.ended());
    drop(debugger);
    wait_for("its parent to hear of it", || victim.ended());
}

#[test]
fn case_34_stopped_by_itself() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut victim = Running::start(&program, &["stopped", &end()]);
    wait_for("it to stop", || procfs::stat(victim.pid()).is_ok_and(|s| s.is_stopped()));
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended());
}

struct Thaw<'a>(&'a Path);

impl Drop for Thaw<'_> {
    fn drop(&mut self) {
        let _ = Command::new("fsfreeze").arg("-u").arg(self.0).status();
    }
}

#[test]
fn case_34_uninterruptible_is_partial_until_it_is_gone() {
    let fs = Fs::new("tmpfs");
    let cold = Fs::new("ext4");
    let state = State::fast();
    let mut config = state.config();
    config.kill_wait = Duration::from_millis(300);
    let r = Responder::open(config).unwrap().0;
    let program = copy(&fs.dir, "bad");
    let mut victim = Running::start(&program, &["writer", &end(), cold.dir.join("f").to_str().unwrap()]);
    std::thread::sleep(Duration::from_millis(100));
    assert!(Command::new("fsfreeze").arg("-f").arg(&cold.dir).status().unwrap().success());
    let thaw = Thaw(&cold.dir);
    wait_for("it to be uninterruptible", || procfs::stat(victim.pid()).is_ok_and(|s| s.state == b'D'));
    let mut t = target(&program);
    t.kill = true;
    let start = Instant::now();
    let report = isolate(&r, t);
    let took = start.elapsed();
    let alive = !victim.ended();
    drop(thaw);
    assert!(alive, "{report:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    let Some(Outcome::Partial(why)) = report.outcome(Action::Kill) else { panic!("{report:?}") };
    assert!(why.contains("still there in state D"), "{why}");
    assert_eq!(report.killed[0].outcome, Outcome::Partial("signalled, still there in state D".into()));
    wait_for("it to die once it can", || victim.ended());
}

#[test]
fn case_34_threads_with_and_without_their_leader() {
    let fs = Fs::new("tmpfs");
    for leader in ["with", "leaderless"] {
        let state = State::fast();
        let r = state.open();
        let program = copy(&fs.dir, leader);
        let mut victim = Running::start(&program, &["threads", &end(), leader]);
        let ready = |s: procfs::Stat| s.threads >= 16 && (leader == "with" || s.is_leaderless());
        wait_for("its threads", || procfs::stat(victim.pid()).is_ok_and(ready));
        let handle = victim.handle();
        let mut t = target(&program);
        t.kill = true;
        let report = isolate(&r, t);
        assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{leader}: {report:?}");
        assert!(handle.is_gone() && victim.ended(), "{leader}");
    }
}

#[test]
fn case_12_program_in_memory() {
    let state = State::fast();
    let r = state.open();
    let memory = rustix::fs::memfd_create("bad", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let mut file = std::fs::File::from(memory);
    std::io::copy(&mut std::fs::File::open(original()).unwrap(), &mut file).unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let program = std::fs::File::open(&path).unwrap();
    drop(file);
    let path = format!("/proc/self/fd/{}", program.as_raw_fd());
    let mut victim = Running::start(Path::new(&path), &["idle", &end()]);
    let mut t = target(Path::new(&path));
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended());
}

#[test]
fn case_12_deleted_program() {
    let fs = Fs::new("ext4");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut victim = Running::start(&program, &["idle", &end()]);
    let mut t = target(&program);
    std::fs::remove_file(&program).unwrap();
    // Another file by the same name is another file.
    let program = copy(&fs.dir, "bad");
    let mut namesake = Running::start(&program, &["idle", &end()]);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended() && !namesake.ended());
}

#[test]
fn case_33_neighbour_in_the_control_group_lives() {
    let root = Path::new("/sys/fs/cgroup/unified");
    let root = if root.exists() { root } else { Path::new("/sys/fs/cgroup") };
    let dir = root.join(format!("lz-neighbour-{}", std::process::id()));
    if !root.join("cgroup.procs").exists() || std::fs::create_dir(&dir).is_err() {
        println!("skipped: no unified hierarchy to make a group in");
        return;
    }
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut chain = Running::start(&program, &["chain", &end(), "1"]);
    let mut neighbour = Running::start(Path::new("/bin/sleep"), &["15"]);
    for pid in [chain.pid(), neighbour.pid()] {
        std::fs::write(dir.join("cgroup.procs"), pid.to_string()).unwrap();
    }
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    let (killed, lives) = (chain.ended(), !neighbour.ended());
    let frozen = std::fs::read_to_string(dir.join("cgroup.freeze")).unwrap();
    drop(neighbour);
    wait_for("the group to be empty", || std::fs::remove_dir(&dir).is_ok());
    assert!(killed && lives, "{report:?}");
    assert_eq!(frozen.trim(), "0");
}

#[test]
fn case_33_readers_are_listed_and_left_alone() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let program = copy(&fs.dir, "bad");
    let mut victim = Running::start(&program, &["idle", &end()]);
    let mut reader = Running::start(Path::new("/usr/bin/tail"), &["-f", program.to_str().unwrap()]);
    wait_for("the reader", || {
        procfs::uses(reader.pid(), &target(&program).identity, false) == Some(procfs::Use::Reads)
    });
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.killed.len(), 1);
    assert_eq!(left_alone(&report, reader.pid()), "reads it, left alone");
    assert_eq!(report.left_alone.len(), 1);
    let m = r.vault().manifest(report.isolated.unwrap()).unwrap();
    assert_eq!(m.left_alone[0].pid, reader.pid());
    assert!(victim.ended() && !reader.ended());
}
