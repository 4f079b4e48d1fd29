// SPDX-License-Identifier: Apache-2.0
//! What hosts send is taken once, and only without gaps.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

async fn count(store: &Store) -> u64 {
    store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(1)).await.unwrap().total
}

async fn duplicates_and_overlaps_are_taken_once(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let said = store.ingest(alarms("a", 1..=5)).await.unwrap();
    assert_eq!((said.acked, said.taken, said.alarms.len()), (at(1, 5), 5, 5));
    let again = store.ingest(alarms("a", 1..=5)).await.unwrap();
    assert_eq!((again.acked, again.taken, again.alarms.len()), (at(1, 5), 0, 0));
    let overlap = store.ingest(alarms("a", 4..=8)).await.unwrap();
    assert_eq!((overlap.acked, overlap.taken), (at(1, 8), 3));
    assert_eq!(count(store).await, 8);
    assert_eq!(store.host("a").await.unwrap().acked, at(1, 8));
    let one = store.alarm("a-3").await.unwrap();
    let mut expected = alarm("a-3", 3);
    (expected.host, expected.position) = ("a".into(), at(1, 3));
    assert_eq!(one, expected, "every byte comes back");
}

async fn gaps_are_refused_and_leave_nothing(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    store.ingest(alarms("a", 1..=2)).await.unwrap();
    let gap = store.ingest(alarms("a", 4..=5)).await.unwrap_err();
    assert!(matches!(&gap, StoreError::Conflict(t) if t.contains("(1, 2)") && t.contains("(1, 4)")), "{gap}");
    assert_eq!(count(store).await, 2);
    let unknown = store.ingest(alarms("nobody", 1..=1)).await.unwrap_err();
    assert!(matches!(unknown, StoreError::NotFound(_)));
    // A journal that was pruned before the host came here.
    store.reset_acked("a", at(1, 3)).await.unwrap();
    assert_eq!(store.ingest(alarms("a", 4..=5)).await.unwrap().taken, 2);
}

async fn a_fork_goes_on_in_a_new_epoch(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    store.ingest(alarms("a", 1..=9)).await.unwrap();
    // The host was reverted to entry 4, and opened epoch 2.
    let fork = Record { at: at(2, 5), at_ms: 1, what: says(alarm("forked", 50)) };
    assert_eq!(store.ingest(batch("a", vec![fork.clone()])).await.unwrap().acked, at(2, 5));
    assert_eq!(store.ingest(batch("a", vec![fork])).await.unwrap().taken, 0);
    assert_eq!(store.ingest(alarms("a", 10..=10)).await.unwrap().taken, 0, "the old epoch is over");
    let far = Record { at: at(3, 9), at_ms: 1, what: What::Nothing };
    assert!(matches!(store.ingest(batch("a", vec![far])).await, Err(StoreError::Conflict(_))));
    assert_eq!(count(store).await, 10);
}

async fn a_later_form_replaces_and_other_hosts_cannot(bed: Bed) {
    let store = &bed.store;
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
    }
    let mut second = alarm("x", 20);
    (second.count, second.handled, second.handled_by, second.handled_ms) = (2, true, "ignore".into(), 15);
    second.details = vec![42];
    let records = vec![record(1, says(alarm("x", 10))), record(2, says(second.clone()))];
    store.ingest(batch("a", records)).await.unwrap();
    let stored = store.alarm("x").await.unwrap();
    assert_eq!((stored.count, stored.details.clone(), stored.position), (2, vec![42], at(1, 2)));
    let mut lie = alarm("x", 99);
    lie.title = "a lie".into();
    store.ingest(batch("b", vec![record(1, says(lie.clone()))])).await.unwrap();
    assert_eq!(store.alarm("x").await.unwrap(), stored);
    // The same in one commit.
    let (one, two) = tokio::join!(
        store.ingest(batch("a", vec![record(3, says(second))])),
        store.ingest(batch("b", vec![record(2, says(lie))])),
    );
    assert_eq!((one.unwrap().taken, two.unwrap().taken), (1, 1));
    assert_eq!(store.alarm("x").await.unwrap().host, "a");
    let history = store.handlings_page(&Scope::All, &HandlingFilter::default(), &page(10)).await.unwrap();
    assert_eq!((history.total, history.items[0].verb.as_str(), history.items[0].at_ms), (1, "ignore", 15));
}

