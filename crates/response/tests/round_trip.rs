// SPDX-License-Identifier: Apache-2.0
//! Everything comes back, as tools that know nothing of Lazaret see it; on tmpfs, ext4 and xfs.

mod support;

use lazaret_model::{Action, IsolatedStatus, Outcome};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use support::{Fs, State, delete, isolate, judge, restore, run, target};

fn os(s: &str) -> &OsStr {
    OsStr::new(s)
}

/// A sparse file with an owner, set-id bits, capabilities, an ACL, attributes and odd times.
fn furnish(path: &Path) {
    let file = File::create(path).unwrap();
    file.set_len(24 << 20).unwrap();
    file.write_all_at(b"#!/bin/sh\nexit 0\n", 0).unwrap();
    file.write_all_at(&[7; 5000], 8 << 20).unwrap();
    drop(file);
    chown(path, Some(1234), Some(5678)).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o6751)).unwrap();
    let p = path.as_os_str();
    run("setfattr", &[os("-n"), os("trusted.note"), os("-v"), os("0x00ff10"), p]);
    // tmpfs knows user attributes since Linux 6.6.
    let user = Command::new("setfattr").args(["-n", "user.comment", "-v", "hello"]).arg(p).output().unwrap();
    assert!(user.status.success() || path.starts_with("/dev/shm"), "{user:?}");
    run("setfattr", &[os("-n"), os("security.selinux"), os("-v"), os("system_u:object_r:bin_t:s0"), p]);
    run("setcap", &[os("cap_net_raw,cap_net_admin=ep"), p]);
    run("setfacl", &[os("-m"), os("u:4321:rwx,g:99:r--"), p]);
    run("touch", &[os("-m"), os("-d"), os("2001-02-03 04:05:06.123456789 UTC"), p]);
    run("touch", &[os("-a"), os("-d"), os("1969-12-31 23:59:58.987654321 UTC"), p]);
}

fn full_circle(fs: &Fs) {
    let state = State::new();
    let r = state.open();
    let dir = fs.dir.join("srv");
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("bad program");
    furnish(&path);
    let before = judge(&path);
    let blocks = std::fs::metadata(&path).unwrap().blocks();
    let report = isolate(&r, target(&path));
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{}: {report:?}", fs.kind);
    assert_eq!(report.status, Some(IsolatedStatus::Isolated));
    assert!(!path.exists());
    assert!(report.timings.name_gone.unwrap() <= report.timings.sealed.unwrap());
    let id = report.isolated.unwrap();
    r.vault().verify(id).unwrap();
    let m = r.vault().manifest(id).unwrap();
    assert_eq!(m.path.0, path.as_os_str().as_bytes());
    let staging = fs.dir.join(".lazaret-staging");
    assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0, "nothing stays staged");
    assert_eq!(std::fs::metadata(&staging).unwrap().mode() & 0o777, 0o700);
    assert!(state.denied.0.lock().unwrap().is_empty(), "a freed inode number denies nobody");

    let back = restore(&r, id, None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{}: {back:?}", fs.kind);
    assert_eq!(judge(&path), before, "{}", fs.kind);
    let now = std::fs::metadata(&path).unwrap().blocks();
    assert!(now <= blocks + 256, "{}: {blocks} blocks before, {now} after", fs.kind);
    let receipt = back.receipt.unwrap();
    assert!(receipt.is_complete());
    for line in ["sha256", "mode", "owner", "inode flags", "xattr security.capability", "change time"] {
        assert!(receipt.lines.iter().any(|l| l.attribute == line), "{line}: {receipt:?}");
    }
    assert_eq!(r.vault().manifest(id).unwrap().status, IsolatedStatus::Restored);
    assert!(!r.vault().has_content(id));
    assert_eq!(r.vault().usage().objects, 0);
    // Once only.
    let again = restore(&r, id, None);
    assert!(matches!(again.outcome(Action::Restore), Some(Outcome::Refused(_))));
}

#[test]
fn case_24_metadata_round_trip_tmpfs() {
    full_circle(&Fs::new("tmpfs"));
}

#[test]
fn case_24_metadata_round_trip_ext4() {
    full_circle(&Fs::new("ext4"));
}

#[test]
fn case_24_metadata_round_trip_xfs() {
    full_circle(&Fs::new("xfs"));
}

