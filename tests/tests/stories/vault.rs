// SPDX-License-Identifier: Apache-2.0
//! The vault of a real daemon: a flood meets its quota, and files come back when the daemon and its
//! key are gone.

use lazaret_kit::{Daemon, Setup, Volume, bad, binaries, eventually};
use lazaret_model::{MalwareClass, TestRating, test_program_marker};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const USER: u32 = 64_321;

/// A test program that differs from every other.
fn numbered(n: usize) -> String {
    format!("#!/bin/sh\necho ran\n# {n} {}\n", test_program_marker(MalwareClass::Trojan, TestRating::High))
}

fn all(daemon: &Daemon) -> Vec<Value> {
    daemon.json(["isolated", "list"])
}

fn status_of<'a>(listed: &'a [Value], path: &Path) -> Option<&'a Value> {
    listed.iter().find(|i| i["path"] == path.to_str().unwrap())
}

#[test]
fn case_26_a_flood_meets_its_quota_and_nothing_is_lost() {
    const FLOOD: usize = 30;
    const QUOTA: usize = 12;
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup {
        more: format!("[vault]\nuser_objects = {QUOTA}\n"),
        ..Setup::armed(volume.path())
    });
    let home = volume.join("home");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(USER), Some(USER)).unwrap();
    // The user itself writes them: what it owns is what its quota is for.
    let flood: Vec<PathBuf> = (0..FLOOD).map(|n| home.join(format!("f{n}.sh"))).collect();
    for (n, path) in flood.iter().enumerate() {
        let mut writer = Command::new("/usr/bin/tee")
            .arg(path)
            .uid(USER)
            .gid(USER)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(numbered(n).as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
    }
    let mut listed = Vec::new();
    let seen = eventually(Duration::from_secs(40), || {
        listed = all(&daemon);
        let settled = |p: &PathBuf| {
            status_of(&listed, p)
                .is_some_and(|i| matches!(i["status"].as_str(), Some("isolated" | "isolated_in_place")))
        };
        flood.iter().all(settled)
    });
    assert!(seen, "{listed:#?}\n{}", daemon.log());
    let in_place: Vec<&Value> = listed.iter().filter(|i| i["status"] == "isolated_in_place").collect();
    assert_eq!(in_place.len(), FLOOD - QUOTA, "{listed:#?}");
    for i in &in_place {
        let why = i["reason"].as_str().unwrap();
        assert!(why.contains(&format!("uid {USER}")) && why.contains("user_objects"), "{why}");
    }
    // Denied, wherever they lie now: nobody runs or opens one of them.
    let staging = volume.join(".lazaret-staging");
    let staged: Vec<PathBuf> = std::fs::read_dir(&staging)
        .unwrap()
        .map(|e| e.unwrap().path())
        // Beside each lies the record of where it came from.
        .filter(|p| !p.is_symlink())
        .collect();
    assert_eq!(staged.len(), FLOOD - QUOTA);
    for path in &staged {
        let ran = Command::new("/bin/sh").arg(path).output().unwrap();
        assert!(!ran.status.success() && ran.stdout.is_empty(), "{} ran: {ran:?}", path.display());
    }
    // Another one's file is still isolated, and so is root's.
    for (name, owner) in [("other.sh", USER + 1), ("root.sh", 0)] {
        let path = volume.join(name);
        // Written under a name of its owner from the start.
        std::fs::write(&path, "").unwrap();
        std::os::unix::fs::chown(&path, Some(owner), Some(owner)).unwrap();
        std::fs::write(&path, numbered(1000 + owner as usize)).unwrap();
        daemon.isolated_path(&path);
    }
    // Status says who has used up what.
    let status = daemon.status();
    let vault = &status["vault"];
    assert_eq!(vault["refused"].as_u64(), Some((FLOOD - QUOTA) as u64), "{vault}");
    let owner = vault["owners"].as_array().unwrap().iter().find(|o| o["uid"] == USER).unwrap().clone();
    assert_eq!((owner["objects"].as_u64(), owner["objects_limit"].as_u64()), (Some(12), Some(12)), "{owner}");
    let degraded = status["degraded"].as_array().unwrap();
    assert!(degraded.iter().any(|d| d.as_str().unwrap().contains(&format!("uid {USER}"))), "{degraded:?}");
    assert!(daemon.json(["isolated", "verify"]).iter().all(|v| v["ok"] == true));
    // Nothing was lost: each comes back with its own bytes.
    for (n, path) in flood.iter().enumerate() {
        let id = status_of(&listed, path).unwrap()["id"].as_str().unwrap().to_owned();
        daemon.json(["isolated", "restore", &id]);
        assert_eq!(std::fs::read(path).unwrap(), numbered(n).into_bytes(), "{}", path.display());
    }
}

/// `lazaret vault` on a state folder.
fn offline(state: &Path, words: &[&str]) -> Output {
    Command::new(binaries::path("lazaret"))
        .args(["--json", "vault", "--state"])
        .arg(state)
        .args(words)
        .output()
        .unwrap()
}

fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn files_come_back_when_the_daemon_is_gone_and_are_let_be_when_it_is_back() {
    let volume = Volume::tmpfs();
    let state = tempfile::Builder::new().prefix("lazaret-state-").tempdir_in("/var/tmp").unwrap();
    let setup = || Setup { state: Some(state.path().into()), ..Setup::armed(volume.path()) };
    let daemon = Daemon::start(&setup());
    let paths = ["one.sh", "two.sh", "three.sh"].map(|n| volume.join(n));
    for path in &paths {
        std::fs::write(path, bad::high_script()).unwrap();
        daemon.isolated_path(path);
    }
    let ids =
        paths.each_ref().map(|p| status_of(&all(&daemon), p).unwrap()["id"].as_str().unwrap().to_owned());
    let vault = daemon.status()["vault"].clone();
    assert_eq!(
        (vault["objects"].as_u64(), vault["blobs"].as_u64()),
        (Some(3), Some(1)),
        "stored once: {vault}"
    );
    let key = state.path().join("recovery-key");
    std::fs::copy(daemon.folder().join("run/recovery-key"), &key).unwrap();
    // While it runs it is the one to ask.
    let refused = offline(state.path(), &["restore", &ids[0]]);
    assert!(!refused.status.success() && text(&refused).contains("lazaret isolated restore"), "{refused:?}");
    drop(daemon.stop());
    let restored = offline(state.path(), &["restore", &ids[0]]);
    assert!(restored.status.success(), "{}", text(&restored));
    assert_eq!(std::fs::read(&paths[0]).unwrap(), bad::high_script());
    // The host key is lost too.
    let host_key = state.path().join("vault/host.key");
    let kept = std::fs::read(&host_key).unwrap();
    std::fs::remove_file(&host_key).unwrap();
    assert!(!offline(state.path(), &["verify"]).status.success());
    let key = key.to_str().unwrap();
    let verified = offline(state.path(), &["verify", "--identity", key]);
    assert!(verified.status.success(), "{}", text(&verified));
    let out = state.path().join("out");
    let exported =
        offline(state.path(), &["export", &ids[1], "--to", out.to_str().unwrap(), "--identity", key]);
    assert!(exported.status.success(), "{}", text(&exported));
    assert_eq!(std::fs::read(&out).unwrap(), bad::high_script());
    let blob = state.path().join(format!("vault/objects/{}.age", ids[2]));
    let plain = Command::new("age").args(["-d", "-i", key]).arg(&blob).output().unwrap();
    assert_eq!(plain.stdout, bad::high_script());
    // It comes back, with its key: what was restored meanwhile is let be, the rest is still held.
    std::fs::write(&host_key, kept).unwrap();
    let daemon = Daemon::start(&setup());
    assert_eq!(std::fs::read(&paths[0]).unwrap(), bad::high_script());
    std::thread::sleep(Duration::from_millis(500));
    assert!(paths[0].exists(), "isolated again\n{}", daemon.log());
    let statuses: BTreeSet<(String, String)> = all(&daemon)
        .iter()
        .map(|i| (i["id"].as_str().unwrap().to_owned(), i["status"].as_str().unwrap().to_owned()))
        .collect();
    assert!(statuses.contains(&(ids[0].clone(), "restored".to_owned())), "{statuses:?}");
    assert!(statuses.contains(&(ids[1].clone(), "isolated".to_owned())), "{statuses:?}");
    let alarm = daemon.alarm_about(&paths[0]);
    let timeline = alarm["timeline"].as_array().unwrap();
    assert!(timeline.iter().any(|t| t["action"] == "restore" && t["outcome"] == "done"), "{alarm:#}");
}

#[test]
fn old_isolated_files_are_told_and_stay() {
    let volume = Volume::tmpfs();
    let state = tempfile::Builder::new().prefix("lazaret-state-").tempdir_in("/var/tmp").unwrap();
    let setup = |more: &str| Setup {
        state: Some(state.path().into()),
        more: more.to_owned(),
        ..Setup::armed(volume.path())
    };
    let daemon = Daemon::start(&setup(""));
    let path = volume.join("old.sh");
    std::fs::write(&path, bad::high_script()).unwrap();
    let id = daemon.isolated_path(&path)["id"].as_str().unwrap().to_owned();
    drop(daemon.stop());
    let manifest = state.path().join(format!("vault/objects/{id}.json"));
    let mut json: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    json["isolated_at_ms"] = (json["isolated_at_ms"].as_i64().unwrap() - 40 * 24 * 3600 * 1000).into();
    std::fs::write(&manifest, json.to_string()).unwrap();
    let daemon = Daemon::start(&setup("[vault]\nage_days = 30\n"));
    let told = eventually(Duration::from_secs(15), || {
        daemon
            .json(["alarms", "list"])
            .iter()
            .any(|a| a["title"] == "1 isolated files are 30 days old or older")
    });
    assert!(told, "{}", daemon.log());
    let vault = daemon.status()["vault"].clone();
    assert_eq!((vault["age_days"].as_u64(), vault["aged"].as_u64()), (Some(30), Some(1)), "{vault}");
    assert!(daemon.json(["isolated", "verify", &id]).iter().all(|v| v["ok"] == true));
}
