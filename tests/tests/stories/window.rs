// SPDX-License-Identifier: Apache-2.0
//! What would be killed is frozen first, and killed only when nobody objects.

use lazaret_kit::proc::{Running, is_refused, run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// A volume with a program that is bad, runs, and writes a number every 20 ms; the daemon's switch is
/// off until [`Story::strike`].
struct Story {
    volume: Volume,
    daemon: Option<Daemon>,
    path: PathBuf,
    out: PathBuf,
    program: Running,
    last: usize,
}

impl Story {
    fn new(freeze: &str, last: usize) -> Self {
        let volume = Volume::tmpfs();
        let setup =
            Setup { mounts: vec![volume.path().into()], more: format!("{freeze}\n"), ..Setup::default() };
        let daemon = Daemon::start(&setup);
        let path = volume.join("counter");
        write_executable(&path, &bad::program("/usr/bin/perl", MalwareClass::Miner, TestRating::High));
        daemon.alarm_about(&path);
        let out = volume.beside().join("out");
        let text = format!(
            "open F, '>>', '{}'; select F; $| = 1; for (1..{last}) {{ print \"$_\\n\"; select undef, undef, undef, 0.02 }}",
            out.display()
        );
        let program = Running::start(Command::new(&path).args(["-e", &text]));
        assert!(eventually(SOON, || lines(&out) > 0));
        Self { volume, daemon: Some(daemon), path, out, program, last }
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("runs")
    }

    /// The switch goes on and somebody touches the file: everything that runs it is frozen.
    fn strike(&self) -> Value {
        self.daemon().json(["switch", "isolate-and-kill", "on"]);
        assert!(std::fs::read(&self.path).is_err(), "denied");
        let mut alarm = Value::Null;
        let frozen = eventually(SOON, || {
            alarm = self.daemon().alarm_about(&self.path);
            alarm["frozen_until"].is_string()
        });
        assert!(frozen, "{alarm}\n{}", self.daemon().log());
        assert!(self.is_frozen(), "{}", self.daemon().log());
        assert!(self.path.exists(), "denied but in place");
        alarm
    }

    fn is_frozen(&self) -> bool {
        procfs::stat(self.program.pid()).is_ok_and(|s| s.is_stopped())
    }

    fn written(&self) -> usize {
        lines(&self.out)
    }

    fn kill_agent(&self) {
        let before = self.daemon().agent_pid();
        ProcessHandle::open(before).unwrap().signal(Signal::KILL).unwrap();
        let back = eventually(Duration::from_secs(20), || {
            let out = self.daemon().cli(["--json", "status"]);
            out.status.success()
                && serde_json::from_slice::<Value>(&out.stdout).is_ok_and(|s| s["pid"] != before)
        });
        assert!(back, "{}", self.daemon().log());
    }

    fn goes_on_and_ends(&mut self) {
        assert!(self.program.ends_within(Duration::from_secs(20)), "{}", self.daemon().log());
        assert!(self.program.ended().unwrap().success());
        let numbers: Vec<String> = (1..=self.last).map(|n| n.to_string()).collect();
        assert_eq!(std::fs::read_to_string(&self.out).unwrap().lines().collect::<Vec<_>>(), numbers);
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

fn id(alarm: &Value) -> &str {
    alarm["id"].as_str().unwrap()
}

#[test]
fn case_30_thawed_it_goes_on_with_its_work_intact() {
    let mut s = Story::new("freeze_seconds = 15", 400);
    let alarm = s.strike();
    let status = s.daemon().status();
    assert_eq!(status["windows"][0]["alarm"], alarm["id"], "{status}");
    assert_eq!(status["windows"][0]["processes"], 1);
    let before = s.written();
    std::thread::sleep(Duration::from_millis(300));
    assert!(s.written() <= before + 1);
    let thawed = &s.daemon().json(["thaw", id(&alarm), "--remark", "our own"])[0];
    assert_eq!(thawed["handled"]["remark"], "thawed: our own", "{thawed}");
    assert!(thawed["frozen_until"].is_null() && thawed["isolated"].is_null(), "{thawed}");
    s.goes_on_and_ends();
    // The file is let be, under every name.
    assert!(s.path.exists() && std::fs::read(&s.path).is_ok());
    assert!(!is_refused(&run(&s.path)));
    assert!(s.daemon().json(["isolated", "list"]).is_empty());
    assert_eq!(s.daemon().status()["windows"], serde_json::json!([]));
    let late = s.daemon().cli(["thaw", id(&alarm)]);
    assert_eq!(late.status.code(), Some(1), "nothing is frozen any more");
    // Until somebody takes that back.
    let content = alarm["file"]["sha256"].as_str().unwrap();
    s.daemon().json(["exception", "remove", content]);
    assert!(std::fs::read(&s.path).is_err());
    s.daemon().isolated_path(&s.path);
}

#[test]
fn without_an_objection_it_is_killed_and_isolated() {
    let mut s = Story::new("freeze_seconds = 2", 900);
    let alarm = s.strike();
    assert!(s.program.ends_within(SOON), "{}", s.daemon().log());
    s.daemon().isolated_path(&s.path);
    assert!(!s.path.exists());
    let mut shown = Value::Null;
    assert!(
        eventually(SOON, || {
            shown = s.daemon().json(["alarms", "show", id(&alarm)])[0].clone();
            shown["handled"]["by"] == "isolate_and_kill"
        }),
        "{shown}"
    );
    let did: Vec<&str> =
        shown["timeline"].as_array().unwrap().iter().filter_map(|r| r["action"].as_str()).collect();
    assert!(did.ends_with(&["freeze", "kill", "isolate"]), "{shown}");
    assert!(shown["frozen_until"].is_null(), "{shown}");
    assert!(shown["title"].as_str().unwrap().contains("isolated and killed"), "{shown}");
    let late = s.daemon().cli(["thaw", id(&alarm)]);
    assert!(String::from_utf8_lossy(&late.stderr).contains("isolated restore"), "{late:?}");
    drop(s.volume);
}

#[test]
fn isolate_and_kill_by_hand_ends_the_window_early() {
    let mut s = Story::new("freeze_seconds = 15", 900);
    let alarm = s.strike();
    let began = std::time::Instant::now();
    let handled = &s.daemon().json(["handle", id(&alarm), "isolate-and-kill"])[0];
    assert!(handled["isolated"].is_string(), "{handled}");
    assert!(s.program.ends_within(SOON) && began.elapsed() < SOON);
    s.daemon().isolated_path(&s.path);
}

#[test]
fn case_26_killed_inside_the_window_the_daemon_goes_on_with_it() {
    let mut s = Story::new("freeze_seconds = 60\nfreeze_seconds_unbounded = true", 400);
    let alarm = s.strike();
    s.kill_agent();
    assert!(s.is_frozen() && s.path.exists(), "{}", s.daemon().log());
    assert!(std::fs::read(&s.path).is_err(), "still denied");
    let mut status = Value::Null;
    assert!(
        eventually(SOON, || {
            status = s.daemon().status();
            status["windows"][0]["alarm"] == alarm["id"]
        }),
        "{status}\n{}",
        s.daemon().log()
    );
    s.daemon().json(["thaw", id(&alarm)]);
    s.goes_on_and_ends();
    assert!(s.path.exists());
}

#[test]
fn case_26_killed_inside_the_window_the_daemon_ends_it_in_time() {
    let mut s = Story::new("freeze_seconds = 3", 900);
    let alarm = s.strike();
    s.kill_agent();
    assert!(s.program.ends_within(SOON), "{}", s.daemon().log());
    s.daemon().isolated_path(&s.path);
    assert!(eventually(SOON, || {
        let shown = s.daemon().json(["alarms", "show", id(&alarm)]);
        shown[0]["isolated"].is_string() && shown[0]["frozen_until"].is_null()
    }));
}

#[test]
fn a_stop_inside_the_window_leaves_nothing_frozen() {
    let mut s = Story::new("freeze_seconds = 15", 900);
    s.strike();
    let _kept = s.daemon.take().unwrap().stop();
    assert!(s.program.ends_within(Duration::from_secs(1)), "killed by then");
    assert!(!s.path.exists());
}

#[test]
fn a_daemon_that_cannot_start_again_leaves_nothing_frozen() {
    let s = Story::new("freeze_seconds = 15", 900);
    s.strike();
    let agent = ProcessHandle::open(s.daemon().agent_pid()).unwrap();
    std::fs::write(s.daemon().config(), "broken").unwrap();
    agent.signal(Signal::KILL).unwrap();
    assert!(eventually(SOON, || !s.is_frozen()), "{}", s.daemon().log());
    // Said after it was done.
    assert!(eventually(SOON, || s.daemon().log().contains("were let go")), "{}", s.daemon().log());
}
