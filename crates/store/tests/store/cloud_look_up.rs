// SPDX-License-Identifier: Apache-2.0
//! What is answered of many hashes, what content lists say, and what a project consented to.

use crate::bed::Bed;
use crate::cloud_rows::*;
use crate::rows::P;
use lazaret_store::*;

fn known(n: u32, bad: bool, source: &str) -> KnownFile {
    KnownFile { sha256: sha(n), bad, source: source.into(), name: format!("na\tme\\ {n}\n") }
}

async fn answers_come_in_order_and_of_one_project(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    store.put_inventory("a", P, false, vec![has("/1", 1, 1), has("/2", 2, 2)], 1000).await.unwrap();
    store.put_inventory("b", P, false, vec![has("/1", 1, 1)], 1000).await.unwrap();
    store.put_verdict(&bad(P, 2, 30)).await.unwrap();
    store.add_known(vec![known(3, false, "nsrl")]).await.unwrap();
    stored(store, P, 4, 50).await;
    let asked: Vec<Vec<u8>> = [5, 4, 3, 2, 1, 2].into_iter().map(sha).collect();
    let answers = store.look_up(P, &asked).await.unwrap();
    let words: Vec<&str> = answers.iter().map(|s| s.standing.as_str()).collect();
    assert_eq!(words, ["unknown", "pending", "known_good", "bad", "unknown", "bad"]);
    assert!(answers.iter().zip(&asked).all(|(s, h)| s.sha256 == *h));
    assert_eq!(answers[0], Standing { sha256: sha(5), standing: "unknown".into(), ..Standing::default() });
    assert_eq!((answers[1].sample.as_str(), answers[1].noted), ("stored", true));
    assert_eq!(answers[2].known, Some(known(3, false, "nsrl")));
    assert_eq!(answers[3].verdict.as_ref().unwrap().verdict, [1, 255]);
    assert_eq!((answers[4].hosts, answers[4].first_ms, answers[4].verdict.is_none()), (2, 10, true));
    // Another project learns nothing but what lists say.
    let theirs = store.look_up(Q, &asked).await.unwrap();
    for (n, s) in theirs.iter().enumerate().filter(|(n, _)| *n != 2) {
        assert_eq!(
            *s,
            Standing { sha256: asked[n].clone(), standing: "unknown".into(), ..Standing::default() }
        );
    }
    assert_eq!((theirs[2].standing.as_str(), theirs[2].noted), ("known_good", false));
    assert!(store.look_up(P, &[]).await.unwrap().is_empty());
    assert!(matches!(store.look_up(P, &[vec![1; 33]]).await, Err(StoreError::BadRequest(_))));
    assert!(matches!(store.look_up(P, &vec![sha(1); 5000]).await, Err(StoreError::BadRequest(_))));
}

async fn hundreds_at_once_are_all_answered(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host_in("a", P)).await.unwrap();
    store.add_known((0..3000).map(|n| known(n, n % 7 == 0, "list")).collect()).await.unwrap();
    for size in [1, 2, 16, 17, 511, 512, 513, 2000] {
        let asked: Vec<Vec<u8>> = (0..size).map(|n| sha(n * 2)).collect();
        let answers = store.look_up(P, &asked).await.unwrap();
        assert_eq!(answers.len(), asked.len());
        for (n, s) in answers.iter().enumerate() {
            let n = u32::try_from(n).unwrap() * 2;
            let word = if n >= 3000 {
                "unknown"
            } else if n.is_multiple_of(7) {
                "bad"
            } else {
                "known_good"
            };
            assert_eq!((s.standing.as_str(), s.verdict.is_none()), (word, true), "{n}");
        }
    }
}

async fn lists_replace_each_other_and_go(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    store
        .add_known(vec![known(1, false, "one"), known(2, true, "one"), known(3, false, "one")])
        .await
        .unwrap();
    store
        .add_known(vec![known(1, true, "two"), known(2, false, "two"), known(4, false, "two")])
        .await
        .unwrap();
    assert_eq!(store.known_sources().await.unwrap(), ["one", "two"]);
    let words = async || {
        let mut out = Vec::new();
        for n in 1..=4 {
            out.push(word(store, P, n).await);
        }
        out
    };
    assert_eq!(words().await, ["bad", "bad", "known_good", "known_good"], "bad stays bad");
    assert_eq!(standing(store, Q, 1).await.known.unwrap().source, "two");
    assert_eq!(store.remove_known("one").await.unwrap(), 2);
    assert_eq!(words().await, ["bad", "unknown", "unknown", "known_good"]);
    assert_eq!(store.known_sources().await.unwrap(), ["two"]);
    assert!(matches!(store.remove_known("one").await, Err(StoreError::NotFound(_))));
    // Of one portion, too: bad whatever comes behind it.
    store.add_known(vec![known(9, true, "three"), known(9, false, "three")]).await.unwrap();
    assert_eq!(word(store, P, 9).await, "bad");
    assert!(matches!(
        store.add_known(vec![KnownFile { sha256: vec![], ..known(1, true, "x") }]).await,
        Err(StoreError::BadRequest(_))
    ));
    store.add_known(Vec::new()).await.unwrap();
    // First and last of all hashes go as well.
    let ends = [vec![0; 32], vec![255; 32]];
    let files = ends.iter().map(|h| KnownFile { sha256: h.clone(), ..known(1, false, "ends") });
    store.add_known(files.collect()).await.unwrap();
    assert_eq!(store.remove_known("ends").await.unwrap(), 2);
    // What a person says of a project's file goes before lists.
    store.put_verdict(&bad(P, 1, 10)).await.unwrap();
    store.withdraw_verdict(P, &sha(1), "ann", "ours", 11).await.unwrap();
    assert_eq!((word(store, P, 1).await.as_str(), word(store, Q, 1).await.as_str()), ("clean", "bad"));
}

