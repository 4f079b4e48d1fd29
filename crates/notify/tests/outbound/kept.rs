// SPDX-License-Identifier: Apache-2.0
//! Nothing is lost: not by a restart, not by a target that is away, and several workers do not do it twice.

use crate::bed::{Bed, Worker, secret, until};
use crate::rows;
use lazaret_kit::hook::{Hook, Manner};
use lazaret_store::{Cursor, Scope};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

on_both!(
    a_restart_loses_nothing,
    what_is_given_up_can_be_sent_again,
    old_notices_go_and_who_missed_them_knows
);

fn alarms(hook: &Hook) -> Vec<String> {
    let of = |r: &lazaret_kit::hook::Request| -> Vec<String> {
        let body: Value = serde_json::from_str(&r.body).unwrap();
        let items = body["data"]["alarms"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|i| i["id"].as_str().map(str::to_owned)).collect()
    };
    hook.seen().iter().flat_map(of).collect()
}

async fn a_restart_loses_nothing(bed: Bed) {
    let hook = Hook::start(None);
    bed.target(json!({ "webhook": { "url": hook.url() } }), secret().1).await;
    let host = rows::host(&bed.store, "0", "web-1").await;
    // While nobody works for it.
    let first = rows::alarm(&host, "miner", 2, Vec::new());
    bed.store.put_alarms(vec![first.clone()]).await.unwrap();
    hook.be(Manner::Hang);
    let worker = bed.work();
    until("the message is on its way", async || !hook.seen().is_empty()).await;
    worker.stop().await;
    let second = rows::alarm(&host, "worm", 2, Vec::new());
    bed.store.put_alarms(vec![second.clone()]).await.unwrap();
    hook.be(Manner::Status(204));
    let before = hook.seen().len();
    let worker = bed.work();
    until("both are told of", async || {
        let told: BTreeSet<String> = alarms(&hook).into_iter().collect();
        hook.seen().len() > before && told.contains(&first.id) && told.contains(&second.id)
    })
    .await;
    let seen = hook.seen();
    let id = |n: usize| seen[n].headers["webhook-id"].clone();
    assert_eq!(id(0), id(before), "the same message, by the same id");
    assert_ne!(id(0), id(seen.len() - 1));
    let count = seen.len();
    worker.stop().await;
    let worker = bed.work();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(hook.seen().len(), count, "what was delivered is not sent again");
    worker.stop().await;
}

async fn what_is_given_up_can_be_sent_again(bed: Bed) {
    let hook = Hook::start(None);
    let target = bed.target(json!({ "webhook": { "url": hook.url() } }), secret().1).await;
    hook.be(Manner::Status(500));
    let worker = bed.work();
    let host = rows::host(&bed.store, "0", "web-1").await;
    let lost = rows::alarm(&host, "miner", 2, Vec::new());
    bed.store.put_alarms(vec![lost.clone()]).await.unwrap();
    let letters = async || {
        let page = Cursor { after: None, limit: 10 };
        bed.store.dead_letters_page(&Scope::All, &target.id, &page).await.unwrap().items
    };
    until("the message is given up", async || !letters().await.is_empty()).await;
    let letter = letters().await.remove(0);
    assert_eq!((letter.attempts, letter.alarms), (3, 1));
    assert!(letter.error.contains("500"), "{}", letter.error);
    let tries = hook.seen().len();
    assert_eq!(tries, 3, "tried as often as it says");
    assert!(worker.log.lock().unwrap().iter().any(|l| l.contains("laid aside")));
    // It lets the next one pass.
    hook.be(Manner::Status(204));
    let next = rows::alarm(&host, "worm", 2, Vec::new());
    bed.store.put_alarms(vec![next.clone()]).await.unwrap();
    until("the next one", async || alarms(&hook).contains(&next.id)).await;
    let out = bed.outbound();
    hook.be(Manner::Status(503));
    let said = lazaret_notify::retry(&out, &target, &letter).await.unwrap_err().to_string();
    assert!(said.contains("503"), "{said}");
    hook.be(Manner::Status(200));
    lazaret_notify::retry(&out, &target, &letter).await.unwrap();
    let seen = hook.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.headers["webhook-id"], seen[0].headers["webhook-id"]);
    assert!(last.body.contains(&lost.id));
    worker.stop().await;
}

async fn old_notices_go_and_who_missed_them_knows(bed: Bed) {
    let quick = Hook::start(None);
    let target = bed.target(json!({ "webhook": { "url": quick.url() } }), secret().1).await;
    let slow = bed.target(json!({ "webhook": { "url": "https://192.0.2.1/" } }), secret().1).await;
    let mut patient = bed.outbound();
    patient.limits.attempts = 10_000;
    let worker = Worker::start(&bed.store, patient);
    let host = rows::host(&bed.store, "0", "web-1").await;
    for _ in 0..3 {
        bed.store.put_alarms(vec![rows::alarm(&host, "miner", 2, Vec::new())]).await.unwrap();
    }
    until("one of them has all", async || alarms(&quick).len() == 3).await;
    let (oldest, newest) = bed.store.notice_bounds().await.unwrap();
    until("its cursor is there", async || bed.store.target_state(&target.id).await.unwrap().cursor == newest)
        .await;
    worker.stop().await;
    assert_eq!(bed.store.drop_notices(0, 0, 100).await.unwrap(), 0, "one of them waits for it");
    assert_eq!(bed.store.notice_bounds().await.unwrap(), (oldest, newest));
    let dropped = bed.store.drop_notices(rows::now_ms() + 1000, 0, 100).await.unwrap();
    assert!(dropped >= 2, "{dropped}");
    assert_eq!(bed.store.notice_bounds().await.unwrap(), (newest, newest), "the newest number stays known");
    let state = bed.store.target_state(&slow.id).await.unwrap();
    assert!(state.missed >= 1 && state.cursor == newest, "{state:?}");
    assert_eq!(bed.store.target_state(&target.id).await.unwrap().missed, 0);
}

#[test]
fn two_workers_share_the_targets() {
    crate::bed::run(crate::bed::Base::Postgres, async |bed: Bed| {
        let hooks: Vec<Hook> = (0..3).map(|_| Hook::start(None)).collect();
        for hook in &hooks {
            let delivery = json!({ "per_minute": 600 });
            bed.target(json!({ "webhook": { "url": hook.url() }, "delivery": delivery }), secret().1).await;
        }
        let other = bed.another().await;
        let workers = [bed.work(), Worker::start(&other, bed.outbound())];
        let host = rows::host(&bed.store, "0", "web-1").await;
        let mut all = BTreeSet::new();
        for n in 0..12 {
            let alarm = rows::alarm(&host, "miner", 2, Vec::new());
            all.insert(alarm.id.clone());
            let store = if n % 2 == 0 { &bed.store } else { &other };
            store.put_alarms(vec![alarm]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        for hook in &hooks {
            until("each hook has all", async || {
                let told: BTreeSet<String> = alarms(hook).into_iter().collect();
                all.is_subset(&told)
            })
            .await;
            let mut times: BTreeMap<String, usize> = BTreeMap::new();
            for id in alarms(hook) {
                *times.entry(id).or_default() += 1;
            }
            assert!(times.values().all(|n| *n == 1), "told twice: {times:?}");
        }
        for worker in workers {
            worker.stop().await;
        }
        other.close().await;
    });
}
