// SPDX-License-Identifier: Apache-2.0
//! What happens to the file when the vault says no, and to files that are old.

mod support;

use lazaret_model::{Action, IsolatedStatus, Outcome};
use lazaret_response::journal::{Body, Intent, is_held};
use lazaret_response::{AGE_LIMIT, AgeLimit, AgedLook, Responder};
use lazaret_vault::{Limits, Quota};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use support::{Fs, State, isolate, judge, restore, target};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn owned(fs: &Fs, name: &str, uid: u32) -> PathBuf {
    let path = fs.dir.join(name);
    std::fs::write(&path, format!("content of {name}")).unwrap();
    chown(&path, Some(uid), Some(uid)).unwrap();
    path
}

#[test]
fn case_26_a_flood_is_denied_in_place_and_others_are_still_isolated() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let mut config = state.config();
    let user = Quota { objects: Some(3), bytes: None };
    config.vault_limits = Limits { user, ..Limits::default() };
    let (r, _) = Responder::open(config).unwrap();
    let flood: Vec<PathBuf> = (0..8).map(|n| owned(&fs, &format!("f{n}"), 1000)).collect();
    let before: Vec<_> = flood.iter().map(|p| judge(p)).collect();
    let reports: Vec<_> = flood.iter().map(|p| isolate(&r, target(p))).collect();
    for report in &reports[..3] {
        assert_eq!(report.status, Some(IsolatedStatus::Isolated), "{report:?}");
    }
    for report in &reports[3..] {
        assert_eq!(report.status, Some(IsolatedStatus::IsolatedInPlace), "{report:?}");
        let why = report.outcome(Action::Isolate).unwrap().reason();
        assert!(
            why.contains("quota is 3") && why.contains("uid 1000") && why.contains("user_objects"),
            "{why}"
        );
    }
    assert_eq!(state.denied.0.lock().unwrap().len(), 5, "denied where they are");
    let other = isolate(&r, target(&owned(&fs, "other", 1001)));
    assert_eq!(other.status, Some(IsolatedStatus::Isolated), "{other:?}");
    // Nothing is lost: every one comes back as it was, whether it is in the vault or not.
    for ((path, before), report) in flood.iter().zip(before).zip(reports) {
        let back = restore(&r, report.isolated.unwrap(), None);
        assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
        assert_eq!(judge(path), before);
    }
    assert!(state.denied.0.lock().unwrap().is_empty());
}

#[test]
fn old_files_are_told_and_stay_unless_the_configuration_says_so() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let id = isolate(&r, target(&owned(&fs, "old", 0))).isolated.unwrap();
    let at = r.vault().manifest(id).unwrap().isolated_at_ms;
    let limit = AgeLimit { days: 30, remove: false };
    let mut look = AgedLook::default();
    let young = look.look(&r, limit, at + 30 * DAY_MS - 1).unwrap();
    assert!(young.held.is_empty() && young.new.is_empty());
    for (round, new) in [(0, 1), (1, 0), (2, 0)] {
        let now = look.look(&r, limit, at + 31 * DAY_MS).unwrap();
        assert_eq!((now.held.len(), now.new.len(), now.removed.len()), (1, new, 0), "{round}");
        assert_eq!((now.held[0].id, now.held[0].days), (id, 31));
    }
    r.vault().verify(id).unwrap();
    // A clock that goes backwards makes nothing old.
    assert!(look.look(&r, limit, at - 400 * DAY_MS).unwrap().held.is_empty());
}

#[test]
fn old_files_are_removed_through_the_journal_at_the_second_look() {
    let fs = Fs::new("tmpfs");
    let state = State::new();
    let r = state.open();
    let old = isolate(&r, target(&owned(&fs, "old", 0))).isolated.unwrap();
    let young = isolate(&r, target(&owned(&fs, "young", 0))).isolated.unwrap();
    let at = r.vault().manifest(young).unwrap().isolated_at_ms;
    r.vault().update(old, |m| m.isolated_at_ms -= 10 * DAY_MS).unwrap();
    let limit = AgeLimit { days: 7, remove: true };
    let mut look = AgedLook::default();
    let first = look.look(&r, limit, at).unwrap();
    assert_eq!((first.new.len(), first.removed.len()), (1, 0), "told first");
    r.vault().verify(old).unwrap();
    let second = look.look(&r, limit, at).unwrap();
    assert_eq!((second.held.len(), second.removed.len()), (0, 1));
    let (aged, report) = &second.removed[0];
    assert_eq!((aged.id, report.status), (old, Some(IsolatedStatus::Deleted)));
    assert!(!r.vault().has_content(old));
    assert_eq!(r.vault().manifest(old).unwrap().status, IsolatedStatus::Deleted);
    r.vault().verify(young).unwrap();
    let who: Vec<String> = r
        .journal()
        .entries(0, 100)
        .unwrap()
        .into_iter()
        .filter_map(|e| match e.body {
            Body::Intent(Intent::Delete { id, who }) if id == old => Some(who),
            _ => None,
        })
        .collect();
    assert_eq!(who, [AGE_LIMIT]);
    assert!(look.look(&r, limit, at).unwrap().held.is_empty());
}

#[test]
fn the_lock_of_a_state_folder_can_be_asked() {
    let state = State::new();
    let journal = state.dir.path().join("journal");
    assert!(!is_held(&journal).unwrap(), "there is none yet");
    let r = state.open();
    assert!(is_held(&journal).unwrap());
    drop(r);
    assert!(!is_held(&journal).unwrap());
    // Asking does not keep anybody out.
    let r = state.open();
    drop(r);
}
