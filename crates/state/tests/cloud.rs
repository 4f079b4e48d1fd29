// SPDX-License-Identifier: Apache-2.0
//! What cloud scan keeps on a host: inventory, answers, open questions, verdicts.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_model::{FileRef, FileTime, Sha256};
use lazaret_state::{AnswerRow, CloudVerdictRow, Database, Feed, ProgramRow, ProgramSeen, QuestionRow};
use std::path::{Path, PathBuf};

const DAY: i64 = 24 * 3600 * 1000;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    (dir, path)
}

fn open(path: &Path) -> Database {
    let opened = Database::open(path).unwrap();
    assert_eq!(opened.recovered, None);
    opened.database
}

fn file(ino: u64) -> FileRef {
    FileRef { dev: u64::MAX - 1, ino, ctime: FileTime { sec: -5, nsec: 999_999_999 }, size: 70 }
}

fn seen(path: &[u8], hash: u8, at_ms: i64) -> ProgramSeen {
    ProgramSeen {
        path: path.to_vec(),
        sha256: Sha256([hash; 32]),
        kind: "executable".into(),
        packaged: false,
        file: file(u64::from(hash)),
        at_ms,
    }
}

fn all(db: &Database) -> Vec<ProgramRow> {
    db.programs_after(0, 1_000).unwrap()
}

#[test]
fn programs_come_back_and_only_news_count_up() {
    let (_dir, path) = folder();
    let db = open(&path);
    let odd = b"/srv/\xff\nname".as_slice();
    assert_eq!(db.put_programs(&[seen(odd, 1, 1_000), seen(b"/b", 1, 1_000)]).unwrap(), 2);
    let rows = all(&db);
    assert_eq!(rows.len(), 2);
    assert!(rows[0].version < rows[1].version, "{rows:?}");
    assert_eq!(
        rows[0],
        ProgramRow {
            path: odd.to_vec(),
            sha256: Sha256([1; 32]),
            kind: "executable".into(),
            packaged: false,
            file: file(1),
            first_ms: 1_000,
            last_ms: 1_000,
            gone: false,
            version: rows[0].version,
        }
    );
    // The same again is no news, also as another inode.
    let moved = ProgramSeen { file: file(77), ..seen(b"/b", 1, 2_000) };
    assert_eq!(db.put_programs(&[seen(odd, 1, 2_000), moved]).unwrap(), 0);
    let b = db.program(b"/b").unwrap().unwrap();
    assert_eq!((b.file.ino, b.version), (77, rows[1].version));
    // Once a day it is told that it is still there, since when it is.
    assert_eq!(db.put_programs(&[seen(b"/b", 1, 1_000 + DAY)]).unwrap(), 1);
    let b = db.program(b"/b").unwrap().unwrap();
    assert_eq!((b.first_ms, b.last_ms), (1_000, 1_000 + DAY));
    // Another content is another program.
    assert_eq!(db.put_programs(&[seen(b"/b", 2, 2_000 + DAY)]).unwrap(), 1);
    let b = db.program(b"/b").unwrap().unwrap();
    assert_eq!((b.sha256, b.first_ms), (Sha256([2; 32]), 2_000 + DAY));
    assert_eq!(db.program_places(Sha256([1; 32]), 10).unwrap().len(), 1);
    assert_eq!(db.program_places(Sha256([2; 32]), 10).unwrap()[0].path, b"/b");
    let packaged = ProgramSeen { packaged: true, ..seen(odd, 1, 3_000) };
    assert_eq!(db.put_programs(&[packaged]).unwrap(), 1, "a package took it over");
    drop(db);
    assert_eq!(all(&open(&path)).len(), 2, "and after a restart");
}

#[test]
fn versions_count_up_whatever_the_clock_does() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut last = 0;
    for (n, at_ms) in [5_000_000, 5_000_000, 10, 4_000_000_000, 20].into_iter().enumerate() {
        let name = format!("/{n}");
        db.put_programs(&[seen(name.as_bytes(), 1, at_ms)]).unwrap();
        let version = db.program(name.as_bytes()).unwrap().unwrap().version;
        assert!(version > last, "{version} after {last}");
        last = version;
    }
    assert!(last > 4_000_000_000);
    assert_eq!(db.count_programs_after(0).unwrap(), 5);
    assert_eq!(db.count_programs_after(last).unwrap(), 0);
    // Also when nothing is left of what was there.
    let rows = all(&db);
    assert_eq!(db.programs_gone(&rows, 30).unwrap(), 5);
    db.trim_programs(u64::MAX, i64::MAX, 100, 40).unwrap();
    db.put_programs(&[seen(b"/new", 1, 50)]).unwrap();
    assert!(db.program(b"/new").unwrap().unwrap().version > last);
}

