// SPDX-License-Identifier: Apache-2.0
//! Odd names, odd files, damaged state: a clear error for the thing, and the rest goes on.

use lazaret_kit::proc::{Running, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::time::Duration;

#[test]
fn odd_names_are_isolated_and_restored() {
    let volume = Volume::ext4();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let long = "n".repeat(255);
    let names: [&[u8]; 5] = [b"with space", b"new\nline", b"\xff\xfe not utf-8", b"-rf", long.as_bytes()];
    for name in names {
        let path = volume.path().join(OsStr::from_bytes(name));
        std::fs::write(&path, bad::high_script()).unwrap();
        assert!(eventually(Duration::from_secs(10), || !path.exists()), "{path:?}\n{}", daemon.log());
    }
    let sealed = || daemon.json(["isolated", "list"]).iter().filter(|i| i["status"] == "isolated").count();
    assert!(eventually(Duration::from_secs(10), || sealed() == names.len()), "{}", daemon.log());
    for isolated in daemon.json(["isolated", "list"]) {
        daemon.json(["isolated", "restore", isolated["id"].as_str().unwrap()]);
    }
    for name in names {
        assert_eq!(std::fs::read(volume.path().join(OsStr::from_bytes(name))).unwrap(), bad::high_script());
    }
}

#[test]
fn sparse_endless_and_vanishing_files_hang_nothing() {
    let volume = Volume::ext4();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let sparse = std::fs::File::create(volume.join("sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    drop(sparse);
    lazaret_kit::fs::run("mkfifo", &[volume.join("fifo").to_str().unwrap()]);
    std::os::unix::fs::symlink(volume.join("loop"), volume.join("loop")).unwrap();
    std::fs::write(volume.join("empty"), "").unwrap();
    write_executable(&volume.join("broken"), &std::fs::read("/bin/true").unwrap()[..100]);
    for i in 0..50 {
        let path = volume.join(&format!("gone-{i}"));
        std::fs::write(&path, "x").unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    // A writer that never stops does not keep others from being judged.
    let endless = format!(
        "i=0; while [ $i -lt 3000 ]; do echo x >> {}; i=$((i+1)); done",
        volume.join("growing").display()
    );
    let _writer = Running::start(Command::new("/bin/sh").args(["-c", &endless]));
    let path = volume.join("bad");
    std::fs::write(&path, bad::high_script()).unwrap();
    daemon.isolated_path(&path);
    assert!(volume.join("sparse").exists() && volume.join("empty").exists());
    assert!(Command::new(volume.join("broken")).output().is_err(), "not a program");
}

#[test]
fn a_damaged_vault_object_is_named_and_the_others_are_fine() {
    let volume = Volume::tmpfs();
    let state = volume.beside().join("state");
    let daemon = Daemon::start(&Setup { state: Some(state.clone()), ..Setup::armed(volume.path()) });
    let paths = [volume.join("one"), volume.join("two")];
    for (i, path) in paths.iter().enumerate() {
        let mut bytes = bad::high_script();
        bytes.extend(format!("# {i}\n").bytes());
        std::fs::write(path, bytes).unwrap();
    }
    let ids: Vec<String> =
        paths.iter().map(|p| daemon.isolated_path(p)["id"].as_str().unwrap().to_owned()).collect();
    let blob = state.join("vault/objects").join(format!("{}.age", ids[0]));
    let mut bytes = std::fs::read(&blob).unwrap();
    let middle = bytes.len() - 10;
    bytes[middle] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    let out = daemon.cli(["--json", "isolated", "verify"]);
    assert!(!out.status.success());
    let text = String::from_utf8_lossy(&out.stdout);
    let bad_line = text.lines().find(|l| l.contains(&ids[0])).unwrap_or_else(|| panic!("{text}"));
    assert!(bad_line.contains("false"), "{bad_line}");
    let good_line = text.lines().find(|l| l.contains(&ids[1])).unwrap_or_else(|| panic!("{text}"));
    assert!(good_line.contains("true"), "{good_line}");
    assert!(!daemon.cli(["isolated", "restore", &ids[0]]).status.success());
    daemon.json(["isolated", "restore", &ids[1]]);
    assert!(paths[1].exists() && !paths[0].exists());
}

#[test]
fn a_damaged_database_and_a_torn_journal_do_not_keep_the_daemon_from_starting() {
    let volume = Volume::tmpfs();
    let state = volume.beside().join("state");
    let setup = || Setup { state: Some(state.clone()), ..Setup::armed(volume.path()) };
    let daemon = Daemon::start(&setup());
    let path = volume.join("one");
    std::fs::write(&path, bad::high_script()).unwrap();
    let id = daemon.isolated_path(&path)["id"].as_str().unwrap().to_owned();
    daemon.stop();
    std::fs::write(state.join("state.db"), "this is not a database").unwrap();
    for name in ["state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(state.join(name));
    }
    let daemon = Daemon::start(&setup());
    let alarms = daemon.json(["alarms", "list"]);
    assert!(alarms.iter().any(|a| a["title"].as_str().is_some_and(|t| t.contains("database"))), "{alarms:?}");
    // The isolated file is still there and still comes back.
    daemon.json(["isolated", "restore", &id]);
    assert_eq!(std::fs::read(&path).unwrap(), bad::high_script());
}
