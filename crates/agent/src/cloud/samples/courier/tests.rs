// SPDX-License-Identifier: Apache-2.0
//! Samples on their way to a server that is played by the test, with real files and a real database.

use super::*;
use crate::config::Cloud;
use lazaret_model::{FileRef, FileTime};
use lazaret_state::{ProgramSeen, SentFilter, WantedAgain};
use sha2::Digest as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

const NOW: i64 = 1_795_000_000_000;

struct Host {
    dir: tempfile::TempDir,
    database: Database,
    consent: Consent,
    asked: Asked,
    session: u64,
    began: Instant,
    /// Since then.
    ms: u64,
}

fn consent(change: impl FnOnce(&mut v1::CloudPolicy)) -> Consent {
    let mut cloud = v1::CloudPolicy {
        hashes: true,
        samples: true,
        max_sample_bytes: 10 << 20,
        exclude: vec![b"/nowhere".to_vec()],
        kinds: vec!["script".into(), "executable".into()],
        ..v1::CloudPolicy::default()
    };
    change(&mut cloud);
    let policy =
        v1::HostPolicy { malware_cloud_scan: Some(true), cloud: Some(cloud), ..v1::HostPolicy::default() };
    Consent::none(&Cloud::default(), Duration::from_secs(5)).with(&policy).0
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("state.db")).unwrap().database;
        Self {
            dir,
            database,
            consent: consent(|_| {}),
            asked: Asked::default(),
            session: 1,
            began: Instant::now(),
            ms: 0,
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> (PathBuf, Sha256) {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let sha256 = Sha256(sha2::Sha256::digest(bytes).into());
        let file = FileRef { dev: 1, ino: 1, ctime: FileTime { sec: 1, nsec: 0 }, size: bytes.len() as u64 };
        let seen = ProgramSeen {
            path: path.as_os_str().as_bytes().to_vec(),
            sha256,
            kind: "script".into(),
            packaged: false,
            file,
            at_ms: NOW,
        };
        self.database.put_programs(&[seen]).unwrap();
        (path, sha256)
    }

    fn want(&self, sha256: Sha256) {
        let again = WantedAgain { refused_ms: 0, other_ms: 0 };
        assert_eq!(self.database.want_samples(&[sha256], NOW, again, 100).unwrap(), 1);
    }

    fn step(&self, courier: &mut Courier, heard: Vec<v1::SampleState>) -> Option<v1::SamplePart> {
        let moment = Moment {
            database: &self.database,
            consent: &self.consent,
            server: "wss://s",
            session: self.session,
            folder: self.dir.path(),
            asked: &self.asked,
            vault: None,
            now: self.began + Duration::from_millis(self.ms),
            now_ms: NOW + i64::try_from(self.ms).unwrap(),
        };
        courier.step(&moment, heard).unwrap()
    }

    fn standing(&self, sha256: Sha256) -> (SampleStanding, String) {
        let row = self.database.sample(&sha256).unwrap().unwrap();
        (row.standing, row.reason)
    }
}

fn says(sha256: Sha256, state: &str, have: u64) -> Vec<v1::SampleState> {
    vec![v1::SampleState {
        sha256: sha256.0.to_vec(),
        state: state.into(),
        have,
        ..v1::SampleState::default()
    }]
}

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i % 251) as u8).collect()
}

