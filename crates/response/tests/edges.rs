// SPDX-License-Identifier: Apache-2.0
//! What must not go wrong: swapped folders, full vaults, read-only mounts, changed content,
//! occupied names, links.

mod support;

use lazaret_model::{Action, IsolatedStatus, Outcome};
use lazaret_response::{Responder, Step};
use lazaret_vault::Limits;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use support::{Fs, State, isolate, restore, target};

#[test]
fn case_22_symlink_swap() {
    let fs = Fs::new("ext4");
    let state = State::fast();
    let mut config = state.config();
    config.link_search = std::time::Duration::from_millis(5);
    let (r, _) = Responder::open(config).unwrap();
    let (bad, good) = (fs.dir.join("bad"), fs.dir.join("good"));
    for d in [&bad, &good] {
        std::fs::create_dir(d).unwrap();
    }
    std::os::unix::fs::chown(&fs.dir, Some(65_534), None).unwrap();
    let link = fs.dir.join("other");
    symlink(&good, &link).unwrap();
    std::fs::write(good.join("f"), "precious").unwrap();
    // Another uid exchanges the folder and the link as fast as it can, and ends by itself.
    let script = "import ctypes,os,sys,time\n\
        l=ctypes.CDLL(None,use_errno=True);a,b=os.fsencode(sys.argv[1]),os.fsencode(sys.argv[2])\n\
        e=time.time()+20\n\
        while time.time()<e and os.getppid()==int(sys.argv[3]): l.renameat2(-100,a,-100,b,2)\n";
    let mut attacker = Command::new("python3")
        .args(["-c", script])
        .args([&bad, &link])
        .arg(std::process::id().to_string())
        .uid(65_534)
        .spawn()
        .unwrap();
    let mut taken = 0;
    for round in 0..500 {
        // Whichever of the two names is the folder now.
        let make = || -> Option<lazaret_response::Target> {
            let real = [&bad, &link].into_iter().find(|p| p.symlink_metadata().is_ok_and(|m| m.is_dir()))?;
            let inside = std::fs::File::open(real).ok()?;
            let path = format!("/proc/self/fd/{}/f", std::os::fd::AsRawFd::as_raw_fd(&inside));
            let real_path =
                std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&inside)))
                    .ok()?;
            if real_path.ends_with("good") {
                return None;
            }
            std::fs::write(&path, format!("bad {round}")).ok()?;
            let mut t = target(Path::new(&path));
            t.path = bad.join("f").into_os_string().into_encoded_bytes();
            Some(t)
        };
        let Some(t) = make() else { continue };
        let report = isolate(&r, t);
        assert_eq!(std::fs::read(good.join("f")).unwrap(), b"precious", "{report:?}");
        taken += u32::from(report.status == Some(IsolatedStatus::Isolated));
        if let Some(id) = report.isolated {
            let _ = support::delete(&r, id);
        }
    }
    attacker.kill().unwrap();
    attacker.wait().unwrap();
    assert!(taken > 0, "the race was never won");
    assert_eq!(std::fs::read(good.join("f")).unwrap(), b"precious");
}

#[test]
fn case_23_changed_content_goes_back() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let path = fs.dir.join("f");
    std::fs::write(&path, "judged").unwrap();
    let t = target(&path);
    std::fs::write(&path, "edited").unwrap();
    let report = isolate(&r, t);
    assert!(
        matches!(report.outcome(Action::Isolate), Some(Outcome::Failed(w)) if w.contains("changed")),
        "{report:?}"
    );
    assert_eq!(report.status, Some(IsolatedStatus::IsolateFailed));
    assert_eq!(std::fs::read(&path).unwrap(), b"edited");
    assert_eq!(r.vault().usage().objects, 0);
    assert!(state.denied.0.lock().unwrap().is_empty());
}

#[test]
fn case_23_replaced_name_is_left_alone() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let path = fs.dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    let t = target(&path);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "somebody else's").unwrap();
    let report = isolate(&r, t);
    // The judged inode has no name any more; its content is kept all the same.
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::AlreadyGone), "{report:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody else's");
    r.vault().verify(report.isolated.unwrap()).unwrap();
    // Moved away instead: found by its descriptor.
    std::fs::write(&path, "bad again").unwrap();
    let t = target(&path);
    std::fs::rename(&path, fs.dir.join("elsewhere")).unwrap();
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    assert!(!fs.dir.join("elsewhere").exists());
}

