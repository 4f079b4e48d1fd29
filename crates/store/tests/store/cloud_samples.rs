// SPDX-License-Identifier: Apache-2.0
//! Samples: sent once for each project, kept for their time, held, deleted.

use crate::bed::Bed;
use crate::cloud_rows::*;
use crate::rows::{P, behind, page};
use lazaret_store::*;

async fn one_host_sends_and_goes_on(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let row = store.begin_sample(&sample(P, 1, "a", 100)).await.unwrap();
    assert_eq!((row.state.as_str(), row.have, row.size, row.expires_ms), ("receiving", 0, 500, 10_000));
    store.set_sample_have(P, &sha(1), 256, 110).await.unwrap();
    // The same host goes on, another one waits until the first was silent for long.
    let row = store.begin_sample(&sample(P, 1, "a", 120)).await.unwrap();
    assert_eq!((row.host.as_str(), row.have), ("a", 256));
    let row = store.begin_sample(&sample(P, 1, "b", 150)).await.unwrap();
    assert_eq!((row.host.as_str(), row.have, row.updated_ms), ("a", 256, 120));
    let row = store.begin_sample(&sample(P, 1, "b", 151)).await.unwrap();
    assert_eq!((row.host.as_str(), row.have), ("b", 0));
    // Another project has its own.
    assert!(matches!(store.sample(Q, &sha(1)).await, Err(StoreError::NotFound(_))));
    let theirs = store.begin_sample(&sample(Q, 1, "c", 152)).await.unwrap();
    assert_eq!((theirs.host.as_str(), theirs.have), ("c", 0));
    assert_eq!(standing(store, P, 1).await.sample, "receiving");
    // Who says another length begins anew.
    store.set_sample_have(P, &sha(1), 300, 153).await.unwrap();
    let row = store.begin_sample(&NewSample { size: 9, ..sample(P, 1, "b", 154) }).await.unwrap();
    assert_eq!((row.size, row.have), (9, 0));
    // What comes is something else.
    store.sample_failed(P, &sha(1), "another hash", 300, 160).await.unwrap();
    let row = store.begin_sample(&sample(P, 1, "a", 299)).await.unwrap();
    assert_eq!((row.state.as_str(), row.failures, row.reason.as_str()), ("failed", 1, "another hash"));
    let row = store.begin_sample(&sample(P, 1, "a", 300)).await.unwrap();
    assert_eq!((row.state.as_str(), row.host.as_str(), row.failures), ("receiving", "a", 1));
    let kept = store.sample_stored(P, &sha(1), 400).await.unwrap();
    assert_eq!((kept.state.as_str(), kept.have, kept.stored_ms), ("stored", 500, 400));
    assert_eq!(store.deep_scan(P, &sha(1)).await.unwrap().state, "queued", "in the same transaction");
    assert!(matches!(store.deep_scan(Q, &sha(1)).await, Err(StoreError::NotFound(_))));
    // It is there: nobody sends it again, and nothing undoes that.
    assert_eq!(store.begin_sample(&sample(P, 1, "b", 900)).await.unwrap(), kept);
    assert_eq!(store.sample_stored(P, &sha(1), 901).await.unwrap(), kept);
    store.sample_failed(P, &sha(1), "late", 0, 902).await.unwrap();
    store.set_sample_have(P, &sha(1), 1, 903).await.unwrap();
    assert_eq!(store.sample(P, &sha(1)).await.unwrap(), kept);
    assert!(matches!(store.sample_stored(P, &sha(9), 1).await, Err(StoreError::NotFound(_))));
}

async fn a_hold_is_stronger_than_time_and_people(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    for n in 1..=3 {
        stored(store, P, n, 100).await;
    }
    stored(store, Q, 1, 100).await;
    let held = store.hold_sample(P, &sha(1), true, "ann", "case 7", 110).await.unwrap();
    assert_eq!((held.hold, held.hold_why.as_str()), (true, "case 7"));
    assert!(!store.sample(Q, &sha(1)).await.unwrap().hold);
    let refused = store.delete_sample(P, &sha(1), "bob", "", 120).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict(t) if t.contains("case 7")), "{refused}");
    assert!(store.samples_due(9_999).await.unwrap().is_empty());
    let due = store.samples_due(10_000).await.unwrap();
    let mut which: Vec<_> = due.iter().map(|s| (s.project.as_str(), s.sha256.clone())).collect();
    which.sort();
    assert_eq!(which, [(P, sha(2)), (P, sha(3)), (Q, sha(1))]);
    assert!(due.iter().all(|s| s.state == "deleting" && s.deleted_by.is_empty()));
    // Until the second step it is told again: a crash loses nothing.
    store.sample_deleted(P, &sha(2), 10_001).await.unwrap();
    assert_eq!(store.samples_due(10_002).await.unwrap().len(), 2);
    let late = store.hold_sample(P, &sha(3), true, "ann", "case 8", 10_003).await.unwrap_err();
    assert!(matches!(late, StoreError::Conflict(_)), "{late}");
    store.hold_sample(P, &sha(1), false, "ann", "over", 10_004).await.unwrap();
    assert_eq!(store.samples_due(10_005).await.unwrap().len(), 3);
    assert_eq!(store.sample(P, &sha(2)).await.unwrap().state, "deleted");
    // Its time was over: if the file is met again it is sent again.
    let again = store.begin_sample(&sample(P, 2, "b", 10_010)).await.unwrap();
    assert_eq!((again.state.as_str(), again.deleted_ms), ("receiving", 0));
}