#[test]
fn case_25_immutable_and_append_only_are_lifted_and_set_again() {
    for fs in [Fs::new("ext4"), Fs::new("xfs")] {
        let state = State::new();
        let r = state.open();
        for flags in ["+i", "+a", "+di", "+A"] {
            let path = fs.dir.join(format!("f{flags}"));
            std::fs::write(&path, format!("content {flags}")).unwrap();
            run("chattr", &[os(flags), path.as_os_str()]);
            let before = judge(&path);
            let report = isolate(&r, target(&path));
            assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{flags} {report:?}");
            let back = restore(&r, report.isolated.unwrap(), None);
            assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{flags} {back:?}");
            assert_eq!(judge(&path), before, "{} {flags}", fs.kind);
            run("chattr", &[os("-ia"), path.as_os_str()]);
        }
        // The folder itself is locked.
        let dir = fs.dir.join("locked");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("f"), "x").unwrap();
        run("chattr", &[os("+i"), dir.as_os_str()]);
        let report = isolate(&r, target(&dir.join("f")));
        assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
        assert!(run("lsattr", &[os("-d"), dir.as_os_str()]).split(' ').next().unwrap().contains('i'));
        run("chattr", &[os("-i"), dir.as_os_str()]);
    }
}

#[test]
fn case_27_hard_links_go_and_come_back_as_one_inode() {
    for fs in Fs::all() {
        let state = State::new();
        let r = state.open();
        let (a, b) = (fs.dir.join("a/x"), fs.dir.join("b/deep/y"));
        std::fs::create_dir_all(a.parent().unwrap()).unwrap();
        std::fs::create_dir_all(b.parent().unwrap()).unwrap();
        std::fs::write(&a, "linked").unwrap();
        std::fs::hard_link(&a, a.with_file_name("x2")).unwrap();
        std::fs::hard_link(&a, &b).unwrap();
        let report = isolate(&r, target(&a));
        assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
        assert!(!a.exists() && !b.exists() && !a.with_file_name("x2").exists());
        let id = report.isolated.unwrap();
        assert_eq!(r.vault().manifest(id).unwrap().links.len(), 2);
        let back = restore(&r, id, None);
        assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
        let ino = |p: &Path| std::fs::metadata(p).map(|m| (m.ino(), m.nlink())).unwrap();
        assert_eq!(ino(&a), ino(&b));
        assert_eq!(ino(&a).1, 3);
    }
}

#[test]
fn case_28_names_are_bytes() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let names: [&[u8]; 6] = [b"new\nline", b"\xff\xfe\x80", &[b'n'; 255], b" -rf *", b"a:b'\"$(x)", b"..."];
    let mut ids = Vec::new();
    for name in names {
        let path = fs.dir.join(OsStr::from_bytes(name));
        std::fs::write(&path, name).unwrap();
        let report = isolate(&r, target(&path));
        assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{name:?} {report:?}");
        assert!(!path.exists());
        ids.push(report.isolated.unwrap());
    }
    // The same name twice is no collision.
    let twice = fs.dir.join("...");
    std::fs::write(&twice, "other").unwrap();
    let second = isolate(&r, target(&twice)).isolated.unwrap();
    for (name, id) in names.iter().zip(ids) {
        let back = restore(&r, id, None);
        assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
        assert_eq!(std::fs::read(fs.dir.join(OsStr::from_bytes(name))).unwrap(), *name);
    }
    assert!(matches!(restore(&r, second, None).outcome(Action::Restore), Some(Outcome::Refused(_))));
    let gone = delete(&r, second);
    assert_eq!(gone.outcome(Action::Delete), Some(&Outcome::Done));
    assert_eq!(delete(&r, second).outcome(Action::Delete), Some(&Outcome::AlreadyGone));
    assert_eq!(r.vault().manifest(second).unwrap().status, IsolatedStatus::Deleted);
}

#[test]
fn the_age_tool_opens_objects_with_either_key() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let path = fs.dir.join("f");
    let content: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&path, &content).unwrap();
    let id = isolate(&r, target(&path)).isolated.unwrap();
    let recovery = state.dir.path().join("recovery.txt");
    std::fs::write(&recovery, &state.recovery).unwrap();
    for key in [state.dir.path().join("vault/host.key"), recovery] {
        let out =
            Command::new("age").arg("-d").arg("-i").arg(&key).arg(r.vault().blob_path(id)).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        assert!(out.stdout == content, "{}", key.display());
    }
}
