// SPDX-License-Identifier: Apache-2.0
//! The command line over a fleet.

use crate::{Base, Host, Site};
use lazaret_kit::fleet::PASSWORD;
use lazaret_kit::proc::write_executable;
use lazaret_kit::{bad, binaries, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn lazaret(home: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(binaries::path("lazaret"))
        .args(arguments)
        .env("XDG_CONFIG_HOME", home)
        .env_remove("LAZARET_SERVER")
        .env_remove("LAZARET_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("lazaret");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("input");
    child.wait_with_output().expect("lazaret")
}

fn json(home: &Path, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["--json"];
    all.extend(arguments);
    let out = lazaret(home, &all, "");
    let text = String::from_utf8(out.stdout).expect("JSON is UTF-8");
    assert!(out.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

/// Where somebody is signed in.
fn signed_in(site: &Site) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let words = ["--server", &site.server.api, "login"];
    let out = lazaret(home.path(), &words, &format!("{PASSWORD}\n"));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    home
}

fn isolated_on(home: &Path, hosts: &[Host; 2], name: &str, program: &[u8]) -> String {
    for host in hosts {
        write_executable(&host.volume.join(name), program);
    }
    let sha256 = hex(&<sha2::Sha256 as sha2::Digest>::digest(program));
    let count = || {
        let files = json(home, &["isolated", "list", "--project", "0", "--status", "isolated"]);
        files.iter().filter(|f| f["sha256"] == sha256.as_str()).count()
    };
    assert!(eventually(Duration::from_secs(30), || count() == 2), "{}", hosts[0].daemon.log());
    sha256
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn what_was_done_is_undone_over_a_fleet() {
    let site = Site::new(Base::Sqlite);
    let hosts = [Host::new(&site.server), Host::new(&site.server)];
    let home = signed_in(&site);
    let home = home.path();
    for name in ["high-detection", "malware-cloud-scan", "isolate-and-kill"] {
        let set = json(home, &["switch", name, "on", "--yes", "--project", "0"]);
        assert_eq!(set[0]["on"], true, "{set:?}");
    }
    for host in &hosts {
        crate::settled(&site.server, host);
    }
    let all_there = |name: &str| {
        eventually(Duration::from_secs(30), || hosts.iter().all(|h| h.volume.join(name).exists()))
    };
    // By content, on one host and then on all.
    let program = |class| bad::program("/bin/true", class, TestRating::High);
    let sha256 = isolated_on(home, &hosts, "one", &program(MalwareClass::Worm));
    let refused = lazaret(home, &["isolated", "list", "--group", "web"], "");
    assert_eq!(refused.status.code(), Some(64), "a filter that would not be looked at");
    let back = json(home, &["isolated", "restore", "--sha256", &sha256, "--yes", "--host", &hosts[0].id]);
    assert!(back.len() == 1 && back[0]["state"] == "done", "{back:#?}");
    assert!(!hosts[1].volume.join("one").exists());
    let back = json(home, &["isolated", "restore", "--sha256", &sha256, "--yes", "--project", "0"]);
    assert!(back.len() == 1 && back[0]["state"] == "done", "{back:#?}");
    assert!(all_there("one"));
    // A whitelist entry that brings back what it would have let be, and its alarms when it goes.
    let sha256 = isolated_on(home, &hosts, "two", &program(MalwareClass::Trojan));
    let added = json(home, &["whitelist", "add", "--hash", &sha256, "--restore", "--project", "0"]);
    assert_eq!(added[0]["isolated"].as_array().map(Vec::len), Some(2), "{added:#?}");
    assert!(added[1..].iter().all(|c| c["state"] == "done"), "{added:#?}");
    assert!(all_there("two"));
    let entry = added[0]["entry"]["id"].as_str().unwrap();
    let removed = json(home, &["whitelist", "remove", entry, "--restore-alarm", "--project", "0"]);
    assert_eq!(removed[0]["answer"]["entries"], 1, "{removed:?}");
    // Several alarms at once, and all of a class that does not act by itself.
    for host in &hosts {
        std::fs::write(host.volume.join("tool"), bad::script(MalwareClass::HackTool, TestRating::High))
            .unwrap();
    }
    let mut alarms = Vec::new();
    assert!(eventually(Duration::from_secs(30), || {
        alarms = json(home, &["alarms", "list", "--class", "hacktool", "--project", "0"]);
        alarms.len() == 2
    }));
    let (first, second) = (alarms[0]["id"].as_str().unwrap(), alarms[1]["id"].as_str().unwrap());
    let one_by_one = (first, "mark-as-handled", ["--and", second]);
    for (alarm, handling, more) in [one_by_one, ("all", "unhandle", ["--class", "hacktool"])] {
        let mut words = vec!["handle", alarm, handling, "--yes", "--project", "0"];
        words.extend(more);
        let done = json(home, &words);
        assert!(done.len() == 2 && done.iter().all(|c| c["state"] == "done"), "{words:?}: {done:#?}");
    }
    // One word for a false positive, after a look at what it touches.
    let _ = isolated_on(home, &hosts, "three", &program(MalwareClass::Virus));
    let alarms = json(home, &["alarms", "list", "--class", "virus", "--project", "0"]);
    let id = alarms[0]["id"].as_str().unwrap();
    let seen = json(home, &["false-positive", id, "--preview"]);
    assert_eq!((&seen[0]["isolated_total"], &seen[0]["hosts_later"]), (&2.into(), &0.into()), "{seen:#?}");
    assert!(hosts.iter().all(|h| !h.volume.join("three").exists()), "a look changes nothing");
    let words = lazaret(home, &["false-positive", id, "--preview"], "");
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.contains("2 files on 2 hosts"), "{words}");
    let done = json(home, &["false-positive", id, "--yes", "--remark", "ours"]);
    assert!(done.iter().all(|c| c["state"] == "done"), "{done:#?}");
    assert!(all_there("three"));
    let task = done[0]["task"].as_str().unwrap();
    assert_eq!(json(home, &["tasks", "list", "--task", task]).len(), done.len());
}

#[test]
fn the_same_verbs_over_a_fleet() {
    let site = Site::new(Base::Sqlite);
    let host = Host::new(&site.server);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let nobody = lazaret(home, &["hosts", "list"], "");
    assert_eq!(nobody.status.code(), Some(64), "{}", String::from_utf8_lossy(&nobody.stderr));
    let wrong = lazaret(home, &["--server", &site.server.api, "login"], "guessed\n");
    assert_eq!(wrong.status.code(), Some(77), "{}", String::from_utf8_lossy(&wrong.stderr));
    let signed_in = lazaret(home, &["--server", &site.server.api, "login"], &format!("{PASSWORD}\n"));
    assert!(signed_in.status.success(), "{}", String::from_utf8_lossy(&signed_in.stderr));
    let hosts = json(home, &["hosts", "list"]);
    assert_eq!(hosts.len(), 1);
    let name = hosts[0]["name"].as_str().unwrap();
    let path = host.volume.join("tool");
    write_executable(&path, &bad::script(MalwareClass::Miner, TestRating::High));
    let mut alarms = Vec::new();
    let seen = eventually(Duration::from_secs(20), || {
        alarms = json(home, &["alarms", "list", "--host", name, "--rating", "high"]);
        !alarms.is_empty()
    });
    assert!(seen, "{}", host.daemon.log());
    let id = alarms[0]["id"].as_str().unwrap();
    let shown = lazaret(home, &["alarms", "show", id, "--project", "0"], "");
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("Confidence") && text.contains("99") && text.contains(name), "{text}");
    let done = json(home, &["handle", id, "isolate-and-kill", "--host", name]);
    assert!(done.iter().all(|c| c["state"] == "done"), "{done:#?}");
    assert!(!path.exists());
    let mut files = Vec::new();
    assert!(eventually(Duration::from_secs(20), || {
        files = json(home, &["isolated", "list", "--host", name, "--status", "isolated"]);
        files.len() == 1
    }));
    let file = files[0]["id"].as_str().unwrap();
    let elsewhere = lazaret(home, &["isolated", "restore", file, "--to", "/tmp/x", "--host", name], "");
    assert_eq!(elsewhere.status.code(), Some(64));
    let back = lazaret(home, &["isolated", "restore", file, "--host", name], "");
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert!(path.exists());
    let switched = lazaret(home, &["switch", "isolate-and-kill", "on", "--yes", "--project", "0"], "");
    assert!(switched.status.success(), "{}", String::from_utf8_lossy(&switched.stderr));
    assert!(eventually(Duration::from_secs(20), || host.daemon.status()["isolate_and_kill"] == true));
    // On an enrolled host the server's word counts.
    let local = host.daemon.cli(["switch", "isolate-and-kill", "off"]);
    assert!(!local.status.success());
    assert!(
        String::from_utf8_lossy(&local.stderr).contains("pin"),
        "{}",
        String::from_utf8_lossy(&local.stderr)
    );
    let tested = json(home, &["self-test", "--host", name]);
    assert!(tested.iter().all(|c| c["state"] == "done"), "{tested:#?}\n{}", host.daemon.log());
    let fleet = json(home, &["status", "--server", &site.server.api]);
    assert_eq!(fleet[0]["hosts"]["total"], 1, "{fleet:?}");
    let out = lazaret(home, &["logout"], "");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!home.join("lazaret/server.json").exists());
}
