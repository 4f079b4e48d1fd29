// SPDX-License-Identifier: Apache-2.0
//! Pages, filters and numbers.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;
use std::collections::BTreeSet;

async fn ids(store: &Store, filter: AlarmFilter) -> Vec<String> {
    let page = store.alarms_page(&Scope::All, &filter, &page(100)).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|a| a.id).collect()
}

async fn pages_stay_while_rows_arrive(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    // Two of each millisecond, so that the order needs the id.
    let records = (1..=40).map(|n| record(n, says(alarm(&format!("old{n:02}"), n / 2)))).collect();
    store.ingest(batch("a", records)).await.unwrap();
    let (mut seen, mut next, mut n) = (Vec::new(), None, 40);
    loop {
        let page = store.alarms_page(&Scope::All, &AlarmFilter::default(), &behind(next, 7)).await.unwrap();
        assert_eq!(page.total, 40, "counted once");
        seen.extend(page.items.into_iter().map(|a| a.id));
        for _ in 0..3 {
            n += 1;
            let new = alarm(&format!("new{n}"), 1000 + n);
            store.ingest(batch("a", vec![record(n, says(new))])).await.unwrap();
        }
        match page.next {
            Some(more) => next = Some(more),
            None => break,
        }
    }
    assert_eq!(seen.len(), 40);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 40);
    assert!(seen.iter().all(|id| id.starts_with("old")));
}

async fn wrong_cursors_are_refused(bed: Bed) {
    let store = &bed.store;
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
    }
    let hosts = store.hosts_page(&Scope::All, &HostFilter::default(), &page(1)).await.unwrap();
    let all = AlarmFilter::default();
    for cursor in [behind(hosts.next.clone(), 10), behind(Some("'; --".into()), 10), page(0), page(1001)] {
        let refused = store.alarms_page(&Scope::All, &all, &cursor).await;
        assert!(matches!(refused, Err(StoreError::BadRequest(_))), "{cursor:?}");
    }
    let rest = store.hosts_page(&Scope::All, &HostFilter::default(), &behind(hosts.next, 1)).await.unwrap();
    assert_eq!((rest.items[0].id.as_str(), rest.next), ("b", None));
}

async fn wildcards_in_a_search_are_letters(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let titled = |n: i64, title: &str, path: &[u8]| {
        let mut a = alarm(&format!("{n}"), n);
        (a.title, a.path) = (title.into(), path.to_vec());
        record(n, says(a))
    };
    let records = vec![
        titled(1, "100% Sure", b"/a_b"),
        titled(2, "100 percent", b"/aXb"),
        titled(3, "back\\slash", b"/c"),
        titled(4, "ÄRGER", b"/\xffd"),
        titled(5, "'; DROP TABLE alarms; --", b"/e"),
    ];
    store.ingest(batch("a", records)).await.unwrap();
    let find =
        async |text: &str| ids(store, AlarmFilter { text: text.into(), ..AlarmFilter::default() }).await;
    assert_eq!(find("0% s").await, ["1"]);
    assert_eq!(find("a_b").await, ["1"]);
    assert_eq!(find("%").await, ["1"]);
    assert_eq!(find("\\").await, ["3"]);
    assert_eq!(find("ärger").await, ["4"]);
    assert_eq!(find("\u{fffd}d").await, ["4"], "of raw bytes, what can be shown");
    assert_eq!(find("'; drop table").await, ["5"]);
    assert_eq!(find("nothing like it").await, Vec::<String>::new());
}

