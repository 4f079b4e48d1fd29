// SPDX-License-Identifier: Apache-2.0
//! A database that goes and comes back.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;
use std::time::{Duration, Instant};

#[test]
fn postgres_goes_and_comes_back() {
    crate::bed::run(Bed::postgres, async |mut bed: Bed| {
        let store = bed.store.clone();
        store.insert_host(&host("a")).await.unwrap();
        store.ingest(alarms("a", 1..=3)).await.unwrap();
        let cluster = bed.cluster.as_mut().unwrap();
        cluster.kill();
        let begin = Instant::now();
        let gone = store.ingest(alarms("a", 4..=5)).await.unwrap_err();
        assert!(gone.is_retryable(), "{gone}");
        let gone = store.alarm("a-1").await.unwrap_err();
        assert!(gone.is_retryable(), "{gone}");
        assert!(store.ping().await.unwrap_err().is_retryable());
        assert!(begin.elapsed() < Duration::from_secs(15), "it does not hang: {:?}", begin.elapsed());
        cluster.run_again();
        let end = Instant::now() + Duration::from_secs(20);
        // What a host does: it sends again until it is acknowledged.
        let said = loop {
            match store.ingest(alarms("a", 1..=5)).await {
                Ok(said) => break said,
                Err(e) => assert!(e.is_retryable() && Instant::now() < end, "{e}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(said.acked, at(1, 5));
        let all = store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(10)).await.unwrap();
        assert_eq!(all.total, 5);
        // Changes are told again too.
        let mut told = store.subscribe();
        told.mark_unchanged();
        store.note_change(P, ChangeKind::Host, "a");
        tokio::time::timeout(Duration::from_secs(10), told.changed()).await.expect("told").unwrap();
    });
}

#[test]
fn a_locked_file_is_waited_for_then_told() {
    crate::bed::run(Bed::sqlite, async |bed: Bed| {
        bed.store.insert_host(&host("a")).await.unwrap();
        let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", bed.url)).await.unwrap();
        let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let locked = bed.store.ingest(alarms("a", 1..=2)).await.unwrap_err();
        assert!(locked.is_retryable(), "{locked}");
        assert_eq!(bed.store.host("a").await.unwrap().acked, Position::default(), "who reads does not wait");
        lock.rollback().await.unwrap();
        assert_eq!(bed.store.ingest(alarms("a", 1..=2)).await.unwrap().taken, 2);
    });
}

#[test]
fn one_bad_batch_does_not_stop_the_others() {
    crate::bed::run(Bed::sqlite, async |bed: Bed| {
        for name in ["a", "b"] {
            bed.store.insert_host(&host(name)).await.unwrap();
        }
        // No row like that can be written: the database itself refuses it.
        bed.tamper(
            "CREATE TRIGGER no BEFORE INSERT ON alarms WHEN NEW.title = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await;
        let bad = AlarmRow { title: "bad".into(), ..alarm("bad", 1) };
        let (one, two) = tokio::join!(
            bed.store.ingest(batch("a", vec![record(1, says(bad))])),
            bed.store.ingest(alarms("b", 1..=2)),
        );
        assert!(matches!(one, Err(StoreError::Other(_))), "{one:?}");
        assert_eq!(two.unwrap().acked, at(1, 2));
        assert_eq!(bed.store.host("a").await.unwrap().acked, Position::default());
    });
}