#[test]
fn what_is_gone_is_told_and_forgotten_later() {
    let (_dir, path) = folder();
    let db = open(&path);
    db.put_programs(&[seen(b"/a", 1, 1_000), seen(b"/b", 1, 1_000), seen(b"/c", 1, 1_000)]).unwrap();
    let a = db.program(b"/a").unwrap().unwrap();
    assert_eq!(db.programs_gone(std::slice::from_ref(&a), 2_000).unwrap(), 1);
    assert_eq!(db.programs_gone(std::slice::from_ref(&a), 3_000).unwrap(), 0, "once");
    let told = db.programs_after(a.version, 10).unwrap();
    let gone = told.iter().find(|r| r.path == b"/a").unwrap();
    assert!(gone.gone && gone.last_ms == 2_000 && gone.version > a.version);
    assert_eq!((db.count_programs().unwrap(), db.program_places(a.sha256, 10).unwrap().len()), (2, 2));
    assert!(db.programs_behind(b"", 10).unwrap().iter().all(|r| r.path != b"/a"));
    // A row that is newer than what was looked at stays.
    let b = db.program(b"/b").unwrap().unwrap();
    db.put_programs(&[seen(b"/b", 9, 4_000)]).unwrap();
    assert_eq!(db.programs_gone(&[b], 5_000).unwrap(), 0);
    // It is there again: a new beginning.
    db.put_programs(&[seen(b"/a", 1, 6_000)]).unwrap();
    assert_eq!(db.program(b"/a").unwrap().unwrap().first_ms, 6_000);
    let c = db.program(b"/c").unwrap().unwrap();
    db.programs_gone(&[c], 7_000).unwrap();
    let version = db.program(b"/c").unwrap().unwrap().version;
    db.put_programs(&[seen(b"/d", 1, 8_000)]).unwrap();
    assert_eq!(
        db.trim_programs(version - 1, 9_000, 100, 9_000).unwrap(),
        0,
        "the server does not know it yet"
    );
    assert_eq!(db.trim_programs(version, 9_000, 100, 9_000).unwrap(), 1);
    assert_eq!(db.program(b"/c").unwrap(), None);
    // More than there is room for: what was seen longest ago goes.
    assert_eq!(db.trim_programs(version, 0, 2, 9_000).unwrap(), 1);
    assert!(db.program(b"/b").unwrap().unwrap().gone);
    assert_eq!(db.count_programs().unwrap(), 2);
}

#[test]
fn answers_close_questions_and_both_are_bounded() {
    let (_dir, path) = folder();
    let db = open(&path);
    let question = |n: u8| QuestionRow {
        sha256: Sha256([n; 32]),
        size: u64::from(n),
        kind: "script".into(),
        packaged: n == 1,
        path: b"/\xfe".to_vec(),
        tlsh: "T1AB".to_owned(),
        first_ms: i64::from(n),
    };
    let answer = |n: u8, standing: &str| AnswerRow {
        sha256: Sha256([n; 32]),
        standing: standing.into(),
        at_ms: i64::from(n),
        until_ms: i64::MAX,
        wanted: n == 2,
    };
    db.put_questions(&[question(1), question(2), question(3)]).unwrap();
    db.put_questions(&[QuestionRow { first_ms: 99, ..question(1) }]).unwrap();
    db.put_answers(&[answer(2, "unknown")]).unwrap();
    drop(db);
    let db = open(&path);
    assert_eq!(db.open_questions(10).unwrap(), [question(3), question(1)]);
    assert_eq!(db.answers(10).unwrap(), [answer(2, "unknown")]);
    db.put_answers(&[answer(2, "clean"), answer(3, "bad"), answer(4, "pending")]).unwrap();
    assert_eq!(db.answers(2).unwrap(), [answer(4, "pending"), answer(3, "bad")], "the newest");
    assert_eq!(db.answers(10).unwrap().len(), 2, "the others are forgotten");
    db.forget_answers(&[Sha256([3; 32])]).unwrap();
    assert_eq!(db.answers(10).unwrap(), [answer(4, "pending")]);
    db.put_questions(&[question(5), question(6)]).unwrap();
    assert_eq!(db.open_questions(1).unwrap(), [question(6)]);
    db.forget_cloud().unwrap();
    assert!(db.answers(10).unwrap().is_empty() && db.open_questions(10).unwrap().is_empty());
}

