// SPDX-License-Identifier: Apache-2.0
//! The driver is killed at every step of every verb; replay follows; the content is never lost and
//! never live without being reported.

mod support;

use lazaret_model::{IsolatedId, IsolatedStatus, Outcome};
use lazaret_response::{Replayed, Responder, Step};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Fs, State, isolate, judge, run, target};

fn driver() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let path = exe.parent().unwrap().parent().unwrap().join("examples/isolate_one");
    assert!(path.exists(), "{} is built with --all-targets", path.display());
    path
}

/// Runs the driver; true when it died at the step.
fn dies(state: &State, verb: &str, what: &str, step: Step) -> bool {
    let out = Command::new(driver())
        .arg(state.dir.path())
        .args([verb, what, &format!("{step:?}")])
        .output()
        .unwrap();
    assert!(
        out.status.success() || out.status.signal() == Some(9),
        "{step:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    out.status.signal() == Some(9)
}

fn reopen(state: &State) -> (Responder, Vec<Replayed>) {
    let (r, replayed) = Responder::open(state.config()).unwrap();
    assert!(r.journal().problems().is_empty(), "{:?}", r.journal().problems());
    (r, replayed)
}

fn make(fs: &Fs, links: bool, locked: bool) -> PathBuf {
    let dir = fs.dir.join("d");
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("f");
    std::fs::write(&path, vec![42; 70_000]).unwrap();
    run("setfattr", &["-n".as_ref(), "trusted.x".as_ref(), "-v".as_ref(), "y".as_ref(), path.as_os_str()]);
    run("touch", &["-d".as_ref(), "2011-11-11 11:11:11.111 UTC".as_ref(), path.as_os_str()]);
    if links {
        std::fs::hard_link(&path, fs.dir.join("second")).unwrap();
    }
    if locked {
        run("chattr", &["+i".as_ref(), path.as_os_str()]);
    }
    path
}

fn staged(fs: &Fs) -> usize {
    std::fs::read_dir(fs.dir.join(".lazaret-staging")).map_or(0, |d| d.count())
}

/// Nothing is open any more: a second start finds nothing to do.
fn settled(state: &State) -> Responder {
    let (r, replayed) = reopen(state);
    assert!(replayed.is_empty(), "{replayed:?}");
    r
}

fn the_object(r: &Responder) -> Option<(IsolatedId, IsolatedStatus)> {
    let list = r.vault().list().unwrap();
    assert!(list.len() <= 1, "{list:?}");
    let l = list.into_iter().next()?;
    let m = l.manifest.unwrap();
    Some((l.id, m.status))
}

fn crash_isolate(kind: &'static str, links: bool, locked: bool) {
    let mut died = 0;
    for step in Step::ALL {
        let fs = Fs::new(kind);
        let state = State::new();
        let path = make(&fs, links, locked);
        let before = judge(&path);
        if !dies(&state, "isolate", path.to_str().unwrap(), step) {
            continue;
        }
        died += 1;
        let (r, replayed) = reopen(&state);
        if step == Step::OutcomeWritten {
            assert!(replayed.is_empty());
        } else {
            assert_eq!(replayed.len(), 1, "{step:?}");
            assert!(!replayed[0].open, "{step:?} {replayed:?}");
        }
        assert_eq!(staged(&fs), 0, "{step:?}");
        drop(r);
        let r = settled(&state);
        if path.exists() {
            // Fully back, as it was, and somebody is told to look again.
            assert!(replayed[0].rescan, "{step:?} {replayed:?}");
            assert_eq!(judge(&path), before, "{step:?}");
            assert_eq!(the_object(&r), None, "{step:?}");
        } else {
            let (id, status) = the_object(&r).unwrap();
            assert_eq!(status, IsolatedStatus::Isolated, "{step:?}");
            r.vault().verify(id).unwrap();
            assert!(!fs.dir.join("second").exists(), "{step:?}");
            let back = support::restore(&r, id, None);
            assert_eq!(
                back.outcome(lazaret_model::Action::Restore),
                Some(&Outcome::Done),
                "{step:?} {back:?}"
            );
            assert_eq!(judge(&path), before, "{step:?}");
        }
        if locked {
            run("chattr", &["-i".as_ref(), path.as_os_str()]);
        }
    }
    assert!(died >= 8, "{died}");
}

#[test]
fn case_26_crash_at_every_step_of_isolate_ext4() {
    crash_isolate("ext4", true, true);
}

#[test]
fn case_26_crash_at_every_step_of_isolate_tmpfs() {
    crash_isolate("tmpfs", true, false);
}

#[test]
fn case_26_crash_at_every_step_of_isolate_xfs() {
    crash_isolate("xfs", false, true);
}

fn isolated(state: &State, path: &Path) -> IsolatedId {
    isolate(&state.open(), target(path)).isolated.unwrap()
}

#[test]
fn case_26_crash_at_every_step_of_restore() {
    let mut died = 0;
    for step in Step::ALL {
        let fs = Fs::new("ext4");
        let state = State::new();
        let path = make(&fs, true, true);
        let before = judge(&path);
        let id = isolated(&state, &path);
        if !dies(&state, "restore", &id.to_string(), step) {
            continue;
        }
        died += 1;
        let (r, _) = reopen(&state);
        drop(r);
        let r = settled(&state);
        let (_, status) = the_object(&r).unwrap();
        if path.exists() {
            assert_eq!(status, IsolatedStatus::Restored, "{step:?}");
            assert!(!r.vault().has_content(id), "{step:?}");
            assert_eq!(judge(&path), before, "{step:?}");
        } else {
            assert_eq!(status, IsolatedStatus::Isolated, "{step:?}");
            r.vault().verify(id).unwrap();
            let back = support::restore(&r, id, None);
            assert_eq!(back.outcome(lazaret_model::Action::Restore), Some(&Outcome::Done), "{step:?}");
            assert_eq!(judge(&path), before, "{step:?}");
        }
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "{step:?}: no leftovers");
        run("chattr", &["-i".as_ref(), path.as_os_str()]);
    }
    assert!(died >= 8, "{died}");
}

