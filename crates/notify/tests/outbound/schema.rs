// SPDX-License-Identifier: Apache-2.0
//! Every event that can be written is one of the published schema, and the test would see one that is not.

use crate::bed::{Base, Bed, run, until};
use crate::rows::{self, line};
use lazaret_kit::ocsf;
use lazaret_model::MalwareClass;
use lazaret_notify::Secrets;
use lazaret_store::What;
use serde_json::{Value, json};

#[test]
fn every_kind_of_event_is_valid() {
    run(Base::Sqlite, async |bed: Bed| {
        let target = bed.target(json!({ "file": { "name": "all.jsonl" } }), Secrets::default()).await;
        let worker = bed.work();
        let host = rows::host(&bed.store, "0", "web\r\n<x>").await;
        let mut alarms = Vec::new();
        let mut actions = 0;
        for class in MalwareClass::all() {
            for severity in 0..=3 {
                let mut timeline = Vec::new();
                for action in ["isolate", "kill", "restore", "delete", "deny", "freeze"] {
                    for outcome in
                        ["done", "partial", "already_gone", "refused", "failed", "of a later version"]
                    {
                        timeline.push(line(action, outcome, "because \u{202e}\r\n"));
                    }
                }
                // Of kills those of nobody are none.
                actions += 6 * 3 + 5;
                alarms.push(rows::alarm(&host, class.word(), severity, timeline));
            }
        }
        for decision in ["allow", "alarm", "deny", "isolate_and_kill", ""] {
            let mut a = rows::alarm(&host, "worm", 2, Vec::new());
            a.decision = decision.to_owned();
            a.rating = if decision.is_empty() { String::new() } else { "low".to_owned() };
            alarms.push(a);
        }
        // Of the server's own: no file, no process, no verdict, and a host that is not there.
        let mut own = rows::alarm(&host, "", 2, Vec::new());
        own.details.clear();
        own.path.clear();
        own.sha256.clear();
        own.confidence = -1;
        own.host = rows::id();
        alarms.push(own);
        let ids: Vec<String> = alarms.iter().map(|a| a.id.clone()).collect();
        let many = alarms.len();
        bed.store.put_alarms(alarms).await.unwrap();
        let mut whats = Vec::new();
        for status in [
            "isolated",
            "isolated_in_place",
            "isolating",
            "restored",
            "restore_failed",
            "deleted",
            "delete_failed",
            "isolate_failed",
        ] {
            whats.push(What::Isolated(Box::new(rows::isolated(&host, "", status))));
        }
        bed.store.ingest(rows::journal(&host, whats)).await.unwrap();
        let path = bed.folder.path().join("ocsf/0/all.jsonl");
        let read = || std::fs::read_to_string(&path).unwrap_or_default();
        let files = 8 + 7;
        until("all events", async || read().lines().count() >= many + actions + files).await;
        let now = rows::now_ms();
        bed.store.set_handled(&ids[..3], "ignore", "ann", "r\0\n", now).await.unwrap();
        bed.store.set_handled(&ids[3..6], "mark_as_handled", "ann", "", now).await.unwrap();
        until("the handlings", async || read().lines().count() >= many + actions + files + 6).await;
        bed.store.set_handled(&ids[..1], "", "ann", "", now).await.unwrap();
        let all = many + actions + files + 7;
        until("one is open again", async || read().lines().count() >= all).await;
        lazaret_notify::test(&bed.outbound(), &target).await.unwrap();
        let text = read();
        assert_eq!(text.lines().count(), all + 1);
        assert_eq!(ocsf::validate(&text), Ok(all + 1));
        worker.stop().await;
        would_see(&text);
    });
}

/// What the schema does not have is found: a number out of an enumeration, a part that is missing, a part too
/// many, a text for a number.
fn would_see(text: &str) {
    let find = |class: u64| -> Value {
        let mut all = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        all.find(|e| e["class_uid"] == class).unwrap()
    };
    let change = |class: u64, what: &dyn Fn(&mut Value)| {
        let mut event = find(class);
        what(&mut event);
        ocsf::validate(&format!("{event}\n"))
    };
    assert_eq!(change(7002, &|_| {}), Ok(1));
    type Change<'a> = &'a dyn Fn(&mut Value);
    let wrong: [(u64, Change<'_>, &str); 7] = [
        (2004, &|e| e["severity_id"] = json!(7), "severity_id"),
        (7002, &|e| e["status_id"] = json!(9), "status_id"),
        (7003, &|e| e["disposition_id"] = json!(40), "disposition_id"),
        (7002, &|e| drop(e.as_object_mut().unwrap().remove("command_uid")), "command_uid"),
        (7003, &|e| e["process"] = json!({ "name": "x" }), "process"),
        (2004, &|e| e["colour"] = json!("red"), "colour"),
        (2004, &|e| e["time"] = json!("now"), "time"),
    ];
    for (class, what, word) in wrong {
        let said = change(class, what).expect_err(word);
        assert!(said.contains(word), "{word}: {said}");
    }
}