#[test]
fn the_server_names_where_to_go_on_and_everything_arrives() {
    let host = Host::new();
    let content = bytes(600_000);
    let (path, sha256) = host.file("x", &content);
    let mut courier = Courier::default();
    assert_eq!(host.step(&mut courier, Vec::new()), None, "nobody wants anything");
    host.want(sha256);
    let first = host.step(&mut courier, Vec::new()).unwrap();
    assert_eq!((first.size, first.offset, first.kind.as_str()), (600_000, 0, "script"));
    assert!(first.data.is_empty() && host.database.sent(&SentFilter::default()).unwrap().is_empty());
    assert_eq!(host.step(&mut courier, Vec::new()), None, "one at a time");
    let mut there = Vec::new();
    let mut next = host.step(&mut courier, says(sha256, "wanted", 0));
    while let Some(part) = next {
        assert_eq!(part.offset, there.len() as u64);
        assert!(part.data.len() <= PART && !part.data.is_empty());
        there.extend_from_slice(&part.data);
        assert_eq!(host.step(&mut courier, Vec::new()), None, "not before the answer");
        let state = if there.len() == content.len() { "stored" } else { "wanted" };
        next = host.step(&mut courier, says(sha256, state, there.len() as u64));
    }
    assert_eq!(there, content);
    assert_eq!(host.standing(sha256).0, SampleStanding::Stored);
    let name = path.as_os_str().as_bytes().to_vec();
    assert_eq!(courier.news, [News::Stored { path: name.clone(), sha256, size: 600_000 }]);
    let sent = host.database.sent(&SentFilter::default()).unwrap();
    assert_eq!((sent.len(), sent[0].bytes, &sent[0].path), (1, 600_000, &name));
    assert_eq!(sent[0].server, "wss://s");
}

#[test]
fn a_broken_session_and_a_restart_go_on_where_the_server_is() {
    let mut host = Host::new();
    let content = bytes(PART * 2 + 10);
    let (_, sha256) = host.file("x", &content);
    host.want(sha256);
    let mut courier = Courier::default();
    host.step(&mut courier, Vec::new()).unwrap();
    host.step(&mut courier, says(sha256, "wanted", 0)).unwrap();
    // Nobody knows whether that part came.
    host.session = 2;
    let again = host.step(&mut courier, Vec::new()).unwrap();
    assert!(again.data.is_empty(), "asked again");
    let part = host.step(&mut courier, says(sha256, "wanted", PART as u64)).unwrap();
    assert_eq!((part.offset, part.data), (PART as u64, content[PART..PART * 2].to_vec()));
    // The daemon starts again: the queue is on disk.
    let mut courier = Courier::default();
    host.session = 3;
    assert!(host.step(&mut courier, Vec::new()).unwrap().data.is_empty());
    let part = host.step(&mut courier, says(sha256, "wanted", 2 * PART as u64)).unwrap();
    assert_eq!(part.data, content[PART * 2..]);
    assert_eq!(host.step(&mut courier, says(sha256, "stored", 0)), None);
    assert_eq!(host.standing(sha256).0, SampleStanding::Stored);
}

#[test]
fn another_host_was_faster() {
    let host = Host::new();
    let (_, sha256) = host.file("x", b"#!/bin/sh\n");
    host.want(sha256);
    let mut courier = Courier::default();
    host.step(&mut courier, Vec::new()).unwrap();
    assert_eq!(host.step(&mut courier, says(sha256, "stored", 10)), None);
    assert!(host.database.sent(&SentFilter::default()).unwrap().is_empty(), "nothing of it left");
}

#[test]
fn what_was_changed_or_swapped_does_not_leave() {
    let host = Host::new();
    let mut courier = Courier::default();
    let secret = host.dir.path().join("secret");
    std::fs::write(&secret, b"very secret").unwrap();
    let (changed, one) = host.file("changed", b"#!/bin/sh\n#1");
    let (swapped, two) = host.file("swapped", b"#!/bin/sh\n#2");
    let (cut, three) = host.file("cut", b"#!/bin/sh\n#3");
    std::fs::write(&changed, b"very secret ").unwrap();
    std::fs::remove_file(&swapped).unwrap();
    std::os::unix::fs::symlink(&secret, &swapped).unwrap();
    std::fs::write(&cut, b"#!").unwrap();
    for sha256 in [one, two, three] {
        host.want(sha256);
        let first = host.step(&mut courier, Vec::new()).unwrap();
        assert!(first.data.is_empty());
        assert_eq!(host.step(&mut courier, says(sha256, "wanted", 0)), None);
        let (standing, why) = host.standing(sha256);
        assert_eq!(standing, SampleStanding::Kept);
        assert!(why.contains("changed") || why.contains("opened"), "{why}");
    }
    assert!(host.database.sent(&SentFilter::default()).unwrap().is_empty());
}

