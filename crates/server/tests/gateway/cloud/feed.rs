// SPDX-License-Identifier: Apache-2.0
//! Verdicts out: at once, in order, without a gap, by ring, and never those of another project.

use super::kit::{
    ask_one, canary, follow, judge, move_to_other, other_project, question, rig, sha, verdicts,
};
use crate::agent::{Agent, Line, acked, event, hear, send_records};
use crate::base::{Base, on_both};
use lazaret_proto::v1;
use lazaret_store::DEFAULT_PROJECT;
use std::time::{Duration, Instant};
use v1::server_frame::Kind as Told;

on_both!(
    verdicts_come_at_once_and_in_order,
    many_verdicts_come_in_parts_without_a_gap,
    canaries_act_first_then_all,
    a_host_that_moves_gets_the_feed_of_its_project_and_nothing_else,
    what_was_put_elsewhere_is_found_by_the_clock,
);

async fn verdicts_come_at_once_and_in_order(base: Base) {
    let rig = rig(base, |s| s.poll = Duration::from_secs(20)).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    follow(&mut line, "", 0).await;
    let first = verdicts(&mut line).await;
    assert_eq!((first.from, first.verdicts.len()), (0, 0), "what the host keeps of another feed is none");
    assert!(!first.feed.is_empty());

    let begun = Instant::now();
    let one = judge(&rig, DEFAULT_PROJECT, &sha(b"one"), true).await;
    rig.gateway.handle().ordered();
    let told = verdicts(&mut line).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "not by the clock");
    assert_eq!(told.from, 0);
    assert_eq!(told.verdicts.len(), 1);
    let verdict = &told.verdicts[0];
    assert_eq!(
        (verdict.sha256.as_slice(), verdict.act, verdict.withdrawn),
        (sha(b"one").as_slice(), true, false)
    );
    assert_eq!((i64::try_from(verdict.number).unwrap(), verdict.origin.as_str()), (one.number, "deep_scan"));
    assert_eq!(verdict.verdict.as_ref().unwrap().class, "miner");

    judge(&rig, DEFAULT_PROJECT, &sha(b"two"), true).await;
    rig.store.withdraw_verdict(DEFAULT_PROJECT, &sha(b"one"), "ann", "a mistake", 5).await.unwrap();
    rig.gateway.handle().ordered();
    let mut at = told.to;
    let mut got = Vec::new();
    while got.len() < 2 {
        let next = verdicts(&mut line).await;
        assert_eq!((next.feed.as_str(), next.from), (told.feed.as_str(), at), "no gap");
        at = next.to;
        got.extend(next.verdicts);
    }
    assert!(!got[0].withdrawn && got[1].withdrawn && !got[1].act, "{got:?}");
    assert_eq!(got[1].sha256, sha(b"one"));
    drop(line);

    // It had the first one: only what follows comes, also what was withdrawn.
    let (mut line, _) = agent.session(&rig).await;
    follow(&mut line, &told.feed, told.to).await;
    let next = verdicts(&mut line).await;
    assert_eq!((next.from, next.to, next.verdicts.len()), (told.to, at, 2), "{next:?}");
    // A number that never was is none: all comes anew, without what is withdrawn.
    follow(&mut line, &told.feed, 1_000_000).await;
    let all = verdicts(&mut line).await;
    assert_eq!((all.from, all.to, all.verdicts.len()), (0, at, 1), "{all:?}");
    assert_eq!(all.verdicts[0].sha256, sha(b"two"));
    rig.gateway.stop().await;
}

async fn many_verdicts_come_in_parts_without_a_gap(base: Base) {
    let rig = rig(base, |_| {}).await;
    let many = 620_u32;
    for n in 0..many / 2 {
        judge(&rig, DEFAULT_PROJECT, &sha(&n.to_be_bytes()), true).await;
    }
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    follow(&mut line, "none", 77).await;
    let first = verdicts(&mut line).await;
    let (feed, mut at) = (first.feed.clone(), first.to);
    assert_eq!(first.from, 0);
    let mut got: Vec<_> = first.verdicts.iter().map(|v| v.number).collect();
    // The rest is put while the host listens; a second host begins in the middle of it.
    for n in many / 2..many {
        judge(&rig, DEFAULT_PROJECT, &sha(&n.to_be_bytes()), true).await;
    }
    while got.len() < many as usize {
        let next = verdicts(&mut line).await;
        assert_eq!((next.feed.as_str(), next.from), (feed.as_str(), at));
        at = next.to;
        got.extend(next.verdicts.iter().map(|v| v.number));
    }
    assert!(got.windows(2).all(|w| w[0] < w[1]), "in order");
    let late = Agent::new(&rig, "m2").await;
    let (mut line, _) = late.session(&rig).await;
    follow(&mut line, "", 0).await;
    let (mut count, mut at, mut parts) = (0, 0, 0);
    while count < many as usize {
        let next = verdicts(&mut line).await;
        assert_eq!(next.from, at);
        (at, count, parts) = (next.to, count + next.verdicts.len(), parts + 1);
    }
    assert!(count == many as usize && parts > 1, "{count} in {parts}");
    rig.gateway.stop().await;
}

