// SPDX-License-Identifier: Apache-2.0
//! Restores that cannot go as planned: folders gone, filesystems full, read-only or not mounted.

mod support;

use lazaret_model::{Action, IsolatedId, IsolatedStatus, Outcome};
use lazaret_response::{Order, Plan, Report, Responder};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use support::{Fs, State, isolate, judge, restore, run, target};

fn with_parents(r: &Responder, id: IsolatedId, to: Option<&Path>) -> Report {
    let order = Order::Restore { id, to: to.map(Path::to_path_buf), parents: true };
    r.execute(Plan { alarm: None, who: "test".into(), order })
}

fn taken(r: &Responder, path: &Path, content: &str) -> IsolatedId {
    std::fs::write(path, content).unwrap();
    let report = isolate(r, target(path));
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    report.isolated.unwrap()
}

fn refused(r: &Responder, back: &Report, word: &str) {
    let id = back.isolated.unwrap();
    assert!(
        matches!(back.outcome(Action::Restore), Some(Outcome::Refused(w)) if w.contains(word)),
        "{word}: {back:?}"
    );
    assert!(r.vault().has_content(id));
    assert_eq!(r.vault().manifest(id).unwrap().status, IsolatedStatus::Isolated);
}

fn failed(r: &Responder, back: &Report, word: &str) {
    let id = back.isolated.unwrap();
    assert!(
        matches!(back.outcome(Action::Restore), Some(Outcome::Failed(w)) if w.contains(word)),
        "{word}: {back:?}"
    );
    assert_eq!(back.status, Some(IsolatedStatus::RestoreFailed));
    r.vault().verify(id).unwrap();
}

fn done(back: &Report) {
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
}

fn folder(path: &Path, mode: u32, owner: u32) {
    std::fs::create_dir(path).unwrap();
    chown(path, Some(owner), Some(owner + 1)).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn standing(path: &Path) -> (u32, u32, u32) {
    let m = std::fs::metadata(path).unwrap();
    (m.uid(), m.gid(), m.mode() & 0o7777)
}

#[test]
fn case_29_missing_folders_are_made_only_when_told_to() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let (a, b) = (fs.dir.join("a"), fs.dir.join("a/b"));
    folder(&a, 0o2750, 1234);
    folder(&b, 0o1777, 77);
    let path = b.join("f");
    let id = taken(&r, &path, "bad");
    std::fs::remove_dir_all(&a).unwrap();
    refused(&r, &restore(&r, id, None), "--parents");
    assert!(!a.exists());
    let back = with_parents(&r, id, None);
    done(&back);
    assert_eq!(std::fs::read(&path).unwrap(), b"bad");
    assert_eq!(standing(&a), (1234, 1235, 0o2750));
    assert_eq!(standing(&b), (77, 78, 0o1777));
    let lines = back.receipt.unwrap().lines;
    let made: Vec<_> = lines.iter().filter(|l| l.attribute.starts_with("folder ")).collect();
    assert!(made.len() == 2 && made.iter().all(|l| l.same), "{made:?}");
    // Somewhere else nothing is known: the default, and the receipt says so.
    let id = taken(&r, &path, "bad too");
    let to = fs.dir.join("new/folder/f");
    let back = with_parents(&r, id, Some(&to));
    done(&back);
    assert_eq!(std::fs::read(&to).unwrap(), b"bad too");
    assert_eq!(standing(to.parent().unwrap()), (0, 0, 0o755));
    let lines = back.receipt.unwrap().lines;
    let made: Vec<_> = lines.iter().filter(|l| l.attribute.starts_with("folder ")).collect();
    assert!(made.len() == 2 && made.iter().all(|l| !l.same && l.note.contains("default")), "{made:?}");
    // Nothing missing: told to is not more than asked for.
    let id = taken(&r, &path, "bad again");
    done(&with_parents(&r, id, None));
}

