// SPDX-License-Identifier: Apache-2.0
//! Live streams hear what changed, also from other processes.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

async fn changes_are_told_in_order(bed: Bed) {
    let store = &bed.store;
    let start = store.changes_since(-1, 100).await.unwrap().seq;
    let mut told = store.subscribe();
    told.mark_unchanged();
    store.insert_host(&host("a")).await.unwrap();
    store.ingest(alarms("a", 1..=2)).await.unwrap();
    store.insert_commands(&[command(1, "a", "")]).await.unwrap();
    let mut seen = Vec::new();
    let mut seq = start;
    while seen.len() < 4 {
        tokio::time::timeout(SOON, told.changed()).await.expect("told in time").unwrap();
        let new = store.changes_since(seq, 100).await.unwrap();
        assert!(!new.missed);
        assert!(new.items.windows(2).all(|w| w[0].seq < w[1].seq));
        seq = new.seq;
        seen.extend(new.items.into_iter().map(|c| (c.kind, c.id)));
    }
    seen.sort();
    let expected = [
        (ChangeKind::Alarm, "a-1".to_owned()),
        (ChangeKind::Alarm, "a-2".to_owned()),
        (ChangeKind::Host, "a".to_owned()),
        (ChangeKind::Command, "a".to_owned()),
    ];
    assert_eq!(seen, expected);
    assert_eq!(store.changes_since(seq, 100).await.unwrap(), Changes { seq, ..Changes::default() });
}

async fn who_was_away_too_long_looks_at_everything(bed: Bed) {
    let store = &bed.store;
    let mut told = store.subscribe();
    for round in 0..60 {
        for n in 0..100 {
            store.note_change(P, ChangeKind::Alarm, &format!("{round}-{n}"));
        }
        tokio::time::timeout(SOON, told.changed()).await.expect("told in time").unwrap();
        told.mark_unchanged();
    }
    assert!(store.changes_since(1, 100).await.unwrap().missed);
    let newest = store.changes_since(-1, 1).await.unwrap().seq;
    assert!(store.changes_since(newest + 5, 100).await.unwrap().missed, "of a database that was restored");
    let part = store.changes_since(newest - 150, 100).await.unwrap();
    assert_eq!((part.items.len(), part.seq, part.missed), (100, newest - 50, false));
}

async fn a_flood_is_told_as_many(bed: Bed) {
    let store = &bed.store;
    let mut told = store.subscribe();
    for n in 0..5000 {
        store.note_change(P, ChangeKind::Alarm, &format!("{n}"));
    }
    tokio::time::timeout(SOON, told.changed()).await.expect("told in time").unwrap();
    store.close().await;
    let again = bed.another().await;
    let all = again.changes_since(0, 1000).await.unwrap();
    assert!(all.items.len() <= 200 && all.items.iter().any(|c| c.id.is_empty()), "{}", all.items.len());
}

async fn closing_tells_what_waits(bed: Bed) {
    bed.store.note_change(P, ChangeKind::Scan, "s");
    bed.store.close().await;
    assert!(matches!(bed.store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(bed.store.ingest(alarms("a", 1..=1)).await, Err(StoreError::Unavailable(_))));
    let again = bed.another().await;
    assert_eq!(again.changes_since(0, 10).await.unwrap().items[0].id, "s");
}

#[test]
fn postgres_tells_other_processes() {
    crate::bed::run(Bed::postgres, async |bed: Bed| {
        let other = bed.another().await;
        let mut told = other.subscribe();
        told.mark_unchanged();
        // Its listener may just be connecting.
        tokio::time::sleep(Duration::from_millis(300)).await;
        bed.store.insert_host(&host("a")).await.unwrap();
        let begin = std::time::Instant::now();
        tokio::time::timeout(SOON, told.changed()).await.expect("told in time").unwrap();
        assert!(
            begin.elapsed() < Duration::from_millis(1500),
            "by NOTIFY, not by asking: {:?}",
            begin.elapsed()
        );
        assert_eq!(other.changes_since(0, 10).await.unwrap().items[0].id, "a");
    });
}

on_both!(
    changes_are_told_in_order,
    who_was_away_too_long_looks_at_everything,
    a_flood_is_told_as_many,
    closing_tells_what_waits,
);