#[test]
fn another_place_with_the_same_content_serves() {
    let host = Host::new();
    let mut courier = Courier::default();
    let (first, sha256) = host.file("a", b"#!/bin/sh\n");
    host.file("b", b"#!/bin/sh\n");
    std::fs::remove_file(first).unwrap();
    host.want(sha256);
    host.step(&mut courier, Vec::new()).unwrap();
    let part = match host.step(&mut courier, says(sha256, "wanted", 0)) {
        Some(part) => part,
        None => host.step(&mut courier, Vec::new()).unwrap(),
    };
    assert_eq!(part.data, b"#!/bin/sh\n");
}

#[test]
fn consent_is_asked_again_before_every_part() {
    let mut host = Host::new();
    let mut courier = Courier::default();
    let (path, sha256) = host.file("x", &bytes(PART + 1));
    host.want(sha256);
    host.consent = consent(|c| c.samples = false);
    assert_eq!(host.step(&mut courier, Vec::new()), None);
    assert_eq!(host.standing(sha256).0, SampleStanding::Wanted, "it may be given yet");
    host.consent = consent(|_| {});
    host.step(&mut courier, Vec::new()).unwrap();
    host.step(&mut courier, says(sha256, "wanted", 0)).unwrap();
    let folder = path.parent().unwrap().as_os_str().as_bytes().to_vec();
    host.consent = consent(|c| c.exclude.push(folder));
    assert_eq!(host.step(&mut courier, says(sha256, "wanted", PART as u64)), None, "withdrawn in the middle");
    assert_eq!(host.standing(sha256).0, SampleStanding::Kept);
    for less in [consent(|c| c.max_sample_bytes = 5), consent(|c| c.kinds = vec!["executable".into()])] {
        let again = WantedAgain { refused_ms: i64::MAX, other_ms: i64::MAX };
        host.database.want_samples(&[sha256], NOW, again, 10).unwrap();
        host.consent = less;
        assert_eq!(host.step(&mut courier, Vec::new()), None);
        assert_eq!(host.standing(sha256).0, SampleStanding::Kept);
    }
    let gone = Sha256([9; 32]);
    host.want(gone);
    assert_eq!(host.step(&mut courier, Vec::new()), None);
    assert!(host.standing(gone).1.contains("not here"));
}

#[test]
fn a_refusal_is_remembered_and_others_go_on() {
    let host = Host::new();
    let mut courier = Courier::default();
    let (_, one) = host.file("x", b"one");
    let (_, two) = host.file("y", b"two");
    host.want(one);
    host.step(&mut courier, Vec::new()).unwrap();
    host.want(two);
    let heard =
        vec![v1::SampleState { reason: "no room\u{1b}[2J".into(), ..says(one, "refused", 0).remove(0) }];
    let next = host.step(&mut courier, heard).unwrap();
    assert_eq!(next.sha256, two.0, "the next one");
    let (standing, why) = host.standing(one);
    assert!(standing == SampleStanding::Refused && why.contains("no room") && !why.contains('\u{1b}'));
    assert!(matches!(&courier.news[..], [News::Refused { sha256, .. }] if *sha256 == one));
    // Words about what nobody waits for change nothing.
    host.step(&mut courier, says(one, "stored", 0));
    assert_eq!((host.standing(one).0, courier.news.len()), (SampleStanding::Refused, 1));
}

