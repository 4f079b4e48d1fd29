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
