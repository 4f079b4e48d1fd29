// SPDX-License-Identifier: Apache-2.0
//! Exports: every event, in order, however the other end behaves; valid by the published schema.

use crate::bed::{Base, Bed, run, until};
use crate::rows::{self, line};
use lazaret_kit::hook::{Hook, Manner};
use lazaret_kit::ocsf;
use lazaret_kit::pki::Authority;
use lazaret_kit::syslog::Syslog;
use lazaret_notify::Secrets;
use lazaret_store::What;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

on_both!(every_event_arrives_in_order);

async fn every_event_arrives_in_order(bed: Bed) {
    const ALARMS: usize = 60;
    let authority = Authority::new();
    let hook = Hook::start(Some(&authority.identity()));
    let syslog = Syslog::start(&authority.identity());
    syslog.break_off(2);
    hook.be(Manner::Status(500));
    let secrets = Secrets { token: Some("t0ken".to_owned()), ..Secrets::default() };
    let http = json!({ "http": { "url": hook.url(), "authority": authority.pem } });
    bed.target(http, secrets).await;
    let to =
        json!({ "syslog": { "server": "localhost", "port": syslog.port(), "authority": authority.pem } });
    let target = bed.target(to, Secrets::default()).await;
    let worker = bed.work();
    let host = rows::host(&bed.store, "0", "web-1").await;
    let mut ids = Vec::new();
    for n in 0..ALARMS {
        let alarm = rows::alarm(&host, "miner", 2, Vec::new());
        ids.push(alarm.id.clone());
        bed.store.put_alarms(vec![alarm]).await.unwrap();
        if n == ALARMS / 2 {
            // It comes back in the middle.
            tokio::time::sleep(Duration::from_millis(300)).await;
            hook.be(Manner::Status(200));
        }
    }
    let order = |events: &[Value]| -> Vec<String> {
        events.iter().map(|e| e["finding_info"]["uid"].as_str().unwrap().to_owned()).collect()
    };
    let taken = || -> Vec<Value> {
        // What came before it answered with 200 was sent again.
        let all: Vec<Value> = hook.seen().iter().flat_map(|r| events(&r.body)).collect();
        let mut newest = 0;
        let once = all.into_iter().filter(|e| {
            let at = e["metadata"]["sequence"].as_i64().unwrap();
            let new = at > newest;
            newest = newest.max(at);
            new
        });
        once.collect()
    };
    until("all by HTTP", async || taken().len() == ALARMS).await;
    assert_eq!(order(&taken()), ids);
    assert_eq!(hook.seen()[0].headers["authorization"], "Bearer t0ken");
    until("all by syslog", async || syslog.seen().len() >= ALARMS).await;
    let messages = syslog.seen();
    let bodies: Vec<Value> = messages
        .iter()
        .map(|m| {
            let (head, body) = m.split_once(" OCSF - ").unwrap_or_else(|| panic!("{m}"));
            assert!(head.starts_with("<131>1 20") && head.ends_with(" web-1 lazaret -"), "{head}");
            serde_json::from_str(body).unwrap()
        })
        .collect();
    assert_eq!(order(&bodies), ids, "in order and, as no answer was lost, once");
    until("the cursor is there", async || {
        bed.store.target_state(&target.id).await.unwrap().sent == i64::try_from(ALARMS).unwrap()
    })
    .await;
    worker.stop().await;
}

#[test]
fn cef_is_the_other_form() {
    run(Base::Sqlite, async |bed: Bed| {
        let authority = Authority::new();
        let syslog = Syslog::start(&authority.identity());
        let to = json!({ "syslog": { "server": "127.0.0.1", "port": syslog.port(), "format": "cef",
            "facility": 13, "authority": authority.pem } });
        bed.target(to, Secrets::default()).await;
        let worker = bed.work();
        let host = rows::host(&bed.store, "0", "web-1").await;
        let alarm = rows::alarm(&host, "webshell", 3, vec![line("isolate", "done", "")]);
        bed.store.put_alarms(vec![alarm.clone()]).await.unwrap();
        until("both events", async || syslog.seen().len() == 2).await;
        let seen = syslog.seen();
        assert!(
            seen[0].starts_with("<106>1 ") && seen[0].contains(" CEF - CEF:0|Lazaret|Lazaret|0.1.0|200401|")
        );
        assert!(seen[0].contains("|10|rt=") && seen[0].contains(&format!("cs1={}", alarm.id)), "{}", seen[0]);
        assert!(seen[0].contains("a\\=b|<x>"), "an equals sign of a path is escaped: {}", seen[0]);
        assert!(seen[1].contains("|700201|") && seen[1].contains("outcome=Success"), "{}", seen[1]);
        worker.stop().await;
    });
}

#[test]
fn what_is_done_on_hosts_is_in_the_file() {
    run(Base::Sqlite, async |bed: Bed| {
        bed.target(json!({ "file": { "name": "all.jsonl" } }), Secrets::default()).await;
        let worker = bed.work();
        let host = rows::host(&bed.store, "0", "web-1").await;
        let alarm = rows::alarm(
            &host,
            "miner",
            2,
            vec![line("deny", "done", ""), line("isolate", "done", ""), line("kill", "done", "")],
        );
        let mut isolated = rows::isolated(&host, &alarm.id, "isolated");
        isolated.alarm.clone_from(&alarm.id);
        let mut with = alarm.clone();
        with.isolated.clone_from(&isolated.id);
        let journal = rows::journal(
            &host,
            vec![What::Alarm(Box::new(with.clone())), What::Isolated(Box::new(isolated.clone()))],
        );
        bed.store.ingest(journal).await.unwrap();
        let path = bed.folder.path().join("ocsf/0/all.jsonl");
        let read = || events(&std::fs::read_to_string(&path).unwrap_or_default());
        until("three events", async || read().len() >= 3).await;
        bed.store
            .set_handled(
                std::slice::from_ref(&alarm.id),
                "mark_as_handled",
                "ann",
                "done\r\n",
                rows::now_ms(),
            )
            .await
            .unwrap();
        until("the handling", async || read().len() >= 4).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let all = read();
        let kinds: Vec<(u64, u64)> = all
            .iter()
            .map(|e| (e["class_uid"].as_u64().unwrap(), e["activity_id"].as_u64().unwrap()))
            .collect();
        assert_eq!(kinds, [(2004, 1), (7002, 1), (7003, 2), (2004, 3)], "{all:#?}");
        assert_eq!(all[1]["command_uid"], isolated.id.as_str(), "by itself: the isolated file");
        assert_eq!(
            (all[1]["status_id"].as_u64(), all[1]["disposition"].as_str()),
            (Some(1), Some("Quarantined"))
        );
        assert_eq!(
            (all[2]["process"]["pid"].as_i64(), all[2]["status"].as_str()),
            (Some(815), Some("Success"))
        );
        assert_eq!(
            (all[3]["status"].as_str(), all[3]["activity_name"].as_str()),
            (Some("Resolved"), Some("Close"))
        );
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(ocsf::validate(&text), Ok(all.len()));
        worker.stop().await;
    });
}