async fn every_filter_filters(bed: Bed) {
    let store = &bed.store;
    for (name, importance) in [("web-1", "important"), ("Web-2", "test")] {
        store.insert_host(&HostRow { importance: importance.into(), ..host(name) }).await.unwrap();
    }
    let mut other = alarm("other", 20);
    (other.severity, other.class, other.rating) = (0, "worm".into(), "low".into());
    (other.auto_block, other.test, other.sha256) = (false, true, vec![1; 32]);
    (other.handled, other.handled_by, other.handled_ms) = (true, "ignore".into(), 20);
    let mut hidden = alarm("hidden", 30);
    hidden.suppressed = "entry".into();
    store.ingest(batch("web-1", vec![record(1, says(alarm("first", 10)))])).await.unwrap();
    store.ingest(batch("Web-2", vec![record(1, says(other)), record(2, says(hidden))])).await.unwrap();
    let all = AlarmFilter::default;
    assert_eq!(ids(store, all()).await, ["other", "first"]);
    assert_eq!(ids(store, AlarmFilter { suppressed: true, ..all() }).await, ["hidden"]);
    let of_other = [
        AlarmFilter { since_ms: Some(11), ..all() },
        AlarmFilter { host: "Web-2".into(), ..all() },
        AlarmFilter { host_name: "WEB-2".into(), ..all() },
        AlarmFilter { importance: "test".into(), ..all() },
        AlarmFilter { severities: vec![0, 1], ..all() },
        AlarmFilter { classes: vec!["worm".into()], ..all() },
        AlarmFilter { ratings: vec!["low".into(), "medium".into()], ..all() },
        AlarmFilter { handled: Some(true), ..all() },
        AlarmFilter { auto_block: Some(false), ..all() },
        AlarmFilter { test: Some(true), ..all() },
        AlarmFilter { sha256: vec![1; 32], ..all() },
        AlarmFilter { ids: vec!["other".into()], ..all() },
    ];
    for filter in of_other {
        assert_eq!(ids(store, filter.clone()).await, ["other"], "{filter:?}");
    }
    assert_eq!(
        ids(store, AlarmFilter { until_ms: Some(20), handled: Some(false), ..all() }).await,
        ["first"]
    );
    let none = Scope::Projects(Vec::new());
    assert_eq!(store.alarms_page(&none, &all(), &page(10)).await.unwrap().total, 0);
    let mine = Scope::Projects(vec![P.into(), "else".into()]);
    assert_eq!(store.alarms_page(&mine, &all(), &page(10)).await.unwrap().total, 2);
    let counts = store.alarm_counts(&Scope::All, &all()).await.unwrap();
    assert_eq!((counts.total, counts.handled, counts.unhandled), (2, 1, 1));
    assert_eq!(counts.severity, [(0, 1), (2, 1)]);
    assert_eq!(counts.class, [("miner".to_owned(), 1), ("worm".to_owned(), 1)]);
    assert_eq!(counts.importance, [("important".to_owned(), 1), ("test".to_owned(), 1)]);
    assert_eq!((counts.day, counts.rating.len()), (vec![(0, 2)], 2));
}

async fn counting_stops_at_the_cap(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    for first in (1..=10_500).step_by(500) {
        store.ingest(alarms("a", first..=first + 499)).await.unwrap();
    }
    let page = store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(2)).await.unwrap();
    assert_eq!((page.total, page.items.len()), (COUNT_CAP, 2));
}

async fn isolated_files_are_found(bed: Bed) {
    let store = &bed.store;
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
        let mut gone = isolated(&format!("{name}2"), "");
        (gone.status, gone.updated_ms, gone.sha256) = ("restored".into(), 9, vec![1; 32]);
        let records = vec![
            record(1, What::Isolated(Box::new(isolated(&format!("{name}1"), "")))),
            record(2, What::Isolated(Box::new(gone))),
        ];
        store.ingest(batch(name, records)).await.unwrap();
    }
    let all = IsolatedFilter::default;
    let find = async |f: IsolatedFilter| {
        let page = store.isolated_page(&Scope::All, &f, &page(10)).await.unwrap();
        page.items.into_iter().map(|i| i.id).collect::<Vec<_>>()
    };
    assert_eq!(find(all()).await, ["b2", "a2", "b1", "a1"]);
    assert_eq!(
        find(IsolatedFilter { path: "SHELL.p".into(), host: "a".into(), ..all() }).await,
        ["a2", "a1"]
    );
    assert_eq!(find(IsolatedFilter { statuses: vec!["restored".into()], ..all() }).await, ["b2", "a2"]);
    assert_eq!(find(IsolatedFilter { sha256: vec![1; 32], host_name: "b".into(), ..all() }).await, ["b2"]);
    assert_eq!(
        find(IsolatedFilter { since_ms: Some(6), until_ms: Some(9), ..all() }).await,
        Vec::<String>::new()
    );
    let same = store.isolated_by_hash(&Scope::All, &[9; 32], &["isolated".into()]).await.unwrap();
    assert_eq!(same.len(), 2);
    assert_eq!(store.isolated_of_host("b").await.unwrap().len(), 2);
    let counts = store.isolated_counts(&Scope::All).await.unwrap();
    assert_eq!(counts, [("isolated".to_owned(), 2), ("restored".to_owned(), 2)]);
}

on_both!(
    pages_stay_while_rows_arrive,
    wrong_cursors_are_refused,
    wildcards_in_a_search_are_letters,
    every_filter_filters,
    counting_stops_at_the_cap,
    isolated_files_are_found,
);
