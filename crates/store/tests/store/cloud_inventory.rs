// SPDX-License-Identifier: Apache-2.0
//! What hosts have, counted right however it comes.

use crate::bed::Bed;
use crate::cloud_rows::*;
use crate::rows::{P, behind, page};
use lazaret_store::*;

/// Hosts that have it, and on how many a package owns it.
async fn counts(store: &Store, project: &str, n: u32) -> (i64, i64) {
    match store.file(project, &sha(n)).await {
        Ok(f) => (f.hosts, f.packaged_hosts),
        Err(StoreError::NotFound(_)) => (-1, -1),
        Err(e) => panic!("{e}"),
    }
}

async fn put(store: &Store, host: &str, rows: Vec<HostFileRow>) {
    store.put_inventory(host, P, false, rows, 1000).await.unwrap();
}

async fn hosts_are_counted_once_however_it_comes(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let rows = vec![
        has("/bin/x", 1, 1),
        HostFileRow { packaged: true, ..has("/bin/y", 1, 2) },
        has("/tmp/\u{fffd}", 2, 3),
    ];
    for _ in 0..2 {
        put(store, "a", rows.clone()).await;
        assert_eq!(counts(store, P, 1).await, (1, 1), "two paths, one host");
    }
    put(store, "b", vec![has("/opt/x", 1, 1)]).await;
    assert_eq!((counts(store, P, 1).await, counts(store, P, 2).await), ((2, 1), (1, 0)));
    assert_eq!(counts(store, Q, 1).await, (-1, -1), "another project knows nothing");
    // The package goes away, then one path, then the other.
    put(store, "a", vec![has("/bin/y", 1, 4)]).await;
    assert_eq!(counts(store, P, 1).await, (2, 0));
    put(store, "a", vec![HostFileRow { gone: true, ..has("/bin/x", 1, 5) }]).await;
    assert_eq!(counts(store, P, 1).await, (2, 0));
    // A new content in the place of the old one.
    put(store, "a", vec![has("/bin/y", 3, 6)]).await;
    assert_eq!((counts(store, P, 1).await, counts(store, P, 3).await), ((1, 0), (1, 0)));
    let file = store.file(P, &sha(1)).await.unwrap();
    assert_eq!((file.size, file.kind.as_str(), file.standing.as_str()), (100, "executable", "unknown"));
    assert_eq!((file.first_ms, file.last_ms, file.settled), (10, 20, false));
}

async fn what_comes_late_changes_nothing(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    put(store, "a", vec![has("/bin/x", 1, 9)]).await;
    put(store, "a", vec![has("/bin/x", 2, 8)]).await;
    assert_eq!((counts(store, P, 1).await, counts(store, P, 2).await), ((1, 0), (-1, -1)));
    put(store, "a", vec![HostFileRow { gone: true, ..has("/bin/x", 1, 10) }]).await;
    put(store, "a", vec![has("/bin/x", 1, 9)]).await;
    assert_eq!(counts(store, P, 1).await, (0, 0), "it does not come back");
    // Of one part the highest version counts, in whatever order.
    put(store, "a", vec![has("/bin/z", 4, 13), has("/bin/z", 5, 12), has("/bin/z", 6, 11)]).await;
    assert_eq!((counts(store, P, 4).await.0, counts(store, P, 5).await.0), (1, -1));
    // It comes back later.
    put(store, "a", vec![has("/bin/x", 1, 14)]).await;
    assert_eq!(counts(store, P, 1).await, (1, 0));
}

async fn times_are_those_that_a_host_can_know(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let times = |first_ms, last_ms| HostFileRow { first_ms, last_ms, size: -5, ..has("/x", 1, 1) };
    store.put_inventory("a", P, false, vec![times(500, 90_000)], 1000).await.unwrap();
    store.put_inventory("b", P, false, vec![times(70_000, 20)], 2000).await.unwrap();
    let file = store.file(P, &sha(1)).await.unwrap();
    assert_eq!((file.first_ms, file.last_ms, file.first_host.as_str()), (500, 2000, "a"));
    assert_eq!(file.size, 0);
    store
        .put_inventory("b", P, false, vec![HostFileRow { version: 2, ..times(400, 401) }], 2000)
        .await
        .unwrap();
    let file = store.file(P, &sha(1)).await.unwrap();
    assert_eq!((file.first_ms, file.last_ms, file.first_host.as_str()), (400, 2000, "b"));
    let short = HostFileRow { sha256: vec![1; 31], ..has("/x", 1, 3) };
    let refused = store.put_inventory("a", P, false, vec![short], 1000).await.unwrap_err();
    assert!(matches!(refused, StoreError::BadRequest(_)), "{refused}");
}

