// SPDX-License-Identifier: Apache-2.0
//! Deep scans: leased, given back, set aside, ended with all that follows.

use crate::bed::Bed;
use crate::cloud_rows::*;
use crate::rows::{P, behind, page};
use lazaret_store::*;
use std::collections::BTreeMap;

async fn lease_one(store: &Store, worker: &str, now_ms: i64) -> DeepScanRow {
    store.lease_deep_scans(worker, 1, 100, now_ms).await.unwrap().remove(0)
}

async fn a_bad_one_becomes_a_verdict_at_once(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    stored(store, P, 1, 100).await;
    assert!(store.lease_deep_scans("w1", 5, 100, 99).await.unwrap().is_empty(), "not yet");
    assert!(store.lease_deep_scans("w1", 0, 100, 100).await.unwrap().is_empty());
    let job = lease_one(store, "w1", 100).await;
    assert_eq!((job.state.as_str(), job.worker.as_str(), job.tries, job.due_ms), ("scanning", "w1", 1, 200));
    assert!(store.lease_deep_scans("w2", 5, 100, 150).await.unwrap().is_empty(), "it is taken");
    // The project and the file of a verdict are those of the scan, whatever it says.
    let verdict = NewVerdict { project: Q.into(), sha256: sha(77), ..bad(P, 1, 160) };
    let written =
        store.finish_deep_scan(&job.id, "w1", found("bad", Some(verdict), 160)).await.unwrap().unwrap();
    assert_eq!((written.project.as_str(), written.sha256, written.number), (P, sha(1), 1));
    assert_eq!(word(store, P, 1).await, "bad");
    let done = store.deep_scan(P, &sha(1)).await.unwrap();
    assert_eq!((done.state.as_str(), done.standing.as_str(), done.finished_ms), ("done", "bad", 160));
    assert_eq!((done.report.as_slice(), done.votes.as_str()), (&[9, 255][..], "[]"));
    assert!(store.verdicts_after(Q, 0, 9).await.unwrap().rows.is_empty());
    let twice = store.finish_deep_scan(&job.id, "w1", found("clean", None, 170)).await.unwrap_err();
    assert!(matches!(twice, StoreError::Conflict(_)), "{twice}");
    assert!(!store.queue_deep_scan(P, &sha(1), 180).await.unwrap(), "there was one");
    // A later scan with newer content finds nothing: the verdict goes.
    assert!(store.rescan(P, &sha(1), 200).await.unwrap());
    assert!(!store.rescan(P, &sha(1), 200).await.unwrap(), "it waits already");
    assert_eq!(word(store, P, 1).await, "bad", "what was found holds until then");
    let job = lease_one(store, "w2", 200).await;
    let written = store.finish_deep_scan(&job.id, "w2", found("clean", None, 210)).await.unwrap().unwrap();
    assert_eq!((written.withdrawn, written.withdrawn_by.as_str(), written.number), (true, "", 2));
    assert_eq!(word(store, P, 1).await, "clean");
}

async fn ends_that_make_no_sense_are_refused(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    stored(store, P, 1, 100).await;
    let job = lease_one(store, "w", 100).await;
    for end in [
        found("bad", None, 1),
        found("clean", Some(bad(P, 1, 1)), 1),
        found("known_good", None, 1),
        found("", None, 1),
    ] {
        let refused = store.finish_deep_scan(&job.id, "w", end).await.unwrap_err();
        assert!(matches!(refused, StoreError::BadRequest(_)), "{refused}");
    }
    let other = store.finish_deep_scan(&job.id, "x", found("clean", None, 1)).await.unwrap_err();
    assert!(matches!(other, StoreError::Conflict(_)), "{other}");
    assert_eq!(store.finish_deep_scan(&job.id, "w", found("unknown", None, 110)).await.unwrap(), None);
    assert_eq!(word(store, P, 1).await, "unknown");
}

async fn a_person_is_not_overruled(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    for n in [1, 2] {
        stored(store, P, n, 100).await;
    }
    // Said while it waits.
    store.put_verdict(&by_person(P, 1, 110)).await.unwrap();
    store.put_verdict(&by_person(P, 2, 110)).await.unwrap();
    store.withdraw_verdict(P, &sha(2), "ann", "ours", 120).await.unwrap();
    let before = store.verdicts_after(P, 0, 9).await.unwrap().to;
    for job in store.lease_deep_scans("w", 9, 100, 130).await.unwrap() {
        let end = if job.sha256 == sha(1) {
            found("clean", None, 140)
        } else {
            found("bad", Some(bad(P, 2, 140)), 140)
        };
        assert_eq!(store.finish_deep_scan(&job.id, "w", end).await.unwrap(), None);
    }
    assert_eq!((word(store, P, 1).await.as_str(), word(store, P, 2).await.as_str()), ("bad", "clean"));
    let after = store.verdicts_after(P, before, 9).await.unwrap();
    assert!(after.rows.is_empty(), "{after:?}");
    assert_eq!(store.deep_scan(P, &sha(2)).await.unwrap().standing, "bad", "what it found is kept");
}

