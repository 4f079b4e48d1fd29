// SPDX-License-Identifier: Apache-2.0
//! Groups, switches, reminders, and what they would have changed.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use serde_json::json;

on_both!(
    a_group_from_beginning_to_end,
    a_switch_says_who_and_when_and_reaches_the_hosts,
    people_are_reminded_until_an_administrator_says_no,
    the_past_under_other_settings,
);

async fn a_group_from_beginning_to_end(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let made = s.post("/api/v1/host-groups", &admin, json!({ "project": "0", "name": "web" })).await;
    let tag = made.header("etag").to_owned();
    let path = format!("/api/v1/host-groups/{}", made.expect(201)["id"].as_str().unwrap());
    s.post("/api/v1/host-groups", &admin, json!({ "project": "0", "name": "web" }))
        .await
        .problem(409, "conflict");
    let put = async |body, headers: &[(&str, &str)]| s.send("PUT", &path, &admin, Some(body), headers).await;
    put(json!({ "name": "www" }), &[]).await.problem(428, "precondition-required");
    let changed = put(json!({ "name": "www" }), &[("if-match", &tag)]).await;
    let newer = changed.header("etag").to_owned();
    assert_ne!(newer, tag);
    changed.expect(200);
    put(json!({ "name": "other" }), &[("if-match", &tag)]).await.problem(412, "stale");
    put(json!({ "name": "other" }), &[("if-match", "W/\"x\"")]).await.problem(412, "stale");

    let host = rows::host(&s, "0").await;
    let group = path.rsplit('/').next().unwrap();
    let body = json!({ "hosts": [host.id], "group": group, "importance": "important" });
    s.post("/api/v1/hosts/assign", &admin, body).await.expect(200);
    let shown = s.get(&format!("/api/v1/hosts/{}", host.id), &admin).await.expect(200);
    assert_eq!((&shown["host"]["group"], &shown["host"]["importance"]), (&json!(group), &json!("important")));
    let foreign = rows::host(&s, &rows::project(&s, "b").await).await;
    let body = json!({ "hosts": [foreign.id], "group": group });
    s.post("/api/v1/hosts/assign", &admin, body).await.problem(422, "invalid");
    s.send("DELETE", &path, &admin, None, &[("if-match", &newer)]).await.expect(204);
    let shown = s.get(&format!("/api/v1/hosts/{}", host.id), &admin).await.expect(200);
    assert_eq!(shown["host"]["group"], json!(null));
    s.stop().await;
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused() {
    let s = Server::start().await;
    let admin = s.admin().await;
    for settings in [
        json!({ "high_threshold": 79 }),
        json!({ "medium_threshold": 80 }),
        json!({ "automatic_classes": ["spam"] }),
        json!({ "protect_mode": "loose" }),
        json!({ "exclude": ["tmp"] }),
        json!({ "shell": "rm -rf /" }),
    ] {
        let body = json!({ "project": "0", "name": "p", "settings": settings });
        s.post("/api/v1/policy-groups", &admin, body).await.problem(422, "invalid");
    }
    let body = json!({ "project": "0", "name": "p", "settings": { "high_threshold": 95 } });
    let made = s.post("/api/v1/policy-groups", &admin, body).await;
    let tag = made.header("etag").to_owned();
    let made = made.expect(201);
    assert_eq!(made["settings"], json!({ "high_threshold": 95 }));
    let id = made["id"].as_str().unwrap();
    rows::host_group(&s, "0", Some(id.to_owned())).await;
    let path = format!("/api/v1/policy-groups/{id}");
    s.send("DELETE", &path, &admin, None, &[("if-match", &tag)]).await.problem(409, "conflict");
    s.stop().await;
}

async fn a_switch_says_who_and_when_and_reaches_the_hosts(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.person("ada", &[("*", "administrator")]).await;
    let host = rows::host(&s, "0").await;
    let before = s.get("/api/v1/switches", &admin).await.expect(200);
    assert_eq!(before["items"].as_array().unwrap().len(), 3);
    assert_eq!((&before["items"][0]["on"], &before["items"][0]["set_by"]), (&json!(false), &json!(null)));
    s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(json!({ "on": true })), &[])
        .await
        .expect(200);
    let after = s.get("/api/v1/switches?project=0", &admin).await.expect(200);
    assert_eq!((&after["items"][0]["on"], &after["items"][0]["set_by"]), (&json!(true), &json!("ada")));
    assert!(after["items"][0]["set_at"].is_string());
    assert!(s.store().host(&host.id).await.unwrap().generation > host.generation);
    s.send("PUT", "/api/v1/switches/self_destruct", &admin, Some(json!({ "on": true })), &[])
        .await
        .problem(404, "not-found");
    let audit = s.get("/api/v1/audit?action=switch.set", &admin).await.expect(200);
    assert_eq!(audit["items"][0]["before"]["on"], false);
    assert_eq!(audit["items"][0]["after"]["on"], true);
    s.stop().await;
}

