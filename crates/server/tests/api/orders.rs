// SPDX-License-Identifier: Apache-2.0
//! From a handling to the commands of hosts, once.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{CommandEnd, CommandFilter, Cursor, Scope};
use serde_json::{Value, json};

on_both!(
    a_handling_is_a_command_to_the_host,
    batches_whole_types_and_what_no_host_can_do,
    the_same_key_gives_one_order,
    orders_are_taken_back,
    a_false_positive_is_undone_everywhere,
);

async fn commands(s: &Server) -> Vec<lazaret_store::CommandRow> {
    let cursor = Cursor { after: None, limit: 100 };
    s.store().commands_page(&Scope::All, &CommandFilter::default(), &cursor).await.unwrap().items
}

async fn a_handling_is_a_command_to_the_host(base: Base) {
    let s = Server::start_on(base).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let host = rows::host(&s, "0").await;
    let id = rows::alarm(&s, &host, b"/srv/a.php", [1; 32]).await;
    let body = json!({ "operate_type": "isolate_and_kill", "remark": "seen" });
    let ordered = s.post(&format!("/api/v1/alarms/{id}/handle"), &op, body).await.expect(202);
    assert_eq!(ordered["total"], 1, "{ordered}");
    let row = &commands(&s).await[0];
    assert_eq!((row.verb.as_str(), row.state.as_str(), row.who.as_str()), ("handle", "pending", "op"));
    assert_eq!((row.host.as_str(), row.about.as_str()), (host.id.as_str(), id.as_str()));
    let sent = v1::Command::decode(row.payload.as_slice()).unwrap();
    let Some(v1::command::Verb::Handle(handle)) = sent.verb else { panic!("{sent:?}") };
    assert_eq!((handle.handling.as_str(), handle.remark.as_str()), ("isolate_and_kill", "seen"));
    assert_eq!((sent.id.as_str(), sent.who.as_str()), (row.id.as_str(), "op"));

    let result = v1::CommandResult {
        id: row.id.clone(),
        outcome: "refused".to_owned(),
        reason: "a guard".to_owned(),
        ..v1::CommandResult::default()
    };
    let end = CommandEnd {
        id: row.id.clone(),
        host: host.id.clone(),
        state: "refused".to_owned(),
        reason: "a guard".to_owned(),
        at_ms: crate::kit::now_ms(),
        result: result.encode_to_vec(),
    };
    assert!(s.store().finish_command(&end).await.unwrap());
    let task = s.get(&format!("/api/v1/tasks/{}", ordered["task"].as_str().unwrap()), &op).await.expect(200);
    assert_eq!((&task["finished"], &task["total"]), (&json!(true), &json!(1)));
    let shown = s.get(&format!("/api/v1/alarms/{id}"), &op).await.expect(200);
    assert_eq!(shown["commands"][0]["result"]["reason"], "a guard");
    s.stop().await;
}

#[tokio::test]
async fn verbs_that_do_not_fit_are_refused_with_the_reason() {
    let s = Server::start().await;
    let op = s.person("op", &[("0", "operator")]).await;
    let host = rows::host(&s, "0").await;
    let id = rows::alarm(&s, &host, b"/srv/a.php", [1; 32]).await;
    let path = format!("/api/v1/alarms/{id}/handle");
    for (verb, word) in [
        ("add_to_login_whitelist", "logins"),
        ("remove_from_login_whitelist", "logins"),
        ("unhandle", "nobody"),
        ("do_not_ignore", "nobody"),
        ("do_not_isolate_or_kill", "nobody"),
        ("remove_from_alarm_whitelist", "nobody"),
    ] {
        let answer = s.post(&path, &op, json!({ "operate_type": verb })).await.expect(202);
        assert_eq!(answer["total"], 0);
        assert!(answer["refused"][0]["reason"].as_str().unwrap().contains(word), "{verb}: {answer}");
    }
    s.post(&path, &op, json!({ "operate_type": "burn" })).await.problem(422, "invalid");
    s.store().set_handled(std::slice::from_ref(&id), "ignore", "x", "", crate::kit::now_ms()).await.unwrap();
    let answer = s.post(&path, &op, json!({ "operate_type": "mark_as_handled" })).await.expect(202);
    assert!(answer["refused"][0]["reason"].as_str().unwrap().contains("already"), "{answer}");
    let answer = s.post(&path, &op, json!({ "operate_type": "do_not_ignore" })).await.expect(202);
    assert_eq!(answer["total"], 1);
    s.stop().await;
}

async fn batches_whole_types_and_what_no_host_can_do(base: Base) {
    let s = Server::start_on(base).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let (host, gone) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    let a = rows::alarm(&s, &host, b"/srv/a.php", [1; 32]).await;
    let b = rows::alarm(&s, &gone, b"/srv/b.php", [2; 32]).await;
    let mut own = rows::alarm_row(&host, b"", [0; 32], 0);
    own.class = String::new();
    own.rating = String::new();
    own.confidence = -1;
    s.store().put_alarms(vec![own.clone()]).await.unwrap();
    s.store().remove_host(&gone.id, crate::kit::now_ms()).await.unwrap();
    let body = json!({ "alarms": [a, b, own.id, a], "operate_type": "mark_as_handled", "remark": "r" });
    let answer = s.post("/api/v1/alarms/handle", &op, body).await.expect(202);
    assert_eq!(answer["total"], 1, "{answer}");
    assert_eq!(
        answer["done"].as_array().unwrap().len(),
        2,
        "a host that is gone, and the server's own: {answer}"
    );
    let shown = s.get(&format!("/api/v1/alarms/{b}"), &op).await.expect(200);
    assert_eq!(shown["summary"]["handled"]["who"], "op");
    for i in 10..15u8 {
        rows::alarm(&s, &host, b"/srv/c.php", [i; 32]).await;
    }
    let all = json!({ "class": "webshell", "operate_type": "ignore" });
    let answer = s.post("/api/v1/alarms/handle-all", &op, all).await.expect(202);
    assert_eq!(answer["total"], 6, "the open ones: {answer}");
    s.stop().await;
}