async fn a_lease_that_runs_out_gives_it_back(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    stored(store, P, 1, 100).await;
    let job = lease_one(store, "w1", 100).await;
    assert!(store.renew_deep_scan(&job.id, "w1", 300).await.unwrap());
    assert!(!store.renew_deep_scan(&job.id, "w2", 900).await.unwrap());
    assert!(store.renew_deep_scan(&job.id, "w1", 250).await.unwrap(), "a late message shortens nothing");
    assert!(store.lease_deep_scans("w2", 1, 100, 299).await.unwrap().is_empty());
    let again = lease_one(store, "w2", 300).await;
    assert_eq!((again.id.as_str(), again.tries, again.crashes), (job.id.as_str(), 2, 1));
    // The first one comes back: too late.
    assert!(!store.renew_deep_scan(&job.id, "w1", 900).await.unwrap());
    let late =
        store.finish_deep_scan(&job.id, "w1", found("bad", Some(bad(P, 1, 310)), 310)).await.unwrap_err();
    assert!(matches!(&late, StoreError::Conflict(t) if t.contains("w1")), "{late}");
    let late = store.give_back_deep_scan(&job.id, "w1", "x", 0, true, 310).await.unwrap_err();
    assert!(matches!(late, StoreError::Conflict(_)), "{late}");
    assert_eq!(word(store, P, 1).await, "pending", "nothing of it was written");
    // Two more workers die of it.
    assert_eq!(lease_one(store, "w3", 400).await.crashes, 2);
    assert!(store.lease_deep_scans("w4", 1, 100, 500).await.unwrap().is_empty());
    let aside = store.deep_scan(P, &sha(1)).await.unwrap();
    assert_eq!((aside.state.as_str(), aside.crashes), ("set_aside", 3));
    assert_eq!(word(store, P, 1).await, "unknown");
    let told = store.deep_scans_to_tell(9).await.unwrap();
    assert_eq!(told.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), [job.id.as_str()]);
    store.deep_scan_told(&job.id).await.unwrap();
    assert!(store.deep_scans_to_tell(9).await.unwrap().is_empty());
}

async fn what_ends_the_scanner_three_times_is_set_aside(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    stored(store, P, 1, 100).await;
    let back = async |now_ms: i64, crashed: bool| {
        let job = lease_one(store, "w", now_ms).await;
        store.give_back_deep_scan(&job.id, "w", "why", now_ms + 50, crashed, now_ms).await.unwrap()
    };
    // A connector that does not answer is no crash.
    assert_eq!(back(100, false).await, GivenBack::Queued);
    assert!(store.lease_deep_scans("w", 1, 100, 149).await.unwrap().is_empty(), "not before");
    assert_eq!(back(150, true).await, GivenBack::Queued);
    assert_eq!(back(200, true).await, GivenBack::Queued);
    assert_eq!(back(250, false).await, GivenBack::Queued);
    assert_eq!(back(300, true).await, GivenBack::SetAside);
    let aside = store.deep_scan(P, &sha(1)).await.unwrap();
    assert_eq!(
        (aside.state.as_str(), aside.reason.as_str(), aside.tries, aside.finished_ms),
        ("set_aside", "why", 5, 300)
    );
    assert!(store.lease_deep_scans("w", 9, 100, 10_000).await.unwrap().is_empty());
    assert!(!store.queue_deep_scan(P, &sha(1), 400).await.unwrap());
    assert_eq!(store.deep_scans_to_tell(9).await.unwrap().len(), 1);
    // A person says so: it begins anew.
    assert!(store.rescan(P, &sha(1), 400).await.unwrap());
    assert!(store.deep_scans_to_tell(9).await.unwrap().is_empty());
    let job = lease_one(store, "w", 400).await;
    assert_eq!((job.tries, job.crashes), (1, 0));
    assert_eq!(word(store, P, 1).await, "pending");
    assert!(matches!(store.rescan(Q, &sha(1), 400).await, Err(StoreError::NotFound(_))));
}

