// SPDX-License-Identifier: Apache-2.0
//! The journal survives torn tails, damage in the middle and a full disk; nothing is lost silently.

mod support;

use lazaret_model::{Action, Outcome};
use lazaret_response::Responder;
use lazaret_response::journal::{Body, Journal};
use serde_json::json;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use support::{Fs, State, isolate, target};

const SEGMENT: u64 = 64 * 1024;

fn files(dir: &std::path::Path, part: &str) -> Vec<PathBuf> {
    let mut v: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.to_str().unwrap().contains(part))
        .collect();
    v.sort();
    v
}

fn kinds(j: &Journal) -> Vec<(u64, i64)> {
    let entries = j.entries(0, usize::MAX).unwrap();
    entries
        .iter()
        .map(|e| match &e.body {
            Body::Note(n) => (e.seq, n.data["n"].as_i64().unwrap()),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn appends_rotate_follow_and_prune() {
    let dir = tempfile::tempdir().unwrap();
    let (j, old) = Journal::open(dir.path(), SEGMENT).unwrap();
    assert!(old.is_empty());
    let follower = j.subscribe();
    for n in 0..200 {
        assert_eq!(j.note("n", json!({"n": n, "pad": "x".repeat(1000)})).unwrap(), n + 1);
        j.keep_ready().unwrap();
    }
    assert_eq!(follower.try_iter().count(), 200);
    assert!(files(dir.path(), ".journal").len() >= 4);
    assert!(Journal::open(dir.path(), SEGMENT).is_err(), "one process at a time");
    let all = kinds(&j);
    assert_eq!(all.len(), 200);
    assert_eq!(
        j.entries(150, 10).unwrap().iter().map(|e| e.seq).collect::<Vec<_>>(),
        (151..=160).collect::<Vec<_>>()
    );
    drop(j);
    let (j, old) = Journal::open(dir.path(), SEGMENT).unwrap();
    assert!(j.problems().is_empty(), "{:?}", j.problems());
    assert_eq!((old.len(), j.position()), (200, (1, 200)));
    j.prune(100).unwrap();
    let left = kinds(&j);
    assert!(left[0].0 > 1 && left[0].0 <= 101 && left.last().unwrap().0 == 200);
    assert_eq!(j.new_epoch(), 2);
    j.note("n", json!({"n": 200})).unwrap();
    assert_eq!(j.position(), (2, 201));
    drop(j);
    assert_eq!(Journal::open(dir.path(), SEGMENT).unwrap().0.position(), (2, 201));
}

#[test]
fn torn_tail_is_cut_and_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (j, _) = Journal::open(dir.path(), SEGMENT).unwrap();
    for n in 0..3 {
        j.note("n", json!({"n": n})).unwrap();
    }
    drop(j);
    let segment = &files(dir.path(), ".journal")[0];
    let bytes = std::fs::read(segment).unwrap();
    let end = bytes.iter().rposition(|b| *b != 0).unwrap() + 1;
    // Every length of tear of the last entry.
    for cut in [1, 5, 40, 90, 100] {
        let file = std::fs::OpenOptions::new().write(true).open(segment).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        file.write_all_at(&vec![0; cut], (end - cut) as u64).unwrap();
        drop(file);
        let (j, old) = Journal::open(dir.path(), SEGMENT).unwrap();
        assert_eq!(old.len(), 2, "{cut}");
        assert_eq!(j.problems().len(), 1, "{cut} {:?}", j.problems());
        assert_eq!(j.note("n", json!({"n": 9})).unwrap(), 3);
        drop(j);
        let (j, old) = Journal::open(dir.path(), SEGMENT).unwrap();
        assert_eq!(old.len(), 3);
        assert!(j.problems().is_empty(), "{:?}", j.problems());
    }
    assert_eq!(files(dir.path(), "corrupt").len(), 5, "nothing is thrown away");
}

#[test]
fn damage_in_the_middle_loses_one_entry_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (j, _) = Journal::open(dir.path(), SEGMENT).unwrap();
    for n in 0..5 {
        j.note("n", json!({"n": n})).unwrap();
    }
    drop(j);
    let segment = &files(dir.path(), ".journal")[0];
    let bytes = std::fs::read(segment).unwrap();
    let needle = b"{\"n\":2}";
    let at = bytes.windows(needle.len()).position(|w| w == needle).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(segment).unwrap();
    file.write_all_at(b"X", at as u64).unwrap();
    let (j, _) = Journal::open(dir.path(), SEGMENT).unwrap();
    assert_eq!(kinds(&j).iter().map(|k| k.0).collect::<Vec<_>>(), [1, 2, 4, 5]);
    assert!(j.problems().iter().any(|p| p.contains("chain")), "{:?}", j.problems());
    assert_eq!(files(dir.path(), "corrupt").len(), 1);
    assert_eq!(j.note("n", json!({"n": 5})).unwrap(), 6);
}

#[test]
fn garbage_is_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut x = 1u64;
    let noise: Vec<u8> = (0..SEGMENT)
        .map(|_| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (x >> 56) as u8
        })
        .collect();
    for (n, content) in [noise.as_slice(), b"", b"LZRJRNL1", &noise[..77]].iter().enumerate() {
        std::fs::write(dir.path().join(format!("{:016}.journal", n + 1)), content).unwrap();
    }
    let (j, old) = Journal::open(dir.path(), SEGMENT).unwrap();
    assert!(old.is_empty() && !j.problems().is_empty());
    j.note("n", json!({"n": 1})).unwrap();
    drop(j);
    let (_, old) = Journal::open(dir.path(), SEGMENT).unwrap();
    assert_eq!(old.len(), 1);
}

#[test]
fn case_26_full_disk_goes_on_in_preallocated_space_then_refuses_to_move() {
    let disk = Fs::new("ext4");
    let files_on = Fs::new("tmpfs");
    let state = State::new();
    let mut config = state.config();
    config.journal_dir = disk.dir.join("journal");
    config.journal_bytes = SEGMENT;
    let (r, _) = Responder::open(config).unwrap();
    // Nothing is free any more on the journal's disk.
    let filler = std::fs::File::create(disk.dir.join("filler")).unwrap();
    let block = vec![1; 1 << 20];
    while std::io::Write::write_all(&mut &filler, &block).is_ok() {}
    while std::io::Write::write_all(&mut &filler, &[1; 512]).is_ok() {}
    let (mut done, mut refused) = (0, None);
    for n in 0..200 {
        let path = files_on.dir.join(format!("f{n}"));
        std::fs::write(&path, format!("{n}")).unwrap();
        let report = isolate(&r, target(&path));
        assert_eq!(report.outcome(Action::Deny), Some(&Outcome::Done));
        match report.outcome(Action::Isolate) {
            Some(Outcome::Refused(why)) => {
                assert!(why.contains("journal"), "{why}");
                assert!(path.exists(), "nothing is moved that replay would not know of");
                refused = Some(n);
                break;
            }
            Some(_) => done += 1,
            None => panic!("{report:?}"),
        }
    }
    assert!(done >= 10, "{done}");
    assert!(refused.is_some());
    // A denied program is still killed.
    let program = files_on.dir.join("sleeper");
    std::fs::copy("/bin/sleep", &program).unwrap();
    let mut child = std::process::Command::new(&program).arg("20").spawn().unwrap();
    let mut t = target(&program);
    t.kill = true;
    let report = isolate(&r, t);
    assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "{report:?}");
    assert!(child.try_wait().unwrap().is_some());
}
