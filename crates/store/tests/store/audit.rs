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

on_both!(
    the_record_is_numbered_and_listed,
    writers_at_once_make_one_chain,
    a_changed_row_is_found,
    a_missing_row_is_found,
    a_record_that_was_emptied_is_found,
);