async fn what_a_person_deleted_is_not_asked_for_again(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    stored(store, P, 1, 100).await;
    assert_eq!(word(store, P, 1).await, "pending");
    let record = NewAudit { action: "cloud.sample.delete".into(), project: P.into(), ..NewAudit::default() };
    let gone = store.audited(vec![record]).delete_sample(P, &sha(1), "ann", "private", 110).await.unwrap();
    assert_eq!((gone.state.as_str(), gone.deleted_by.as_str()), ("deleting", "ann"));
    assert_eq!(store.verify_audit().await.unwrap().rows, 1);
    // Nobody is to scan it.
    assert_eq!(store.deep_scan(P, &sha(1)).await.unwrap().state, "cancelled");
    assert!(store.lease_deep_scans("w", 9, 100, 200).await.unwrap().is_empty());
    assert_eq!(word(store, P, 1).await, "unknown");
    store.sample_deleted(P, &sha(1), 120).await.unwrap();
    assert_eq!(standing(store, P, 1).await.sample, "deleted");
    let row = store.begin_sample(&sample(P, 1, "b", 900)).await.unwrap();
    assert_eq!((row.state.as_str(), row.deleted_why.as_str()), ("deleted", "private"));
    assert!(matches!(store.rescan(P, &sha(1), 901).await, Err(StoreError::Conflict(_))));
    // While it came: what was stored is to go.
    store.begin_sample(&sample(P, 2, "a", 100)).await.unwrap();
    store.delete_sample(P, &sha(2), "ann", "", 110).await.unwrap();
    let late = store.sample_stored(P, &sha(2), 120).await.unwrap_err();
    assert!(matches!(&late, StoreError::Conflict(t) if t.contains("do not keep it")), "{late}");
    // A person's word also on what time deleted.
    stored(store, P, 3, 100).await;
    store.samples_due(10_000).await.unwrap();
    store.sample_deleted(P, &sha(3), 10_001).await.unwrap();
    let said = store.delete_sample(P, &sha(3), "ann", "never", 10_002).await.unwrap();
    assert_eq!((said.state.as_str(), said.deleted_by.as_str()), ("deleted", "ann"));
    assert_eq!(store.begin_sample(&sample(P, 3, "a", 10_003)).await.unwrap().state, "deleted");
}

async fn what_never_came_whole_is_given_up(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    store.begin_sample(&sample(P, 1, "a", 100)).await.unwrap();
    assert!(store.samples_due(86_400_100).await.unwrap().is_empty());
    let due = store.samples_due(86_400_101).await.unwrap();
    assert_eq!((due.len(), due[0].deleted_why.as_str()), (1, "it never came whole"));
    // One without an end stays.
    let kept = NewSample { expires_ms: 0, ..sample(P, 2, "a", 100) };
    store.begin_sample(&kept).await.unwrap();
    store.sample_stored(P, &sha(2), 101).await.unwrap();
    assert_eq!(store.samples_due(i64::MAX / 2).await.unwrap().len(), 1);
}

async fn samples_are_listed_in_pages(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    for n in 0..7 {
        stored(store, P, n, i64::from(n / 2)).await;
    }
    stored(store, Q, 8, 5).await;
    store.begin_sample(&sample(P, 9, "b", 50)).await.unwrap();
    store.hold_sample(P, &sha(3), true, "ann", "x", 60).await.unwrap();
    let mut q = SamplesQuery { project: P.into(), page: page(3), ..SamplesQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.samples(&q).await.unwrap();
        assert_eq!(page.total, 8);
        seen.extend(page.items.into_iter().map(|s| (s.began_ms, s.sha256)));
        let Some(next) = page.next else { break };
        q.page = behind(Some(next), 3);
    }
    assert_eq!(seen.len(), 8);
    assert!(seen.windows(2).all(|w| w[0] > w[1]), "{seen:?}");
    let total = async |q: SamplesQuery| {
        store.samples(&SamplesQuery { project: P.into(), page: page(9), ..q }).await.unwrap().total
    };
    assert_eq!(total(SamplesQuery { states: vec!["receiving".into()], ..SamplesQuery::default() }).await, 1);
    assert_eq!(total(SamplesQuery { hold: Some(true), ..SamplesQuery::default() }).await, 1);
    assert_eq!(total(SamplesQuery { hold: Some(false), ..SamplesQuery::default() }).await, 7);
    assert_eq!(total(SamplesQuery { host: "b".into(), ..SamplesQuery::default() }).await, 1);
}

on_both!(
    one_host_sends_and_goes_on,
    a_hold_is_stronger_than_time_and_people,
    what_a_person_deleted_is_not_asked_for_again,
    what_never_came_whole_is_given_up,
    samples_are_listed_in_pages,
);
