// SPDX-License-Identifier: Apache-2.0
//! Limits: which one said no, with its figures, and that only whom it concerns is refused.

mod support;

use lazaret_model::IsolatedId;
use lazaret_vault::{Limits, Owned, Quota, Usage, Vault, VaultError};
use std::collections::BTreeMap;
use support::{new, put_of};

fn full(result: Result<IsolatedId, VaultError>) -> String {
    match result {
        Err(VaultError::Full { why }) => why,
        other => panic!("{other:?}"),
    }
}

fn limited(v: Vault, quota: Quota) -> Vault {
    v.with_limits(Limits { user: quota, ..Limits::default() })
}

#[test]
fn a_flood_of_one_uid_leaves_room_for_the_others() {
    let (dir, v) = new();
    let v = limited(v, Quota { objects: Some(3), ..Quota::default() });
    let mine: Vec<IsolatedId> = (0..3u8).map(|n| put_of(&v, 1000, &[n]).unwrap()).collect();
    let why = full(put_of(&v, 1000, b"one more"));
    for word in
        ["3 isolated files of uid 1000", "quota is 3", "[vault] user_objects", "lazaret isolated list"]
    {
        assert!(why.contains(word), "{why}");
    }
    // Also not the same content over and over: each is an object.
    assert!(full(put_of(&v, 1000, &[0])).contains("quota is 3"));
    put_of(&v, 1001, b"one more").unwrap();
    for n in 0..10u8 {
        put_of(&v, 0, &[100 + n]).unwrap();
    }
    assert_eq!((v.refused(), v.usage().objects), (2, 14));
    // Who makes room may come again; and a restart forgets nothing.
    v.purge(mine[0]).unwrap();
    put_of(&v, 1000, b"again").unwrap();
    drop(v);
    let v = limited(Vault::open(&dir.path().join("v")).unwrap(), Quota { objects: Some(3), bytes: None });
    assert!(full(put_of(&v, 1000, b"after a restart")).contains("quota is 3"));
    assert!(v.owners().iter().any(|(uid, o)| *uid == 1000 && o.objects == 3), "{:?}", v.owners());
}

#[test]
fn bytes_are_charged_once_for_a_shared_blob() {
    let (_dir, v) = new();
    let v = limited(v, Quota { bytes: Some(10_000), ..Quota::default() });
    let a = put_of(&v, 7, &[1; 6000]).unwrap();
    for _ in 0..5 {
        put_of(&v, 7, &[1; 6000]).unwrap();
    }
    assert_eq!(v.owners(), [(7, Owned { objects: 6, bytes: v.usage().bytes })]);
    let why = full(put_of(&v, 7, &[2; 6000]));
    assert!(why.contains("uid 7 take 6") && why.contains("quota is 10000 ([vault] user_bytes)"), "{why}");
    // Another's blob counts for who shares it.
    put_of(&v, 8, &[3; 9000 - 1024]).unwrap();
    assert!(full(put_of(&v, 7, &[3; 9000 - 1024])).contains("user_bytes"));
    put_of(&v, 7, &[4; 100]).unwrap();
    v.purge(a).unwrap();
    assert!(full(put_of(&v, 7, &[2; 6000])).contains("user_bytes"), "five others still hold it");
}

#[test]
fn single_uids_have_quotas_of_their_own_root_too() {
    let (_dir, v) = new();
    let users = BTreeMap::from([(0, Quota { objects: Some(1), bytes: None }), (33, Quota::default())]);
    let user = Quota { objects: Some(1), bytes: None };
    let v = v.with_limits(Limits { user, users, ..Limits::default() });
    put_of(&v, 0, b"a").unwrap();
    assert!(full(put_of(&v, 0, b"b")).contains("uid 0"));
    for n in 0..5u8 {
        put_of(&v, 33, &[n]).unwrap();
    }
    put_of(&v, 34, b"a").unwrap();
    assert!(full(put_of(&v, 34, b"b")).contains("uid 34"));
}

#[test]
fn each_limit_names_its_key() {
    let (_dir, v) = new();
    let v = v.with_limits(Limits { total_bytes: 5000, object_bytes: 4500, ..Limits::default() });
    let why = full(put_of(&v, 1, &[1; 4501]));
    assert!(why.contains("4501 bytes") && why.contains("4500 for one file ([vault] object_bytes)"), "{why}");
    let why = full(put_of(&v, 1, &[1; 4400]));
    assert!(why.contains("0 of 5000 are used ([vault] total_bytes)"), "{why}");
    let free = v.free().unwrap();
    let v = v.with_limits(Limits { keep_free: free + (1 << 30), ..Limits::default() });
    let why = full(put_of(&v, 1, b"x"));
    assert!(why.contains("keep_free_bytes"), "{why}");
    assert_eq!((v.refused(), v.usage()), (3, Usage::default()));
}

#[test]
fn threads_together_stay_within_the_quota() {
    let (_dir, v) = new();
    let v = limited(v, Quota { objects: Some(20), bytes: Some(60_000) });
    let kept: usize = std::thread::scope(|s| {
        let v = &v;
        let threads: Vec<_> = (0..6u8)
            .map(|t| {
                s.spawn(move || (0..10u8).filter(|n| put_of(v, 1000, &[t, *n].repeat(500)).is_ok()).count())
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(v.refused() as usize, 60 - kept);
    assert!(kept == 20 && v.usage().objects == 20, "{kept} {:?}", v.usage());
    assert!(v.owners()[0].1.bytes <= 60_000);
}
