// SPDX-License-Identifier: Apache-2.0
//! `lazaret vault` on real state folders: what it shows and writes, with the host key and with the
//! recovery key, and that it keeps away from a state that somebody holds.

use crate::peer::{Ended, lazaret, program};
use lazaret_model::{Confidence, FileRef, FileTime, IsolatedId, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Responder, ResponderConfig, Target};
use lazaret_vault::Vault;
use sha2::Digest as _;
use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

/// A state folder whose vault was filled as the daemon fills it.
struct State {
    dir: tempfile::TempDir,
    recovery: PathBuf,
}

impl State {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("lz-cli-").tempdir().unwrap();
        let (_, recovery) = Vault::init(&dir.path().join("state/vault")).unwrap();
        let key = dir.path().join("recovery-key");
        std::fs::write(&key, format!("{}\n", recovery.secret())).unwrap();
        Self { recovery: key, dir }
    }

    fn open(&self) -> Responder {
        let state = self.state();
        let mut config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
        config.journal_bytes = 256 * 1024;
        Responder::open(config).unwrap().0
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn isolate(&self, name: &str, content: &[u8]) -> IsolatedId {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o4751)).unwrap();
        let file = File::open(&path).unwrap();
        let m = file.metadata().unwrap();
        let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec()).unwrap() };
        let target = Target {
            identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
            file: file.into(),
            sha256: Sha256(sha2::Sha256::digest(content).into()),
            path: path.as_os_str().as_encoded_bytes().to_vec(),
            class: MalwareClass::Trojan,
            family: "Test.Standin".into(),
            confidence: Confidence::new(99),
            content_version: "test".into(),
            test: true,
            processes: Box::new(Vec::new),
            may_kill: Arc::new(|_| Ok(())),
            isolate: true,
            kill: false,
        };
        let order = Order::IsolateAndKill(target);
        let report = self.open().execute(Plan { alarm: None, who: "test".into(), order });
        assert!(!path.exists(), "{report:?}");
        report.isolated.unwrap()
    }

    fn vault(&self, words: &[&str]) -> Ended {
        program().arg("vault").args(words).arg("--state").arg(self.state()).output().unwrap().into()
    }

    /// The JSON lines, with what differs from run to run made the same.
    fn json(&self, words: &[&str], ids: &[IsolatedId]) -> String {
        let ended = self.vault(&[words, &["--json"]].concat());
        let mut text = ended.stdout.replace(self.dir.path().to_str().unwrap(), "DIR");
        for (n, id) in ids.iter().enumerate() {
            text = text.replace(&id.to_string(), &format!("ID{n}"));
        }
        // Times of this run; and age adds some random bytes to its header.
        let mut out = String::new();
        for line in text.lines() {
            let line = replace_value(line, "isolated_at", "\"TIME\"");
            out.push_str(&replace_value(&line, "stored", "N"));
            out.push('\n');
        }
        assert!(ended.stderr.is_empty() || ended.status != Some(0), "{ended:?}");
        out.trim_end().to_owned()
    }
}

