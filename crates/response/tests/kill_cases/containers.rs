// SPDX-License-Identifier: Apache-2.0
//! Victims in namespaces of their own, on filesystems where the numbers of the event and of /proc
//! disagree.

use crate::stand_in::{Guarded, Running, alive, copy, end, exe_is, wait_for};
use crate::support::{Fs, State, isolate, run, target};
use lazaret_model::{Action, Outcome};
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The process that runs a path, as its own mount namespace calls it.
fn runner(path: &Path) -> i32 {
    let mut found = None;
    wait_for("the victim", || {
        found = procfs::pids().find(|p| exe_is(*p, path));
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn case_33_victim_in_a_container_on_its_own_tmpfs() {
    let state = State::fast();
    let r = state.open();
    let name = format!("lz-victim-{}", std::process::id());
    let inside = PathBuf::from("/mnt").join(&name);
    // The container's first process is innocent, and shares namespaces and session with the victim.
    let script = "mount -t tmpfs none /mnt && cp \"$1\" \"$2\" && { \"$2\" idle \"$3\" & exec sleep 15; }";
    let mut container = Running::spawn(
        Command::new("unshare")
            .args(["-pfm", "--mount-proc", "--kill-child", "sh", "-c", script, "sh"])
            .arg(crate::stand_in::original())
            .arg(&inside)
            .arg(end()),
    );
    let victim = runner(&inside);
    let victim = ProcessHandle::open(victim).unwrap();
    let mut t = target(&PathBuf::from(format!("/proc/{}/exe", victim.pid())));
    t.path = inside.as_os_str().as_encoded_bytes().to_vec();
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.is_gone());
    assert_eq!(report.killed.len(), 1, "{report:?}");
    assert!(!container.ended(), "the container lives");
}

/// An overlay over folders of `fs`; unmounted when dropped.
struct Overlay(PathBuf);

impl Overlay {
    fn new(fs: &Fs, name: &str) -> Self {
        let base = fs.dir.join(name);
        for part in ["upper", "work", "merged"] {
            std::fs::create_dir_all(base.join(part)).unwrap();
        }
        std::fs::create_dir_all(fs.dir.join("image")).unwrap();
        let option = format!(
            "lowerdir={},upperdir={},workdir={}",
            fs.dir.join("image").display(),
            base.join("upper").display(),
            base.join("work").display()
        );
        let merged = base.join("merged");
        run(
            "mount",
            &[
                "-t".as_ref(),
                "overlay".as_ref(),
                "-o".as_ref(),
                option.as_ref(),
                "none".as_ref(),
                merged.as_ref(),
            ],
        );
        Self(base)
    }

    fn merged(&self, name: &str) -> PathBuf {
        self.0.join("merged").join(name)
    }

    fn upper(&self, name: &str) -> PathBuf {
        self.0.join("upper").join(name)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let merged = self.0.join("merged");
        let quiet = |lazy: &[&str]| {
            let done = Command::new("umount").args(lazy).arg(&merged).stderr(Stdio::null()).status();
            done.is_ok_and(|s| s.success())
        };
        if !quiet(&[]) {
            quiet(&["-l"]);
        }
    }
}

/// In a mount namespace of its own, as a container's process is.
fn contained(program: &Path) -> Running {
    let mut c = Command::new("unshare");
    c.args(["-m", "--"]).arg(program).args(["idle", &end()]);
    let running = Running::spawn(&mut c);
    wait_for("the contained one", || exe_is(running.pid(), program));
    running
}

#[test]
fn case_33_overlay_event_names_the_layer() {
    for kind in ["tmpfs", "ext4", "xfs"] {
        let fs = Fs::new(kind);
        let overlay = Overlay::new(&fs, "one");
        let state = State::fast();
        let r = state.open();
        // Made in the container: lies in its upper folder. The innocent one has the same bytes.
        let _ = copy(&overlay.0.join("merged"), "bad");
        let _ = copy(&overlay.0.join("merged"), "innocent");
        let mut victim = contained(&overlay.merged("bad"));
        let mut innocent = contained(&overlay.merged("innocent"));
        let mut t = target(&overlay.upper("bad"));
        assert_ne!(
            t.identity.dev,
            std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(overlay.merged("bad")).unwrap()),
            "the numbers disagree, or this test shows nothing"
        );
        t.kill = true;
        let report = isolate(&r, t);
        assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{kind}: {report:?}");
        assert!(victim.ended() && !innocent.ended(), "{kind}: {report:?}");
        assert_eq!(report.killed.len(), 1, "{kind}");
    }
}

#[test]
fn case_33_overlay_every_container_of_the_image() {
    let fs = Fs::new("ext4");
    std::fs::create_dir(fs.dir.join("image")).unwrap();
    let layer = copy(&fs.dir.join("image"), "bad");
    let (one, two) = (Overlay::new(&fs, "one"), Overlay::new(&fs, "two"));
    let state = State::fast();
    let r = state.open();
    let mut victims = [contained(&one.merged("bad")), contained(&two.merged("bad"))];
    let mut on_host = Running::start(&layer, &["idle", &end()]);
    // A third container has changed its copy: another content, which nobody has judged.
    let three = Overlay::new(&fs, "three");
    let changed = three.merged("bad");
    {
        use std::io::Write;
        let mut f = std::fs::OpenOptions::new().append(true).open(&changed).unwrap();
        f.write_all(b"changed").unwrap();
    }
    let mut other = contained(&changed);
    // The event names it as the first container shows it.
    let mut t = target(&one.merged("bad"));
    t.kill = true;
    t.isolate = false;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victims.iter_mut().all(Running::ended), "{report:?}");
    assert!(on_host.ended(), "{report:?}");
    assert!(!other.ended(), "{report:?}");
    assert_eq!(report.killed.len(), 3);
}

#[test]
fn case_33_btrfs_same_inode_number_in_two_subvolumes() {
    let tmp = tempfile::Builder::new().prefix("lz-btrfs-").tempdir().unwrap();
    let image = tmp.path().join("image");
    std::fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
    let made = Command::new("mkfs.btrfs").arg("-q").arg(&image).status();
    if !made.is_ok_and(|s| s.success()) {
        println!("skipped: no mkfs.btrfs");
        return;
    }
    let dir = tmp.path().join("m");
    std::fs::create_dir(&dir).unwrap();
    if !Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&dir).status().unwrap().success() {
        println!("skipped: no btrfs in this kernel");
        return;
    }
    struct Unmount(PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            if !Command::new("umount").arg(&self.0).status().is_ok_and(|s| s.success()) {
                let _ = Command::new("umount").arg("-l").arg(&self.0).status();
            }
        }
    }
    let _unmount = Unmount(dir.clone());
    for name in ["a", "b"] {
        run("btrfs", &["-q".as_ref(), "subvolume".as_ref(), "create".as_ref(), dir.join(name).as_ref()]);
    }
    let (bad, innocent) = (copy(&dir.join("a"), "bad"), copy(&dir.join("b"), "innocent"));
    let ino = |p: &Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(p).unwrap());
    assert_eq!(ino(&bad), ino(&innocent), "the numbers agree, or this test shows nothing");
    let state = State::fast();
    let r = state.open();
    let mut victim = Running::start(&bad, &["idle", &end()]);
    let mut bystander = Running::start(&innocent, &["idle", &end()]);
    let mut t = target(&bad);
    let file = t.identity;
    t.kill = true;
    let report = isolate(&r, t);
    let left = alive(&file);
    let _guard = Guarded(left.iter().filter_map(|p| ProcessHandle::open(*p).ok()).collect());
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(victim.ended() && !bystander.ended(), "{report:?}");
}
