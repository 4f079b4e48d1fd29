// SPDX-License-Identifier: Apache-2.0
//! What is done about alarms, what is like them, and what stays when they go.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

async fn retention_keeps_isolated_files_and_history(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let mut records: Vec<_> = (1..=10).map(|n| record(n, says(alarm(&format!("al{n}"), n * 100)))).collect();
    records.push(record(11, What::Isolated(Box::new(isolated("iso", "al1")))));
    records.push(record(12, What::Isolated(Box::new(isolated("later", "al12")))));
    records.push(record(13, says(alarm("al12", 50))));
    store.ingest(batch("a", records)).await.unwrap();
    store.set_handled(&["al1".into()], "ignore", "ann", "known", 7).await.unwrap();
    assert_eq!(store.delete_alarms_before(500, 3).await.unwrap(), 3, "in portions");
    assert_eq!(store.delete_alarms_before(500, 100).await.unwrap(), 2);
    assert_eq!(store.delete_alarms_before(500, 100).await.unwrap(), 0);
    assert!(matches!(store.alarm("al1").await, Err(StoreError::NotFound(_))));
    assert_eq!(store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(10)).await.unwrap().total, 6);
    assert_eq!(store.isolated("iso").await.unwrap().alarm_title, "title of al1");
    assert_eq!(store.isolated("later").await.unwrap().alarm_title, "title of al12");
    let filter = HandlingFilter { alarm: "al1".into(), ..HandlingFilter::default() };
    assert_eq!(
        store.handlings_page(&Scope::All, &filter, &page(10)).await.unwrap().items[0].title,
        "title of al1"
    );
}

async fn handling_is_noted_and_the_host_has_the_last_word(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    store.ingest(alarms("a", 1..=3)).await.unwrap();
    let ids = ["a-1".to_owned(), "a-2".to_owned(), "none".to_owned()];
    assert_eq!(store.set_handled(&ids, "mark_as_handled", "ann", "fine", 50).await.unwrap(), 2);
    let one = store.alarm("a-1").await.unwrap();
    assert_eq!(
        (one.handled, one.handled_by.as_str(), one.handled_who.as_str()),
        (true, "mark_as_handled", "ann")
    );
    store.set_handled(&ids[..1], "", "bob", "not fine", 60).await.unwrap();
    let one = store.alarm("a-1").await.unwrap();
    assert_eq!((one.handled, one.handled_ms), (false, 0));
    let history = store.handlings_page(&Scope::All, &HandlingFilter::default(), &page(10)).await.unwrap();
    let verbs: Vec<_> = history.items.iter().map(|h| (h.verb.as_str(), h.who.as_str())).collect();
    assert_eq!(verbs, [("unhandle", "bob"), ("mark_as_handled", "ann"), ("mark_as_handled", "ann")]);
    store.ingest(batch("a", vec![record(4, says(alarm("a-2", 99)))])).await.unwrap();
    assert!(!store.alarm("a-2").await.unwrap().handled);
}

async fn alarms_like_one_are_found(bed: Bed) {
    let store = &bed.store;
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
    }
    let bare = |id: &str, n: i64| AlarmRow {
        class: format!("class of {id}"),
        sha256: vec![],
        process_sha256: vec![],
        cmdline: vec![],
        uid: -1,
        handled: true,
        handled_by: "ignore".into(),
        handled_ms: n,
        ..alarm(id, n)
    };
    let one = alarm("one", 1);
    let list = vec![
        record(1, says(one.clone())),
        record(2, says(AlarmRow { class: one.class.clone(), ..bare("class", 2) })),
        record(3, says(AlarmRow { sha256: one.sha256.clone(), ..bare("file", 3) })),
        record(4, says(AlarmRow { process_sha256: one.process_sha256.clone(), ..bare("program", 4) })),
        record(5, says(AlarmRow { cmdline: one.cmdline.clone(), ..bare("cmdline", 5) })),
        record(6, says(AlarmRow { uid: one.uid, ..bare("user", 6) })),
        record(7, says(bare("nothing", 7))),
        record(8, says(AlarmRow { handled: false, ..alarm("open", 8) })),
    ];
    store.ingest(batch("a", list)).await.unwrap();
    store.ingest(batch("b", vec![record(1, says(alarm("elsewhere", 9)))])).await.unwrap();
    let similar = store.similar_handled("one", &Scope::All, 5).await.unwrap();
    let found: Vec<_> = similar.iter().map(|(l, a)| (*l, a.id.as_str())).collect();
    assert_eq!(
        found,
        [
            (Likeness::HostAndClass, "class"),
            (Likeness::FileHash, "file"),
            (Likeness::ProcessHash, "program"),
            (Likeness::ProcessCmdline, "cmdline"),
            (Likeness::UserName, "user"),
        ]
    );
    assert!(store.similar_handled("nothing", &Scope::All, 5).await.unwrap().is_empty());
    let same = store.same_alarms("one", &Scope::All, &page(10)).await.unwrap();
    let same: Vec<_> = same.items.iter().map(|a| a.id.as_str()).collect();
    assert_eq!(same, ["elsewhere", "open", "file"]);
    assert!(store.same_alarms("nothing", &Scope::All, &page(10)).await.unwrap().items.is_empty());
}

async fn suppressed_alarms_come_back(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    store.ingest(alarms("a", 1..=3)).await.unwrap();
    assert_eq!(store.set_suppressed(&["a-1".into(), "a-2".into()], "entry").await.unwrap(), 2);
    let total = async |suppressed: bool| {
        let filter = AlarmFilter { suppressed, ..AlarmFilter::default() };
        store.alarms_page(&Scope::All, &filter, &page(10)).await.unwrap().total
    };
    assert_eq!((total(false).await, total(true).await), (1, 2));
    // Seen again: still suppressed.
    store.ingest(batch("a", vec![record(4, says(alarm("a-1", 99)))])).await.unwrap();
    assert_eq!(total(true).await, 2);
    assert_eq!(store.set_suppressed(&["a-1".into()], "").await.unwrap(), 1);
    assert_eq!(store.unsuppress("entry").await.unwrap(), 1);
    assert_eq!(store.unsuppress("").await.unwrap(), 0);
    assert_eq!((total(false).await, total(true).await), (3, 0));
    store.put_alarms(vec![AlarmRow { host: "a".into(), ..alarm("own", 1) }]).await.unwrap();
    assert_eq!(store.alarm("own").await.unwrap().host, "a");
}

on_both!(
    retention_keeps_isolated_files_and_history,
    handling_is_noted_and_the_host_has_the_last_word,
    alarms_like_one_are_found,
    suppressed_alarms_come_back,
);