#[test]
fn a_server_that_does_not_get_further_is_left_for_later() {
    let mut host = Host::new();
    let mut courier = Courier::default();
    let (_, sha256) = host.file("x", &bytes(100));
    host.want(sha256);
    host.step(&mut courier, Vec::new()).unwrap();
    // Silent.
    host.ms = 121_000;
    assert_eq!(host.step(&mut courier, Vec::new()), None);
    let row = host.database.sample(&sha256).unwrap().unwrap();
    assert!(row.tries == 1 && row.not_before_ms > NOW + 121_000 && row.reason.contains("does not answer"));
    // Always the same answer.
    host.ms += 10_000;
    host.step(&mut courier, Vec::new()).unwrap();
    let mut parts = 0;
    for _ in 0..100 {
        host.ms += 600;
        parts += usize::from(host.step(&mut courier, says(sha256, "wanted", 0)).is_some());
        if host.database.sample(&sha256).unwrap().unwrap().tries == 2 {
            break;
        }
    }
    assert_eq!(host.database.sample(&sha256).unwrap().unwrap().tries, 2);
    assert!(parts <= 20, "{parts}");
    // More than there is.
    host.ms += 100_000;
    host.step(&mut courier, Vec::new()).unwrap();
    assert_eq!(host.step(&mut courier, says(sha256, "wanted", 101)), None);
    assert_eq!(host.database.sample(&sha256).unwrap().unwrap().tries, 3);
    // An hour, please: others go first.
    host.ms += 1_000_000;
    host.step(&mut courier, Vec::new()).unwrap();
    let wait = v1::SampleState { retry_after_ms: 3_000_000, ..says(sha256, "wanted", 0).remove(0) };
    assert_eq!(host.step(&mut courier, vec![wait]), None);
    let row = host.database.sample(&sha256).unwrap().unwrap();
    assert!(row.not_before_ms >= NOW + i64::try_from(host.ms).unwrap() + 3_000_000, "{row:?}");
}

#[test]
fn no_more_bytes_a_second_than_consented_to() {
    let mut host = Host::new();
    host.consent = consent(|c| c.bytes_per_second = 10_000);
    let mut courier = Courier::default();
    let (_, sha256) = host.file("x", &bytes(25_000));
    host.want(sha256);
    host.step(&mut courier, Vec::new()).unwrap();
    let first = host.step(&mut courier, says(sha256, "wanted", 0)).unwrap();
    assert_eq!(first.data.len(), 10_000);
    host.ms = 900;
    assert_eq!(host.step(&mut courier, says(sha256, "wanted", 10_000)), None, "not yet");
    host.ms = 1_001;
    assert_eq!(host.step(&mut courier, Vec::new()).unwrap().offset, 10_000);
    assert_eq!((part_size(0), part_size(1), part_size(u64::MAX)), (PART, 4 << 10, PART));
    assert_eq!((pace(5_000, 10_000), pace(5, 0)), (Duration::from_millis(500), Duration::ZERO));
}

#[test]
fn words_that_make_no_sense_change_nothing() {
    let host = Host::new();
    let mut courier = Courier::default();
    let (_, sha256) = host.file("x", b"one");
    host.want(sha256);
    host.step(&mut courier, Vec::new()).unwrap();
    for heard in [
        vec![v1::SampleState { sha256: vec![1; 5], state: "stored".into(), ..v1::SampleState::default() }],
        says(Sha256([7; 32]), "wanted", 0),
        says(Sha256([7; 32]), "stored", 0),
        says(sha256, "later version", 0),
        says(sha256, "", u64::MAX),
    ] {
        assert_eq!(host.step(&mut courier, heard), None);
        assert_eq!(host.standing(sha256).0, SampleStanding::Wanted);
    }
    assert!(courier.news.is_empty());
    // Twice the same word: the second is not waited for.
    let twice = [says(sha256, "wanted", 0), says(sha256, "wanted", 3)].concat();
    assert_eq!(host.step(&mut courier, twice).unwrap().offset, 0);
}
