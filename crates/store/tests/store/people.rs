// SPDX-License-Identifier: Apache-2.0
//! Users, what they hold, and requests that are sent twice.

use crate::bed::Bed;
use lazaret_store::*;

fn user(name: &str) -> UserRow {
    UserRow {
        id: format!("id of {name}"),
        name: name.into(),
        password: "$argon2id$".into(),
        must_change: true,
        disabled: false,
        failures: 0,
        locked_until_ms: 0,
        created_ms: 1,
        last_ms: 0,
        grants: vec![("*".into(), "administrator".into()), ("p".into(), "viewer".into())],
    }
}

fn credential(id: &str, hash: u8, expires_ms: i64) -> CredentialRow {
    CredentialRow {
        id: id.into(),
        user: "id of ann".into(),
        kind: "session".into(),
        hash: vec![hash; 32],
        note: String::new(),
        created_ms: 1,
        expires_ms,
        last_ms: 0,
        grants: Vec::new(),
        secret: Vec::new(),
        parent: None,
    }
}

async fn users_and_what_they_hold(bed: Bed) {
    let store = &bed.store;
    store.create_user(&user("ann")).await.unwrap();
    let twice = UserRow { id: "other".into(), ..user("ann") };
    assert!(matches!(store.create_user(&twice).await, Err(StoreError::Conflict(t)) if t.contains("ann")));
    assert_eq!(store.user_by_name("ann").await.unwrap(), user("ann"));
    store.create_credential(&credential("c1", 1, 0)).await.unwrap();
    store.create_credential(&credential("c2", 2, 50)).await.unwrap();
    store.touch_credential("c1", 9).await.unwrap();
    assert_eq!(store.credential(&[1; 32]).await.unwrap().last_ms, 9);
    assert_eq!(store.expire_credentials(50).await.unwrap(), 1);
    assert!(matches!(store.credential(&[2; 32]).await, Err(StoreError::NotFound(_))));
    let changed = UserRow { disabled: true, grants: Vec::new(), ..user("ann") };
    store.update_user(&changed).await.unwrap();
    assert_eq!(store.users().await.unwrap(), [changed]);
    store.create_credential(&credential("c3", 3, 0)).await.unwrap();
    assert_eq!(store.credentials("id of ann").await.unwrap().len(), 2);
    store.revoke_credential("c3").await.unwrap();
    assert_eq!(store.revoke_credentials("id of ann").await.unwrap(), 1);
    store.create_credential(&credential("c4", 4, 0)).await.unwrap();
    store.delete_user("id of ann").await.unwrap();
    assert!(matches!(store.credential(&[4; 32]).await, Err(StoreError::NotFound(_))), "goes with its user");
    assert!(matches!(store.create_credential(&credential("c5", 5, 0)).await, Err(StoreError::Conflict(_))));
}

async fn every_wrong_password_is_counted(bed: Bed) {
    let store = &bed.store;
    store.create_user(&user("ann")).await.unwrap();
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let store = store.clone();
        tries.spawn(async move { store.note_sign_in("id of ann", false, 0, 5).await.unwrap() });
    }
    tries.join_all().await;
    let locked = store.note_sign_in("id of ann", false, 900, 6).await.unwrap();
    assert_eq!((locked.failures, locked.locked_until_ms, locked.last_ms), (11, 900, 0));
    let well = store.note_sign_in("id of ann", true, 0, 7).await.unwrap();
    assert_eq!((well.failures, well.locked_until_ms, well.last_ms), (0, 0, 7));
}

async fn a_request_sent_twice_is_answered_once(bed: Bed) {
    let store = &bed.store;
    let ask = |user: &str, request: u8| AnswerRow {
        user: user.into(),
        key: "k".into(),
        request: vec![request; 32],
        status: 0,
        body: Vec::new(),
        at_ms: 10,
    };
    let (first, second) = (ask("ann", 1), ask("ann", 1));
    let (one, two) = tokio::join!(store.begin_answer(&first), store.begin_answer(&second));
    let both = [one.unwrap(), two.unwrap()];
    assert_eq!(both.iter().filter(|a| a.is_none()).count(), 1);
    assert_eq!(both.iter().flatten().next().unwrap().status, 0, "still runs");
    store.finish_answer("ann", "k", 202, b"task").await.unwrap();
    let kept = store.begin_answer(&ask("ann", 1)).await.unwrap().unwrap();
    assert_eq!((kept.status, kept.body.as_slice()), (202, &b"task"[..]));
    assert!(matches!(store.begin_answer(&ask("ann", 2)).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.begin_answer(&ask("bob", 2)).await.unwrap(), None);
    store.finish_answer("bob", "k", 0, b"").await.unwrap();
    assert_eq!(store.begin_answer(&ask("bob", 3)).await.unwrap(), None, "given back");
    assert_eq!(store.forget_answers(11).await.unwrap(), 2);
}

on_both!(users_and_what_they_hold, every_wrong_password_is_counted, a_request_sent_twice_is_answered_once);
