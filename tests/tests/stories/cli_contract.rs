// SPDX-License-Identifier: Apache-2.0
//! Exit statuses, permissions and two ways to name a daemon.

use lazaret_kit::{Daemon, Setup, Volume, bad, binaries, eventually};
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn exit_statuses() {
    let lazaret = |arguments: &[&str]| {
        Command::new(binaries::path("lazaret")).args(arguments).output().unwrap().status.code()
    };
    assert_eq!(lazaret(&["--help"]), Some(0));
    assert_eq!(lazaret(&["no-such-verb"]), Some(64));
    assert_eq!(lazaret(&["--socket", "/nonexistent/socket", "status"]), Some(69));
}

#[test]
fn a_broken_configuration_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("c.toml");
    std::fs::write(&config, "[paths]\nstate = \"/x\"\n\n[respond]\n").unwrap();
    let out = Command::new(binaries::path("lazaretd")).arg("--config").arg(&config).output().unwrap();
    assert_eq!(out.status.code(), Some(78));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("line 4") && said.contains("respond"), "{said}");
}

#[test]
fn strangers_do_not_connect() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let bin = tempfile::tempdir().unwrap();
    use std::os::unix::fs::PermissionsExt;
    for path in [bin.path(), daemon.folder()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::copy(binaries::path("lazaret"), bin.path().join("lazaret")).unwrap();
    let out = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(bin.path().join("lazaret"))
        .arg("--socket")
        .arg(daemon.folder().join("run/control.sock"))
        .arg("status")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(77), "{out:?}");
}

#[test]
fn events_follow_what_happens() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let mut follower = Command::new(binaries::path("lazaret"))
        .arg("--config")
        .arg(daemon.config())
        .args(["--json", "events", "--follow"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).for_each(|l| drop(tell.send(l))));
    // What went before is told at once: the follower listens.
    told.recv_timeout(Duration::from_secs(10)).unwrap();
    std::fs::write(volume.join("bad"), bad::high_script()).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    let about = |l: &String| l.contains("\"alarm\"") && l.contains("bad");
    let found = std::iter::from_fn(|| told.recv_timeout(end.saturating_duration_since(Instant::now())).ok())
        .any(|l| about(&l));
    follower.kill().unwrap();
    follower.wait().unwrap();
    reader.join().unwrap();
    assert!(found, "no alarm was told\n{}", daemon.log());
}

#[test]
fn isolate_by_hand_needs_no_verdict_and_respects_guards() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    let path = volume.join("odd.sh");
    std::fs::write(&path, "#!/bin/sh\necho harmless\n").unwrap();
    daemon.json(["isolate", path.to_str().unwrap()]);
    assert!(eventually(Duration::from_secs(5), || !path.exists()));
    let guarded = daemon.cli(["isolate", "/usr/bin/dpkg"]);
    assert!(!guarded.status.success());
    assert!(std::path::Path::new("/usr/bin/dpkg").exists());
    let said = String::from_utf8_lossy(&guarded.stderr);
    assert!(said.contains("--override-guards"), "{said}");
}