#[test]
fn case_26_crash_at_every_step_of_delete() {
    let mut died = 0;
    for step in Step::ALL {
        let fs = Fs::new("tmpfs");
        let state = State::new();
        let path = make(&fs, false, false);
        let id = isolated(&state, &path);
        if !dies(&state, "delete", &id.to_string(), step) {
            continue;
        }
        died += 1;
        drop(reopen(&state));
        let r = settled(&state);
        assert_eq!(the_object(&r), Some((id, IsolatedStatus::Deleted)), "{step:?}");
        assert!(!r.vault().has_content(id));
        assert!(!path.exists());
    }
    assert_eq!(died, 3);
}

#[test]
fn an_unmounted_filesystem_keeps_the_intent_open() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let path = make(&fs, false, false);
    let content = std::fs::read(&path).unwrap();
    assert!(dies(&state, "isolate", path.to_str().unwrap(), Step::NameGone));
    let image = fs.dir.parent().unwrap().join("image");
    run("umount", &[fs.dir.as_os_str()]);
    let (r, replayed) = reopen(&state);
    assert!(replayed.len() == 1 && replayed[0].open, "{replayed:?}");
    drop(r);
    run("mount", &["-o".as_ref(), "loop".as_ref(), image.as_os_str(), fs.dir.as_os_str()]);
    let (r, replayed) = reopen(&state);
    assert!(!replayed[0].open);
    let (id, status) = the_object(&r).unwrap();
    assert_eq!(status, IsolatedStatus::Isolated);
    let mut out = Vec::new();
    r.vault().take(id, &mut out).unwrap();
    assert_eq!(out, content);
}