/// The value of a key that stands before another one.
fn replace_value(line: &str, key: &str, with: &str) -> String {
    let key = format!("\"{key}\":");
    match line.split_once(&key) {
        Some((before, rest)) => {
            let end = rest.find(',').unwrap();
            format!("{before}{key}{with}{}", &rest[end..])
        }
        None => line.to_owned(),
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn list_verify_and_export_have_exactly_the_promised_keys() {
    if !is_root() {
        return;
    }
    let s = State::new();
    let ids = [s.isolate("a", b"the same"), s.isolate("b", b"the same")];
    insta::assert_snapshot!(s.json(&["list"], &ids), @r#"
{"id":"ID0","path":"DIR/a","sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2","size":8,"class":"trojan","family":"Test.Standin","confidence":99,"status":"isolated","reason":"","isolated_at":"TIME","killed":[],"held":true,"stored":N,"sharing":2}
{"id":"ID1","path":"DIR/b","sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2","size":8,"class":"trojan","family":"Test.Standin","confidence":99,"status":"isolated","reason":"","isolated_at":"TIME","killed":[],"held":true,"stored":N,"sharing":2}
"#);
    insta::assert_snapshot!(s.json(&["verify"], &ids), @r#"
{"type":"verify","id":"ID0","ok":true,"reason":"","finding":"whole"}
{"type":"verify","id":"ID1","ok":true,"reason":"","finding":"whole"}
"#);
    let to = s.path("out");
    let words = ["export", &ids[1].to_string()[24..], "--to", to.to_str().unwrap()];
    insta::assert_snapshot!(s.json(&words, &ids), @r#"{"type":"export","id":"ID1","path":"DIR/out","manifest":"DIR/out.json","sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2","size":8,"verified":true}"#);
    assert_eq!(std::fs::read(&to).unwrap(), b"the same");
    let m = std::fs::metadata(&to).unwrap();
    assert_eq!((m.mode() & 0o7777, m.uid()), (0o600, rustix::process::geteuid().as_raw()));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(s.path("out.json")).unwrap()).unwrap();
    assert_eq!(manifest["id"], ids[1].to_string());
    assert_eq!((manifest["mode"].as_u64(), manifest["size"].as_u64()), (Some(0o104_751), Some(8)));
    // Never over anything, and nothing half-made is left.
    let again = s.vault(&words);
    assert!(again.status == Some(1) && again.stderr.contains("never overwritten"), "{again:?}");
    std::fs::remove_file(&to).unwrap();
    let again = s.vault(&words);
    assert!(again.status == Some(1) && again.stderr.contains("out.json"), "{again:?}");
    assert!(!to.exists() && s.path("out.json").exists());
    // A link is not followed.
    std::os::unix::fs::symlink(s.path("elsewhere"), &to).unwrap();
    assert_eq!(s.vault(&words).status, Some(1));
    assert!(!s.path("elsewhere").exists());
}

#[test]
fn restore_is_the_same_as_the_daemons_and_is_journaled() {
    if !is_root() {
        return;
    }
    let s = State::new();
    let ids = [s.isolate("a", b"mine"), s.isolate("b", b"mine")];
    let ended = s.vault(&["restore", &ids[0].to_string(), "--json"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let receipt: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((receipt["type"].as_str(), receipt["outcome"].as_str()), (Some("receipt"), Some("done")));
    let lines = receipt["lines"].as_array().unwrap();
    for attribute in ["sha256", "mode", "owner", "modification time"] {
        assert!(lines.iter().any(|l| l["attribute"] == attribute && l["same"] == true), "{receipt}");
    }
    let back = s.path("a");
    assert_eq!(std::fs::read(&back).unwrap(), b"mine");
    assert_eq!(std::fs::metadata(&back).unwrap().mode(), 0o104_751);
    // An occupied place is offered another; relative to where the caller is.
    std::fs::write(s.path("b"), "newer").unwrap();
    let ended = s.vault(&["restore", &ids[1].to_string()]);
    assert!(ended.status == Some(1) && ended.stderr.contains("--to"), "{ended:?}");
    let ended: Ended = program()
        .current_dir(s.dir.path())
        .args(["vault", "restore", &ids[1].to_string(), "--to", "b2", "--state", "state"])
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(std::fs::read(s.path("b2")).unwrap(), b"mine");
    assert_eq!(std::fs::read(s.path("b")).unwrap(), b"newer");
    let r = s.open();
    let who: Vec<String> = r
        .journal()
        .entries(0, 1000)
        .unwrap()
        .into_iter()
        .filter_map(|e| match e.body {
            lazaret_response::journal::Body::Intent(lazaret_response::journal::Intent::Restore(r)) => {
                Some(r.who)
            }
            _ => None,
        })
        .collect();
    assert_eq!(who, ["offline, uid 0", "offline, uid 0"]);
    assert_eq!(r.vault().usage(), Default::default());
}

#[test]
fn the_recovery_key_gets_everything_out_when_the_host_key_is_lost() {
    if !is_root() {
        return;
    }
    let s = State::new();
    let ids = [s.isolate("a", b"precious"), s.isolate("b", b"precious")];
    std::fs::remove_file(s.state().join("vault/host.key")).unwrap();
    let ended = s.vault(&["list"]);
    assert!(ended.status == Some(1) && ended.stderr.contains("--identity"), "{ended:?}");
    let key = s.recovery.to_str().unwrap();
    for words in [&["list"][..], &["verify"]] {
        let ended = s.vault(&[words, &["--identity", key]].concat());
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    }
    let to = s.path("out");
    let ended = s.vault(&["export", &ids[0].to_string(), "--to", to.to_str().unwrap(), "--identity", key]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
    // Debian's age with the same key, on the blob that both share.
    let blob = s.state().join(format!("vault/objects/{}.age", ids[1]));
    let out = std::process::Command::new("age").args(["-d", "-i", key]).arg(&blob).output().unwrap();
    assert_eq!(out.stdout, b"precious");
    let ended = s.vault(&["restore", &ids[1].to_string(), "--identity", key]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(std::fs::read(s.path("b")).unwrap(), b"precious");
    assert!(s.vault(&["verify", "--identity", key]).status == Some(0));
}

#[test]
fn a_held_state_is_left_alone_with_the_word_what_to_do() {
    if !is_root() {
        return;
    }
    let s = State::new();
    let id = s.isolate("a", b"x").to_string();
    let daemon = s.open();
    let to = s.path("out");
    for (words, instead) in [
        (&["list"][..], "lazaret isolated list"),
        (&["verify"], "lazaret isolated verify"),
        (&["export", &id, "--to", to.to_str().unwrap()], "lazaret isolated restore"),
        (&["restore", &id], "lazaret isolated restore"),
    ] {
        let ended = s.vault(words);
        assert!(ended.status == Some(1) && ended.stderr.contains(instead), "{ended:?}");
        assert!(ended.stderr.contains("systemctl stop lazaretd"), "{ended:?}");
    }
    assert!(!to.exists() && !s.path("a").exists());
    drop(daemon);
    assert_eq!(s.vault(&["list"]).status, Some(0));
}

#[test]
fn damage_is_told_and_what_opens_is_written() {
    if !is_root() {
        return;
    }
    let s = State::new();
    let (orphan, cut) = (s.isolate("a", b"one"), s.isolate("b", &[7; 100_000]));
    let objects = s.state().join("vault/objects");
    std::fs::remove_file(objects.join(format!("{orphan}.json"))).unwrap();
    let blob = objects.join(format!("{cut}.age"));
    let bytes = std::fs::read(&blob).unwrap();
    std::fs::set_permissions(&blob, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&blob, &bytes[..bytes.len() - 100]).unwrap();
    let ended = s.vault(&["verify"]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    for word in ["ORPHAN BLOB", "DAMAGED", "lazaret vault export", "2 isolated files verified, 2 not whole"] {
        assert!(ended.stdout.contains(word), "{ended:?}");
    }
    let to = s.path("out");
    let ended = s.vault(&["export", &orphan.to_string(), "--to", to.to_str().unwrap()]);
    assert!(ended.status == Some(0) && ended.stderr.contains("without a manifest"), "{ended:?}");
    assert_eq!(std::fs::read(&to).unwrap(), b"one");
    assert!(!s.path("out.json").exists());
    let to = s.path("out2");
    let ended = s.vault(&["export", &cut.to_string(), "--to", to.to_str().unwrap()]);
    assert!(ended.status == Some(1) && ended.stderr.contains("Nothing was written"), "{ended:?}");
    assert!(!to.exists() && !s.path("out2.json").exists());
}

#[test]
fn a_place_without_a_vault_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let ended = lazaret(&["vault", "list", "--state", dir.path().to_str().unwrap()]);
    assert!(ended.status == Some(1) && ended.stderr.contains("--state"), "{ended:?}");
    // The configuration says where the state is.
    let config = dir.path().join("lazaretd.toml");
    std::fs::write(&config, format!("[paths]\nstate = {:?}\n", dir.path().join("s"))).unwrap();
    let ended = lazaret(&["vault", "list", "--config", config.to_str().unwrap()]);
    assert!(ended.stderr.contains(dir.path().join("s").to_str().unwrap()), "{ended:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "and nothing is made there");
    for words in [&["vault"][..], &["vault", "export", "x"], &["vault", "restore"]] {
        assert_eq!(lazaret(words).status, Some(64), "{words:?}");
    }
}

#[test]
fn large_holes_stay_holes_in_what_is_exported() {
    if !is_root() {
        return;
    }
    let s = State::new();
    let mut content = vec![0; 30 << 20];
    content[20 << 20] = 1;
    let id = s.isolate("sparse", &content).to_string();
    let to: &Path = &s.path("out");
    assert_eq!(s.vault(&["export", &id, "--to", to.to_str().unwrap()]).status, Some(0));
    assert!(std::fs::read(to).unwrap() == content);
    assert!(std::fs::metadata(to).unwrap().blocks() * 512 < 4 << 20);
}
