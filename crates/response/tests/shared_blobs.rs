// SPDX-License-Identifier: Apache-2.0
//! Files with the same content share a blob: whatever happens to one of them, and wherever the
//! driver is killed meanwhile, the others stay whole.

mod support;

use lazaret_model::{Action, IsolatedId, IsolatedStatus, Outcome};
use lazaret_response::{Replayed, Responder, Step};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Fs, State, delete, isolate, judge, restore, run, target};

/// Runs the driver; true when it died at the step.
fn dies(state: &State, verb: &str, what: &str, step: Step) -> bool {
    let exe = std::env::current_exe().unwrap();
    let driver = exe.parent().unwrap().parent().unwrap().join("examples/isolate_one");
    let args = [verb, what, &format!("{step:?}")];
    let out = Command::new(driver).arg(state.dir.path()).args(args).output().unwrap();
    let died = out.status.signal() == Some(9);
    assert!(out.status.success() || died, "{step:?}: {}", String::from_utf8_lossy(&out.stderr));
    died
}

/// Replay, then a second start that finds nothing to do.
fn recovered(state: &State) -> (Responder, Vec<Replayed>) {
    let (r, replayed) = Responder::open(state.config()).unwrap();
    drop(r);
    let (r, again) = Responder::open(state.config()).unwrap();
    assert!(again.is_empty(), "{again:?}");
    (r, replayed)
}

fn make(fs: &Fs, name: &str, owner: u32) -> PathBuf {
    let path = fs.dir.join(name);
    std::fs::write(&path, vec![42; 70_000]).unwrap();
    std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
    run("touch", &["-d".as_ref(), "2011-11-11 11:11:11.111 UTC".as_ref(), path.as_os_str()]);
    path
}

fn isolated(state: &State, path: &Path) -> IsolatedId {
    isolate(&state.open(), target(path)).isolated.unwrap()
}

