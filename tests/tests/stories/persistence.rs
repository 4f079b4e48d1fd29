// SPDX-License-Identifier: Apache-2.0
//! What brings an isolated program back: shown on its alarm, disabled and enabled, counted when it
//! comes back. The host that is searched is a made tree on the story's own volume.

use lazaret_kit::proc::Running;
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

struct Host {
    volume: Volume,
    root: PathBuf,
    evil: PathBuf,
    crontab: PathBuf,
    line: String,
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
}

/// A crontab, a unit with its timer and an rc.local that start a program, and others that do not.
fn host(command: impl Fn(&Path) -> String) -> Host {
    let volume = Volume::tmpfs();
    let (root, evil) = (volume.join("root"), volume.join("tmp/.x/evil"));
    std::fs::create_dir_all(evil.parent().unwrap()).unwrap();
    let line = format!("*/5 * * * * root {}", command(&evil));
    let crontab = root.join("etc/crontab");
    write(&crontab, &format!("SHELL=/bin/sh\n{line}\n@daily root true\n"));
    write(&root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
    write(&root.join("etc/rc.local"), &format!("{} &\n", evil.display()));
    let unit = root.join("etc/systemd/system");
    write(&unit.join("evil.service"), &format!("[Service]\nExecStart={}\n", evil.display()));
    write(&unit.join("evil.timer"), "[Timer]\nOnCalendar=*:0/5\n");
    write(&unit.join("good.service"), "[Service]\nExecStart=/usr/bin/true\n");
    Host { volume, root, evil, crontab, line }
}

impl Host {
    fn daemon(&self, more: &str) -> Daemon {
        Daemon::start(&Setup {
            root: Some(self.root.clone()),
            more: more.to_owned(),
            ..Setup::armed(self.volume.path())
        })
    }

    /// Text, mode and times of the crontab.
    fn crontab(&self) -> (String, u32, i64, i64) {
        let m = std::fs::metadata(&self.crontab).unwrap();
        (std::fs::read_to_string(&self.crontab).unwrap(), m.mode(), m.mtime(), m.mtime_nsec())
    }
}

/// The alarm once its persistence was looked for.
fn searched(daemon: &Daemon, path: &Path) -> Value {
    let mut found = Value::Null;
    let seen = eventually(SOON, || {
        found = daemon.alarm_about(path);
        !found["persistence"]["searched_at"].is_null()
    });
    assert!(seen, "{found}\n{}", daemon.log());
    found
}

fn states(alarm: &Value) -> Vec<(String, String)> {
    let entries = alarm["persistence"]["entries"].as_array().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    entries.iter().map(|e| (text(&e["kind"]), text(&e["state"]))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn case_32_what_brings_it_back_is_shown_disabled_and_enabled() {
    let host = host(|evil| evil.display().to_string());
    let daemon = host.daemon("");
    let before = host.crontab();
    // A good file of that name first: a preview lists the same entries and changes nothing.
    std::fs::write(&host.evil, "#!/bin/sh\nexit 0\n").unwrap();
    let preview = daemon.json(["preview", "isolate", host.evil.to_str().unwrap()]);
    let lines = preview[0]["persistence"].as_array().unwrap();
    assert_eq!(lines.len(), 4, "{preview:?}");
    assert!(lines[0].as_str().unwrap().starts_with("cron /etc/crontab:2: "), "{lines:?}");
    std::fs::write(&host.evil, bad::high_script()).unwrap();
    let isolated = daemon.isolated_path(&host.evil);
    let alarm = searched(&daemon, &host.evil);
    let id = alarm["id"].as_str().unwrap();
    let all_active =
        [("cron", "active"), ("systemd_unit", "active"), ("systemd_timer", "active"), ("rc_local", "active")];
    assert_eq!(states(&alarm), pairs(&all_active), "shown only, as long as policy says nothing");
    assert_eq!(host.crontab(), before);
    let entries = daemon.json(["persistence", "list", id]);
    assert_eq!(entries[0]["text"], host.line.as_str());
    assert_eq!((&entries[0]["file"], &entries[0]["line"]), (&"/etc/crontab".into(), &2.into()));
    assert_eq!(entries[3]["can_be_disabled"], false);
    let shown = daemon.cli(["alarms", "show", id]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("What brings it back") && shown.contains("/etc/crontab:2"), "{shown}");
    assert!(shown.contains("lazaret persistence disable"), "{shown}");

    daemon.json(["persistence", "disable", id, "1"]);
    assert!(host.crontab().0.contains(&format!("\n#lazaret# {}\n", host.line)), "{}", host.crontab().0);
    assert!(host.crontab().0.contains(id), "the file names the alarm");
    daemon.json(["persistence", "disable", id]);
    let system = host.root.join("etc/systemd/system");
    assert!(system.join("evil.service.d").is_dir() && system.join("evil.timer.d").is_dir());
    let only_shown = daemon.cli(["persistence", "disable", id, "4"]);
    assert!(!only_shown.status.success(), "rc.local is only shown");
    assert!(String::from_utf8_lossy(&only_shown.stderr).contains("only"), "{only_shown:?}");
    let alarm = searched(&daemon, &host.evil);
    assert_eq!(
        states(&alarm)[..3],
        pairs(&[("cron", "disabled"), ("systemd_unit", "disabled"), ("systemd_timer", "disabled")])[..]
    );

    // A restore says that it is still disabled.
    let receipt = daemon.json(["isolated", "restore", isolated["id"].as_str().unwrap()]);
    let next = receipt[0]["next"].as_str().unwrap_or_default();
    assert!(next.contains(&format!("lazaret persistence enable {id}")), "{receipt:?}");

    daemon.json(["persistence", "enable", id]);
    assert_eq!(host.crontab(), before, "bytes, mode and times");
    assert!(!system.join("evil.service.d").exists() && !system.join("evil.timer.d").exists());
    let alarm = searched(&daemon, &host.evil);
    assert_eq!(states(&alarm), pairs(&all_active));
    let words: Vec<&str> =
        alarm["timeline"].as_array().unwrap().iter().map(|r| r["action"].as_str().unwrap()).collect();
    assert_eq!(words.iter().filter(|w| **w == "disable").count(), 3, "{words:?}");
    assert_eq!(words.iter().filter(|w| **w == "enable").count(), 3, "{words:?}");
}

#[test]
fn case_32_policy_disables_it_and_a_restart_knows() {
    let host = host(|evil| evil.display().to_string());
    let before = host.crontab();
    let state = tempfile::tempdir_in("/var/tmp").unwrap();
    let start = || {
        Daemon::start(&Setup {
            root: Some(host.root.clone()),
            state: Some(state.path().to_owned()),
            more: "disable_persistence = \"on\"\n".into(),
            ..Setup::armed(host.volume.path())
        })
    };
    let daemon = start();
    std::fs::write(&host.evil, bad::high_script()).unwrap();
    daemon.isolated_path(&host.evil);
    let all = [
        ("cron", "disabled"),
        ("systemd_unit", "disabled"),
        ("systemd_timer", "disabled"),
        ("rc_local", "active"),
    ];
    let mut alarm = Value::Null;
    let disabled = eventually(SOON, || {
        alarm = searched(&daemon, &host.evil);
        states(&alarm) == pairs(&all)
    });
    assert!(disabled, "{alarm}\n{}", daemon.log());
    assert!(host.crontab().0.contains("\n#lazaret# "));
    drop(daemon.stop());
    let daemon = start();
    let id = alarm["id"].as_str().unwrap();
    assert_eq!(states(&searched(&daemon, &host.evil)), pairs(&all));
    daemon.json(["persistence", "enable", id]);
    assert_eq!(host.crontab(), before);
}

#[test]
fn case_32_what_comes_back_is_counted_with_what_brought_it() {
    // It writes the file; the copy lies where nothing is protected.
    let host = host(|_| String::new());
    let store = host.volume.beside().join("store");
    std::fs::write(&store, bad::high_script()).unwrap();
    let job = format!("exec 3>{}; cat {} >&3; exec 3>&-; sleep 1", host.evil.display(), store.display());
    write(&host.crontab, &format!("*/5 * * * * root {job}\n"));
    // cron, as far as its name and its children tell.
    let cron = host.volume.beside().join("cron");
    std::fs::copy("/bin/dash", &cron).unwrap();
    let daemon = host.daemon("watch_seconds = 60\n");
    let mut first = Value::Null;
    for round in 0..3 {
        let mut ran = Running::start(Command::new(&cron).arg("-c").arg(format!("/bin/sh -c '{job}'; true")));
        assert!(ran.ends_within(SOON));
        let gone = eventually(SOON, || {
            let isolated = daemon.json(["isolated", "list"]);
            isolated.iter().filter(|i| i["status"] == "isolated").count() == round + 1
        });
        assert!(gone, "round {round}\n{}", daemon.log());
        if round == 0 {
            first = daemon.alarm_about(&host.evil);
        }
    }
    let id = first["id"].as_str().unwrap();
    let mut alarm = Value::Null;
    let counted = eventually(SOON, || {
        alarm = daemon.json(["alarms", "show", id]).remove(0);
        alarm["persistence"]["returns"] == 2
    });
    assert!(counted, "{alarm}\n{}", daemon.log());
    for back in alarm["persistence"]["returned"].as_array().unwrap() {
        assert_eq!(back["by"], format!("cron, for uid 0: {job}"), "{alarm}");
    }
    // Each has its own alarm, which knows the first one; cron's line is found by the command.
    let last = searched(&daemon, &host.evil);
    assert_eq!(last["persistence"]["return_of"], id, "{last}");
    let shown = daemon.cli(["alarms", "show", id]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("came back 2 times"), "{shown:?}");
    let entries = daemon.json(["persistence", "list", last["id"].as_str().unwrap()]);
    assert!(entries.iter().any(|e| e["kind"] == "cron" && e["line"] == 1), "{entries:?}");
}
