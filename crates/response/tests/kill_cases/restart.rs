// SPDX-License-Identifier: Apache-2.0
//! Starting again what was ended with a file. The service manager here is a program that takes
//! systemctl's arguments and writes them down; the unit is real as far as /proc knows: its control
//! group has the name that systemd would give it.

use crate::stand_in::{Running, copy, end, wait_for};
use crate::support::{Fs, State, isolate, restore, target};
use lazaret_model::{Action, IsolatedId, Outcome};
use lazaret_response::{Order, Plan, Report, Responder, ServiceManager};
use lazaret_sys::procfs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn restart(r: &Responder, id: IsolatedId) -> Report {
    r.execute(Plan { alarm: None, who: "test".into(), order: Order::Restart { id } })
}

/// A group with the name of a service; removed when it is empty.
struct Service(PathBuf);

impl Service {
    fn new(unit: &str) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup/unified");
        let root = if root.exists() { root } else { Path::new("/sys/fs/cgroup") };
        let dir = root.join(unit);
        (root.join("cgroup.procs").exists() && std::fs::create_dir(&dir).is_ok()).then_some(Self(dir))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        for _ in 0..1000 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn case_30_service_that_was_ended_is_started_again() {
    let unit = format!("lz-test-{}.service", std::process::id());
    let Some(service) = Service::new(&unit) else {
        println!("skipped: no unified hierarchy to make a group in");
        return;
    };
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let said = fs.dir.join("said");
    let program = fs.dir.join("systemctl");
    let text =
        format!("#!/bin/sh\necho \"$@\" >>{}\ncase \"$*\" in *is-failed*) exit 1;; esac\n", said.display());
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = state.config();
    config.service_manager =
        ServiceManager { program, booted: fs.dir.clone(), limit: Duration::from_secs(10) };
    let r = Responder::open(config).unwrap().0;
    let bad = copy(&fs.dir, "bad");
    let mut victim = Running::start(&bad, &["idle", &end()]);
    std::fs::write(service.0.join("cgroup.procs"), victim.pid().to_string()).unwrap();
    let mut t = target(&bad);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended());
    assert_eq!(report.killed[0].unit.as_deref(), Some(unit.as_str()));
    let id = report.isolated.unwrap();
    // Not while its program is in the vault.
    assert!(matches!(restart(&r, id).outcome(Action::Restart), Some(Outcome::Refused(_))));
    assert!(!said.exists());
    assert_eq!(restore(&r, id, None).outcome(Action::Restore), Some(&Outcome::Done));
    let report = restart(&r, id);
    assert_eq!(report.outcome(Action::Restart), Some(&Outcome::Done), "{report:?}");
    assert_eq!(report.records.last().unwrap().target, unit);
    let said = std::fs::read_to_string(&said).unwrap();
    assert!(said.contains(&format!("start -- {unit}")), "{said}");
    // Journaled, and closed: a second start has nothing to carry on.
    drop(r);
    wait_for("the journal", || {
        Responder::open(state.config()).is_ok_and(|(_, replayed)| replayed.is_empty())
    });
}

#[test]
fn case_30_nothing_is_started_that_was_not_ended() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let bad = copy(&fs.dir, "bad");
    let report = isolate(&r, target(&bad));
    let id = report.isolated.unwrap();
    restore(&r, id, None);
    let report = restart(&r, id);
    let Some(Outcome::Refused(why)) = report.outcome(Action::Restart) else { panic!("{report:?}") };
    assert!(why.contains("no service"), "{why}");
}

/// A Debian tree with systemd: `debootstrap --variant=minbase --include=systemd,dbus bookworm TREE`.
fn tree() -> Option<PathBuf> {
    let home = std::env::var_os("HOME")?;
    let tree = Path::new(&home).join(".cache/lazaret/debian-systemd");
    tree.join("lib/systemd/systemd").exists().then_some(tree)
}

/// What a command inside the booted container says.
fn inside(leader: i32, words: &[&str]) -> String {
    let out = Command::new("nsenter")
        .args(["-t", &leader.to_string(), "-a", "--"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn case_30_service_of_a_booted_systemd_is_started_again() {
    let Some(tree) = tree() else {
        println!("skipped: no Debian tree with systemd under ~/.cache/lazaret/debian-systemd");
        return;
    };
    let examples = crate::stand_in::original().parent().unwrap().to_owned();
    // The tree itself is not written to: changes go to memory and are gone with the container.
    let mut container = Running::spawn(
        Command::new("systemd-nspawn")
            .args([
                "--register=no",
                "--keep-unit",
                "--volatile=overlay",
                "--private-network",
                "-q",
                "-b",
                "-D",
            ])
            .arg(&tree)
            .arg(format!("--bind-ro={}:/mnt", examples.display()))
            .arg(format!("--machine=lz-{}", std::process::id())),
    );
    let nspawn = container.pid();
    let mut leader = 0;
    wait_long("systemd to begin", || {
        leader = procfs::pids()
            .find(|p| procfs::stat(*p).is_ok_and(|s| s.ppid == nspawn) && procfs::is_namespace_init(*p))
            .unwrap_or(0);
        leader > 0 && inside(leader, &["systemctl", "is-system-running"]).contains("running")
    });
    let unit = "[Service]\nExecStart=/usr/local/bin/victim infinity\nRestart=no\n";
    std::fs::write(format!("/proc/{leader}/root/run/systemd/system/victim.service"), unit).unwrap();
    inside(leader, &["cp", "/bin/sleep", "/usr/local/bin/victim"]);
    inside(leader, &["systemctl", "daemon-reload"]);
    inside(leader, &["systemctl", "start", "victim.service"]);
    let before = inside(leader, &["systemctl", "show", "-p", "MainPID", "--value", "victim.service"]);
    assert_ne!(before.trim(), "0", "the service runs");
    inside(leader, &["mkdir", "-m", "700", "/root/state"]);
    let said = inside(leader, &["/mnt/restart_one", "/root/state", "/usr/local/bin/victim"]);
    let after = inside(leader, &["systemctl", "show", "-p", "MainPID", "--value", "victim.service"]);
    let state = inside(leader, &["systemctl", "is-active", "victim.service"]);
    inside(leader, &["systemctl", "poweroff", "--force", "--force"]);
    wait_long("the container to end", || container.ended());
    assert!(said.contains("killed done of victim.service"), "{said}");
    assert!(said.contains("restart victim.service: done"), "{said}");
    assert_eq!(state.trim(), "active", "{said}");
    assert!(after.trim() != "0" && after != before, "{said} {before} {after}");
}

fn wait_long(what: &str, mut f: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(45);
    while !f() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
