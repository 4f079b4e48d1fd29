// SPDX-License-Identifier: Apache-2.0
//! Frames that no agent sends, and uploads that lie.

use super::kit::{ask_one, consent, follow, part, question, rig, send, send_all, sha};
use crate::agent::{Agent, acked, event, goodbye, say, send_records};
use crate::base::{Base, on_both};
use crate::rig::until;
use lazaret_proto::v1;
use lazaret_store::{Cursor, DEFAULT_PROJECT, SamplesQuery};
use std::time::Duration;
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;

on_both!(
    frames_beyond_the_bounds_end_that_session_alone,
    a_sample_that_is_not_what_it_said_is_refused,
    parts_that_do_not_fit_change_nothing,
    a_hundred_samples_at_once_are_taken_few_by_few,
    what_stands_still_is_given_up,
);

async fn frames_beyond_the_bounds_end_that_session_alone(base: Base) {
    let rig = rig(base, |_| {}).await;
    let (bad, good) = (Agent::new(&rig, "bad").await, Agent::new(&rig, "good").await);
    let (mut other, _) = good.session(&rig).await;
    let row = |path: &[u8], sha256: &[u8]| v1::InventoryRow {
        path: path.to_vec(),
        sha256: sha256.to_vec(),
        version: 1,
        ..v1::InventoryRow::default()
    };
    let rows =
        |rows: Vec<v1::InventoryRow>| Say::Inventory(v1::InventoryPart { rows, version: 1, anew: false });
    let asked = |questions: Vec<v1::HashQuestion>| Say::Questions(v1::HashQuestions { id: 1, questions });
    let small = question(b"x");
    for frame in [
        asked(vec![small.clone(); 513]),
        asked(vec![v1::HashQuestion::default(); 200_000]),
        asked(vec![v1::HashQuestion { sha256: vec![1; 31], ..small.clone() }]),
        asked(vec![v1::HashQuestion { tlsh: "T".repeat(1_000), ..small.clone() }]),
        rows(vec![v1::InventoryRow::default(); 1_001]),
        rows(vec![row(b"", &[1; 32])]),
        rows(vec![row(&[b'a'; 5_000], &[1; 32])]),
        rows(vec![row(b"/a", &[1; 5])]),
        rows(vec![v1::InventoryRow { version: u64::MAX, ..row(b"/a", &[1; 32]) }]),
        Say::Sample(v1::SamplePart { data: vec![0; (256 << 10) + 1], ..part(b"hello", 0, 5) }),
        Say::Sample(v1::SamplePart { sha256: vec![1; 3], ..part(b"hello", 0, 5) }),
        Say::Sample(v1::SamplePart { offset: u64::MAX, ..part(b"hello", 0, 5) }),
        Say::VerdictsFrom(v1::VerdictsFrom { feed: "f".repeat(500), number: 0 }),
        Say::VerdictsFrom(v1::VerdictsFrom { feed: String::new(), number: u64::MAX }),
    ] {
        let (mut line, _) = bad.session(&rig).await;
        say(&mut line, frame.clone()).await;
        let last = goodbye(&mut line).await;
        assert_eq!(last.kind(), Bye::BadFrame, "{last:?}");
    }
    let cursor = Cursor { after: None, limit: 10 };
    assert!(rig.store.inventory(DEFAULT_PROJECT, &bad.host, &cursor).await.unwrap().items.is_empty());
    send_records(&mut other, vec![event(1, 1)]).await;
    assert_eq!(acked(&mut other).await, (1, 1), "the other session goes on");
    // As many questions about where it is as it likes: each is answered, or overtaken by the next.
    for n in 0..200 {
        follow(&mut other, "", n).await;
    }
    let _ = ask_one(&mut other, question(b"x")).await;
    rig.gateway.stop().await;
}

async fn a_sample_that_is_not_what_it_said_is_refused(base: Base) {
    let rig = rig(base, |_| {}).await;
    let (liar, honest) = (Agent::new(&rig, "liar").await, Agent::new(&rig, "honest").await);
    let (mut line, _) = liar.session(&rig).await;
    let content = b"what it says it is".as_slice();
    let lie = v1::SamplePart { data: b"something else now".to_vec(), ..part(content, 0, 0) };
    let state = send(&mut line, lie.clone()).await;
    assert_eq!(state.state, "refused", "{state:?}");
    assert_eq!(rig.store.sample(DEFAULT_PROJECT, &sha(content)).await.unwrap().state, "failed");
    assert!(rig.store.deep_scan(DEFAULT_PROJECT, &sha(content)).await.is_err());
    // Nor is the same host asked for it again, whatever it sends.
    let state = send(&mut line, part(content, 0, 100)).await;
    assert!(state.state == "refused" && !state.reason.is_empty(), "{state:?}");
    assert!(!ask_one(&mut line, question(content)).await.wanted);
    // Shorter than it is: then it is another content.
    let cut = v1::SamplePart { size: 4, data: b"shor".to_vec(), ..part(b"shorter", 0, 0) };
    assert_eq!(send(&mut line, cut).await.state, "refused");
    // The lie is in nobody's way.
    let (mut other, _) = honest.session(&rig).await;
    assert!(ask_one(&mut other, question(content)).await.wanted);
    let state = send_all(&mut other, content).await;
    assert_eq!(state.state, "stored", "{state:?}");
    assert_eq!(rig.store.deep_scan(DEFAULT_PROJECT, &sha(content)).await.unwrap().state, "queued");
    rig.gateway.stop().await;
}