#[test]
fn case_29_parents_follow_no_link_and_leave_nothing_behind() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let dir = fs.dir.join("a/b");
    std::fs::create_dir_all(&dir).unwrap();
    let id = taken(&r, &dir.join("f"), "bad");
    std::fs::remove_dir_all(fs.dir.join("a")).unwrap();
    let real = fs.dir.join("real");
    std::fs::create_dir(&real).unwrap();
    symlink(&real, fs.dir.join("a")).unwrap();
    refused(&r, &with_parents(&r, id, None), "symbolic link");
    assert_eq!(std::fs::read_dir(&real).unwrap().count(), 0);
    std::fs::remove_file(fs.dir.join("a")).unwrap();
    std::fs::write(fs.dir.join("a"), "a file").unwrap();
    refused(&r, &with_parents(&r, id, None), "--to");
    std::fs::remove_file(fs.dir.join("a")).unwrap();
    // Folders that were made for a restore that fails go again.
    let full = Fs::new("tmpfs");
    run("mount", &["-o".as_ref(), "remount,size=1m".as_ref(), full.dir.as_os_str()]);
    let big = "x".repeat(3 << 20);
    let id = taken(&r, &real.join("big"), &big);
    let back = with_parents(&r, id, Some(&full.dir.join("x/y/big")));
    failed(&r, &back, "No space left");
    assert!(!full.dir.join("x").exists());
    done(&restore(&r, id, None));
}

#[test]
fn case_29_a_full_filesystem_keeps_the_object() {
    for kind in ["tmpfs", "ext4"] {
        let fs = Fs::new(kind);
        let state = State::new();
        let r = state.open();
        let path = fs.dir.join("f");
        let id = taken(&r, &path, &"bad".repeat(1 << 20));
        let before = std::fs::read_dir(&fs.dir).unwrap().count();
        // Fill it, whatever size it has; the last write is cut short.
        let fill = fs.dir.join("fill");
        let _ = std::process::Command::new("dd")
            .args(["if=/dev/zero", "bs=1M", "status=none"])
            .arg(format!("of={}", fill.display()))
            .output()
            .unwrap();
        let back = restore(&r, id, None);
        failed(&r, &back, "No space left");
        assert!(!back.outcome(Action::Restore).unwrap().reason().contains("vault"), "{back:?}");
        assert!(!path.exists());
        std::fs::remove_file(&fill).unwrap();
        assert_eq!(std::fs::read_dir(&fs.dir).unwrap().count(), before, "nothing half-written");
        done(&restore(&r, id, None));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 3 << 20);
    }
}

#[test]
fn case_29_a_read_only_filesystem_keeps_the_object() {
    let fs = Fs::new("xfs");
    let state = State::new();
    let r = state.open();
    let path = fs.dir.join("f");
    let id = taken(&r, &path, "bad");
    fs.remount("ro");
    failed(&r, &restore(&r, id, None), "Read-only");
    fs.remount("rw");
    done(&restore(&r, id, None));
    assert_eq!(std::fs::read(&path).unwrap(), b"bad");
}

#[test]
fn case_29_a_filesystem_that_is_not_mounted_is_not_mistaken() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let dir = fs.dir.join("d");
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("f");
    let id = taken(&r, &path, "bad");
    let before = {
        done(&restore(&r, id, None));
        judge(&path)
    };
    let id = {
        let report = isolate(&r, target(&path));
        report.isolated.unwrap()
    };
    fs.unmount();
    // The folder below the mount point looks the same.
    std::fs::create_dir(&dir).unwrap();
    refused(&r, &restore(&r, id, None), "not mounted");
    refused(&r, &with_parents(&r, id, None), "not mounted");
    assert!(!path.exists());
    std::fs::remove_dir(&dir).unwrap();
    let image: PathBuf = fs.beside().join("image");
    run("mount", &["-o".as_ref(), "loop,noatime".as_ref(), image.as_os_str(), fs.dir.as_os_str()]);
    done(&restore(&r, id, None));
    assert_eq!(judge(&path), before);
}

#[test]
fn case_29_an_owner_without_a_name_is_an_owner() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let path = fs.dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    chown(&path, Some(1_234_567), Some(7_654_321)).unwrap();
    let before = judge(&path);
    let id = isolate(&r, target(&path)).isolated.unwrap();
    done(&restore(&r, id, None));
    assert_eq!(judge(&path), before);
}

#[test]
fn the_receipt_names_what_cannot_come_back() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let path = fs.dir.join("f");
    let id = taken(&r, &path, "bad");
    std::thread::sleep(std::time::Duration::from_millis(20));
    let receipt = restore(&r, id, None).receipt.unwrap();
    for what in ["change time", "birth time"] {
        let line = receipt.lines.iter().find(|l| l.attribute == what).unwrap();
        assert!(!line.same && line.note.contains("no interface sets it"), "{line:?}");
    }
    assert!(receipt.lines.iter().any(|l| l.attribute == "inode number"));
    assert!(receipt.is_complete());
}
