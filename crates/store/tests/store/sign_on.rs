// SPDX-License-Identifier: Apache-2.0
//! Second factors, sign-ins under way, passwords of before, rules of projects.

use crate::bed::Bed;
use lazaret_store::*;

fn user(name: &str) -> UserRow {
    UserRow {
        id: name.into(),
        name: name.into(),
        password: "$argon2id$".into(),
        must_change: false,
        disabled: false,
        failures: 0,
        locked_until_ms: 0,
        created_ms: 1,
        last_ms: 0,
        grants: Vec::new(),
    }
}

async fn a_code_is_taken_once(bed: Bed) {
    let store = &bed.store;
    store.create_user(&user("ann")).await.unwrap();
    assert_eq!(store.second_factor("ann").await.unwrap(), None);
    store.begin_second_factor("ann", b"one", 1).await.unwrap();
    store.begin_second_factor("ann", b"two", 2).await.unwrap();
    assert!(!store.take_step("ann", 5).await.unwrap(), "not in force before it is confirmed");
    assert!(store.confirm_second_factor("ann", 10, &[vec![1; 32], vec![2; 32]]).await.unwrap());
    assert!(!store.confirm_second_factor("ann", 11, &[]).await.unwrap());
    assert!(matches!(store.begin_second_factor("ann", b"x", 3).await, Err(StoreError::Conflict(_))));
    let row = store.second_factor("ann").await.unwrap().unwrap();
    assert_eq!((row.secret.as_slice(), row.confirmed, row.last_step), (&b"two"[..], true, 10));
    assert!(!store.take_step("ann", 10).await.unwrap(), "the code of the confirmation");
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tries.spawn(async move {
            let code = store.take_step("ann", 12).await.unwrap();
            let recovery = store.take_recovery_code("ann", &[1; 32]).await.unwrap();
            (code, recovery)
        });
    }
    let taken = tries.join_all().await;
    assert_eq!(taken.iter().filter(|t| t.0).count(), 1);
    assert_eq!(taken.iter().filter(|t| t.1).count(), 1);
    assert!(!store.take_step("ann", 11).await.unwrap(), "an older one neither");
    assert_eq!(store.recovery_codes_left("ann").await.unwrap(), 1);
    store.set_recovery_codes("ann", &[vec![3; 32]]).await.unwrap();
    assert!(!store.take_recovery_code("ann", &[2; 32]).await.unwrap());
    assert!(store.remove_second_factor("ann").await.unwrap());
    assert!(!store.remove_second_factor("ann").await.unwrap());
    assert_eq!(store.recovery_codes_left("ann").await.unwrap(), 0);
    store.begin_second_factor("ann", b"x", 3).await.unwrap();
    store.delete_user("ann").await.unwrap();
    assert_eq!(store.second_factor("ann").await.unwrap(), None, "goes with its user");
}

async fn a_sign_in_ends_once(bed: Bed) {
    let store = &bed.store;
    let flow = |state: u8, created_ms| FlowRow {
        state: vec![state; 32],
        browser: vec![9; 32],
        provider: "corp".into(),
        nonce: "n".into(),
        verifier: "v".into(),
        back: "/".into(),
        created_ms,
    };
    store.begin_flow(&flow(1, 10)).await.unwrap();
    store.begin_flow(&flow(2, 20)).await.unwrap();
    assert!(matches!(store.begin_flow(&flow(2, 20)).await, Err(StoreError::Conflict(_))));
    let other = bed.another().await;
    let state = [1; 32];
    let (one, two) = tokio::join!(store.take_flow(&state), other.take_flow(&state));
    assert_eq!([&one, &two].iter().filter(|r| r.is_ok()).count(), 1, "{one:?} {two:?}");
    assert_eq!(one.or(two).unwrap(), flow(1, 10));
    assert_eq!(store.forget_flows(21).await.unwrap(), 1);
    assert!(matches!(store.take_flow(&[2; 32]).await, Err(StoreError::NotFound(_))));
    other.close().await;

    store.create_user(&user("eve")).await.unwrap();
    assert_eq!(store.identity("corp", "1").await.unwrap(), None);
    store.add_identity("corp", "1", "eve").await.unwrap();
    assert!(matches!(store.add_identity("corp", "1", "eve").await, Err(StoreError::Conflict(_))));
    assert_eq!(store.identity("corp", "1").await.unwrap().as_deref(), Some("eve"));
    assert_eq!(store.identity("other", "1").await.unwrap(), None);
    assert_eq!(store.identities("eve").await.unwrap(), ["corp"]);
}

async fn passwords_of_before_are_remembered_in_bounds(bed: Bed) {
    let store = &bed.store;
    store.create_user(&user("ann")).await.unwrap();
    for n in 1..=5 {
        store.note_password("ann", &format!("hash {n}"), n, 3).await.unwrap();
    }
    let old = store.old_passwords("ann").await.unwrap();
    assert_eq!(old, [(5, "hash 5".to_owned()), (4, "hash 4".to_owned()), (3, "hash 3".to_owned())]);
    store.note_password("ann", "again", 5, 0).await.unwrap();
    assert_eq!(store.old_passwords("ann").await.unwrap(), [(5, "again".to_owned())]);
}

async fn rules_of_a_project_change_one_after_the_other(bed: Bed) {
    let store = &bed.store;
    let unset = store.project_rules(DEFAULT_PROJECT).await.unwrap();
    assert_eq!(unset, ProjectRulesRow::unset(DEFAULT_PROJECT));
    let first = ProjectRulesRow { second_factor: true, updated_by: "ann".into(), ..unset };
    assert_eq!(store.set_project_rules(&first).await.unwrap(), 1);
    assert!(matches!(store.set_project_rules(&first).await, Err(StoreError::Conflict(_))));
    let second = ProjectRulesRow { two_person: true, revision: 1, ..first };
    assert_eq!(store.set_project_rules(&second).await.unwrap(), 2);
    let kept = store.project_rules(DEFAULT_PROJECT).await.unwrap();
    assert_eq!(kept, ProjectRulesRow { revision: 2, ..second });
    assert_eq!(store.projects_with_second_factor().await.unwrap(), [DEFAULT_PROJECT]);
    let early = ProjectRulesRow { revision: 4, ..ProjectRulesRow::unset("nothing yet") };
    assert!(matches!(store.set_project_rules(&early).await, Err(StoreError::Conflict(_))));
}

on_both!(
    a_code_is_taken_once,
    a_sign_in_ends_once,
    passwords_of_before_are_remembered_in_bounds,
    rules_of_a_project_change_one_after_the_other,
);
