// SPDX-License-Identifier: Apache-2.0
//! `lazaret self-test` against a peer that really moves files and ends processes, but judges by
//! file names: the steps, the cleaning up, and what happens where nothing protects.

use crate::peer::{Ended, Peer, Reply, program};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What the peer has in its "vault": id to (path, status).
type Vault = Mutex<BTreeMap<String, (PathBuf, &'static str)>>;

/// A daemon by names only: it finds what the self-test calls `eicar.com` and `medium`.
fn answer(dir: &Path, vault_dir: &Path, vault: &Vault, verb: &Verb) -> Reply {
    let ok = || Some(vec![Answer::Done(v1::Done { message: "ok".into() })]);
    let bytes = |p: &Path| p.as_os_str().as_encoded_bytes().to_vec();
    match verb {
        Verb::Status(_) => Some(vec![Answer::Status(v1::Status {
            automatic_classes: vec!["trojan".into()],
            high_threshold: 90,
            medium_threshold: 60,
            ..Default::default()
        })]),
        Verb::AlarmsList(_) => {
            let folders = std::fs::read_dir(dir).unwrap().flatten();
            let files = folders.flat_map(|f| ["eicar.com", "medium"].map(|n| f.path().join(n)));
            Some(
                files
                    .filter(|f| f.exists())
                    .map(|f| {
                        let file = Some(v1::FileFacts { path: bytes(&f), ..Default::default() });
                        let verdict = Some(v1::Verdict { class: "trojan".into(), ..Default::default() });
                        let id = f.display().to_string();
                        Answer::Alarm(v1::Alarm { id, file, verdict, ..Default::default() })
                    })
                    .collect(),
            )
        }
        Verb::Handle(h) if h.handling == "isolate_and_kill" => {
            let path = PathBuf::from(&h.id);
            end_who_runs(&path);
            std::fs::rename(&path, vault_dir.join("object")).unwrap();
            vault.lock().unwrap().insert("object".into(), (path, "isolated"));
            ok()
        }
        Verb::IsolatedList(_) => {
            let held = vault.lock().unwrap();
            Some(
                held.iter()
                    .map(|(id, (path, status))| {
                        Answer::Isolated(v1::Isolated {
                            id: id.clone(),
                            path: bytes(path),
                            sha256: vec![3; 32],
                            status: (*status).into(),
                            ..Default::default()
                        })
                    })
                    .collect(),
            )
        }
        Verb::IsolatedRestore(r) => {
            let mut held = vault.lock().unwrap();
            let object = held.get_mut(&r.id).unwrap();
            std::fs::rename(vault_dir.join("object"), &object.0).unwrap();
            object.1 = "restored";
            Some(vec![Answer::Receipt(v1::Receipt { outcome: "done".into(), ..Default::default() })])
        }
        _ => ok(),
    }
}

/// Ends the process that runs exactly this file: the one that the self-test has started.
fn end_who_runs(path: &Path) {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        if std::fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == path) {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
    }
}

struct Story {
    dir: tempfile::TempDir,
    peer: Peer,
}

fn story() -> Story {
    let dir = tempfile::tempdir().unwrap();
    let vault_dir = tempfile::tempdir_in(dir.path().parent().unwrap()).unwrap();
    let vault = Vault::default();
    let drops = dir.path().to_owned();
    let peer = Peer::new(move |verb| answer(&drops, vault_dir.path(), &vault, verb));
    Story { dir, peer }
}

impl Story {
    fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = program();
        command.arg("--socket").arg(self.peer.socket()).arg("self-test").arg("--dir").arg(self.dir.path());
        if !words.contains(&"--wait") {
            command.args(["--wait", "1"]);
        }
        command.args(words);
        command
    }

    fn assert_nothing_is_left(&self) {
        assert_eq!(std::fs::read_dir(self.dir.path()).unwrap().count(), 0);
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn every_step_that_can_be_tried_works_and_nothing_stays() {
    let story = story();
    let ended: Ended = story.command(&["--json"]).output().unwrap().into();
    if !is_root() {
        assert_eq!(ended.status, Some(77));
        return;
    }
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let steps: Vec<(String, String)> = ended
        .stdout
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .filter(|v| v["type"] == "step")
        .map(|v| (v["step"].as_str().unwrap().to_owned(), v["result"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("allow", "ok"),
        ("detect", "ok"),
        ("refuse", "skipped"),
        ("detect", "ok"),
        ("kill", "ok"),
        ("isolate", "ok"),
        ("restore", "ok"),
        ("clean up", "ok"),
    ];
    assert_eq!(steps, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let last = ended.stdout.lines().last().unwrap();
    assert!(last.starts_with(r#"{"type":"summary","ok":true,"passed":7,"failed":0,"skipped":1,"#), "{last}");
    story.assert_nothing_is_left();
    let seen = story.peer.seen();
    // The switch was off and nobody was asked, so it stays; the restore's grant is taken back.
    assert!(!seen.iter().any(|v| matches!(v, Verb::SwitchSet(_))));
    assert!(seen.contains(&Verb::ExceptionRemove(v1::ExceptionRemove { sha256: vec![3; 32] })));
}

#[test]
fn a_host_that_refuses_nothing_fails_and_the_switch_goes_back() {
    if !is_root() {
        return;
    }
    let story = story();
    let ended: Ended = story.command(&["--switch"]).output().unwrap().into();
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("FAILED") && ended.stdout.contains("it ran"), "{ended:?}");
    let switches: Vec<bool> = story
        .peer
        .seen()
        .iter()
        .filter_map(|v| if let Verb::SwitchSet(s) = v { Some(s.on) } else { None })
        .collect();
    assert_eq!(switches, [true, false]);
    story.assert_nothing_is_left();
}

#[test]
fn ctrl_c_cleans_up_first() {
    if !is_root() {
        return;
    }
    let story = story();
    // The first wait for an isolation that never comes is long enough to be interrupted.
    let child =
        story.command(&["--switch", "--wait", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map(|c| (rustix::process::Pid::from_raw(c.id().cast_signed()).unwrap(), c));
    let (pid, child) = child.unwrap();
    let began = Instant::now();
    let dropped =
        |dir: &Path| std::fs::read_dir(dir).unwrap().flatten().any(|f| f.path().join("high").exists());
    while !dropped(story.dir.path()) {
        assert!(began.elapsed() < Duration::from_secs(20), "the test file was never dropped");
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), None);
    assert_eq!(Ended::from(output).status, Some(130));
    story.assert_nothing_is_left();
    let seen = story.peer.seen();
    assert!(seen.contains(&Verb::SwitchSet(v1::SwitchSet { name: "isolate_and_kill".into(), on: false })));
}