async fn who_begins_anew_has_nothing_else(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    put(store, "a", vec![has("/1", 1, 70), has("/2", 2, 80)]).await;
    put(store, "b", vec![has("/1", 1, 1)]).await;
    // Its list was lost: versions begin at one again.
    for _ in 0..2 {
        store.put_inventory("a", P, true, vec![has("/2", 2, 1)], 1000).await.unwrap();
        store.put_inventory("a", P, false, vec![has("/3", 3, 2)], 1000).await.unwrap();
        for (n, hosts) in [(1, 1), (2, 1), (3, 1)] {
            assert_eq!(counts(store, P, n).await.0, hosts, "{n}");
        }
    }
    let places = store.places(P, &sha(1), &page(10)).await.unwrap();
    assert_eq!(places.items.iter().map(|p| p.host.as_str()).collect::<Vec<_>>(), ["b"]);
}

async fn a_host_that_is_removed_or_moved_takes_its_files_along(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    put(store, "a", vec![HostFileRow { packaged: true, ..has("/1", 1, 1) }, has("/2", 2, 2)]).await;
    put(store, "b", vec![has("/1", 1, 1)]).await;
    assert_eq!(store.set_host_project(&["a".into()], Q).await.unwrap(), 1);
    assert_eq!((counts(store, P, 1).await, counts(store, P, 2).await), ((1, 0), (0, 0)));
    assert_eq!((counts(store, Q, 1).await, counts(store, Q, 2).await), ((1, 1), (1, 0)));
    assert_eq!(store.set_host_project(&["a".into()], Q).await.unwrap(), 0, "it is there already");
    assert_eq!(counts(store, Q, 1).await, (1, 1));
    let here = store.places(Q, &sha(1), &page(10)).await.unwrap();
    assert_eq!((here.total, here.items[0].host.as_str()), (1, "a"));
    // A session that took it to be of the old project.
    put(store, "a", vec![has("/4", 4, 3)]).await;
    assert_eq!((counts(store, P, 4).await, counts(store, Q, 4).await), ((-1, -1), (1, 0)));
    store.remove_host("a", 50).await.unwrap();
    for n in [1, 2, 4] {
        assert_eq!(counts(store, Q, n).await, (0, 0), "{n}");
    }
    let late = store.put_inventory("a", Q, false, vec![has("/5", 5, 9)], 1000).await.unwrap_err();
    assert!(matches!(late, StoreError::NotFound(_)), "{late}");
    assert_eq!(store.places(Q, &sha(1), &page(10)).await.unwrap().total, 0);
}