#[test]
fn case_25_read_only_mount_is_denied_in_place_and_armed_again() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let path = fs.dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    fs.remount("ro");
    let r = state.open();
    let report = isolate(&r, target(&path));
    assert!(
        matches!(report.outcome(Action::Isolate), Some(Outcome::Failed(w)) if w.contains("read-only")),
        "{report:?}"
    );
    assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace));
    assert!(path.exists());
    assert_eq!(state.denied.0.lock().unwrap().len(), 1);
    drop(r);
    state.denied.0.lock().unwrap().clear();
    let r = state.open();
    assert_eq!(state.denied.0.lock().unwrap().len(), 1, "denied again after a restart");
    let back = restore(&r, report.isolated.unwrap(), None);
    assert_eq!(back.status, Some(IsolatedStatus::Restored), "{back:?}");
    assert!(state.denied.0.lock().unwrap().is_empty());
}

#[test]
fn case_26_full_vault_neither_loses_nor_leaves_live() {
    let fs = Fs::new("xfs");
    let state = State::new();
    let mut config = state.config();
    config.vault_limits = Limits { object_bytes: 10, ..Limits::default() };
    let (r, _) = Responder::open(config).unwrap();
    let path = fs.dir.join("f");
    std::fs::write(&path, "more than ten bytes").unwrap();
    let before = support::judge(&path);
    let report = isolate(&r, target(&path));
    assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace), "{report:?}");
    assert!(
        matches!(report.outcome(Action::Isolate), Some(Outcome::Partial(w)) if w.contains("full")),
        "{report:?}"
    );
    assert!(!path.exists());
    assert_eq!(state.denied.0.lock().unwrap().len(), 1);
    let id = report.isolated.unwrap();
    let m = r.vault().manifest(id).unwrap();
    assert!(m.staged.is_some());
    // The way back needs no vault.
    std::fs::write(&path, "taken").unwrap();
    assert!(matches!(restore(&r, id, None).outcome(Action::Restore), Some(Outcome::Refused(_))));
    std::fs::remove_file(&path).unwrap();
    let back = restore(&r, id, None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert_eq!(support::judge(&path), before);
    assert!(state.denied.0.lock().unwrap().is_empty());
}

#[test]
fn case_29_restore_never_overwrites_and_never_follows() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let dir = fs.dir.join("d");
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    let id = isolate(&r, target(&path)).isolated.unwrap();
    let refused = |to: Option<&Path>, word: &str| {
        let back = restore(&r, id, to);
        assert!(
            matches!(back.outcome(Action::Restore), Some(Outcome::Refused(w)) if w.contains(word)),
            "{word}: {back:?}"
        );
        assert!(r.vault().has_content(id));
        assert_eq!(r.vault().manifest(id).unwrap().status, IsolatedStatus::Isolated);
    };
    std::fs::write(&path, "new deploy").unwrap();
    refused(None, "--to");
    assert_eq!(std::fs::read(&path).unwrap(), b"new deploy");
    std::fs::remove_file(&path).unwrap();
    symlink("/etc/passwd", &path).unwrap();
    refused(None, "never overwritten");
    std::fs::remove_file(&path).unwrap();
    let real = fs.dir.join("real");
    std::fs::create_dir(&real).unwrap();
    std::fs::remove_dir(&dir).unwrap();
    refused(None, "does not exist");
    symlink(&real, &dir).unwrap();
    refused(None, "symbolic link");
    refused(Some(Path::new("relative")), "absolute");
    let to = real.join("elsewhere");
    let back = restore(&r, id, Some(&to));
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert_eq!(std::fs::read(&to).unwrap(), b"bad");
}

#[test]
fn bind_mounts_and_unlinked_files() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let (inner, bound) = (fs.dir.join("inner"), fs.dir.join("bound"));
    std::fs::create_dir(&inner).unwrap();
    std::fs::create_dir(&bound).unwrap();
    support::run("mount", &["--bind".as_ref(), inner.as_os_str(), bound.as_os_str()]);
    std::fs::write(inner.join("f"), "bad").unwrap();
    let report = isolate(&r, target(&bound.join("f")));
    support::run("umount", &[bound.as_os_str()]);
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
    assert!(!inner.join("f").exists());

    let path = fs.dir.join("g");
    std::fs::write(&path, "bad, unlinked").unwrap();
    let t = target(&path);
    std::fs::remove_file(&path).unwrap();
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::AlreadyGone));
    let back = restore(&r, report.isolated.unwrap(), None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"bad, unlinked");
}

