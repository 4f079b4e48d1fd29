// SPDX-License-Identifier: Apache-2.0
//! What waits for a second person is decided once, with what is done then, or not at all.

use crate::bed::Bed;
use lazaret_store::*;

fn waiting(id: &str, projects: &[&str], expires_ms: i64) -> ApprovalRow {
    ApprovalRow {
        id: id.into(),
        projects: projects.iter().map(|p| (*p).to_owned()).collect(),
        action: "switch.set".into(),
        title: "a switch".into(),
        request: "{}".into(),
        author_id: "a".into(),
        author: "ann".into(),
        created_ms: 1,
        expires_ms,
        state: "pending".into(),
        decided_id: String::new(),
        decided_by: String::new(),
        decided_ms: 0,
        remark: String::new(),
        result: String::new(),
    }
}

fn decision(id: &str, state: &str, now_ms: i64) -> Decision {
    Decision {
        id: id.into(),
        state: state.into(),
        decided_id: "b".into(),
        decided_by: "bob".into(),
        now_ms,
        audit: Some(NewAudit { action: format!("approval.{state}"), ..NewAudit::default() }),
        ..Decision::default()
    }
}

fn switch(project: &str, on: bool) -> Approved {
    let row = SwitchRow { project: project.into(), name: "s".into(), on, who: "ann".into(), at_ms: 5 };
    Approved { switch: Some(row), ..Approved::default() }
}

async fn it_is_done_once_with_the_decision(bed: Bed) {
    let store = &bed.store;
    let row = waiting("1", &[DEFAULT_PROJECT], 100);
    store
        .create_approval(&row, &NewAudit { action: "approval.ask".into(), ..NewAudit::default() })
        .await
        .unwrap();
    assert_eq!(store.approval("1").await.unwrap(), row);
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..6 {
        let store = store.clone();
        tries.spawn(async move {
            let what = switch(DEFAULT_PROJECT, true);
            if n % 2 == 0 {
                store.apply_approval(&decision("1", "approved", 50), &what).await
            } else {
                store.refuse_approval(&decision("1", "rejected", 50)).await
            }
        });
    }
    let done = tries.join_all().await;
    assert_eq!(done.iter().filter(|r| r.is_ok()).count(), 1, "{done:?}");
    let after = store.approval("1").await.unwrap();
    assert_eq!(store.switch(DEFAULT_PROJECT, "s").await.unwrap().on, after.state == "approved");
    assert_eq!((after.decided_by.as_str(), after.decided_ms), ("bob", 50));
    let check = store.verify_audit().await.unwrap();
    assert_eq!((check.rows, check.broken), (2, None), "asked and decided");
}

async fn what_cannot_be_done_leaves_it_waiting(bed: Bed) {
    let store = &bed.store;
    store.create_approval(&waiting("1", &["gone"], 100), &NewAudit::default()).await.unwrap();
    let refused = store.apply_approval(&decision("1", "approved", 50), &switch("gone", true)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.approval("1").await.unwrap().state, "pending");
    let late = store.apply_approval(&decision("1", "approved", 100), &Approved::default()).await;
    assert!(matches!(late, Err(StoreError::Conflict(t)) if t.contains("expired")));
    let missing = store.refuse_approval(&decision("2", "rejected", 5)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
    let record = |a: &ApprovalRow| NewAudit { target: a.id.clone(), ..NewAudit::default() };
    assert!(store.expire_approvals(99, record).await.unwrap().is_empty());
    assert_eq!(store.expire_approvals(100, record).await.unwrap().len(), 1);
    assert!(store.expire_approvals(101, record).await.unwrap().is_empty());
}

async fn who_sees_all_of_its_projects_sees_it(bed: Bed) {
    let store = &bed.store;
    for (id, projects) in [("1", &["a"][..]), ("2", &["a", "b"]), ("3", &["ab"])] {
        store.create_approval(&waiting(id, projects, 100), &NewAudit::default()).await.unwrap();
    }
    let seen = async |list: &[&str]| {
        let scope = Scope::Projects(list.iter().map(|p| (*p).to_owned()).collect());
        let rows = store.approvals(&scope, "pending").await.unwrap();
        rows.into_iter().map(|r| r.id).collect::<Vec<_>>()
    };
    assert_eq!(seen(&["a"]).await, ["1"]);
    assert_eq!(seen(&["a", "b"]).await, ["2", "1"]);
    assert_eq!(seen(&["b"]).await, [""; 0]);
    assert_eq!(seen(&[]).await, [""; 0]);
    assert_eq!(store.approvals(&Scope::All, "").await.unwrap().len(), 3);
    assert!(store.approvals(&Scope::All, "approved").await.unwrap().is_empty());
}

on_both!(
    it_is_done_once_with_the_decision,
    what_cannot_be_done_leaves_it_waiting,
    who_sees_all_of_its_projects_sees_it,
);