async fn everything_that_a_batch_says_is_kept(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let entry = WhitelistRow { id: "w".into(), ..crate::whitelist::entry("w") };
    store.add_whitelist(&entry).await.unwrap();
    let hit = |entry: &str| Hit {
        entry: entry.into(),
        count: 3,
        last_ms: 86_400_000,
        path: vec![255],
        sha256: vec![],
    };
    let event = What::Event { kind: "mount".into(), text: "nul \0 in it".into(), alarm: "al".into() };
    let records = vec![
        record(1, says(alarm("al", 1))),
        record(2, What::Isolated(Box::new(isolated("iso", "al")))),
        record(3, event),
        record(4, What::Hits(vec![hit("w"), hit("unknown")])),
        record(5, What::Nothing),
    ];
    let said = store.ingest(batch("a", records)).await.unwrap();
    assert_eq!((said.acked, said.isolated.as_slice()), (at(1, 5), &["iso".to_owned()][..]));
    let file = store.isolated("iso").await.unwrap();
    assert_eq!(
        (file.alarm_title.as_str(), file.host.as_str(), file.position),
        ("title of al", "a", at(1, 2))
    );
    let events = store.host_events("a", &page(10)).await.unwrap();
    assert_eq!((events.items.len(), events.items[0].text.as_str()), (1, "nul \u{fffd} in it"));
    assert_eq!(store.whitelist_entry("w").await.unwrap().hits_total, 3);
    assert_eq!(store.delete_events_before(2000, 10).await.unwrap(), 1);
}

async fn many_hosts_at_once_lose_and_double_nothing(bed: Bed) {
    let hosts: Vec<String> = (0..20).map(|n| format!("h{n:02}")).collect();
    for name in &hosts {
        bed.store.insert_host(&host(name)).await.unwrap();
    }
    // A second gateway on the same database, where that is possible.
    let other = if bed.store.is_postgres() { bed.another().await } else { bed.store.clone() };
    let mut tasks = tokio::task::JoinSet::new();
    for (n, name) in hosts.iter().cloned().enumerate() {
        let store = if n % 2 == 0 { bed.store.clone() } else { other.clone() };
        tasks.spawn(async move {
            for first in (1..=50).step_by(5) {
                store.ingest(alarms(&name, first..=first + 4)).await.unwrap();
                // What a host does that did not see the answer.
                store.ingest(alarms(&name, first..=first + 4)).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(count(&bed.store).await, 1000);
    for name in &hosts {
        assert_eq!(bed.store.host(name).await.unwrap().acked, at(1, 50));
    }
}

async fn two_sessions_of_one_host_take_an_entry_once(bed: Bed) {
    bed.store.insert_host(&host("a")).await.unwrap();
    let other = if bed.store.is_postgres() { bed.another().await } else { bed.store.clone() };
    let mut taken = 0;
    for n in 1..=30 {
        let (one, two) = tokio::join!(bed.store.ingest(alarms("a", n..=n)), other.ingest(alarms("a", n..=n)));
        taken += one.unwrap().taken + two.unwrap().taken;
    }
    assert_eq!((taken, count(&bed.store).await), (30, 30));
}

on_both!(
    duplicates_and_overlaps_are_taken_once,
    gaps_are_refused_and_leave_nothing,
    a_fork_goes_on_in_a_new_epoch,
    a_later_form_replaces_and_other_hosts_cannot,
    everything_that_a_batch_says_is_kept,
    many_hosts_at_once_lose_and_double_nothing,
    two_sessions_of_one_host_take_an_entry_once,
);