fn comes_back(r: &Responder, id: IsolatedId, path: &Path, before: &[(&'static str, String)], step: Step) {
    r.vault().verify(id).unwrap_or_else(|e| panic!("{step:?}: {e}"));
    let back = restore(r, id, None);
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{step:?} {back:?}");
    assert_eq!(judge(path), before, "{step:?}");
}

#[test]
fn two_files_one_blob_and_each_comes_back_as_it_was() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let r = state.open();
    let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
    let (was_a, was_b) = (judge(&a), judge(&b));
    let ids = [&a, &b].map(|p| isolate(&r, target(p)).isolated.unwrap());
    let blob = |id| std::fs::metadata(r.vault().blob_path(id)).unwrap();
    assert_eq!(blob(ids[0]).ino(), blob(ids[1]).ino());
    let usage = r.vault().usage();
    assert_eq!((usage.objects, usage.blobs, usage.bytes), (2, 1, blob(ids[0]).len()));
    assert_eq!(restore(&r, ids[0], None).outcome(Action::Restore), Some(&Outcome::Done));
    assert_eq!(judge(&a), was_a);
    assert_eq!(r.vault().usage().blobs, 1, "the other still needs it");
    assert_eq!(restore(&r, ids[1], None).outcome(Action::Restore), Some(&Outcome::Done));
    assert_eq!(judge(&b), was_b);
    assert_eq!(r.vault().usage(), Default::default());
}

#[test]
fn case_26_crash_at_every_step_of_isolating_a_second_one() {
    let mut died = 0;
    for step in Step::ALL {
        let (fs, state) = (Fs::new("tmpfs"), State::new());
        let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
        let (was_a, was_b) = (judge(&a), judge(&b));
        let first = isolated(&state, &a);
        if !dies(&state, "isolate", b.to_str().unwrap(), step) {
            continue;
        }
        died += 1;
        let (r, replayed) = recovered(&state);
        r.vault().verify(first).unwrap();
        if b.exists() {
            assert!(replayed[0].rescan && judge(&b) == was_b, "{step:?} {replayed:?}");
            assert_eq!(r.vault().usage().objects, 1, "{step:?}");
        } else {
            let list = r.vault().list().unwrap();
            let second = list.iter().find(|l| l.id != first).unwrap();
            assert_eq!(second.manifest.as_ref().unwrap().status, IsolatedStatus::Isolated, "{step:?}");
            let usage = r.vault().usage();
            assert_eq!((usage.objects, usage.blobs), (2, 1), "{step:?}: stored once after a crash too");
            comes_back(&r, second.id, &b, &was_b, step);
        }
        comes_back(&r, first, &a, &was_a, step);
    }
    assert!(died >= 8, "{died}");
}

#[test]
fn case_26_crash_at_every_step_of_restoring_one_of_two() {
    let mut died = 0;
    for step in Step::ALL {
        let (fs, state) = (Fs::new("tmpfs"), State::new());
        let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
        let (was_a, was_b) = (judge(&a), judge(&b));
        let (first, second) = (isolated(&state, &a), isolated(&state, &b));
        if !dies(&state, "restore", &first.to_string(), step) {
            continue;
        }
        died += 1;
        let (r, _) = recovered(&state);
        if a.exists() {
            assert_eq!(judge(&a), was_a, "{step:?}");
            assert!(!r.vault().has_content(first), "{step:?}");
        } else {
            comes_back(&r, first, &a, &was_a, step);
        }
        comes_back(&r, second, &b, &was_b, step);
        assert_eq!(r.vault().usage(), Default::default(), "{step:?}");
    }
    assert!(died >= 8, "{died}");
}

#[test]
fn case_26_crash_at_every_step_of_deleting_one_of_two() {
    let mut died = 0;
    for step in Step::ALL {
        let (fs, state) = (Fs::new("tmpfs"), State::new());
        let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
        let was_b = judge(&b);
        let (first, second) = (isolated(&state, &a), isolated(&state, &b));
        if !dies(&state, "delete", &first.to_string(), step) {
            continue;
        }
        died += 1;
        let (r, _) = recovered(&state);
        assert!(!r.vault().has_content(first), "{step:?}");
        assert_eq!(r.vault().manifest(first).unwrap().status, IsolatedStatus::Deleted, "{step:?}");
        comes_back(&r, second, &b, &was_b, step);
    }
    assert_eq!(died, 3);
}

#[test]
fn case_26_crash_between_the_steps_of_sharing() {
    // After the content was given a further name and before its manifest was written; and with the
    // manifest half-written. The journal's intent is open, the file lies staged.
    for half in [false, true] {
        let (fs, state) = (Fs::new("tmpfs"), State::new());
        let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
        let was_b = judge(&b);
        let first = isolated(&state, &a);
        assert!(dies(&state, "isolate", b.to_str().unwrap(), Step::Sealed));
        let objects = state.dir.path().join("vault/objects");
        let manifest = std::fs::read_dir(&objects)
            .unwrap()
            .map(|e| e.unwrap().path())
            .find(|p| {
                p.extension().is_some_and(|x| x == "json")
                    && !p.to_str().unwrap().contains(&first.to_string())
            })
            .unwrap();
        std::fs::remove_file(&manifest).unwrap();
        if half {
            std::fs::write(manifest.with_extension("json.tmp"), "{ \"schema\"").unwrap();
        }
        let (r, replayed) = recovered(&state);
        assert_eq!(replayed[0].report.status, Some(IsolatedStatus::Isolated), "{replayed:?}");
        let second = replayed[0].report.isolated.unwrap();
        assert_eq!((r.vault().usage().objects, r.vault().usage().blobs), (2, 1));
        comes_back(&r, second, &b, &was_b, Step::Sealed);
        r.vault().verify(first).unwrap();
    }
}

#[test]
fn a_damaged_shared_blob_is_repaired_from_the_file_that_is_still_staged() {
    let (fs, state) = (Fs::new("tmpfs"), State::new());
    let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
    let was_b = judge(&b);
    let first = isolated(&state, &a);
    assert!(dies(&state, "isolate", b.to_str().unwrap(), Step::Sealed));
    // The power cut took the middle of the blob that both hold.
    let blob = state.dir.path().join(format!("vault/objects/{first}.age"));
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[40_000] ^= 0xff;
    run("chmod", &["600".as_ref(), blob.as_os_str()]);
    std::fs::write(&blob, bytes).unwrap();
    let (r, replayed) = recovered(&state);
    let second = replayed[0].report.isolated.unwrap();
    comes_back(&r, second, &b, &was_b, Step::Sealed);
    assert!(r.vault().verify(first).is_err(), "and the other is told as damaged, not taken away");
    assert!(r.vault().has_content(first));
}

#[test]
fn deleting_one_of_two_while_the_other_is_restored() {
    let (fs, state) = (Fs::new("tmpfs"), State::fast());
    let r = state.open();
    for round in 0..20 {
        let (a, b) = (make(&fs, "a", 1000), make(&fs, "b", 1001));
        let was_b = judge(&b);
        let ids = [&a, &b].map(|p| isolate(&r, target(p)).isolated.unwrap());
        std::thread::scope(|s| {
            s.spawn(|| delete(&r, ids[0]));
            let back = restore(&r, ids[1], None);
            assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{round} {back:?}");
        });
        assert_eq!(judge(&b), was_b);
        assert_eq!(r.vault().usage(), Default::default(), "{round}");
        std::fs::remove_file(&b).unwrap();
    }
}