async fn parts_that_do_not_fit_change_nothing(base: Base) {
    let rig = rig(base, |_| {}).await;
    consent(&rig, DEFAULT_PROJECT, |c| c.max_sample_bytes = 1_000_000).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    for (refused, why) in [
        (v1::SamplePart { size: 1_000_001, ..part(b"large", 0, 5) }, "allowed"),
        (v1::SamplePart { size: 0, data: Vec::new(), ..part(b"empty", 0, 0) }, "empty"),
        (v1::SamplePart { kind: "image".to_owned(), ..part(b"kind", 0, 4) }, "kind"),
        (v1::SamplePart { offset: 3, ..part(b"beyond", 0, 6) }, "bytes 3 to 9"),
        (v1::SamplePart { offset: 1 << 60, ..part(b"beyond", 0, 6) }, "bytes"),
    ] {
        let state = send(&mut line, refused.clone()).await;
        assert!(state.state == "refused" && state.reason.contains(why), "{refused:?} {state:?}");
        assert!(rig.store.sample(DEFAULT_PROJECT, &refused.sha256).await.is_err());
    }
    // Holes and repetitions: the server says where to go on, and what comes of it is right.
    let content = b"0123456789".repeat(10);
    for (offset, most, have) in
        [(50, 10, 0), (0, 10, 10), (0, 10, 10), (20, 10, 10), (10, 20, 30), (25, 10, 30)]
    {
        let state = send(&mut line, part(&content, offset, most)).await;
        assert_eq!((state.state.as_str(), state.have), ("wanted", have), "{offset}");
    }
    let state = send(&mut line, part(&content, 30, 100)).await;
    assert_eq!(state.state, "stored", "{state:?}");
    rig.gateway.stop().await;
}

async fn a_hundred_samples_at_once_are_taken_few_by_few(base: Base) {
    let rig = rig(base, |s| s.cloud.uploads_of_host = 3).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let contents: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n; 1_000]).collect();
    let mut taken = Vec::new();
    for content in &contents {
        let state = send(&mut line, part(content, 0, 100)).await;
        assert_eq!(state.state, "wanted", "{state:?}");
        match state.have {
            100 => taken.push(content),
            _ => assert!(state.have == 0 && state.retry_after_ms >= 1_000, "{state:?}"),
        }
    }
    assert_eq!(taken.len(), 3);
    let query = SamplesQuery {
        project: DEFAULT_PROJECT.to_owned(),
        page: Cursor { after: None, limit: 500 },
        ..SamplesQuery::default()
    };
    assert_eq!(rig.store.samples(&query).await.unwrap().items.len(), 3, "of the others nothing is kept");
    for content in taken {
        assert_eq!(send_all(&mut line, content).await.state, "stored");
    }
    // Their places are free.
    assert_eq!(send(&mut line, part(&contents[99], 0, 100)).await.have, 100);
    rig.gateway.stop().await;
}

async fn what_stands_still_is_given_up(base: Base) {
    let rig = rig(base, |s| s.cloud.stall = Duration::from_millis(600)).await;
    let (slow, other) = (Agent::new(&rig, "slow").await, Agent::new(&rig, "other").await);
    let (mut line, _) = slow.session(&rig).await;
    let (mut second, _) = other.session(&rig).await;
    let content = vec![7; 500_000];
    assert!(ask_one(&mut line, question(&content)).await.wanted);
    assert_eq!(send(&mut line, part(&content, 0, 10)).await.have, 10);
    assert!(!ask_one(&mut second, question(&content)).await.wanted, "the first one sends it");
    // A byte now and then is no progress.
    let mut state = v1::SampleState::default();
    for n in 10..100 {
        state = send(&mut line, part(&content, n, 1)).await;
        if state.have < n as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((state.state.as_str(), state.have), ("wanted", 0), "it begins anew");
    until("the end of it", || async {
        let row = rig.store.sample(DEFAULT_PROJECT, &sha(&content)).await.unwrap();
        row.state == "failed" && row.reason.contains("still")
    })
    .await;
    assert!(ask_one(&mut second, question(&content)).await.wanted);
    assert_eq!(send_all(&mut second, &content).await.state, "stored");
    rig.gateway.stop().await;
}