fn verdict(hash: u8, number: u64) -> CloudVerdictRow {
    CloudVerdictRow {
        sha256: Sha256([hash; 32]),
        number,
        verdict: vec![hash, 0, 255],
        withdrawn: false,
        act: false,
        done: false,
    }
}

fn feed(name: &str, number: u64) -> Feed {
    Feed { name: name.into(), number }
}

#[test]
fn the_newest_verdict_counts_and_what_was_done_stays_done() {
    let (_dir, path) = folder();
    let db = open(&path);
    assert_eq!(db.cloud_feed().unwrap(), Feed::default());
    let place = feed("a b", 2);
    let news = db.put_cloud_verdicts(Some(&place), false, &[verdict(1, 1), verdict(2, 2)], 100).unwrap();
    assert_eq!(news.len(), 2);
    assert_eq!(db.undone_cloud_verdicts(10).unwrap(), [verdict(1, 1), verdict(2, 2)]);
    db.cloud_verdicts_done(&[verdict(1, 1)]).unwrap();
    drop(db);
    let db = open(&path);
    assert_eq!(db.cloud_feed().unwrap(), place);
    assert_eq!(db.undone_cloud_verdicts(10).unwrap(), [verdict(2, 2)], "over a restart");
    // An answer of before says nothing new; its ring does.
    assert!(db.put_cloud_verdicts(None, false, &[verdict(1, 1)], 100).unwrap().is_empty());
    let act = CloudVerdictRow { act: true, ..verdict(1, 3) };
    assert_eq!(
        db.put_cloud_verdicts(Some(&feed("a b", 3)), false, std::slice::from_ref(&act), 100).unwrap(),
        std::slice::from_ref(&act)
    );
    db.cloud_verdicts_done(&[verdict(1, 1)]).unwrap();
    assert_eq!(
        db.undone_cloud_verdicts(10).unwrap(),
        [verdict(2, 2), act],
        "of another number than was done"
    );
    let withdrawn = CloudVerdictRow { withdrawn: true, ..verdict(2, 4) };
    db.put_cloud_verdicts(Some(&feed("a b", 4)), false, &[withdrawn], 100).unwrap();
    assert!(db.put_cloud_verdicts(None, false, &[verdict(2, 2)], 100).unwrap().is_empty());
    assert!(
        db.cloud_verdict(Sha256([2; 32])).unwrap().unwrap().withdrawn,
        "a late answer does not revive it"
    );
    let known = db.known_cloud_verdicts().unwrap();
    assert_eq!(known.len(), 2);
    assert!(known.iter().any(|(s, k)| s.0[0] == 1 && k.act && !k.withdrawn && k.number == 3));
}

#[test]
fn a_whole_feed_replaces_what_it_does_not_name() {
    let (_dir, path) = folder();
    let db = open(&path);
    db.put_cloud_verdicts(Some(&feed("a", 3)), true, &[verdict(1, 1), verdict(2, 2), verdict(3, 3)], 100)
        .unwrap();
    let done = db.undone_cloud_verdicts(10).unwrap();
    db.cloud_verdicts_done(&done).unwrap();
    // An answer that is ahead of the feed.
    db.put_cloud_verdicts(None, false, &[verdict(9, 9)], 100).unwrap();
    let news =
        db.put_cloud_verdicts(Some(&feed("a", 4)), true, &[verdict(1, 1), verdict(4, 4)], 100).unwrap();
    assert_eq!(news, [verdict(4, 4)], "the first is known, and done");
    let hashes = |db: &Database| {
        let mut all: Vec<u8> = db.known_cloud_verdicts().unwrap().iter().map(|(s, _)| s.0[0]).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(hashes(&db), [1, 4, 9]);
    // Another server's numbers say nothing here.
    db.put_cloud_verdicts(Some(&feed("b", 1)), true, &[verdict(5, 1)], 100).unwrap();
    assert_eq!((hashes(&db), db.cloud_feed().unwrap()), (vec![5], feed("b", 1)));
    db.forget_cloud().unwrap();
    assert_eq!((hashes(&db), db.cloud_feed().unwrap()), (vec![], Feed::default()));
}

#[test]
fn verdicts_are_bounded_and_the_newest_stay() {
    let (_dir, path) = folder();
    let db = open(&path);
    let rows: Vec<CloudVerdictRow> = (1..=50).map(|n| verdict(n, u64::from(n))).collect();
    db.put_cloud_verdicts(Some(&feed("a", 50)), false, &rows, 10).unwrap();
    let known = db.known_cloud_verdicts().unwrap();
    assert_eq!(known.len(), 10);
    assert!(known.iter().all(|(_, k)| k.number > 40), "{known:?}");
}
