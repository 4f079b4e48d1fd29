// SPDX-License-Identifier: Apache-2.0
//! Verdicts on files: numbered, released, withdrawn, and what a person said stays.

use crate::bed::Bed;
use crate::cloud_rows::*;
use crate::rows::P;
use lazaret_store::*;
use std::time::Duration;

async fn feed(store: &Store, project: &str, after: i64) -> VerdictFeed {
    store.verdicts_after(project, after, 100).await.unwrap()
}

/// File, number, act and withdrawn of each.
fn seen(feed: &VerdictFeed) -> Vec<(Vec<u8>, i64, &str, bool)> {
    feed.rows.iter().map(|v| (v.sha256.clone(), v.number, v.act.as_str(), v.withdrawn)).collect()
}

async fn a_verdict_goes_to_canaries_then_to_all(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let empty = feed(store, P, 0).await;
    assert_eq!((empty.to, empty.more, empty.rows.len()), (0, false, 0));
    let one = store.put_verdict(&bad(P, 1, 100)).await.unwrap();
    assert_eq!((one.number, one.act.as_str(), one.release_ms), (1, "canary", 160));
    assert_eq!(store.verdict(P, &sha(1)).await.unwrap(), one);
    let all = store.put_verdict(&NewVerdict { act_all: true, ..bad(P, 2, 100) }).await.unwrap();
    assert_eq!((all.number, all.act.as_str()), (2, "all"));
    store.put_verdict(&NewVerdict { release_ms: 0, ..bad(P, 3, 100) }).await.unwrap();
    assert!(store.release_due(159).await.unwrap().is_empty());
    assert_eq!(store.release_due(160).await.unwrap(), [(P.to_owned(), sha(1))]);
    assert!(store.release_due(160).await.unwrap().is_empty(), "once");
    let now = feed(store, P, 1).await;
    assert_eq!(
        seen(&now),
        [(sha(2), 2, "all", false), (sha(3), 3, "canary", false), (sha(1), 4, "all", false)]
    );
    assert_eq!(now.to, 4);
    // A person does not wait.
    let released = store.release_verdict(P, &sha(3), "ann", 170).await.unwrap();
    assert_eq!((released.number, released.act.as_str(), released.released_by.as_str()), (5, "all", "ann"));
    assert_eq!(store.release_verdict(P, &sha(3), "bob", 171).await.unwrap(), released, "it is already");
    assert_eq!(feed(store, P, 4).await.to, 5, "what changed nothing took no number");
    // A new scan does not call hosts back that act already.
    let again = store.put_verdict(&bad(P, 3, 200)).await.unwrap();
    assert_eq!((again.number, again.act.as_str()), (6, "all"));
    assert_eq!(word(store, P, 3).await, "bad");
    // A file that no host has told of has a row all the same; another project has neither.
    assert_eq!(store.file(P, &sha(3)).await.unwrap().hosts, 0);
    assert!(matches!(store.verdict(Q, &sha(3)).await, Err(StoreError::NotFound(_))));
    assert!(feed(store, Q, 0).await.rows.is_empty());
    for refused in [
        store.release_verdict(Q, &sha(3), "ann", 1).await,
        store.withdraw_verdict(Q, &sha(3), "ann", "", 1).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    assert!(matches!(store.put_verdict(&bad("none", 1, 1)).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.verdicts_after(P, 0, 0).await, Err(StoreError::BadRequest(_))));
}

async fn the_feed_is_told_in_parts(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    for n in 1..=5 {
        store.put_verdict(&bad(P, n, 100)).await.unwrap();
        store.put_verdict(&bad(Q, n, 100)).await.unwrap();
    }
    store.withdraw_verdict(P, &sha(2), "ann", "ours", 110).await.unwrap();
    let part = store.verdicts_after(P, 0, 3).await.unwrap();
    assert_eq!(part.rows.iter().map(|v| v.number).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!((part.to, part.more), (4, true));
    let rest = store.verdicts_after(P, part.to, 3).await.unwrap();
    assert_eq!(seen(&rest), [(sha(5), 5, "canary", false), (sha(2), 6, "canary", true)]);
    assert_eq!((rest.to, rest.more, rest.feed == part.feed), (6, false, true));
    let whole = feed(store, P, 0).await;
    assert_eq!((whole.rows.len(), whole.to), (4, 6), "who has nothing needs no withdrawn ones");
    assert_ne!(whole.feed, feed(store, Q, 0).await.feed);
    // Data that was put back may have given its numbers once already.
    store.begin_new_life().await.unwrap();
    let other = feed(store, P, 0).await;
    assert_ne!(other.feed, whole.feed);
    assert_eq!(other.rows, whole.rows);
}

async fn what_a_person_said_stays(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    store.put_verdict(&bad(P, 1, 100)).await.unwrap();
    let record = NewAudit { action: "cloud.withdraw".into(), project: P.into(), ..NewAudit::default() };
    let audited = |store: &Store| store.audited(vec![record.clone()]);
    let gone = audited(store).withdraw_verdict(P, &sha(1), "ann", "ours", 110).await.unwrap();
    assert_eq!(
        (gone.number, gone.withdrawn, gone.withdrawn_by.as_str(), gone.class.as_str()),
        (2, true, "ann", "miner")
    );
    let told = standing(store, P, 1).await;
    assert_eq!((told.standing.as_str(), told.settled, told.verdict), ("clean", true, None));
    // Again: nothing changes, nothing is recorded.
    assert_eq!(audited(store).withdraw_verdict(P, &sha(1), "bob", "again", 120).await.unwrap(), gone);
    assert_eq!(store.verify_audit().await.unwrap().rows, 1);
    // Scans and lists come too late.
    assert_eq!(store.put_verdict(&bad(P, 1, 130)).await.unwrap(), gone);
    let listed = NewVerdict { origin: "content".into(), ..bad(P, 1, 130) };
    assert_eq!(store.put_verdict(&listed).await.unwrap(), gone);
    assert_eq!((word(store, P, 1).await.as_str(), feed(store, P, 0).await.to), ("clean", 2));
    let refused = store.release_verdict(P, &sha(1), "ann", 140).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict(t) if t.contains("withdrawn")), "{refused}");
    // A person may think again; a machine does not take that back.
    let new = store.put_verdict(&by_person(P, 1, 150)).await.unwrap();
    assert_eq!((new.number, new.withdrawn, new.act.as_str()), (3, false, "canary"));
    assert_eq!(store.withdraw_verdict(P, &sha(1), "", "a list changed", 160).await.unwrap(), new);
    assert_eq!(store.put_verdict(&bad(P, 1, 170)).await.unwrap(), new);
    assert_eq!(word(store, P, 1).await, "bad");
}

