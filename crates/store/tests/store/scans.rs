// SPDX-License-Identifier: Apache-2.0
//! Virus scans.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

fn policy() -> ScanPolicyRow {
    ScanPolicyRow {
        id: "sp".into(),
        project: P.into(),
        name: "nightly".into(),
        kind: "quick".into(),
        settings: "{}".into(),
        next_ms: 100,
        revision: 0,
        updated_ms: 1,
        updated_by: "ann".into(),
    }
}

fn task() -> ScanTaskRow {
    ScanTaskRow {
        id: "st".into(),
        project: P.into(),
        policy: "sp".into(),
        name: "nightly".into(),
        kind: "quick".into(),
        settings: "{}".into(),
        state: "scanning".into(),
        who: "ann".into(),
        created_ms: 100,
        finished_ms: 0,
    }
}

fn waiting(host: &str, start_ms: i64) -> ScanHostRow {
    ScanHostRow {
        task: "st".into(),
        host: host.into(),
        state: "waiting".into(),
        start_ms,
        ..ScanHostRow::default()
    }
}

async fn a_policy_is_claimed_by_one(bed: Bed) {
    let store = &bed.store;
    store.create_scan_policy(&policy()).await.unwrap();
    assert!(store.due_scan_policies(99).await.unwrap().is_empty());
    assert_eq!(store.due_scan_policies(100).await.unwrap().len(), 1);
    let (one, two) =
        tokio::join!(store.claim_scan_policy("sp", 100, 200), store.claim_scan_policy("sp", 100, 200));
    assert!(one.unwrap() ^ two.unwrap());
    let seen = store.scan_policy("sp").await.unwrap();
    assert_eq!((seen.next_ms, seen.revision), (200, 1));
    let changed =
        store.update_scan_policy(&ScanPolicyRow { kind: "full".into(), ..seen.clone() }).await.unwrap();
    assert_eq!((changed.kind.as_str(), changed.revision), ("full", 2));
    assert!(matches!(store.update_scan_policy(&seen).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.scan_policies(&Scope::All).await.unwrap(), [changed]);
    store.delete_scan_policy("sp", 2).await.unwrap();
    assert!(matches!(store.delete_scan_policy("sp", 2).await, Err(StoreError::Conflict(_))));
}

async fn the_last_host_ends_the_task(bed: Bed) {
    let store = &bed.store;
    store.create_scan_task(&task(), &[waiting("a", 100), waiting("b", 200)]).await.unwrap();
    let due = store.due_scan_hosts(150, 10).await.unwrap();
    assert_eq!(due, [waiting("a", 100)]);
    assert_eq!(store.scans_of_host("b").await.unwrap().len(), 1);
    let mut a =
        ScanHostRow { state: "scanning".into(), command: "c".into(), permille: 500, ..due[0].clone() };
    assert!(store.update_scan_host(&a).await.unwrap());
    let mut b =
        ScanHostRow { state: "fail".into(), reason: "offline".into(), finished_ms: 300, ..waiting("b", 200) };
    (a.state, a.finished_ms, a.permille, a.found, a.files) = ("success".into(), 300, 1000, 2, 10);
    let (one, two) = tokio::join!(store.update_scan_host(&a), store.update_scan_host(&b));
    assert!(one.unwrap() && two.unwrap());
    let ended = store.scan_task("st").await.unwrap();
    assert_eq!((ended.state.as_str(), ended.finished_ms), ("finish", 300));
    b.state = "success".into();
    assert!(!store.update_scan_host(&b).await.unwrap(), "it ended already");
    let summary = store.scan_summary("st").await.unwrap();
    assert_eq!((summary.hosts, summary.found, summary.files, summary.permille), (2, 2, 10, 500));
    assert_eq!(summary.states, [("fail".into(), 1), ("success".into(), 1)]);
    let failed = store.scan_hosts_page("st", &["fail".into()], &page(10)).await.unwrap();
    assert_eq!(failed.items[0].reason, "offline");
    assert_eq!(store.scan_tasks_page(&Scope::All, &page(10)).await.unwrap().items, [ended]);
}

async fn a_task_is_taken_back(bed: Bed) {
    let store = &bed.store;
    store.create_scan_task(&task(), &[waiting("a", 100), waiting("b", 200)]).await.unwrap();
    let a = ScanHostRow { state: "scanning".into(), command: "c".into(), ..waiting("a", 100) };
    store.update_scan_host(&a).await.unwrap();
    let running = store.cancel_scan_task("st", 150).await.unwrap();
    assert_eq!(running, std::slice::from_ref(&a));
    assert_eq!(store.scan_host("st", "b").await.unwrap().state, "cancel");
    assert_eq!(store.scan_task("st").await.unwrap().state, "scanning");
    store.update_scan_host(&ScanHostRow { state: "cancel".into(), finished_ms: 160, ..a }).await.unwrap();
    assert_eq!(store.scan_task("st").await.unwrap().state, "finish");
    assert!(matches!(store.cancel_scan_task("none", 1).await, Err(StoreError::NotFound(_))));
}

async fn hosts_of_a_paused_scan_wait_on(bed: Bed) {
    let store = &bed.store;
    let running = ScanHostRow { state: "scanning".into(), started_ms: 1, ..waiting("a", 1) };
    store.create_scan_task(&task(), &[running, waiting("b", 1)]).await.unwrap();
    let begun = store.pause_scan_task("st", true).await.unwrap();
    assert_eq!(begun.iter().map(|h| h.host.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(store.scan_task("st").await.unwrap().state, "paused");
    assert!(store.due_scan_hosts(1_000, 10).await.unwrap().is_empty());
    store.pause_scan_task("st", false).await.unwrap();
    assert_eq!(store.due_scan_hosts(1_000, 10).await.unwrap().len(), 1);
    store.pause_scan_task("st", true).await.unwrap();
    store.cancel_scan_task("st", 5).await.unwrap();
    let ended = ScanHostRow { state: "cancel".into(), finished_ms: 6, ..begun[0].clone() };
    assert!(store.update_scan_host(&ended).await.unwrap());
    assert_eq!(store.scan_task("st").await.unwrap().state, "finish");
    assert!(matches!(store.pause_scan_task("st", true).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.pause_scan_task("none", true).await, Err(StoreError::NotFound(_))));
}

on_both!(
    hosts_of_a_paused_scan_wait_on,
    a_policy_is_claimed_by_one,
    the_last_host_ends_the_task,
    a_task_is_taken_back
);