async fn people_are_reminded_until_an_administrator_says_no(base: Base) {
    let s = Server::start_on(base).await;
    let (a, b) = (rows::project(&s, "a").await, rows::project(&s, "b").await);
    let ada = s.person("ada", &[(&a, "administrator")]).await;
    let viewer = s.person("viewer", &[(&a, "viewer")]).await;
    let admin = s.admin().await;
    let path = format!("/api/v1/projects/{a}/reminders");
    let put = async |path: &str, token: &str, on: bool| {
        s.send("PUT", path, token, Some(json!({ "reminders": on })), &[]).await
    };
    let never = s.get(&path, &viewer).await.expect(200);
    assert_eq!(never, json!({ "project": a, "reminders": true }), "nobody has set it");
    put(&path, &viewer, false).await.problem(403, "forbidden");
    assert_eq!(s.get(&path, &viewer).await.expect(200), never);

    let set = put(&path, &ada, false).await.expect(200);
    assert_eq!((&set["reminders"], &set["set_by"]), (&json!(false), &json!("ada")));
    assert!(set["set_at"].is_string(), "{set}");
    assert_eq!(s.get(&path, &viewer).await.expect(200), set);
    s.send("PUT", &path, &ada, Some(json!({})), &[]).await.problem(422, "invalid");
    s.send("PUT", &path, &ada, Some(json!({ "reminders": true, "mail": true })), &[])
        .await
        .problem(422, "invalid");

    let other = format!("/api/v1/projects/{b}/reminders");
    s.get(&other, &ada).await.problem(404, "not-found");
    put(&other, &ada, false).await.problem(404, "not-found");
    assert_eq!(s.get(&other, &admin).await.expect(200)["reminders"], true, "each project has its own");

    let audit = s.get("/api/v1/audit?action=project.reminders", &admin).await.expect(200);
    assert_eq!(audit["total"], 1, "{audit}");
    let row = &audit["items"][0];
    assert_eq!((&row["project"], &row["target"]), (&json!(a), &json!(format!("project {a}"))));
    assert_eq!((&row["before"]["reminders"], &row["after"]["reminders"]), (&json!(true), &json!(false)));
    assert_eq!(put(&path, &ada, true).await.expect(200)["reminders"], true, "and back");
    s.stop().await;
}

async fn the_past_under_other_settings(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let policy = rows::policy_group(&s, "0").await;
    let group = rows::host_group(&s, "0", Some(policy.clone())).await;
    let mut in_group = rows::host_row("0");
    in_group.group = Some(group);
    s.store().insert_host(&in_group).await.unwrap();
    let alone = rows::host(&s, "0").await;
    for host in [&in_group, &alone] {
        let mut held = rows::alarm_row(host, b"/usr/bin/bash", [3; 32], 95);
        let mut details =
            <lazaret_proto::v1::Alarm as lazaret_proto::Message>::decode(held.details.as_slice()).unwrap();
        details.reasons =
            vec!["/usr/bin/bash is never isolated or killed without a person on this host".to_owned()];
        held.details = lazaret_proto::Message::encode_to_vec(&details);
        let rows = vec![
            rows::alarm_row(host, b"/srv/a.php", [1; 32], 95),
            rows::alarm_row(host, b"/srv/b.php", [2; 32], 70),
            held,
        ];
        s.store().put_alarms(rows).await.unwrap();
    }
    let replay =
        s.post("/api/v1/switches/replay", &admin, json!({ "isolate_and_kill": true })).await.expect(200);
    assert_eq!((&replay["judged"], &replay["more_isolations"]), (&json!(3), &json!(1)), "{replay}");
    assert_eq!(replay["differences"][0]["path"], "/srv/a.php");
    assert_eq!(replay["differences"][0]["decision_after"], "isolate_and_kill");
    let nothing = s.post("/api/v1/switches/replay", &admin, json!({})).await.expect(200);
    assert_eq!(nothing["differences"], json!([]), "{nothing}");

    s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(json!({ "on": true })), &[])
        .await
        .expect(200);
    let path = format!("/api/v1/policy-groups/{policy}/replay");
    let strict = s.post(&path, &admin, json!({ "settings": { "high_threshold": 96 } })).await.expect(200);
    assert_eq!((&strict["judged"], &strict["more_isolations"]), (&json!(3), &json!(0)), "{strict}");
    assert_eq!(strict["other_ratings"], 2, "{strict}");
    let open = s.post(&path, &admin, json!({ "settings": {} })).await.expect(200);
    assert_eq!(open["more_isolations"], 1, "what a guard held back stays held back: {open}");
    let unticked =
        s.post(&path, &admin, json!({ "settings": { "automatic_classes": ["miner"] } })).await.expect(200);
    assert_eq!(unticked["more_isolations"], 0, "{unticked}");
    let stored = s.get(&format!("/api/v1/policy-groups/{policy}"), &admin).await.expect(200);
    assert_eq!(stored["settings"], json!({}), "a replay changes nothing");
    s.stop().await;
}

