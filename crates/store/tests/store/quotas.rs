// SPDX-License-Identifier: Apache-2.0
//! Editions: pools, hosts that take from them, and pools that end.

use crate::bed::Bed;
use crate::rows;
use lazaret_store::*;

fn project(id: &str) -> ProjectRow {
    ProjectRow { id: id.into(), name: id.into(), created_ms: 1 }
}

fn host(id: &str, project: &str) -> HostRow {
    HostRow { id: id.into(), project: project.into(), ..rows::host(id) }
}

fn pool(id: &str, project: &str, total: i64) -> QuotaPoolRow {
    QuotaPoolRow {
        id: id.into(),
        project: project.into(),
        edition: "premium".into(),
        total,
        status: "normal".into(),
        expires_ms: 0,
        automatic: false,
        note: String::new(),
        created_ms: 5,
        revision: 1,
    }
}

async fn quota(store: &Store, host: &str) -> Option<HostQuotaRow> {
    store.host_quotas(&[host.to_owned()]).await.unwrap().remove(host)
}

async fn hosts_take_at_enrolment_and_give_back(bed: Bed) {
    let store = &bed.store;
    store.create_project(&project("p")).await.unwrap();
    store.insert_host(&host("h1", "p")).await.unwrap();
    let first = quota(store, "h1").await.unwrap();
    assert_eq!((first.edition.as_str(), first.bound_by.as_str()), ("enterprise", "server"));
    // The own one goes before the shared one, as long as there is something left of it.
    store.create_quota_pool(&QuotaPoolRow { automatic: true, ..pool("own", "p", 1) }).await.unwrap();
    store.insert_host(&host("h2", "p")).await.unwrap();
    store.insert_host(&host("h3", "p")).await.unwrap();
    assert_eq!(quota(store, "h2").await.unwrap().pool, "own");
    assert_eq!(quota(store, "h3").await.unwrap().edition, "enterprise");
    store.remove_host("h2", 9).await.unwrap();
    assert_eq!(quota(store, "h2").await, None);
    store.insert_host(&host("h4", "p")).await.unwrap();
    assert_eq!(quota(store, "h4").await.unwrap().pool, "own");
    let uses = store.quota_uses(&Scope::Projects(vec!["p".into()])).await.unwrap();
    assert_eq!(uses.get("own"), Some(&1));
    assert!(store.quota_uses(&Scope::Projects(vec!["q".into()])).await.unwrap().is_empty());
}

async fn of_many_who_want_the_last_one_gets_it(bed: Bed) {
    let store = &bed.store;
    store.create_project(&project("p")).await.unwrap();
    store.create_quota_pool(&pool("few", "p", 3)).await.unwrap();
    for n in 0..8 {
        store.insert_host(&host(&format!("h{n}"), "p")).await.unwrap();
    }
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = store.clone();
        tries.spawn(async move { store.bind_quota("few", &[format!("h{n}")], "ann", 9).await });
    }
    let done = tries.join_all().await;
    assert_eq!(done.iter().filter(|r| r.is_ok()).count(), 3, "{done:?}");
    assert!(done.iter().filter_map(|r| r.as_ref().err()).all(|e| matches!(e, StoreError::Conflict(_))));
    assert_eq!(store.quota_uses(&Scope::All).await.unwrap().get("few"), Some(&3));
    let missing = store.bind_quota("none", &["h1".into()], "ann", 9).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
}

async fn a_pool_ends_and_its_hosts_are_told(bed: Bed) {
    let store = &bed.store;
    store.create_project(&project("p")).await.unwrap();
    store.insert_host(&host("h", "p")).await.unwrap();
    store.create_quota_pool(&QuotaPoolRow { expires_ms: 100, ..pool("short", "p", -1) }).await.unwrap();
    store.bind_quota("short", &["h".into()], "ann", 9).await.unwrap();
    let before = store.host("h").await.unwrap().generation;
    assert!(store.expire_quotas(99).await.unwrap().is_empty());
    let ended = store.expire_quotas(100).await.unwrap();
    assert_eq!(ended.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["short"]);
    assert!(store.expire_quotas(101).await.unwrap().is_empty(), "once");
    assert_eq!(store.host("h").await.unwrap().generation, before + 1);
    assert_eq!(quota(store, "h").await.unwrap().status, "expired");
    let late = store.bind_quota("short", &["h".into()], "ann", 101).await;
    assert!(matches!(late, Err(StoreError::Conflict(t)) if t.contains("expired")));
    let row = store.quota_pool("short").await.unwrap();
    let stale = QuotaPoolRow { revision: 1, ..row.clone() };
    assert!(matches!(store.update_quota_pool(&stale).await, Err(StoreError::Conflict(_))));
    let longer = QuotaPoolRow { status: "normal".into(), expires_ms: 900, ..row };
    store.update_quota_pool(&longer).await.unwrap();
    assert_eq!(store.host("h").await.unwrap().generation, before + 2);
    assert!(matches!(store.delete_quota_pool("short", 3).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.unbind_quota(&["h".into(), "x".into()]).await.unwrap(), 1);
    store.delete_quota_pool("short", 3).await.unwrap();
    let seen = store.quota_pools(&Scope::Projects(vec!["p".into()])).await.unwrap();
    assert_eq!(seen.len(), 1, "the shared one");
}

on_both!(
    hosts_take_at_enrolment_and_give_back,
    of_many_who_want_the_last_one_gets_it,
    a_pool_ends_and_its_hosts_are_told,
);