async fn canaries_act_first_then_all(base: Base) {
    let rig = rig(base, |_| {}).await;
    let (first, other) = (Agent::new(&rig, "canary").await, Agent::new(&rig, "other").await);
    canary(&rig, &first).await;
    let (mut ours, _) = first.session(&rig).await;
    let (mut theirs, _) = other.session(&rig).await;
    for line in [&mut ours, &mut theirs] {
        follow(line, "", 0).await;
        assert!(verdicts(line).await.verdicts.is_empty());
    }
    judge(&rig, DEFAULT_PROJECT, &sha(b"x"), false).await;
    let at_once = verdicts(&mut ours).await.verdicts;
    assert!(at_once.len() == 1 && at_once[0].act, "{at_once:?}");
    let refused = verdicts(&mut theirs).await.verdicts;
    assert!(refused.len() == 1 && !refused[0].act, "it is refused there, and no more: {refused:?}");
    // The same in the answers to questions.
    assert!(ask_one(&mut ours, question(b"x")).await.verdict.unwrap().act);
    assert!(!ask_one(&mut theirs, question(b"x")).await.verdict.unwrap().act);
    rig.store.release_verdict(DEFAULT_PROJECT, &sha(b"x"), "ann", 5).await.unwrap();
    let released = verdicts(&mut theirs).await.verdicts;
    assert!(released[0].act && released[0].number > refused[0].number, "{released:?}");
    rig.gateway.stop().await;
}

async fn a_host_that_moves_gets_the_feed_of_its_project_and_nothing_else(base: Base) {
    let rig = rig(base, |_| {}).await;
    other_project(&rig).await;
    judge(&rig, DEFAULT_PROJECT, &sha(b"ours"), true).await;
    judge(&rig, "other", &sha(b"theirs"), true).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    follow(&mut line, "", 0).await;
    let ours = verdicts(&mut line).await;
    assert_eq!(ours.verdicts.iter().map(|v| v.sha256.clone()).collect::<Vec<_>>(), [sha(b"ours")]);
    assert_eq!(ask_one(&mut line, question(b"theirs")).await.standing, "unknown");

    move_to_other(&rig, &agent).await;
    let theirs = verdicts(&mut line).await;
    assert_ne!(theirs.feed, ours.feed);
    assert_eq!(theirs.from, 0, "what it has of the other project it drops");
    let mut got: Vec<_> = theirs.verdicts;
    while got.is_empty() {
        got = verdicts(&mut line).await.verdicts;
    }
    assert_eq!(got.iter().map(|v| v.sha256.clone()).collect::<Vec<_>>(), [sha(b"theirs")]);
    assert_eq!(ask_one(&mut line, question(b"ours")).await.standing, "unknown");
    assert_eq!(ask_one(&mut line, question(b"theirs")).await.standing, "bad");
    // Nothing of its old project reaches it any more.
    judge(&rig, DEFAULT_PROJECT, &sha(b"ours, later"), true).await;
    judge(&rig, "other", &sha(b"theirs, later"), true).await;
    let next = verdicts(&mut line).await;
    assert_eq!(next.feed, theirs.feed);
    assert_eq!(next.verdicts.iter().map(|v| v.sha256.clone()).collect::<Vec<_>>(), [sha(b"theirs, later")]);
    // And a feed that it names is no key to it.
    drop(line);
    let (mut line, _) = agent.session(&rig).await;
    follow(&mut line, &ours.feed, ours.to).await;
    assert_eq!(verdicts(&mut line).await.feed, theirs.feed);
    rig.gateway.stop().await;
}

/// Waits for the desired state of this generation, or a newer one.
async fn state(line: &mut Line, generation: u64) {
    let next = async {
        loop {
            if let Told::Desired(state) = hear(line).await.unwrap()
                && state.generation >= generation
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("no state comes");
}

async fn what_was_put_elsewhere_is_found_by_the_clock(base: Base) {
    let rig = rig(base, |_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    // A host that never says where it is gets none.
    judge(&rig, DEFAULT_PROJECT, &sha(b"x"), true).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    send_records(&mut line, vec![event(1, 1)]).await;
    assert_eq!(acked(&mut line).await, (1, 1), "no verdicts came before that");
    follow(&mut line, "", 0).await;
    assert_eq!(verdicts(&mut line).await.verdicts.len(), 1);
    judge(&rig, DEFAULT_PROJECT, &sha(b"y"), true).await;
    assert_eq!(verdicts(&mut line).await.verdicts[0].sha256, sha(b"y"));
    // Switched off: nothing comes; on again: what came meanwhile does.
    let mut row = rig.store.switch(DEFAULT_PROJECT, "malware_cloud_scan").await.unwrap();
    row.on = false;
    rig.store.set_switch(&row).await.unwrap();
    // The state that says so has gone out, so the gateway goes by it.
    let generation = rig.host(&agent.host).await.generation;
    state(&mut line, u64::try_from(generation).unwrap()).await;
    judge(&rig, DEFAULT_PROJECT, &sha(b"z"), true).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    send_records(&mut line, vec![event(1, 2)]).await;
    assert_eq!(acked(&mut line).await, (1, 2), "no verdicts came before that");
    row.on = true;
    rig.store.set_switch(&row).await.unwrap();
    assert_eq!(verdicts(&mut line).await.verdicts[0].sha256, sha(b"z"));
    rig.gateway.stop().await;
}