async fn what_a_machine_withdrew_may_come_again(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    store.put_verdict(&NewVerdict { origin: "content".into(), ..bad(P, 1, 100) }).await.unwrap();
    let gone = store.withdraw_verdict(P, &sha(1), "", "the list changed", 110).await.unwrap();
    assert_eq!((gone.number, gone.withdrawn_by.as_str()), (2, ""));
    assert_eq!(store.withdraw_verdict(P, &sha(1), "", "again", 111).await.unwrap(), gone);
    assert_eq!(word(store, P, 1).await, "unknown");
    let again = store.put_verdict(&bad(P, 1, 120)).await.unwrap();
    assert_eq!((again.number, again.withdrawn, again.withdrawn_why.as_str()), (3, false, ""));
    // A person who withdraws what a machine has withdrawn makes it final.
    store.withdraw_verdict(P, &sha(1), "", "x", 130).await.unwrap();
    let last = store.withdraw_verdict(P, &sha(1), "ann", "ours", 140).await.unwrap();
    assert_eq!((last.number, last.withdrawn_by.as_str()), (5, "ann"));
    assert_eq!(store.put_verdict(&bad(P, 1, 150)).await.unwrap(), last);
}

/// Two servers put verdicts while a third follows: it misses none.
async fn numbers_become_visible_in_order(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let other = bed.another().await;
    let write = |store: Store, from: u32| {
        tokio::spawn(async move {
            for n in from..from + 40 {
                // A database that one file is may say "ask again".
                while let Err(e) = store.put_verdict(&bad(P, n, 100)).await {
                    assert!(e.is_retryable(), "{e}");
                }
            }
        })
    };
    let writers = [write(store.clone(), 0), write(other.clone(), 1000), write(store.clone(), 2000)];
    let mut mine = std::collections::BTreeSet::new();
    let mut at = 0;
    while at < 120 {
        let part = store.verdicts_after(P, at, 7).await.unwrap();
        assert!(part.to >= at);
        for row in part.rows {
            assert!(row.number > at && row.number <= part.to);
            assert!(mine.insert(row.sha256), "each once");
        }
        if part.to == at {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        at = part.to;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!((mine.len(), at), (120, 120));
    other.close().await;
}

async fn hosts_hear_of_it_within_moments(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    let start = store.changes_since(-1, 100).await.unwrap().seq;
    store.put_verdict(&bad(P, 1, 100)).await.unwrap();
    let mut told = store.subscribe();
    let begun = std::time::Instant::now();
    loop {
        let changes = store.changes_since(start, 100).await.unwrap();
        let hex: String = sha(1).iter().map(|b| format!("{b:02x}")).collect();
        if changes.items.iter().any(|c| c.kind == ChangeKind::Verdict && c.project == P && c.id == hex) {
            assert!(changes.items.iter().any(|c| c.kind == ChangeKind::File && c.id == hex));
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{changes:?}");
        let _ = tokio::time::timeout(Duration::from_millis(200), told.changed()).await;
    }
}

async fn a_project_is_forgotten_as_a_whole(bed: Bed) {
    let store = &bed.store;
    two_projects(store).await;
    for (project, host) in [(P, "a"), (Q, "c")] {
        store.put_inventory(host, project, false, vec![has("/1", 1, 1)], 1000).await.unwrap();
        store.put_verdict(&bad(project, 1, 100)).await.unwrap();
        stored(store, project, 2, 100).await;
        store
            .set_cloud_consent(&CloudConsent { hashes: true, ..CloudConsent::unset(project) })
            .await
            .unwrap();
    }
    let refused = store.forget_cloud(Q).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict(t) if t.contains("1 samples")), "{refused}");
    store.delete_sample(Q, &sha(2), "ann", "", 110).await.unwrap();
    store.sample_deleted(Q, &sha(2), 111).await.unwrap();
    let refused = store.forget_cloud(Q).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict(t) if t.contains("1 hosts")), "{refused}");
    store.remove_host("c", 120).await.unwrap();
    store.forget_cloud(Q).await.unwrap();
    let left = ["samples", "deep_scans", "cloud_feeds", "file_verdicts", "host_files", "cloud_consents"];
    let counts = store.row_counts().await.unwrap();
    for table in left {
        assert!(counts.contains(&(table.to_owned(), 1)), "{table}: {counts:?}");
    }
    assert!(matches!(store.file(Q, &sha(1)).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.file(P, &sha(1)).await.unwrap().hosts, 1);
    assert!(store.cloud_consent(P).await.unwrap().hashes);
}

on_both!(
    a_verdict_goes_to_canaries_then_to_all,
    the_feed_is_told_in_parts,
    what_a_person_said_stays,
    what_a_machine_withdrew_may_come_again,
    numbers_become_visible_in_order,
    hosts_hear_of_it_within_moments,
    a_project_is_forgotten_as_a_whole,
);