async fn many_hosts_at_once_are_all_counted(bed: Bed) {
    let store = &bed.store;
    let mut hosts = Vec::new();
    for n in 0..6 {
        let name = format!("h{n}");
        store.insert_host(&host_in(&name, P)).await.unwrap();
        hosts.push(name);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (at, name) in hosts.into_iter().enumerate() {
        let store = store.clone();
        tasks.spawn(async move {
            for round in 0..4_i64 {
                // Each in another order.
                let mut rows: Vec<_> = (0..300).map(|n| has(&format!("/{n}"), n, round + 1)).collect();
                rows.rotate_left(at * 50);
                for part in rows.chunks(100) {
                    store.put_inventory(&name, P, false, part.to_vec(), 1000).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    let all = FilesQuery { project: P.into(), page: page(1000), ..FilesQuery::default() };
    let files = store.files(&all).await.unwrap().items;
    assert_eq!(files.len(), 300);
    assert!(files.iter().all(|f| f.hosts == 6), "{:?}", files.iter().find(|f| f.hosts != 6));
}

async fn files_and_places_are_listed_in_pages(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let at = |n: u32| HostFileRow { first_ms: i64::from(n / 2), ..has(&format!("/{n}"), n, 1) };
    put(store, "a", (0..10).map(at).collect()).await;
    store.put_inventory("c", Q, false, vec![at(3)], 1000).await.unwrap();
    put(store, "b", vec![at(3), HostFileRow { kind: "script".into(), ..at(20) }]).await;
    let mut all = FilesQuery { project: P.into(), page: page(4), ..FilesQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.files(&all).await.unwrap();
        assert_eq!(page.total, 11);
        seen.extend(page.items.into_iter().map(|f| (f.first_ms, f.sha256)));
        let Some(next) = page.next else { break };
        all.page = behind(Some(next), 4);
    }
    assert_eq!(seen.len(), 11);
    assert!(seen.windows(2).all(|w| w[0] > w[1]), "newest first, each once: {seen:?}");
    let total = async |q: FilesQuery| {
        let q = FilesQuery { project: P.into(), page: page(100), ..q };
        store.files(&q).await.unwrap().total
    };
    let none = FilesQuery::default;
    assert_eq!(total(FilesQuery { host: "b".into(), ..none() }).await, 2);
    assert_eq!(total(FilesQuery { host: "c".into(), ..none() }).await, 0, "of another project");
    assert_eq!(total(FilesQuery { kind: "script".into(), ..none() }).await, 1);
    assert_eq!(total(FilesQuery { sha256: vec![sha(3), sha(99)], ..none() }).await, 1);
    assert_eq!(total(FilesQuery { since_ms: Some(4), until_ms: Some(5), ..none() }).await, 2);
    assert_eq!(total(FilesQuery { standings: vec!["bad".into()], ..none() }).await, 0);
    put(store, "b", vec![HostFileRow { gone: true, version: 2, ..at(20) }]).await;
    assert_eq!(total(FilesQuery { present: Some(false), ..none() }).await, 1);
    assert_eq!(total(FilesQuery { present: Some(true), ..none() }).await, 10);
    let first = store.places(P, &sha(3), &page(1)).await.unwrap();
    assert_eq!((first.total, first.items[0].host_name.as_str()), (2, "a"));
    let rest = store.places(P, &sha(3), &behind(first.next, 1)).await.unwrap();
    assert_eq!((rest.items[0].host.as_str(), rest.next), ("b", None));
    assert_eq!(rest.items[0].file.path, b"/3");
    assert_eq!(store.inventory(P, "b", &page(9)).await.unwrap().total, 2);
    assert_eq!(store.inventory(Q, "b", &page(9)).await.unwrap().total, 0);
    let foreign = store.places(P, &sha(3), &all.page).await.unwrap_err();
    assert!(matches!(foreign, StoreError::BadRequest(_)), "{foreign}");
}

async fn what_is_gone_for_long_is_forgotten(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    put(store, "a", vec![has("/1", 1, 1), has("/2", 2, 2), has("/3", 3, 3)]).await;
    let gone = |n: u32| HostFileRow { gone: true, ..has(&format!("/{n}"), n, 9) };
    put(store, "a", vec![gone(1), gone(2)]).await;
    store.put_verdict(&bad(P, 2, 20)).await.unwrap();
    assert_eq!(store.delete_files_before(20, 100).await.unwrap(), 0, "not yet");
    // Their two places, and the file of which nothing else is known.
    assert_eq!(store.delete_files_before(21, 100).await.unwrap(), 3);
    assert_eq!(store.delete_files_before(21, 100).await.unwrap(), 0);
    assert_eq!(
        (counts(store, P, 1).await.0, counts(store, P, 2).await.0, counts(store, P, 3).await.0),
        (-1, 0, 1)
    );
}

on_both!(
    hosts_are_counted_once_however_it_comes,
    what_comes_late_changes_nothing,
    times_are_those_that_a_host_can_know,
    who_begins_anew_has_nothing_else,
    a_host_that_is_removed_or_moved_takes_its_files_along,
    many_hosts_at_once_are_all_counted,
    files_and_places_are_listed_in_pages,
    what_is_gone_for_long_is_forgotten,
);
