// SPDX-License-Identifier: Apache-2.0
//! Targets, arrivals, notices and leases.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

on_both!(
    what_is_written_arrives_once,
    notices_keep_their_order_and_a_race_has_one_winner,
    cursors_never_go_back,
    leases_have_one_holder,
    what_was_given_up_goes_with_its_target,
);

fn target(n: u64, name: &str) -> TargetRow {
    TargetRow {
        id: id(n),
        project: P.into(),
        name: name.into(),
        kind: "webhook".into(),
        settings: "{}".into(),
        secrets: "{}".into(),
        enabled: true,
        revision: 1,
        updated_ms: 1,
        updated_by: "ann".into(),
    }
}

fn notice(word: &str, project: &str) -> NoticeRow {
    NoticeRow {
        seq: 0,
        project: project.into(),
        host: "h".into(),
        kind: "alarm".into(),
        about: "a".into(),
        word: word.into(),
        at_ms: 1,
        noted_ms: 5,
        severity: 2,
        class: "miner".into(),
        test: false,
        detail: "{}".into(),
    }
}

async fn what_is_written_arrives_once(bed: Bed) {
    let s = &bed.store;
    s.insert_host(&host("h")).await.unwrap();
    s.ingest(alarms("h", 1..=2)).await.unwrap();
    assert!(s.arrivals(10).await.unwrap().is_empty(), "nobody would read it");
    s.create_target(&target(1, "hook")).await.unwrap();
    s.ingest(alarms("h", 3..=4)).await.unwrap();
    s.ingest(alarms("h", 3..=4)).await.unwrap();
    let file = What::Isolated(Box::new(isolated(&id(9), "h-3")));
    s.ingest(batch("h", vec![record(5, file)])).await.unwrap();
    s.set_handled(&["h-1".into()], "ignore", "ann", "", 9).await.unwrap();
    let came: Vec<(String, String)> =
        s.arrivals(10).await.unwrap().into_iter().map(|a| (a.kind, a.id)).collect();
    let said = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    assert_eq!(came[..2], [said("alarm", "h-3"), said("alarm", "h-4")]);
    assert_eq!(came[2..], [said("isolated", &id(9)), said("alarm", "h-1")]);
    assert_eq!(s.alarms_by_ids(&["h-3".into(), "none".into()]).await.unwrap().len(), 1);
    assert_eq!(s.isolated_by_ids(&[id(9)]).await.unwrap().len(), 1);
    assert!(s.alarms_by_ids(&[]).await.unwrap().is_empty());
}

async fn notices_keep_their_order_and_a_race_has_one_winner(bed: Bed) {
    let s = &bed.store;
    s.insert_host(&host("h")).await.unwrap();
    s.create_target(&target(1, "hook")).await.unwrap();
    s.ingest(alarms("h", 1..=2)).await.unwrap();
    let taken: Vec<i64> = s.arrivals(10).await.unwrap().iter().map(|a| a.seq).collect();
    let told = [Told { kind: "alarm".into(), id: "h-1".into(), state: "x".into(), at_ms: 7 }];
    let list = [notice("one", P), notice("two", "other"), notice("three", P)];
    assert!(s.put_notices(&taken, &told, &list).await.unwrap());
    assert!(!s.put_notices(&taken, &told, &list).await.unwrap(), "somebody was faster");
    let (oldest, newest) = s.notice_bounds().await.unwrap();
    assert_eq!(newest - oldest, 2);
    let words = async |project: &str, after: i64, to: i64| -> Vec<String> {
        s.notices(project, after, to, 10).await.unwrap().into_iter().map(|n| n.word).collect()
    };
    assert_eq!(words("", 0, newest).await, ["one", "two", "three"]);
    assert_eq!(words(P, 0, newest).await, ["one", "three"]);
    assert_eq!(words(P, oldest, newest - 1).await, Vec::<String>::new());
    assert_eq!(s.told("alarm", &["h-1".into(), "h-2".into()]).await.unwrap(), told);
    s.create_target(&target(2, "later")).await.unwrap();
    assert_eq!(s.target_state(&id(2)).await.unwrap().cursor, newest, "it begins with what comes now");
    assert_eq!(s.target_state(&id(1)).await.unwrap().cursor, 0);
}