async fn the_same_key_gives_one_order(base: Base) {
    let s = Server::start_on(base).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let host = rows::host(&s, "0").await;
    let id = rows::alarm(&s, &host, b"/srv/a.php", [1; 32]).await;
    let path = format!("/api/v1/alarms/{id}/handle");
    let body = json!({ "operate_type": "ignore" });
    let key = [("idempotency-key", "k-1")];
    let first = s.send("POST", &path, &op, Some(body.clone()), &key).await;
    let second = s.send("POST", &path, &op, Some(body.clone()), &key).await;
    assert_eq!((first.status, second.status), (202, 202));
    assert_eq!(first.text, second.text);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(commands(&s).await.len(), 1);
    let other = json!({ "operate_type": "mark_as_handled" });
    s.send("POST", &path, &op, Some(other), &key).await.problem(409, "conflict");
    s.send("POST", &path, &op, Some(body.clone()), &[("idempotency-key", "a b")])
        .await
        .problem(422, "invalid");
    let someone = s.person("someone", &[("0", "operator")]).await;
    s.send("POST", &path, &someone, Some(body), &key).await.expect(202);
    assert_eq!(commands(&s).await.len(), 2, "another user's key is another key");
    s.stop().await;
}

async fn orders_are_taken_back(base: Base) {
    let s = Server::start_on(base).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let host = rows::host(&s, "0").await;
    let path = format!("/api/v1/hosts/{}/self-test", host.id);
    let one = s.send("POST", &path, &op, None, &[]).await.expect(202);
    let two = s.send("POST", &path, &op, None, &[]).await.expect(202);
    let id = one["commands"][0]["id"].as_str().unwrap();
    let c = s.send("POST", &format!("/api/v1/commands/{id}/cancel"), &op, None, &[]).await.expect(200);
    assert_eq!(c["state"], "cancelled");
    let task = two["task"].as_str().unwrap();
    let t = s.send("POST", &format!("/api/v1/tasks/{task}/cancel"), &op, None, &[]).await.expect(200);
    assert_eq!(t["commands"], 1);
    let list = s.get("/api/v1/commands?state=cancelled&verb=self_test", &op).await.expect(200);
    assert_eq!(list["total"], 2);
    s.stop().await;
}

async fn a_false_positive_is_undone_everywhere(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let (one, two) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    let id = rows::alarm(&s, &one, b"/srv/a.php", [1; 32]).await;
    let file = rows::isolated(&s, &one, b"/srv/a.php", [1; 32], "isolated").await;
    rows::isolated(&s, &two, b"/srv/b.php", [1; 32], "isolated").await;
    rows::isolated(&s, &two, b"/srv/c.php", [2; 32], "isolated").await;
    let path = format!("/api/v1/alarms/{id}/false-positive");
    let preview = s.get(&path, &admin).await.expect(200);
    assert_eq!(preview["isolated_total"], 2, "{preview}");
    assert_eq!(preview["alarms"], 1);
    assert_eq!(preview["restarts"], json!(["php-fpm.service"]));
    assert_eq!(preview["rules"], json!(["webshell_php_eval"]));
    assert!(commands(&s).await.is_empty(), "a preview touches nothing");

    let answer = s.post(&path, &admin, json!({ "remark": "our own tool" })).await.expect(202);
    assert_eq!(answer["total"], 3, "{answer}");
    let rows = commands(&s).await;
    let restore = rows.iter().find(|c| c.about == file).unwrap();
    let sent = v1::Command::decode(restore.payload.as_slice()).unwrap();
    let Some(v1::command::Verb::Restore(r)) = sent.verb else { panic!("{sent:?}") };
    assert!(r.restart && !r.released);
    assert!(rows.iter().all(|c| c.task == restore.task), "one task");
    let list = s.get("/api/v1/whitelist", &admin).await.expect(200);
    assert_eq!(list["items"][0]["value"], "01".repeat(32));
    assert_eq!(list["items"][0]["alarm"], id);
    let rules = s.get("/api/v1/disarmed-rules", &admin).await.expect(200);
    assert_eq!(rules["items"].as_array().unwrap().len(), 1, "{rules}");
    assert_eq!((&rules["items"][0]["rule"], &rules["items"][0]["alarm"]), (&preview["rules"][0], &json!(id)));
    assert!(rules["items"][0]["reason"].as_str().unwrap().contains("our own tool"), "{rules}");
    let audit = s.get("/api/v1/audit?action=alarm.false_positive", &admin).await.expect(200);
    assert_eq!(audit["total"], 1, "{audit}");
    s.post(&path, &admin, json!({})).await.expect(202);
    let list = s.get("/api/v1/whitelist", &admin).await.expect(200);
    assert_eq!(list["total"], 1, "whitelisted once");
    let rules = s.get("/api/v1/disarmed-rules", &admin).await.expect(200);
    assert_eq!(rules["items"].as_array().unwrap().len(), 1, "disarmed once: {rules}");
    let none: Value = json!({});
    let op = s.person("op", &[("0", "operator")]).await;
    s.post(&path, &op, none).await.problem(403, "forbidden");
    s.stop().await;
}
