// SPDX-License-Identifier: Apache-2.0
//! Whitelist entries: for whom they hold, what they count, when they end.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

const DAY: i64 = 86_400_000;

pub fn entry(id: &str) -> WhitelistRow {
    WhitelistRow {
        id: id.into(),
        project: P.into(),
        scope: "project".into(),
        scope_id: String::new(),
        field: "file_path".into(),
        judge: "equal".into(),
        value: b"/opt/\xfftool".to_vec(),
        sha256: vec![3; 32],
        any_content: false,
        class: String::new(),
        description: "our 100% own tool".into(),
        owner: "ann".into(),
        added_by: "ann".into(),
        added_ms: 5,
        expires_ms: 0,
        alarm: String::new(),
        hits_total: 0,
        hits_today: 0,
        hits_day: 0,
        last_hit_ms: 0,
    }
}

async fn entries_hold_for_whom_they_are_made(bed: Bed) {
    let store = &bed.store;
    let group = |id: &str| HostGroupRow {
        id: id.into(),
        project: P.into(),
        name: id.into(),
        policy_group: None,
        revision: 0,
    };
    for id in ["g1", "g2"] {
        store.create_host_group(&group(id)).await.unwrap();
    }
    store.create_project(&ProjectRow { id: "p2".into(), name: "two".into(), created_ms: 1 }).await.unwrap();
    store.insert_host(&HostRow { group: Some("g1".into()), ..host("a") }).await.unwrap();
    store.insert_host(&host("b")).await.unwrap();
    let scoped = |id: &str, scope: &str, of: &str| WhitelistRow {
        scope: scope.into(),
        scope_id: of.into(),
        ..entry(id)
    };
    let entries = [
        entry("all"),
        WhitelistRow { expires_ms: 100, ..entry("ends") },
        scoped("g1", "group", "g1"),
        scoped("g2", "group", "g2"),
        scoped("ha", "host", "a"),
        scoped("hb", "host", "b"),
        WhitelistRow { project: "p2".into(), ..entry("other") },
    ];
    for e in &entries {
        store.add_whitelist(e).await.unwrap();
    }
    let of = async |host: &str, now: i64| {
        let list = store.whitelist_for_host(host, now).await.unwrap();
        list.into_iter().map(|e| e.id).collect::<Vec<_>>()
    };
    assert_eq!(of("a", 50).await, ["all", "ends", "g1", "ha"]);
    assert_eq!(of("a", 100).await, ["all", "g1", "ha"]);
    assert_eq!(of("b", 100).await, ["all", "hb"]);
    assert!(matches!(store.whitelist_for_host("c", 0).await, Err(StoreError::NotFound(_))));
    // a: all, ends, g1, ha; b: all, ends, hb.
    let generation = async |host: &str| store.host(host).await.unwrap().generation;
    assert_eq!((generation("a").await, generation("b").await), (5, 4));
    let ended = store.expire_whitelist(100).await.unwrap();
    assert_eq!(ended.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["ends"]);
    assert!(store.expire_whitelist(100).await.unwrap().is_empty(), "told once");
    assert_eq!(generation("a").await, 6);
    assert_eq!(store.remove_whitelist(&["ha".into(), "none".into()]).await.unwrap(), 1);
    assert_eq!((generation("a").await, generation("b").await), (7, 5));
    assert_eq!(store.whitelist_entry("all").await.unwrap(), entries[0]);
}

async fn hits_are_counted_by_day_and_the_newest_kept(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    store.add_whitelist(&entry("w")).await.unwrap();
    let hit =
        |count: i64, last_ms: i64| Hit { entry: "w".into(), count, last_ms, path: vec![255], sha256: vec![] };
    store.count_hits("a", &[hit(2, DAY), hit(3, DAY + 1)]).await.unwrap();
    store.count_hits("a", &[hit(4, 2 * DAY), hit(5, DAY)]).await.unwrap();
    let now = store.whitelist_entry("w").await.unwrap();
    assert_eq!((now.hits_total, now.hits_today, now.hits_day, now.last_hit_ms), (14, 4, 2, 2 * DAY));
    store.count_hits("a", &(0..1010).map(|n| hit(1, 3 * DAY + n)).collect::<Vec<_>>()).await.unwrap();
    let report = store.whitelist_hits("w", &page(1000)).await.unwrap();
    assert_eq!((report.total, report.items[0].at_ms), (1000, 3 * DAY + 1009));
    store.remove_whitelist(&["w".into()]).await.unwrap();
    assert_eq!(store.whitelist_hits("w", &page(10)).await.unwrap().total, 0);
}

async fn entries_are_listed_and_changed(bed: Bed) {
    let store = &bed.store;
    for n in 0..5 {
        store
            .add_whitelist(&WhitelistRow { added_ms: n, expires_ms: n * 10, ..entry(&format!("e{n}")) })
            .await
            .unwrap();
    }
    let find = async |f: WhitelistFilter| {
        let page = store.whitelist_page(&Scope::All, &f, &page(10)).await.unwrap();
        page.items.into_iter().map(|e| e.id).collect::<Vec<_>>()
    };
    let all = WhitelistFilter::default;
    assert_eq!(find(WhitelistFilter { expired: Some((true, 20)), ..all() }).await, ["e2", "e1"]);
    assert_eq!(find(WhitelistFilter { expired: Some((false, 20)), ..all() }).await, ["e4", "e3", "e0"]);
    assert_eq!(
        find(WhitelistFilter { text: "100% OWN".into(), scope: "project".into(), ..all() }).await.len(),
        5
    );
    assert_eq!(find(WhitelistFilter { text: "_00".into(), ..all() }).await.len(), 0);
    let mut changed = store.whitelist_entry("e1").await.unwrap();
    (changed.owner, changed.expires_ms) = ("bob".into(), 0);
    assert_eq!(store.update_whitelist(&changed).await.unwrap(), changed);
    assert_eq!(find(WhitelistFilter { text: "BOB".into(), ..all() }).await, ["e1"]);
    let none = WhitelistRow { id: "none".into(), ..changed };
    assert!(matches!(store.update_whitelist(&none).await, Err(StoreError::NotFound(_))));
}

on_both!(
    entries_hold_for_whom_they_are_made,
    hits_are_counted_by_day_and_the_newest_kept,
    entries_are_listed_and_changed,
);
