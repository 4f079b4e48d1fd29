// SPDX-License-Identifier: Apache-2.0
//! The two-person rule: what waits, who may approve it, and that it is done once, as it was asked for.

use crate::kit::Server;
use crate::rows;
use lazaret_store::Scope;
use serde_json::{Value, json};

/// A project that asks for two persons, two administrators of it and an operator.
struct Rig {
    s: Server,
    project: String,
    ann: String,
    bob: String,
    op: String,
}

fn rules(two_person: bool) -> Value {
    json!({ "second_factor": false, "two_person": two_person, "most_hosts": 1, "most_files": 2,
        "approval_hours": 1 })
}

async fn rig() -> Rig {
    let s = Server::start().await;
    let project = rows::project(&s, "strict").await;
    let ann = s.person("ann", &[(&project, "administrator")]).await;
    let bob = s.person("bob", &[(&project, "administrator")]).await;
    let op = s.person("op", &[(&project, "operator")]).await;
    let path = format!("/api/v1/projects/{project}/rules");
    s.send("PUT", &path, &ann, Some(rules(true)), &[("if-match", "\"0\"")]).await.expect(200);
    Rig { s, project, ann, bob, op }
}

impl Rig {
    async fn switch(&self, token: &str, on: bool) -> Value {
        let body = json!({ "project": self.project, "on": on });
        self.s.send("PUT", "/api/v1/switches/isolate_and_kill", token, Some(body), &[]).await.expect(202)
    }

    async fn is_on(&self) -> bool {
        self.s.store().switch(&self.project, "isolate_and_kill").await.unwrap().on
    }

    async fn say(&self, token: &str, approval: &Value, verb: &str) -> crate::kit::Reply {
        let path = format!("{}/{verb}", approval["approval"].as_str().unwrap());
        self.s.post(&path, token, json!({ "remark": "looked at it" })).await
    }
}

#[tokio::test]
async fn a_switch_waits_for_another_administrator() {
    let r = rig().await;
    let waits = r.switch(&r.ann, true).await;
    assert!(!r.is_on().await, "nothing is done yet");
    let shown = r.s.get(waits["approval"].as_str().unwrap(), &r.op).await.expect(200);
    assert_eq!((&shown["state"], &shown["ordered_by"]), (&json!("pending"), &json!("ann")));
    assert_eq!(
        shown["request"],
        json!({ "kind": "switch", "project": r.project, "name": "isolate_and_kill", "on": true })
    );
    // Not the author, neither by a key; not a key of another; not an operator.
    r.say(&r.ann, &waits, "approve").await.problem(403, "forbidden");
    let own = r.s.post("/api/v1/me/api-keys", &r.ann, json!({})).await.expect(201);
    r.say(own["key"].as_str().unwrap(), &waits, "approve").await.problem(403, "forbidden");
    let other = r.s.post("/api/v1/me/api-keys", &r.bob, json!({})).await.expect(201);
    r.say(other["key"].as_str().unwrap(), &waits, "approve").await.problem(403, "forbidden");
    r.say(&r.op, &waits, "approve").await.problem(403, "forbidden");
    r.say(&r.bob, &waits, "cancel").await.problem(403, "forbidden");
    assert!(!r.is_on().await);
    let done = r.say(&r.bob, &waits, "approve").await.expect(200);
    assert_eq!((&done["state"], &done["decided_by"]), (&json!("approved"), &json!("bob")));
    assert!(r.is_on().await);
    r.say(&r.bob, &waits, "approve").await.problem(409, "conflict");
    r.say(&r.bob, &waits, "reject").await.problem(409, "conflict");
    let row = r.s.store().switch(&r.project, "isolate_and_kill").await.unwrap();
    assert_eq!(row.who, "ann (approved by bob)");
    let audit = r.s.get("/api/v1/audit?action=approval.", &r.ann).await.expect(200);
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["approval.approve", "approval.ask"]);
    r.s.stop().await;
}

