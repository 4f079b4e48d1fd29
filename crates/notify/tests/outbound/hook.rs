// SPDX-License-Identifier: Apache-2.0
//! Web hooks: in time, signed, filtered, few in a flood.

use crate::bed::{Bed, secret, until};
use crate::rows;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lazaret_kit::hook::{Hook, Request};
use lazaret_kit::pki::Authority;
use lazaret_store::ProjectRow;
use serde_json::{Value, json};
use std::time::Duration;

/// Whether one of the signatures is of this secret.
fn signed(request: &Request, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let h = &request.headers;
    let text = format!("{}.{}.{}", h["webhook-id"], h["webhook-timestamp"], request.body);
    h["webhook-signature"].split(' ').any(|s| {
        let tag = s.strip_prefix("v1,").and_then(|s| STANDARD.decode(s).ok()).unwrap_or_default();
        hmac::verify(&key, text.as_bytes(), &tag).is_ok()
    })
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

on_both!(an_alarm_is_told_signed_and_once, a_flood_becomes_few_messages);

async fn an_alarm_is_told_signed_and_once(bed: Bed) {
    let authority = Authority::new();
    let hook = Hook::start(Some(&authority.identity()));
    let (first, mut secrets) = secret();
    let second = secrets.rotate(true).unwrap();
    let settings = json!({ "webhook": { "url": hook.url(), "authority": authority.pem } });
    bed.target(settings, secrets).await;
    let worker = bed.work();
    let host = rows::host(&bed.store, "0", "web-1").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let alarm = rows::alarm(&host, "webshell", 2, Vec::new());
    bed.store.put_alarms(vec![alarm.clone()]).await.unwrap();
    until("a message", async || !hook.seen().is_empty()).await;
    let request = &hook.seen()[0];
    assert_eq!(request.path, "/hook?x=1");
    assert!(signed(request, &first) && signed(request, &second), "{request:?}");
    let mut forged = request.clone();
    forged.body.push(' ');
    assert!(!signed(&forged, &first));
    let seconds: i64 = request.headers["webhook-timestamp"].parse().unwrap();
    assert!((rows::now_ms() / 1000 - seconds).abs() < 60);
    let said = body(request);
    assert_eq!(said["type"], "lazaret.alarm");
    let item = &said["data"]["alarms"][0];
    assert_eq!((item["id"].as_str(), item["severity"].as_str()), (Some(alarm.id.as_str()), Some("high")));
    assert_eq!((item["host_name"].as_str(), item["confidence"].as_i64()), (Some("web-1"), Some(95)));
    assert_eq!(item["link"], format!("https://console.example/ui/alarms/{}", alarm.id));
    // The same alarm again, or one that only changed, is no message.
    let mut again = alarm.clone();
    again.count = 7;
    bed.store.put_alarms(vec![again]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(hook.seen().len(), 1);
    let mut worse = alarm;
    worse.severity = 3;
    bed.store.put_alarms(vec![worse]).await.unwrap();
    until("a message about the raise", async || hook.seen().len() == 2).await;
    assert_eq!(body(&hook.seen()[1])["data"]["alarms"][0]["event"], "raised");
    worker.stop().await;
}

async fn a_flood_becomes_few_messages(bed: Bed) {
    const ALARMS: usize = 400;
    let hook = Hook::start(None);
    bed.target(json!({ "webhook": { "url": hook.url() }, "delivery": { "per_minute": 60 } }), secret().1)
        .await;
    let worker = bed.work();
    let host = rows::host(&bed.store, "0", "web-1").await;
    let all = (0..ALARMS).map(|_| rows::alarm(&host, "miner", 2, Vec::new())).collect();
    bed.store.put_alarms(all).await.unwrap();
    let told = || -> u64 { hook.seen().iter().map(|r| body(r)["data"]["total"].as_u64().unwrap()).sum() };
    until("all are told of", async || told() >= ALARMS as u64).await;
    assert_eq!(told(), ALARMS as u64, "each once");
    let seen = hook.seen();
    assert!(seen.len() <= 10, "{} messages", seen.len());
    let summary = seen.iter().map(body).find(|b| b["type"] == "lazaret.summary").expect("a summary");
    let data = &summary["data"];
    let total = data["total"].as_u64().unwrap();
    assert!(data["title"].as_str().unwrap().contains(&total.to_string()), "{data}");
    assert_eq!(data["classes"]["miner"].as_u64(), Some(total));
    assert!(data["alarms"].as_array().unwrap().len() <= 20);
    worker.stop().await;
}

#[test]
fn filters_keep_out_what_nobody_wants_to_hear() {
    crate::bed::run(crate::bed::Base::Sqlite, async |bed: Bed| {
        let hook = Hook::start(None);
        let filter =
            json!({ "severities": ["high", "critical"], "masked_classes": ["hacktool"], "tests": false });
        let settings = json!({ "webhook": { "url": hook.url() }, "filter": filter });
        bed.target(settings, secret().1).await;
        let other = ProjectRow { id: rows::id(), name: "other".into(), created_ms: 1 };
        bed.store.create_project(&other).await.unwrap();
        let worker = bed.work();
        let here = rows::host(&bed.store, "0", "here").await;
        let there = rows::host(&bed.store, &other.id, "there").await;
        let low = rows::alarm(&here, "miner", 1, Vec::new());
        let masked = rows::alarm(&here, "hacktool", 3, Vec::new());
        let foreign = rows::alarm(&there, "miner", 3, Vec::new());
        let mut test = rows::alarm(&here, "miner", 3, Vec::new());
        test.test = true;
        let mut suppressed = rows::alarm(&here, "miner", 3, Vec::new());
        suppressed.suppressed = rows::id();
        let wanted = rows::alarm(&here, "miner", 3, Vec::new());
        let id = wanted.id.clone();
        bed.store.put_alarms(vec![low, masked, foreign, test, suppressed, wanted]).await.unwrap();
        until("a message", async || !hook.seen().is_empty()).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let seen = hook.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        assert_eq!(body(&seen[0])["data"]["alarms"][0]["id"], id);
        worker.stop().await;
    });
}

#[test]
fn once_a_day_there_is_one_message() {
    crate::bed::run(crate::bed::Base::Sqlite, async |bed: Bed| {
        let hook = Hook::start(None);
        let delivery = json!({ "mode": "daily", "hour": 8, "zone": "+01:00" });
        let settings = json!({ "webhook": { "url": hook.url() }, "delivery": delivery });
        let target = bed.target(settings, secret().1).await;
        let worker = bed.work();
        let host = rows::host(&bed.store, "0", "web-1").await;
        let all = (0..30).map(|_| rows::alarm(&host, "worm", 2, Vec::new())).collect();
        bed.store.put_alarms(all).await.unwrap();
        let state = async || bed.store.target_state(&target.id).await.unwrap();
        until("the hour is known", async || state().await.digest_ms > rows::now_ms()).await;
        let (_, newest) = bed.store.notice_bounds().await.unwrap();
        until("all are noted", async || bed.store.notice_bounds().await.unwrap().1 >= newest.max(30)).await;
        assert!(hook.seen().is_empty(), "not before its hour");
        worker.stop().await;
        let mut due = state().await;
        due.digest_ms = 1;
        assert!(bed.store.set_target_state(&due).await.unwrap());
        let worker = bed.work();
        until("the digest", async || !hook.seen().is_empty()).await;
        until("the next one is set", async || state().await.digest_ms > rows::now_ms()).await;
        let seen = hook.seen();
        assert_eq!(seen.len(), 1);
        let said = body(&seen[0]);
        assert_eq!(
            (said["type"].as_str(), said["data"]["total"].as_u64()),
            (Some("lazaret.digest"), Some(30))
        );
        worker.stop().await;
    });
}
