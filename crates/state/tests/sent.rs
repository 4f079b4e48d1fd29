// SPDX-License-Identifier: Apache-2.0
//! What left this host, and the samples that a server wants.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_model::Sha256;
use lazaret_state::{Database, SampleStanding, Sending, SentFilter, SentRetention, SentWhat, WantedAgain};

const DAY: i64 = 86_400_000;
const NOON: i64 = 20_000 * DAY + DAY / 2;

fn database() -> (tempfile::TempDir, Database) {
    let dir = tempfile::tempdir().unwrap();
    let opened = Database::open(&dir.path().join("state.db")).unwrap();
    assert_eq!(opened.recovered, None);
    (dir, opened.database)
}

fn since(ms: i64) -> WantedAgain {
    WantedAgain { refused_ms: ms, other_ms: ms }
}

fn hash(n: u8) -> Sending {
    Sending { what: SentWhat::Hash, path: vec![b'/', n, 0xff], sha256: Sha256([n; 32]), bytes: 0 }
}

fn part(n: u8, bytes: u64) -> Sending {
    Sending { what: SentWhat::Sample, bytes, ..hash(n) }
}

#[test]
fn repeats_of_a_day_are_one_row() {
    let (_dir, db) = database();
    let keep = SentRetention::default();
    db.note_sent("wss://a", &[hash(1), hash(2)], NOON, keep).unwrap();
    db.note_sent("wss://a", &[hash(1)], NOON + 5, keep).unwrap();
    db.note_sent("wss://b", &[hash(1)], NOON + 6, keep).unwrap();
    db.note_sent("wss://a", &[part(1, 10)], NOON + 7, keep).unwrap();
    db.note_sent("wss://a", &[part(1, 20)], NOON + 8, keep).unwrap();
    db.note_sent("wss://a", &[hash(1)], NOON + DAY, keep).unwrap();
    db.note_sent("wss://a", &[], NOON + 2 * DAY, keep).unwrap();
    let all = db.sent(&SentFilter::default()).unwrap();
    assert_eq!(all.len(), 5, "{all:?}");
    assert_eq!((all[0].first_ms, all[0].times), (NOON + DAY, 1), "the next day is a row of its own");
    let sample = &all[1];
    assert_eq!((sample.what, sample.bytes, sample.times), (SentWhat::Sample, 30, 2));
    assert_eq!(sample.path, vec![b'/', 1, 0xff], "raw bytes");
    let first = all.iter().rfind(|r| r.sha256 == Sha256([1; 32])).unwrap();
    assert_eq!((first.first_ms, first.last_ms, first.times), (NOON, NOON + 5, 2));
    let samples = SentFilter { what: Some(SentWhat::Sample), ..SentFilter::default() };
    assert_eq!(db.sent(&samples).unwrap().len(), 1);
    let of_two = SentFilter { sha256: Some(Sha256([2; 32])), ..SentFilter::default() };
    assert_eq!(db.sent(&of_two).unwrap().len(), 1);
    let late = SentFilter { since_ms: Some(NOON + 6), limit: Some(2), ..SentFilter::default() };
    assert_eq!(db.sent(&late).unwrap().len(), 2);
    let totals = db.sent_totals().unwrap();
    assert_eq!((totals.hashes, totals.samples, totals.bytes), (2, 1, 30));
}

#[test]
fn what_is_remembered_is_bounded() {
    let (_dir, db) = database();
    let keep = SentRetention { keep_ms: 30 * DAY, at_most: 10 };
    db.note_sent("s", &[part(200, 1)], NOON, keep).unwrap();
    for i in 0..20 {
        db.note_sent("s", &[hash(i)], NOON + 1 + i64::from(i), keep).unwrap();
    }
    let all = db.sent(&SentFilter::default()).unwrap();
    assert_eq!(all.len(), 10);
    assert_eq!(all[0].sha256, Sha256([19; 32]));
    assert_eq!(all.last().unwrap().what, SentWhat::Sample, "hashes go before samples, however old these are");
    for i in 100..130 {
        db.note_sent("s", &[part(i, 1)], NOON + 100, keep).unwrap();
    }
    assert!(db.prune_sent(NOON + 200, keep).unwrap() > 0);
    assert_eq!(db.sent(&SentFilter::default()).unwrap().len(), 10);
    assert_eq!(db.prune_sent(NOON + 31 * DAY, keep).unwrap(), 10);
    assert_eq!(db.sent_totals().unwrap(), lazaret_state::SentTotals::default());
}

#[test]
fn a_sample_is_wanted_until_it_comes_to_an_end() {
    let (dir, db) = database();
    let (one, two) = (Sha256([1; 32]), Sha256([2; 32]));
    assert_eq!(db.want_samples(&[one, two, one], 10, since(0), 100).unwrap(), 2);
    assert_eq!(db.want_samples(&[one], 11, since(100), 100).unwrap(), 0, "it is wanted already");
    assert_eq!(db.next_sample(10).unwrap().unwrap().sha256, one);
    db.sample_later(&one, "the server is busy", 50).unwrap();
    assert_eq!(db.next_sample(10).unwrap().unwrap().sha256, two);
    db.sample_ended(&two, SampleStanding::Refused, "too large", 20).unwrap();
    assert_eq!(db.next_sample(49).unwrap(), None);
    drop(db);
    let db = Database::open(&dir.path().join("state.db")).unwrap().database;
    let next = db.next_sample(50).unwrap().unwrap();
    assert_eq!((next.sha256, next.tries, next.reason.as_str()), (one, 1, "the server is busy"));
    assert_eq!(db.samples_waiting().unwrap(), 1);
    // Refused a moment ago: not again. Long ago: again.
    assert_eq!(db.want_samples(&[two], 30, since(20), 100).unwrap(), 0);
    assert_eq!(db.sample(&two).unwrap().unwrap().standing, SampleStanding::Refused);
    let others = WantedAgain { refused_ms: 20, other_ms: 21 };
    assert_eq!(db.want_samples(&[two], 30, others, 100).unwrap(), 0);
    assert_eq!(db.want_samples(&[two], 30, since(21), 100).unwrap(), 1);
    assert_eq!(db.sample(&two).unwrap().unwrap().reason, "");
    db.sample_ended(&two, SampleStanding::Stored, "", 40).unwrap();
    // Later words about one that is over change nothing but its end.
    db.sample_later(&two, "x", 99).unwrap();
    assert_eq!(db.sample(&two).unwrap().unwrap().standing, SampleStanding::Stored);
    assert_eq!(db.forget_samples(40, 0).unwrap(), 0);
    assert_eq!(db.forget_samples(41, 0).unwrap(), 1);
    assert_eq!(db.forget_samples(0, 11).unwrap(), 1, "one that waited in vain");
}

#[test]
fn a_full_queue_takes_no_more() {
    let (_dir, db) = database();
    let all: Vec<Sha256> = (0..9).map(|n| Sha256([n; 32])).collect();
    assert_eq!(db.want_samples(&all, 1, since(0), 4).unwrap(), 4);
    assert_eq!(db.want_samples(&all, 2, since(0), 4).unwrap(), 0);
    db.sample_ended(&all[0], SampleStanding::Kept, "gone", 3).unwrap();
    assert_eq!(db.want_samples(&all, 4, since(0), 4).unwrap(), 1, "there is room for one");
    db.forget_all_samples().unwrap();
    assert_eq!(db.samples_waiting().unwrap(), 0);
}
