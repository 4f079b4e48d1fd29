// SPDX-License-Identifier: Apache-2.0
//! The record of writes cannot be changed unseen.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

fn write(n: i64) -> NewAudit {
    NewAudit {
        at_ms: n,
        who: "ann".into(),
        address: "192.0.2.9".into(),
        project: P.into(),
        action: if n % 2 == 0 { "alarm.handle".into() } else { "switch.set".into() },
        target: format!("Thing {n} 100%"),
        before: "{\"on\":false}".into(),
        after: "nul \0".into(),
        outcome: "done".into(),
    }
}

async fn filled(store: &Store) {
    for n in 1..=12 {
        store.append_audit(&write(n)).await.unwrap();
    }
    assert_eq!(store.verify_audit().await.unwrap(), AuditCheck { rows: 12, broken: None });
}

async fn broken_at(store: &Store) -> Option<i64> {
    store.verify_audit().await.unwrap().broken.map(|(at, _)| at)
}

async fn the_record_is_numbered_and_listed(bed: Bed) {
    let store = &bed.store;
    filled(store).await;
    let all = store.audit_page(&Scope::All, &AuditFilter::default(), &page(5)).await.unwrap();
    assert_eq!(all.items.iter().map(|a| a.seq).collect::<Vec<_>>(), [12, 11, 10, 9, 8]);
    let rest = store.audit_page(&Scope::All, &AuditFilter::default(), &behind(all.next, 100)).await.unwrap();
    assert_eq!((rest.items.len(), rest.items[0].seq), (7, 7));
    let total = async |f: AuditFilter| store.audit_page(&Scope::All, &f, &page(50)).await.unwrap().total;
    let any = AuditFilter::default;
    assert_eq!(total(AuditFilter { action: "alarm.".into(), ..any() }).await, 6);
    assert_eq!(total(AuditFilter { action: "alarm".into(), ..any() }).await, 0);
    assert_eq!(total(AuditFilter { target: "thing 7 100%".into(), who: "ann".into(), ..any() }).await, 1);
    assert_eq!(total(AuditFilter { since_ms: Some(3), until_ms: Some(5), ..any() }).await, 2);
    assert_eq!(store.verify_audit().await.unwrap().broken, None);
}

async fn writers_at_once_make_one_chain(bed: Bed) {
    let other = if bed.store.is_postgres() { bed.another().await } else { bed.store.clone() };
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..40 {
        let store = if n % 2 == 0 { bed.store.clone() } else { other.clone() };
        tasks.spawn(async move { store.append_audit(&write(n)).await.unwrap().seq });
    }
    let mut seqs = tasks.join_all().await;
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
    assert_eq!(bed.store.verify_audit().await.unwrap(), AuditCheck { rows: 40, broken: None });
}

async fn a_changed_row_is_found(bed: Bed) {
    filled(&bed.store).await;
    bed.tamper("UPDATE audit SET who = 'eve' WHERE seq = 5").await;
    assert_eq!(broken_at(&bed.store).await, Some(5));
    bed.tamper("UPDATE audit SET who = 'ann' WHERE seq = 5").await;
    assert_eq!(broken_at(&bed.store).await, None);
    bed.tamper("UPDATE audit SET who = 'annx', address = substr(address, 2) WHERE seq = 6").await;
    assert_eq!(broken_at(&bed.store).await, Some(6));
}

async fn a_missing_row_is_found(bed: Bed) {
    filled(&bed.store).await;
    bed.tamper("DELETE FROM audit WHERE seq = 12").await;
    assert_eq!(broken_at(&bed.store).await, Some(12), "the end was cut");
    bed.tamper("DELETE FROM audit WHERE seq = 3").await;
    assert_eq!(broken_at(&bed.store).await, Some(3));
}

async fn a_record_that_was_emptied_is_found(bed: Bed) {
    filled(&bed.store).await;
    bed.tamper("DELETE FROM audit").await;
    assert_eq!(broken_at(&bed.store).await, Some(1));
}

async fn a_write_and_its_row_are_both_there_or_neither(bed: Bed) {
    let store = &bed.store;
    let switch = SwitchRow { project: P.into(), name: "s".into(), on: true, who: "ann".into(), at_ms: 1 };
    store.audited(vec![write(1)]).set_switch(&switch).await.unwrap();
    let rows = async || store.verify_audit().await.unwrap();
    assert_eq!(rows().await, AuditCheck { rows: 1, broken: None });
    // Nothing was written, so nothing is told: a project that is not there, a user that is not there.
    let nowhere = SwitchRow { project: "nowhere".into(), ..switch.clone() };
    assert!(store.audited(vec![write(2)]).set_switch(&nowhere).await.is_err());
    assert!(store.audited(vec![write(2)]).delete_user("nobody").await.is_err());
    assert!(store.audited(vec![write(2)]).revoke_token("none").await.is_err());
    assert_eq!(rows().await.rows, 1);
    // Several rows of one write; a second write through the same handle leaves none.
    let handle = store.audited(vec![write(3), write(4)]);
    handle.add_whitelist(&crate::whitelist::entry("w")).await.unwrap();
    handle.add_whitelist(&crate::whitelist::entry("x")).await.unwrap();
    assert_eq!(rows().await.rows, 3);
    // The record cannot be written: the write does not happen either.
    let stop = if store.is_postgres() {
        "CREATE FUNCTION no() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; \
         CREATE TRIGGER no BEFORE INSERT ON audit EXECUTE FUNCTION no()"
    } else {
        "CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"
    };
    bed.tamper(stop).await;
    let off = SwitchRow { on: false, ..switch };
    assert!(store.audited(vec![write(5)]).set_switch(&off).await.is_err());
    assert!(store.switch(P, "s").await.unwrap().on);
    assert_eq!(rows().await, AuditCheck { rows: 3, broken: None });
}

on_both!(
    a_write_and_its_row_are_both_there_or_neither,
    the_record_is_numbered_and_listed,
    writers_at_once_make_one_chain,
    a_changed_row_is_found,
    a_missing_row_is_found,
    a_record_that_was_emptied_is_found,
);
