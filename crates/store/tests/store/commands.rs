// SPDX-License-Identifier: Apache-2.0
//! The life of an order.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

fn end(n: u64, host: &str, state: &str) -> CommandEnd {
    CommandEnd {
        id: id(n),
        host: host.into(),
        state: state.into(),
        reason: "because".into(),
        at_ms: 70,
        result: vec![5],
    }
}

async fn an_order_is_sent_and_ends_once(bed: Bed) {
    let store = &bed.store;
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
    }
    store.set_connected("b", "run", "gw", 1).await.unwrap();
    let orders: Vec<_> = (1..=300).map(|n| command(n, if n % 2 == 0 { "a" } else { "b" }, "task")).collect();
    store.insert_commands(&orders).await.unwrap();
    assert!(matches!(store.insert_commands(&orders[..1]).await, Err(StoreError::Conflict(_))));
    let pending = store.pending_commands(&["a".into(), "b".into()], 3).await.unwrap();
    assert_eq!(pending.iter().map(|c| c.id.clone()).collect::<Vec<_>>(), [id(1), id(2), id(3)]);
    assert_eq!(pending[0], orders[0]);
    assert_eq!(store.pending_on_gateway("gw", 1000).await.unwrap().len(), 150);
    assert_eq!(store.mark_sent(&[id(1), id(2), id(1)], 60).await.unwrap(), 2);
    assert_eq!(store.mark_sent(&[id(1)], 61).await.unwrap(), 0);
    assert_eq!(store.unfinished_commands("b").await.unwrap().len(), 150);
    assert!(!store.finish_command(&end(1, "a", "done")).await.unwrap(), "another host's");
    assert!(store.finish_command(&end(1, "b", "partial")).await.unwrap());
    assert!(!store.finish_command(&end(1, "b", "failed")).await.unwrap(), "late");
    assert!(!store.finish_command(&end(999, "b", "done")).await.unwrap(), "unknown");
    let first = store.command(&id(1)).await.unwrap();
    assert_eq!((first.state.as_str(), first.reason.as_str(), first.result), ("partial", "because", vec![5]));
    let summary = store.task_summary("task").await.unwrap();
    assert_eq!((summary.total, summary.verb.as_str(), summary.created_ms), (300, "handle", 1));
    assert_eq!(summary.states, [("partial".into(), 1), ("pending".into(), 298), ("sent".into(), 1)]);
    assert!(matches!(store.task_summary("none").await, Err(StoreError::NotFound(_))));
}

async fn many_results_are_written_together(bed: Bed) {
    let store = &bed.store;
    store.insert_commands(&(1..=600).map(|n| command(n, "a", "task")).collect::<Vec<_>>()).await.unwrap();
    let mut ends: Vec<_> = (1..=600).map(|n| end(n, "a", "done")).collect();
    ends.push(end(1, "a", "failed"));
    ends.push(end(2, "b", "failed"));
    ends.push(end(999, "a", "done"));
    let first = store.finish_commands(&ends).await.unwrap();
    assert!(first[..600].iter().all(|f| *f));
    assert_eq!(first[600..], [false; 3], "a late one, another host's, an unknown one");
    assert_eq!(store.task_summary("task").await.unwrap().states, [("done".into(), 600)]);
    assert!(store.finish_commands(&[]).await.unwrap().is_empty());
}

async fn an_order_is_taken_back(bed: Bed) {
    let store = &bed.store;
    store.insert_commands(&(1..=4).map(|n| command(n, "a", "task")).collect::<Vec<_>>()).await.unwrap();
    store.mark_sent(&[id(2)], 10).await.unwrap();
    let first = store.cancel_command(&id(1), "bob", 20).await.unwrap();
    assert_eq!(
        (first.state.as_str(), first.finished_ms, first.reason.as_str()),
        ("cancelled", 20, "taken back by bob")
    );
    let second = store.cancel_command(&id(2), "bob", 20).await.unwrap();
    assert_eq!((second.state.as_str(), second.cancel, second.finished_ms), ("sent", true, 0));
    assert_eq!(store.cancels(&["a".into(), "b".into()]).await.unwrap().len(), 1);
    assert!(!store.finish_command(&end(1, "a", "done")).await.unwrap());
    assert!(store.finish_command(&end(2, "a", "done")).await.unwrap(), "it came too late to stop it");
    assert_eq!(store.cancel_command(&id(2), "bob", 30).await.unwrap().state, "done");
    assert_eq!(store.cancel_task("task", "bob", 40).await.unwrap(), 2);
    assert_eq!(store.cancel_task("", "bob", 40).await.unwrap(), 0);
    assert!(matches!(store.cancel_command(&id(9), "bob", 1).await, Err(StoreError::NotFound(_))));
}

async fn overdue_orders_end_with_the_reason(bed: Bed) {
    let store = &bed.store;
    let list: Vec<_> = (1..=3).map(|n| CommandRow { expires_ms: 100, ..command(n, "a", "") }).collect();
    store.insert_commands(&list).await.unwrap();
    store.mark_sent(&[id(2)], 10).await.unwrap();
    store.mark_sent(&[id(3)], 10).await.unwrap();
    store.finish_command(&end(3, "a", "done")).await.unwrap();
    assert!(store.expire_commands(99, 50).await.unwrap().is_empty());
    assert_eq!(store.expire_commands(100, 50).await.unwrap(), [id(1)]);
    assert_eq!(store.expire_commands(150, 50).await.unwrap(), [id(2)]);
    assert!(store.command(&id(1)).await.unwrap().reason.contains("not there"));
    assert!(store.command(&id(2)).await.unwrap().reason.contains("no result"));
    let filter =
        CommandFilter { states: vec!["expired".into()], host: "a".into(), ..CommandFilter::default() };
    assert_eq!(store.commands_page(&Scope::All, &filter, &page(10)).await.unwrap().total, 2);
    let filter =
        CommandFilter { about: "alarm 3".into(), verbs: vec!["handle".into()], ..CommandFilter::default() };
    assert_eq!(store.commands_page(&Scope::All, &filter, &page(10)).await.unwrap().items[0].state, "done");
}

async fn an_order_of_many_parts_is_all_or_nothing(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let audit = NewAudit { action: "false_positive".into(), outcome: "done".into(), ..NewAudit::default() };
    let mut order = Order {
        commands: vec![command(1, "a", "fp"), command(2, "a", "fp")],
        whitelist: vec![crate::whitelist::entry("w")],
        audit: Some(audit),
        ..Order::default()
    };
    store.order(&order).await.unwrap();
    assert_eq!(store.host("a").await.unwrap().generation, 2);
    // Its commands are new, its entry is not.
    order.commands = vec![command(3, "a", "fp")];
    assert!(matches!(store.order(&order).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.command(&id(3)).await, Err(StoreError::NotFound(_))));
    let audits = store.audit_page(&Scope::All, &AuditFilter::default(), &page(10)).await.unwrap();
    assert_eq!((audits.total, store.host("a").await.unwrap().generation), (1, 2));
}

on_both!(
    an_order_is_sent_and_ends_once,
    many_results_are_written_together,
    an_order_is_taken_back,
    overdue_orders_end_with_the_reason,
    an_order_of_many_parts_is_all_or_nothing,
);