#[tokio::test]
async fn rules_are_disarmed_and_armed_again() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    let before = s.store().host(&host.id).await.unwrap().generation;
    let body = json!({ "rule": "webshell_php_eval", "reason": "our own tool" });
    let made = s.post("/api/v1/disarmed-rules", &admin, body.clone()).await.expect(201);
    assert!(made["disarmed_by"].as_str().is_some_and(|who| who.starts_with("admin")), "{made}");
    assert_eq!(s.store().host(&host.id).await.unwrap().generation, before + 1);
    s.post("/api/v1/disarmed-rules", &admin, body).await.problem(409, "conflict");
    for bad in [json!({ "rule": "" }), json!({ "rule": "a\nb" }), json!({ "rule": "x".repeat(257) })] {
        s.post("/api/v1/disarmed-rules", &admin, bad).await.problem(422, "invalid");
    }
    let viewer = s.person("viewer", &[("0", "viewer")]).await;
    let list = s.get("/api/v1/disarmed-rules?project=0", &viewer).await.expect(200);
    assert_eq!(list["items"][0]["rule"], "webshell_php_eval");
    let one = "/api/v1/disarmed-rules/webshell_php_eval";
    s.send("DELETE", one, &viewer, None, &[]).await.problem(403, "forbidden");
    let gone = s.send("DELETE", one, &admin, None, &[]).await.expect(200);
    assert_eq!(gone["reason"], "our own tool");
    s.send("DELETE", one, &admin, None, &[]).await.problem(404, "not-found");
    assert_eq!(s.store().host(&host.id).await.unwrap().generation, before + 2);
    for action in ["rule.disarm", "rule.rearm"] {
        let audit = s.get(&format!("/api/v1/audit?action={action}"), &admin).await.expect(200);
        assert_eq!(audit["total"], 1, "{audit}");
    }
    s.stop().await;
}

#[tokio::test]
async fn the_fleets_recovery_key_is_for_administrators_of_all() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    let path = "/api/v1/recovery-key";
    assert_eq!(s.get(path, &admin).await.expect(200)["recipient"], json!(null));
    let key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let put = async |token: &str, body| s.send("PUT", path, token, Some(body), &[]).await;
    let of_one = s.person("one", &[("0", "administrator")]).await;
    put(&of_one, json!({ "recipient": key })).await.problem(403, "forbidden");
    put(&admin, json!({ "recipient": "age1nonsense" })).await.problem(422, "invalid");
    let before = s.store().host(&host.id).await.unwrap().generation;
    put(&admin, json!({ "recipient": key })).await.expect(200);
    assert_eq!(s.get(path, &of_one).await.expect(200)["recipient"], key);
    assert_eq!(s.store().host(&host.id).await.unwrap().generation, before + 1);
    put(&admin, json!({ "recipient": null })).await.expect(200);
    assert_eq!(s.get(path, &admin).await.expect(200)["recipient"], json!(null));
    let audit = s.get("/api/v1/audit?action=recovery_key.set", &admin).await.expect(200);
    assert_eq!(audit["total"], 2, "{audit}");
    s.stop().await;
}