#[tokio::test]
async fn it_is_rejected_taken_back_or_ends() {
    let r = rig().await;
    let first = r.switch(&r.ann, true).await;
    assert_eq!(r.say(&r.bob, &first, "reject").await.expect(200)["remark"], "looked at it");
    let second = r.switch(&r.ann, true).await;
    assert_eq!(r.say(&r.ann, &second, "cancel").await.expect(200)["state"], "cancelled");
    r.say(&r.bob, &second, "approve").await.problem(409, "conflict");
    let third = r.switch(&r.ann, true).await;
    let id = third["approval"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let record = |a: &lazaret_store::ApprovalRow| lazaret_store::NewAudit {
        who: "server".to_owned(),
        target: a.id.clone(),
        ..lazaret_store::NewAudit::default()
    };
    let late = crate::kit::now_ms() + 3_600_000;
    let ended = r.s.store().expire_approvals(late, record).await.unwrap();
    assert_eq!(ended.iter().map(|a| a.id.clone()).collect::<Vec<_>>(), [id]);
    r.say(&r.bob, &third, "approve").await.problem(409, "conflict");
    assert!(!r.is_on().await);
    let list = r.s.get("/api/v1/approvals?state=pending", &r.bob).await.expect(200);
    assert_eq!(list["items"], json!([]));
    assert_eq!(r.s.get("/api/v1/approvals", &r.bob).await.expect(200)["items"].as_array().unwrap().len(), 3);
    r.s.stop().await;
}

#[tokio::test]
async fn who_lost_their_rights_meanwhile_orders_nothing() {
    let r = rig().await;
    let waits = r.switch(&r.ann, true).await;
    let mut ann = r.s.store().user_by_name("ann").await.unwrap();
    ann.grants = vec![(r.project.clone(), "viewer".to_owned())];
    r.s.store().update_user(&ann).await.unwrap();
    assert!(r.say(&r.bob, &waits, "approve").await.problem(409, "conflict").contains("ann"));
    assert!(!r.is_on().await);
    r.s.stop().await;
}

#[tokio::test]
async fn much_at_once_waits_and_is_done_as_it_was_seen() {
    let r = rig().await;
    let (one, two) = (rows::host(&r.s, &r.project).await, rows::host(&r.s, &r.project).await);
    let first = rows::alarm(&r.s, &one, b"/srv/a.php", [1; 32]).await;
    let second = rows::alarm(&r.s, &two, b"/srv/b.php", [2; 32]).await;
    let handle = |alarms: &[&String]| json!({ "alarms": alarms, "operate_type": "isolate_and_kill" });
    let path = "/api/v1/alarms/handle";
    let few = r.s.post(path, &r.op, handle(&[&first])).await.expect(202);
    assert_eq!(few["total"], 1, "one host is not much");
    let much = r.s.post(path, &r.op, handle(&[&first, &second])).await.expect(202);
    assert_eq!((&much["total"], &much["task"]), (&json!(0), &Value::Null), "{much}");
    let list = r.s.get("/api/v1/commands", &r.op).await.expect(200);
    assert_eq!(list["total"], 1, "no host is asked yet");
    // An alarm that comes later is not part of it.
    rows::alarm(&r.s, &two, b"/srv/c.php", [3; 32]).await;
    let done = r.say(&r.ann, &much, "approve").await.expect(200);
    assert_eq!(done["result"]["total"], 2, "{done}");
    let list = r.s.get("/api/v1/commands", &r.op).await.expect(200);
    assert_eq!(list["total"], 3);
    assert_eq!(list["items"][0]["ordered_by"], "op (approved by ann)");

    let all = json!({ "class": "webshell", "operate_type": "ignore" });
    let waits = r.s.post("/api/v1/alarms/handle-all", &r.op, all).await.expect(202);
    rows::alarm(&r.s, &one, b"/srv/d.php", [4; 32]).await;
    let done = r.say(&r.bob, &waits, "approve").await.expect(200);
    assert_eq!(done["result"]["total"], 3, "all that were there when it was asked for: {done}");
    r.s.stop().await;
}

#[tokio::test]
async fn deleting_waits_even_for_one_and_restoring_never_does() {
    let r = rig().await;
    let host = rows::host(&r.s, &r.project).await;
    let file = rows::isolated(&r.s, &host, b"/srv/y.php", [4; 32], "isolated").await;
    let path = |verb: &str| format!("/api/v1/isolated-files/{file}/{verb}");
    assert_eq!(r.s.post(&path("restore"), &r.op, json!({})).await.expect(202)["total"], 1);
    let waits = r.s.send("POST", &path("delete"), &r.op, None, &[]).await.expect(202);
    assert_eq!(waits["total"], 0);
    let done = r.say(&r.bob, &waits, "approve").await.expect(200);
    assert_eq!((&done["action"], &done["result"]["total"]), (&json!("isolated.delete"), &json!(1)));
    r.s.stop().await;
}

#[tokio::test]
async fn the_rule_ends_by_two_persons_and_holds_in_its_project_alone() {
    let r = rig().await;
    let path = format!("/api/v1/projects/{}/rules", r.project);
    let waits =
        r.s.send("PUT", &path, &r.ann, Some(rules(false)), &[("if-match", "\"1\"")]).await.expect(202);
    assert!(r.s.store().project_rules(&r.project).await.unwrap().two_person);
    let admin = r.s.admin().await;
    let body = json!({ "project": "0", "on": true });
    r.s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(body), &[]).await.expect(200);
    r.say(&r.bob, &waits, "approve").await.expect(200);
    assert!(!r.s.store().project_rules(&r.project).await.unwrap().two_person);
    let mine = Scope::Projects(vec!["0".to_owned()]);
    assert!(r.s.store().approvals(&mine, "").await.unwrap().is_empty());
    r.s.stop().await;
}

#[tokio::test]
async fn of_two_who_approve_at_once_one_does() {
    let r = rig().await;
    let host = rows::host(&r.s, &r.project).await;
    let file = rows::isolated(&r.s, &host, b"/srv/y.php", [4; 32], "isolated").await;
    let path = format!("/api/v1/isolated-files/{file}/delete");
    let waits = r.s.send("POST", &path, &r.op, None, &[]).await.expect(202);
    let (one, two) = tokio::join!(r.say(&r.ann, &waits, "approve"), r.say(&r.bob, &waits, "approve"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
    assert_eq!(r.s.get("/api/v1/commands", &r.op).await.expect(200)["total"], 1);
    r.s.stop().await;
}