async fn two_who_add_the_same_list_do_not_stop_each_other(bed: Bed) {
    let other = bed.another().await;
    let rows = |bad: bool| (0..2000).map(|n| known(n, bad, "same")).collect::<Vec<_>>();
    let (one, two) = tokio::join!(bed.store.add_known(rows(false)), other.add_known(rows(true)));
    one.unwrap();
    two.unwrap();
    assert_eq!(word(&bed.store, P, 77).await, "bad");
    assert_eq!(other.remove_known("same").await.unwrap(), 2000);
    other.close().await;
}

async fn questions_leave_a_row_once(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let new =
        |n: u32, tlsh: &str| NewFile { sha256: sha(n), size: 7, tlsh: tlsh.into(), kind: "script".into() };
    store.note_questions(P, "a", vec![new(1, ""), new(2, "T1AB"), new(1, "")], 100).await.unwrap();
    store.note_questions(P, "b", vec![new(1, "T1CD"), new(2, "T1EF")], 200).await.unwrap();
    let (one, two) = (store.file(P, &sha(1)).await.unwrap(), store.file(P, &sha(2)).await.unwrap());
    assert_eq!((one.tlsh.as_str(), two.tlsh.as_str()), ("T1CD", "T1AB"));
    assert_eq!((one.first_ms, one.first_host.as_str(), one.hosts, one.size), (100, "a", 0, 7));
    assert!(matches!(store.file(Q, &sha(1)).await, Err(StoreError::NotFound(_))));
    store.note_questions(P, "a", Vec::new(), 300).await.unwrap();
    // Its inventory counts it then.
    store.put_inventory("a", P, false, vec![has("/1", 1, 1)], 1000).await.unwrap();
    let one = store.file(P, &sha(1)).await.unwrap();
    assert_eq!((one.hosts, one.first_ms, one.tlsh.as_str()), (1, 10, "T1CD"));
}

async fn nothing_leaves_before_somebody_consents(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let unset = store.cloud_consent(P).await.unwrap();
    assert_eq!(unset, CloudConsent::unset(P));
    assert!(!unset.hashes && !unset.samples && !unset.fail_closed);
    let before = store.host("a").await.unwrap().generation;
    let new = CloudConsent {
        hashes: true,
        samples: true,
        exclude: vec![b"/home/\xff".to_vec(), b"/srv".to_vec()],
        canary_groups: vec!["g1".into(), "g2".into()],
        ring_seconds: -1,
        updated_ms: 5,
        updated_by: "ann".into(),
        ..unset
    };
    let record = NewAudit { action: "cloud.consent".into(), project: P.into(), ..NewAudit::default() };
    assert_eq!(store.audited(vec![record.clone()]).set_cloud_consent(&new).await.unwrap(), 1);
    assert_eq!(store.cloud_consent(P).await.unwrap(), CloudConsent { revision: 1, ..new.clone() });
    assert_eq!(store.cloud_consent(Q).await.unwrap(), CloudConsent::unset(Q));
    assert_eq!(store.host("a").await.unwrap().generation, before + 1, "hosts are to apply it");
    assert_eq!(store.host("c").await.unwrap().generation, before, "not those of others");
    let late = store.audited(vec![record]).set_cloud_consent(&new).await.unwrap_err();
    assert!(matches!(&late, StoreError::Conflict(t) if t.contains("revision 0")), "{late}");
    assert_eq!(store.verify_audit().await.unwrap().rows, 1, "what was refused left nothing");
    let none = CloudConsent { revision: 1, exclude: Vec::new(), kinds: Vec::new(), ..new.clone() };
    assert_eq!(store.set_cloud_consent(&none).await.unwrap(), 2);
    assert_eq!(store.cloud_consent(P).await.unwrap(), CloudConsent { revision: 2, ..none });
    for folder in [&b""[..], b"/a\0b"] {
        let odd = CloudConsent { revision: 2, exclude: vec![folder.to_vec()], ..new.clone() };
        assert!(matches!(store.set_cloud_consent(&odd).await, Err(StoreError::BadRequest(_))));
    }
    let nowhere = CloudConsent { project: "none".into(), revision: 0, ..new };
    assert!(matches!(store.set_cloud_consent(&nowhere).await, Err(StoreError::Conflict(_))));
}

on_both!(
    answers_come_in_order_and_of_one_project,
    hundreds_at_once_are_all_answered,
    lists_replace_each_other_and_go,
    two_who_add_the_same_list_do_not_stop_each_other,
    questions_leave_a_row_once,
    nothing_leaves_before_somebody_consents,
);
