// SPDX-License-Identifier: Apache-2.0
//! The list, its filters and pages; one alarm; what is like it.

use crate::base::{Base, on_both};
use crate::kit::{Server, now_ms};
use crate::rows;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both!(filters_and_pages, one_alarm_has_the_names_of_the_command_line, alarms_like_this_one);

async fn filters_and_pages(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let group = rows::host_group(&s, "0", None).await;
    let mut web = rows::host_row("0");
    web.name = "web-1".to_owned();
    web.group = Some(group.clone());
    web.importance = "important".to_owned();
    s.store().insert_host(&web).await.unwrap();
    let other = rows::host(&s, "0").await;
    let mut all = Vec::new();
    for i in 0..25u8 {
        let mut row = rows::alarm_row(if i % 5 == 0 { &web } else { &other }, b"/srv/a.php", [i; 32], 95);
        row.last_ms = now_ms() - i64::from(i) * 86_400_000;
        row.at_ms = row.last_ms;
        row.auto_block = i == 3;
        row.test = i == 4;
        row.container = if i % 8 == 6 { "c0ffee".to_owned() } else { String::new() };
        if i == 7 {
            row.class = "miner".to_owned();
            row.rating = "medium".to_owned();
            row.severity = 1;
        }
        all.push(row);
    }
    s.store().put_alarms(all.clone()).await.unwrap();
    let total = async |query: &str| {
        s.get(&format!("/api/v1/alarms?{query}"), &admin).await.expect(200)["total"].as_u64().unwrap()
    };
    assert_eq!(total("").await, 25);
    assert_eq!(total("host_name=web").await, 5);
    assert_eq!(total(&format!("host={}", web.id)).await, 5);
    assert_eq!(total(&format!("group={group}")).await, 5);
    assert_eq!(total("importance=important").await, 5);
    assert_eq!(total("class=miner").await, 1);
    assert_eq!(total("class=miner,webshell").await, 25);
    assert_eq!(total("severity=medium").await, 1);
    assert_eq!(total("rating=high").await, 24);
    assert_eq!(total("auto_block=true").await, 1);
    assert_eq!(total("test=true").await, 1);
    assert_eq!((total("in_container=true").await, total("in_container=false").await), (3, 22));
    assert_eq!(total("handle_status=handled").await, 0);
    assert_eq!(total("last_days=3").await, 3);
    assert_eq!(total(&format!("sha256={}", "03".repeat(32))).await, 1);
    assert_eq!(total(&format!("ids={},{}", all[0].id, all[1].id)).await, 2);
    assert_eq!(total("suppressed=true").await, 0);

    let mut seen = BTreeSet::new();
    let mut after = String::new();
    let mut pages = 0;
    loop {
        let page = s.get(&format!("/api/v1/alarms?limit=10&after={after}"), &admin).await.expect(200);
        pages += 1;
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(item["id"].as_str().unwrap().to_owned()), "twice");
        }
        if pages == 1 {
            // What comes meanwhile moves nothing.
            rows::alarm(&s, &other, b"/srv/new.php", [99; 32]).await;
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (25, 3));
    let statistics = s.get("/api/v1/alarms/statistics?class=miner", &admin).await.expect(200);
    assert_eq!((&statistics["total"], &statistics["unhandled"]), (&json!(1), &json!(1)));
    assert_eq!(statistics["by_class"], json!([{ "word": "miner", "count": 1 }]));
    s.stop().await;
}

async fn one_alarm_has_the_names_of_the_command_line(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    let id = rows::alarm(&s, &host, b"/srv/a.php", [1; 32]).await;
    let whole = s.get(&format!("/api/v1/alarms/{id}"), &admin).await.expect(200);
    let alarm = &whole["alarm"];
    for key in [
        "type", "id", "at", "last", "count", "origin", "severity", "title", "rating", "decision", "reasons",
        "handled", "isolated", "verdict", "file", "chain", "timeline",
    ] {
        assert!(alarm.get(key).is_some(), "{key}: {alarm}");
    }
    assert_eq!(alarm["verdict"]["evidence"][0]["id"], "webshell_php_eval");
    assert_eq!(alarm["file"]["mode"], "100644");
    assert_eq!(alarm["chain"][0]["cmdline"], json!(["php", "-f", "x"]));
    let summary = &whole["summary"];
    assert_eq!(summary["event_class_id"], "av_1015");
    assert_eq!(summary["att_ck"], "Persistence");
    assert_eq!(summary["cmdline"], "php -f x");
    assert_eq!(summary["host"]["address"], "192.0.2.1");
    assert_eq!(summary["operate_accept_list"].as_array().unwrap().len(), 4);
    assert_eq!((&whole["history"], &whole["commands"]), (&json!([]), &json!([])));
    s.stop().await;
}

async fn alarms_like_this_one(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let (one, two) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    let id = rows::alarm(&s, &one, b"/srv/a.php", [1; 32]).await;
    let same = rows::alarm(&s, &two, b"/srv/b.php", [1; 32]).await;
    rows::alarm(&s, &two, b"/srv/c.php", [2; 32]).await;
    let found = s.get(&format!("/api/v1/alarms/{id}/same"), &admin).await.expect(200);
    let ids: Vec<&Value> = found["items"].as_array().unwrap().iter().map(|a| &a["id"]).collect();
    assert_eq!(ids, [&json!(same)]);
    s.store().set_handled(std::slice::from_ref(&same), "ignore", "eve", "known", now_ms()).await.unwrap();
    let similar = s.get(&format!("/api/v1/alarms/{id}/similar-handled"), &admin).await.expect(200);
    let by_hash =
        similar["items"].as_array().unwrap().iter().find(|i| i["similar_type"] == "sameFileHash").unwrap();
    assert_eq!(by_hash["alarm"]["handled"]["remark"], "known");
    let history = s.get("/api/v1/alarms/handlings", &admin).await.expect(200);
    assert_eq!(history["items"][0]["operate_type"], "ignore", "{history}");
    let other = s.post("/api/v1/projects", &admin, json!({ "name": "other" })).await.expect(201);
    for (project, count) in [("0", 1), (other["id"].as_str().unwrap(), 0), ("all_granted_eps", 1)] {
        let path = format!("/api/v1/alarms/handlings?project={project}");
        let history = s.get(&path, &admin).await.expect(200);
        assert_eq!(history["items"].as_array().unwrap().len(), count, "{project}");
    }
    s.stop().await;
}
