// SPDX-License-Identifier: Apache-2.0
//! Circuit breakers and rate limits: what stops a bad rule, and what cannot stop a good one.

use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::rule::{self, RULE, stand_in, words};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// A package database in which a package owns `path` with this content.
fn packages(folder: &Path, path: &Path, content: &[u8]) -> PathBuf {
    let root = folder.join("root");
    let info = root.join("var/lib/dpkg/info");
    std::fs::create_dir_all(&info).unwrap();
    std::fs::create_dir_all(root.join("var/lib/apt/lists")).unwrap();
    let shipped = folder.join("shipped");
    std::fs::write(&shipped, content).unwrap();
    let sum = lazaret_kit::fs::run("md5sum", &[shipped.to_str().unwrap()]);
    let sum = sum.split(' ').next().unwrap();
    std::fs::write(
        root.join("var/lib/dpkg/status"),
        "Package: story\nStatus: install ok installed\nMaintainer: T <t@example.invalid>\nArchitecture: all\n\
         Version: 1.0-1\nDescription: stand-in\n",
    )
    .unwrap();
    let relative = path.to_str().unwrap().trim_start_matches('/');
    std::fs::write(info.join("story.list"), format!("/.\n/{relative}\n")).unwrap();
    std::fs::write(info.join("story.md5sums"), format!("{sum}  {relative}\n")).unwrap();
    root
}

fn disarmed(daemon: &Daemon) -> Vec<Value> {
    daemon.json(["rules", "disarmed"])
}

#[test]
fn case_16_a_rule_that_hits_a_package_stops_at_once_and_decoys_stop_none() {
    let volume = Volume::tmpfs();
    let state = volume.beside().join("state");
    let packaged = volume.join("tool");
    let root = packages(volume.beside(), &packaged, &stand_in(0));
    let pack = rule::content(volume.beside());
    let setup = || Setup {
        paths: format!("content = {pack:?}\npackages = {root:?}\n"),
        state: Some(state.clone()),
        ..Setup::armed(volume.path())
    };
    let daemon = Daemon::start(&setup());
    // Whoever has no privileges drops what he likes: it is isolated, and the rule stays armed.
    let home = volume.join("home");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), Some(65_534)).unwrap();
    let text = format!(
        "for i in $(seq 40); do printf '#!/bin/sh\\necho ran\\n# %s %s\\n' \"$0\" \"$i\" >{0}/decoy-$i; chmod +x {0}/decoy-$i; {0}/decoy-$i; done 2>/dev/null; true",
        home.display()
    );
    let dropper =
        Command::new("/bin/sh").args(["-c", &text, &words()]).uid(65_534).gid(65_534).output().unwrap();
    assert!(dropper.status.success() && dropper.stdout.is_empty(), "one ran: {dropper:?}");
    let left = || std::fs::read_dir(&home).unwrap().count();
    assert!(eventually(Duration::from_secs(20), || left() == 0), "{} left\n{}", left(), daemon.log());
    assert!(disarmed(&daemon).is_empty());
    // One file as its package shipped it.
    write_executable(&packaged, &stand_in(0));
    let mut rules = Vec::new();
    assert!(
        eventually(SOON, || {
            rules = disarmed(&daemon);
            !rules.is_empty()
        }),
        "{}",
        daemon.log()
    );
    assert_eq!(rules[0]["rule"], RULE);
    assert!(rules[0]["why"].as_str().unwrap().contains("intact package"), "{rules:?}");
    assert!(packaged.exists(), "not isolated");
    // It still refuses and reports, and says what it held back.
    let threat = volume.join("threat");
    write_executable(&threat, &stand_in(1));
    assert!(is_refused(&run(&threat)), "{}", daemon.log());
    let alarm = daemon.alarm_about(&threat);
    assert_eq!(alarm["decision"], "deny", "{alarm}");
    assert!(threat.exists());
    let more = disarmed(&daemon)[0]["hits"].as_u64().unwrap();
    assert!(more >= 2, "the packaged file and the threat: {more}");
    assert!(daemon.json(["alarms", "list"]).iter().any(|a| a["title"].as_str().unwrap().contains(RULE)));
    // Another rule is not touched.
    std::fs::write(volume.join("other"), bad::high_script()).unwrap();
    daemon.isolated_path(&volume.join("other"));
    // It stays so over a restart, and only a person changes it.
    daemon.stop();
    let daemon = Daemon::start(&setup());
    assert!(disarmed(&daemon)[0]["hits"].as_u64().unwrap() >= more);
    assert_eq!(daemon.cli(["rules", "rearm", "no_such_rule"]).status.code(), Some(1));
    daemon.json(["rules", "rearm", RULE]);
    assert!(disarmed(&daemon).is_empty());
    assert!(is_refused(&run(&threat)));
    daemon.isolated_path(&threat);
}

#[test]
fn limits_hold_for_every_origin_and_root_goes_beyond_them_by_name() {
    let volume = Volume::tmpfs();
    let more = "max_isolations_per_hour = 2\n".into();
    let daemon = Daemon::start(&Setup { more, ..Setup::armed(volume.path()) });
    let paths: Vec<PathBuf> = (0..3).map(|i| volume.join(&format!("f{i}"))).collect();
    for (i, path) in paths.iter().enumerate() {
        let mut bytes = bad::script(MalwareClass::Trojan, TestRating::High);
        bytes.extend(format!("# {i}\n").bytes());
        write_executable(path, &bytes);
        if i < 2 {
            daemon.isolated_path(path);
        }
    }
    let third = &paths[2];
    let alarm = daemon.alarm_about(third);
    assert_eq!(alarm["decision"], "deny", "{alarm}");
    let why = alarm["reasons"].to_string();
    assert!(why.contains("rate limit") && why.contains("--override-limits"), "{alarm}");
    assert!(is_refused(&run(third)) && third.exists());
    // A person's word alone is not enough, with or without an alarm.
    for words in [
        &["isolate", third.to_str().unwrap()][..],
        &["handle", alarm["id"].as_str().unwrap(), "isolate-and-kill"],
    ] {
        let out = daemon.cli(words);
        assert_eq!(out.status.code(), Some(1), "{out:?}");
        assert!(String::from_utf8_lossy(&out.stderr).contains("--override-limits"), "{out:?}");
    }
    daemon.json(["isolate", third.to_str().unwrap(), "--override-limits"]);
    assert!(!third.exists());
}