async fn scans_are_taken_in_order_and_listed(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    for n in 0..5 {
        stored(store, P, n, 100 + i64::from(n)).await;
    }
    stored(store, Q, 9, 50).await;
    let first: Vec<_> = store.lease_deep_scans("w", 3, 100, 500).await.unwrap();
    assert_eq!(first.iter().map(|s| s.sha256.clone()).collect::<Vec<_>>(), [sha(9), sha(0), sha(1)]);
    let q = DeepScansQuery { project: P.into(), page: page(2), ..DeepScansQuery::default() };
    let one = store.deep_scans(&q).await.unwrap();
    assert_eq!((one.total, one.items[0].sha256.clone(), one.items[0].report.len()), (5, sha(4), 0));
    let two = store.deep_scans(&DeepScansQuery { page: behind(one.next, 9), ..q.clone() }).await.unwrap();
    assert_eq!(two.items.iter().map(|s| s.sha256.clone()).collect::<Vec<_>>(), [sha(2), sha(1), sha(0)]);
    let queued = DeepScansQuery { states: vec!["queued".into()], page: page(9), ..q };
    assert_eq!(store.deep_scans(&queued).await.unwrap().total, 3);
}

/// Workers take turns at a queue until it is empty; which worker had which job, each once.
async fn side_by_side(stores: Vec<Store>, jobs: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for (n, store) in stores.into_iter().enumerate() {
        tasks.spawn(async move {
            let worker = format!("w{n}");
            let mut mine = Vec::new();
            loop {
                let leased = store.lease_deep_scans(&worker, 3, 60_000, 1000).await.unwrap();
                if leased.is_empty() {
                    // Others may hold what is left only for the moment of taking it.
                    let queued = DeepScansQuery {
                        project: P.into(),
                        states: vec!["queued".into()],
                        page: page(1),
                        ..DeepScansQuery::default()
                    };
                    if store.deep_scans(&queued).await.unwrap().total == 0 {
                        return mine;
                    }
                }
                for job in leased {
                    assert_eq!(job.worker, worker);
                    store.finish_deep_scan(&job.id, &worker, found("clean", None, 1000)).await.unwrap();
                    mine.push(job.id);
                }
            }
        });
    }
    let mut had: BTreeMap<String, usize> = BTreeMap::new();
    let mut busy = 0;
    for mine in tasks.join_all().await {
        busy += usize::from(!mine.is_empty());
        for id in mine {
            *had.entry(id).or_default() += 1;
        }
    }
    assert_eq!(had.len(), jobs);
    assert!(had.values().all(|n| *n == 1), "{had:?}");
    assert!(busy > 1, "one had them all");
}

#[test]
fn workers_on_postgres_share_the_queue() {
    crate::bed::run(Bed::postgres, async |bed: Bed| {
        bed.store.insert_host(&host_in("a", P)).await.unwrap();
        for n in 0..60 {
            stored(&bed.store, P, n, 100).await;
        }
        let (two, three) = (bed.another().await, bed.another().await);
        side_by_side(vec![bed.store.clone(), two.clone(), three.clone()], 60).await;
        two.close().await;
        three.close().await;
    });
}

/// One transaction holds a job, another worker goes past it without waiting.
#[test]
fn a_worker_passes_over_what_another_is_taking() {
    crate::bed::run(Bed::postgres, async |bed: Bed| {
        bed.store.insert_host(&host_in("a", P)).await.unwrap();
        for n in 0..2 {
            stored(&bed.store, P, n, 100 + i64::from(n)).await;
        }
        let pool = sqlx::PgPool::connect(&bed.url).await.unwrap();
        let mut other = pool.begin().await.unwrap();
        sqlx::query("SELECT id FROM deep_scans ORDER BY due_ms LIMIT 1 FOR UPDATE")
            .execute(&mut *other)
            .await
            .unwrap();
        let leased = tokio::time::timeout(
            std::time::Duration::from_secs(5),
            bed.store.lease_deep_scans("w", 5, 100, 1000),
        );
        let leased = leased.await.expect("it does not wait").unwrap();
        assert_eq!(leased.iter().map(|s| s.sha256.clone()).collect::<Vec<_>>(), [sha(1)]);
        other.rollback().await.unwrap();
        assert_eq!(lease_one(&bed.store, "w", 1000).await.sha256, sha(0));
        pool.close().await;
    });
}

on_both!(
    a_bad_one_becomes_a_verdict_at_once,
    ends_that_make_no_sense_are_refused,
    a_person_is_not_overruled,
    a_lease_that_runs_out_gives_it_back,
    what_ends_the_scanner_three_times_is_set_aside,
    scans_are_taken_in_order_and_listed,
);
