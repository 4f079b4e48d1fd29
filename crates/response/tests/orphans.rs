// SPDX-License-Identifier: Apache-2.0
//! A power cut between the moved name and the durable intent: the record in the staging folder
//! brings the file back (docs/adr/0004).

mod support;

use lazaret_model::{Action, IsolatedStatus, Outcome};
use lazaret_response::Responder;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Fs, State, judge};

/// The journal as the disk has it when the cut comes before its sync: nothing of this run.
fn cut_journal(state: &State) {
    for entry in std::fs::read_dir(state.dir.path().join("journal")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "journal") {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// Isolates up to the moved name, dies there, and loses the journal.
fn cut(fs: &Fs, state: &State) -> (PathBuf, Vec<(&'static str, String)>) {
    let dir = fs.dir.join("d");
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("f");
    std::fs::write(&path, vec![7; 9000]).unwrap();
    let before = judge(&path);
    let exe = std::env::current_exe().unwrap();
    let driver = exe.parent().unwrap().parent().unwrap().join("examples/isolate_one");
    let out = Command::new(driver)
        .arg(state.dir.path())
        .args(["isolate", path.to_str().unwrap(), "NameGone"])
        .output()
        .unwrap();
    assert!(!out.status.success() && !path.exists(), "{out:?}");
    cut_journal(state);
    (path, before)
}

fn staged(fs: &Fs) -> usize {
    std::fs::read_dir(fs.dir.join(".lazaret-staging")).unwrap().count()
}

fn settled(state: &State) -> Responder {
    let (r, replayed) = Responder::open(state.config()).unwrap();
    assert!(replayed.is_empty(), "{replayed:?}");
    r
}

#[test]
fn case_26_a_name_without_a_durable_intent_comes_back() {
    for fs in Fs::all() {
        let state = State::new();
        let (path, before) = cut(&fs, &state);
        assert_eq!(staged(&fs), 2, "the file and its record");
        let (r, replayed) = Responder::open(state.config()).unwrap();
        assert_eq!(replayed.len(), 1, "{replayed:?}");
        assert!(replayed[0].rescan && !replayed[0].open);
        assert_eq!(replayed[0].path, path.to_str().unwrap().as_bytes());
        assert_eq!(judge(&path), before, "{}", fs.kind);
        assert_eq!(staged(&fs), 0);
        drop(r);
        settled(&state);
    }
}

#[test]
fn case_26_a_taken_name_leaves_it_staged_and_listed() {
    let fs = Fs::new("ext4");
    let state = State::new();
    let (path, before) = cut(&fs, &state);
    std::fs::write(&path, "somebody else's").unwrap();
    let (r, replayed) = Responder::open(state.config()).unwrap();
    assert_eq!(replayed[0].report.status, Some(IsolatedStatus::IsolatedInPlace), "{replayed:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody else's");
    assert_eq!(state.denied.0.lock().unwrap().len(), 1);
    drop(r);
    let r = settled(&state);
    let id = replayed[0].report.isolated.unwrap();
    let to = path.with_file_name("g");
    let back = support::restore(&r, id, Some(&to));
    assert_eq!(back.outcome(Action::Restore), Some(&Outcome::Done), "{back:?}");
    let without_name = |lines: Vec<(&'static str, String)>, p: &Path| {
        lines.into_iter().map(|(k, v)| (k, v.replace(p.to_str().unwrap(), ""))).collect::<Vec<_>>()
    };
    assert_eq!(without_name(judge(&to), &to), without_name(before, &path));
    assert_eq!(staged(&fs), 0);
}

#[test]
fn case_26_the_files_of_another_daemon_are_left_alone() {
    let fs = Fs::new("tmpfs");
    let (state, other) = (State::fast(), State::fast());
    let (path, _) = cut(&fs, &state);
    settled(&other);
    assert_eq!(staged(&fs), 2);
    assert!(!path.exists());
}
