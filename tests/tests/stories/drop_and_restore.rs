// SPDX-License-Identifier: Apache-2.0
//! A bad file is dropped: its name is gone, its bytes are in the vault, and a restore gives both
//! back.

use lazaret_kit::proc::write_executable;
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

fn drop_and_restore(volume: &Volume) {
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let path = volume.join("eicar.com");
    std::fs::write(&path, bad::eicar()).unwrap();
    assert!(eventually(SOON, || !path.exists()), "still there\n{}", daemon.log());
    let isolated = daemon.isolated_path(&path);
    assert_eq!(isolated["size"], 68);
    assert_eq!(isolated["class"], "virus");
    assert_eq!(isolated["killed"].as_array().map(Vec::len), Some(0));
    let id = isolated["id"].as_str().unwrap();
    let verified = daemon.json(["isolated", "verify"]);
    assert!(verified.iter().any(|v| v["id"] == id && v["ok"] == true), "{verified:?}");
    daemon.json(["isolated", "restore", id]);
    assert_eq!(std::fs::read(&path).unwrap(), bad::eicar());
    // The restore let this content be on this host: it is not isolated again at once.
    std::thread::sleep(Duration::from_millis(500));
    assert!(path.exists(), "isolated again\n{}", daemon.log());
    assert_eq!(std::fs::read(&path).unwrap(), bad::eicar());
}

#[test]
fn on_tmpfs() {
    drop_and_restore(&Volume::tmpfs());
}

#[test]
fn on_ext4() {
    drop_and_restore(&Volume::ext4());
}

#[test]
fn on_xfs() {
    drop_and_restore(&Volume::xfs());
}

/// What independent programs say about a file: everything that a restore must give back.
fn describe(path: &Path) -> String {
    let of = |program: &str, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).arg(path).output().unwrap();
        assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    [
        of("stat", &["-c", "%u:%g %a %s %X.%x %Y.%y %F"]),
        of("getfattr", &["-d", "-m-", "-e", "hex", "--absolute-names"]),
        of("getfacl", &["-p", "-n"]),
        of("sha256sum", &[]),
    ]
    .join("\n")
}

#[test]
fn metadata_comes_back_exactly() {
    let volume = Volume::ext4();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    let path = volume.join("prog");
    write_executable(
        &path,
        &bad::program("/bin/true", lazaret_model::MalwareClass::Miner, lazaret_model::TestRating::High),
    );
    std::os::unix::fs::chown(&path, Some(1234), Some(5678)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o6755)).unwrap();
    let text = path.to_str().unwrap();
    for (program, arguments) in [
        ("setfattr", vec!["-n", "user.note", "-v", "kept", text]),
        ("setfacl", vec!["-m", "u:4321:r", text]),
        ("setcap", vec!["cap_net_raw+ep", text]),
        ("touch", vec!["-a", "-d", "2001-02-03 04:05:06.123456789 UTC", text]),
        ("touch", vec!["-m", "-d", "2002-03-04 05:06:07.987654321 UTC", text]),
    ] {
        lazaret_kit::fs::run(program, &arguments);
    }
    let alarm = daemon.alarm_about(&path);
    // Reading it for the description changes its access time.
    let before = describe(&path);
    lazaret_kit::fs::run("touch", &["-a", "-d", "2001-02-03 04:05:06.123456789 UTC", text]);
    let id = alarm["id"].as_str().unwrap();
    daemon.json(["handle", id, "isolate-and-kill"]);
    assert!(!path.exists());
    let isolated = daemon.isolated_path(&path);
    let receipt = daemon.json(["isolated", "restore", isolated["id"].as_str().unwrap()]);
    assert_eq!(describe(&path), before, "{receipt:?}\n{}", daemon.log());
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o6755);
}

#[test]
fn what_was_restored_can_be_isolated_by_hand_again() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    let path = volume.join("app.sh");
    std::fs::write(&path, bad::high_script()).unwrap();
    let alarm = daemon.alarm_about(&path);
    let id = alarm["id"].as_str().unwrap();
    for _ in 0..2 {
        daemon.json(["handle", id, "isolate-and-kill"]);
        assert!(!path.exists());
        let again = daemon.cli(["handle", id, "isolate-and-kill"]);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(!again.status.success() && said.contains("isolated already"), "{said}");
        let isolated = daemon.isolated_path(&path);
        daemon.json(["isolated", "restore", isolated["id"].as_str().unwrap()]);
        assert_eq!(std::fs::read(&path).unwrap(), bad::high_script());
    }
}

#[test]
fn restore_overwrites_nothing_and_offers_another_path() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let path = volume.join("app.sh");
    std::fs::write(&path, bad::high_script()).unwrap();
    let isolated = daemon.isolated_path(&path);
    let id = isolated["id"].as_str().unwrap();
    std::fs::write(&path, "new deployment").unwrap();
    let refused = daemon.cli(["isolated", "restore", id]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--to"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), b"new deployment");
    let other = volume.join("released");
    daemon.json(["isolated", "restore", id, "--to", other.to_str().unwrap()]);
    assert_eq!(std::fs::read(&other).unwrap(), bad::high_script());
    assert_eq!(std::fs::read(&path).unwrap(), b"new deployment");
}

#[test]
fn a_moved_in_file_is_isolated() {
    let volume = Volume::ext4();
    let hidden = volume.join("before");
    std::fs::write(&hidden, bad::high_script()).unwrap();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    // It lay there before the daemon came, so that nothing has looked at it yet.
    let path = volume.join("after");
    std::fs::rename(&hidden, &path).unwrap();
    daemon.isolated_path(&path);
    assert!(!path.exists() && !hidden.exists());
}

#[test]
fn delete_destroys_and_says_so() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let path = volume.join("x");
    std::fs::write(&path, bad::high_script()).unwrap();
    let id = daemon.isolated_path(&path)["id"].as_str().unwrap().to_owned();
    daemon.json(["isolated", "delete", &id, "--yes"]);
    let shown = daemon.json(["isolated", "show", &id]);
    assert_eq!(shown[0]["status"], "deleted");
    assert!(!daemon.cli(["isolated", "restore", &id]).status.success());
}

#[test]
fn many_drops_are_all_isolated() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    for i in 0..100 {
        let class = lazaret_model::MalwareClass::Worm;
        let mut bytes = bad::script(class, lazaret_model::TestRating::High);
        bytes.extend(format!("# {i}\n").bytes());
        std::fs::write(volume.join(&format!("drop-{i}")), bytes).unwrap();
    }
    let left = || {
        std::fs::read_dir(volume.path())
            .unwrap()
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().starts_with("drop-"))
            .count()
    };
    assert!(eventually(Duration::from_secs(30), || left() == 0), "{} left\n{}", left(), daemon.log());
    let sealed = || daemon.json(["isolated", "list"]).iter().filter(|i| i["status"] == "isolated").count();
    assert!(eventually(Duration::from_secs(30), || sealed() == 100), "{} sealed\n{}", sealed(), daemon.log());
}