#[test]
fn a_file_that_is_not_the_judged_one_is_refused() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    for n in ["a", "b"] {
        std::fs::write(fs.dir.join(n), n).unwrap();
    }
    let mut t = target(&fs.dir.join("a"));
    t.file = std::fs::File::open(fs.dir.join("b")).unwrap().into();
    assert!(matches!(isolate(&r, t).outcome(Action::Isolate), Some(Outcome::Refused(_))));
    let mut t = target(&fs.dir.join("a"));
    t.file = std::fs::File::open(&fs.dir).unwrap().into();
    t.identity = support::file_ref(&std::fs::metadata(&fs.dir).unwrap());
    assert!(matches!(isolate(&r, t).outcome(Action::Isolate), Some(Outcome::Refused(_))));
    assert!(fs.dir.join("a").exists() && fs.dir.join("b").exists());
}

#[test]
fn two_plans_for_one_file_seal_it_once() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = Arc::new(state.open());
    let path = fs.dir.join("f");
    std::fs::write(&path, vec![1; 1 << 20]).unwrap();
    let targets: Vec<_> = (0..4).map(|_| target(&path)).collect();
    let ids: Vec<_> = std::thread::scope(|s| {
        let threads: Vec<_> = targets.into_iter().map(|t| s.spawn(|| isolate(&r, t))).collect();
        threads.into_iter().map(|t| t.join().unwrap().isolated.unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(r.vault().usage().objects, 1);
}

#[test]
fn steps_come_in_the_promised_order() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let steps: Arc<std::sync::Mutex<Vec<Step>>> = Arc::default();
    let mut config = state.config();
    let sink = steps.clone();
    config.on_step = Some(Arc::new(move |s| sink.lock().unwrap().push(s)));
    let (r, _) = Responder::open(config).unwrap();
    let path = fs.dir.join("f");
    std::fs::write(&path, "bad").unwrap();
    let report = isolate(&r, target(&path));
    restore(&r, report.isolated.unwrap(), None);
    let steps = steps.lock().unwrap();
    let place = |s: &Step| Step::ALL.iter().position(|x| x == s).unwrap();
    assert!(steps.windows(2).all(|w| place(&w[0]) < place(&w[1])), "{steps:?}");
    assert!(steps.contains(&Step::NameGone) && steps.contains(&Step::RestorePurged));
}

#[test]
fn a_wrong_map_of_holes_does_not_spoil_the_bytes() {
    let fs = Fs::new("ext4");
    let state = State::fast();
    let r = state.open();
    let path = fs.dir.join("f");
    let content: Vec<u8> = (0..300_000u32).map(|i| (i % 253) as u8).collect();
    for extents in [vec![], vec![lazaret_vault::Extent { offset: 70_000, len: 10 }]] {
        std::fs::write(&path, &content).unwrap();
        let id = isolate(&r, target(&path)).isolated.unwrap();
        r.vault().update(id, |m| m.extents = extents).unwrap();
        let back = restore(&r, id, None);
        assert_eq!(back.status, Some(IsolatedStatus::Restored), "{back:?}");
        assert!(std::fs::read(&path).unwrap() == content);
    }
}

#[test]
fn names_that_are_not_found_in_time_stay_denied() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let mut config = state.config();
    config.link_search = std::time::Duration::ZERO;
    let (r, _) = Responder::open(config).unwrap();
    let (path, far) = (fs.dir.join("f"), fs.dir.join("far/away"));
    std::fs::create_dir(far.parent().unwrap()).unwrap();
    std::fs::write(&path, "bad").unwrap();
    std::fs::hard_link(&path, &far).unwrap();
    let report = isolate(&r, target(&path));
    assert!(matches!(report.outcome(Action::Isolate), Some(Outcome::Partial(_))), "{report:?}");
    assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace));
    assert!(!path.exists() && far.exists());
    assert_eq!(state.denied.0.lock().unwrap().len(), 1);
    drop(r);
    state.denied.0.lock().unwrap().clear();
    let r = state.open();
    assert_eq!(state.denied.0.lock().unwrap().len(), 1, "denied again after a restart");
    let back = restore(&r, report.isolated.unwrap(), None);
    assert_eq!(back.status, Some(IsolatedStatus::Restored), "{back:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"bad");
}