async fn cursors_never_go_back(bed: Bed) {
    let s = &bed.store;
    s.create_target(&target(1, "hook")).await.unwrap();
    let again = s.create_target(&target(2, "hook")).await.unwrap_err();
    assert!(matches!(again, StoreError::Conflict(_)), "{again}");
    assert!(matches!(s.target_state(&id(2)).await, Err(StoreError::NotFound(_))), "nothing of it stays");
    let mut state = s.target_state(&id(1)).await.unwrap();
    state.cursor = 7;
    state.retry_ms = 99;
    assert!(s.set_target_state(&state).await.unwrap());
    let behind = TargetState { cursor: 6, ..state.clone() };
    assert!(!s.set_target_state(&behind).await.unwrap(), "somebody else has gone on");
    assert_eq!(s.target_state(&id(1)).await.unwrap(), state);
    let mut row = s.target(&id(1)).await.unwrap();
    row.name = "renamed".into();
    let now = s.update_target(&row).await.unwrap();
    assert_eq!((now.revision, now.name.as_str()), (2, "renamed"));
    assert!(matches!(s.update_target(&row).await, Err(StoreError::Conflict(_))));
    assert_eq!(s.target_state(&id(1)).await.unwrap().retry_ms, 0, "what was changed is tried at once");
    assert!(s.targets(&Scope::Projects(vec!["other".into()])).await.unwrap().is_empty());
    assert!(matches!(s.delete_target(&id(1), 1).await, Err(StoreError::Conflict(_))));
    s.delete_target(&id(1), 2).await.unwrap();
    assert!(matches!(s.target(&id(1)).await, Err(StoreError::NotFound(_))));
}

async fn leases_have_one_holder(bed: Bed) {
    let s = &bed.store;
    assert!(s.take_lease("x", "a", 0, 100).await.unwrap());
    assert!(!s.take_lease("x", "b", 50, 150).await.unwrap());
    assert!(s.take_lease("x", "a", 60, 160).await.unwrap(), "its holder keeps it");
    assert!(s.take_lease("y", "b", 60, 160).await.unwrap());
    assert!(s.take_lease("x", "b", 160, 260).await.unwrap(), "it has run out");
    assert!(!s.take_lease("x", "a", 170, 270).await.unwrap());
    s.end_leases("b").await.unwrap();
    assert!(s.take_lease("x", "a", 170, 270).await.unwrap());
}

async fn what_was_given_up_goes_with_its_target(bed: Bed) {
    let s = &bed.store;
    s.create_target(&target(1, "hook")).await.unwrap();
    let letter = |n: u64| DeadLetterRow {
        id: id(n),
        target: id(1),
        project: P.into(),
        subject: "s".into(),
        body: "{}".into(),
        alarms: 1,
        failed_ms: n.cast_signed(),
        attempts: 3,
        error: "e".into(),
    };
    for n in [10, 11, 12] {
        s.put_dead_letter(&letter(n)).await.unwrap();
    }
    s.put_dead_letter(&DeadLetterRow { attempts: 9, ..letter(12) }).await.unwrap();
    let page = s.dead_letters_page(&Scope::All, "", &page(2)).await.unwrap();
    assert_eq!((page.total, page.items[0].attempts), (3, 9));
    let rest = s.dead_letters_page(&Scope::All, &id(1), &behind(page.next, 2)).await.unwrap();
    assert_eq!(rest.items, [letter(10)]);
    assert!(s.delete_dead_letter(&id(10)).await.unwrap() && !s.delete_dead_letter(&id(10)).await.unwrap());
    assert_eq!(s.delete_dead_letters_before(12).await.unwrap(), 1);
    let orphan = DeadLetterRow { target: id(99), ..letter(13) };
    assert!(matches!(s.put_dead_letter(&orphan).await, Err(StoreError::Conflict(_))));
    s.delete_target(&id(1), 1).await.unwrap();
    assert!(matches!(s.dead_letter(&id(12)).await, Err(StoreError::NotFound(_))));
}
