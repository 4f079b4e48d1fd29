// SPDX-License-Identifier: Apache-2.0
//! Every route, every role, inside and outside the project, and without credentials: it answers as its
//! row of the table says, or this fails. A route that is new fails until it is put on the right list.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use serde_json::{Value, json};

on_both!(lists_hold_nothing_of_other_projects);

pub(crate) const ROLES: [&str; 5] = ["viewer", "operator", "administrator", "auditor", "analyst"];

pub(crate) fn permits(permission: &str, role: &str) -> bool {
    match permission {
        "public" | "signed_in" | "view" => true,
        "operate" => ["operator", "administrator"].contains(&role),
        "administer" | "administer_all" => role == "administrator",
        "download" => ["analyst", "administrator"].contains(&role),
        "audit" | "audit_all" => ["auditor", "administrator"].contains(&role),
        other => panic!("a permission that this test does not know: {other}"),
    }
}

/// Own things of the caller: others have none of that id.
const OWN: [&str; 6] =
    ["revokeApiKey", "revokeAccessKey", "getExport", "downloadExport", "endSession", "endUserSession"];
/// End the caller's own credential; tested where that is what it is about.
const ENDING: [&str; 3] = ["logout", "changePassword", "logoutSso"];
/// Want the own password, which these people do not have.
const PROVING: [&str; 4] =
    ["enrolSecondFactor", "confirmSecondFactor", "renewRecoveryCodes", "removeSecondFactor"];
/// Routes without a part in the path whose body names something of a project.
const BODY_BOUND: [&str; 16] = [
    "addContent",
    "bindQuota",
    "unbindQuota",
    "assignHosts",
    "createHostGroup",
    "createPolicyGroup",
    "replaySwitches",
    "createEnrolmentToken",
    "handleAlarms",
    "restoreIsolatedFiles",
    "deleteIsolatedFiles",
    "addWhitelistEntry",
    "removeWhitelistEntries",
    "createScanPolicy",
    "disarmRule",
    "createTarget",
];
/// The same, of a name that is given elsewhere.
const ALSO_BOUND: [&str; 7] =
    ["startScan", "setSwitch", "listSwitches", "getContent", "listFiles", "listSamples", "listDeepScans"];
/// After these there is nothing left to do the same with.
const DESTRUCTIVE: [&str; 14] = [
    "removeContent",
    "approve",
    "reject",
    "deleteQuota",
    "deleteHostGroup",
    "deletePolicyGroup",
    "revokeEnrolmentToken",
    "removeWhitelistEntry",
    "removeWhitelistEntries",
    "deleteScanPolicy",
    "deleteUser",
    "rearmRule",
    "deleteTarget",
    "deleteDeadLetter",
];

/// One of each, of a project.
pub(crate) struct Things {
    pub(crate) project: String,
    pub(crate) host: String,
    pub(crate) host_group: String,
    pub(crate) policy_group: String,
    pub(crate) token: String,
    pub(crate) alarm: String,
    pub(crate) isolated: String,
    pub(crate) whitelist: String,
    pub(crate) command: String,
    pub(crate) task: String,
    pub(crate) scan_policy: String,
    pub(crate) scan_task: String,
    pub(crate) quota: String,
    pub(crate) approval: String,
    pub(crate) rule: String,
    pub(crate) user: String,
    pub(crate) target: String,
    pub(crate) letter: String,
    pub(crate) content: String,
    /// Of a file and its sample.
    pub(crate) digest: String,
}

pub(crate) async fn things(s: &Server, admin: &str, project: &str) -> Things {
    let text = |v: &Value| v.as_str().unwrap_or_else(|| panic!("{v}")).to_owned();
    let host = rows::host(s, project).await;
    let sha = [7; 32];
    let alarm = rows::alarm(s, &host, b"/srv/x.php", sha).await;
    let isolated = rows::isolated(s, &host, b"/srv/y.php", sha, "isolated").await;
    let digest = "07".repeat(32);
    rows::file(s, &host, b"/srv/bin/z", sha).await;
    rows::sample(s, &host, sha).await;
    let said = json!({ "verdict": "bad", "class": "worm", "reason": "x" });
    let path = format!("/api/v1/files/{digest}/verdict?project={project}");
    s.post(&path, admin, said).await.expect(200);
    let entry = json!({ "project": project, "scope": "project", "field": "hash", "judge": "equal",
        "value": digest, "description": "x" });
    let whitelist = s.post("/api/v1/whitelist", admin, entry).await.expect(201);
    let token = json!({ "project": project });
    let token = s.post("/api/v1/enrolment-tokens", admin, token).await.expect(201);
    let order = s.post(&format!("/api/v1/hosts/{}/self-test", host.id), admin, Value::Null).await.expect(202);
    let settings = json!({ "kind": "quick", "hosts": [host.id] });
    let plan = json!({ "project": project, "name": format!("p {}", rows::id()), "settings": settings,
        "start": { "start_type": "day" } });
    let plan = s.post("/api/v1/scan-policies", admin, plan).await.expect(201);
    let scan = json!({ "project": project, "name": "s", "settings": settings });
    let scan = s.post("/api/v1/scan-tasks", admin, scan).await.expect(202);
    let quota = json!({ "project": project, "edition": "premium", "total": 5 });
    let quota = s.post("/api/v1/quotas", admin, quota).await.expect(201);
    let approval = rows::approval(s, project).await;
    let rule = json!({ "project": project, "rule": rows::id() });
    let rule = s.post("/api/v1/disarmed-rules", admin, rule).await.expect(201);
    let name = format!("u{}", rows::id());
    let user = s.post("/api/v1/users", admin, json!({ "name": name })).await.expect(201);
    let hook = json!({ "webhook": { "url": "https://192.0.2.1/" } });
    let target = json!({ "project": project, "name": format!("t {}", rows::id()), "settings": hook });
    let target = s.post("/api/v1/targets", admin, target).await.expect(201);
    Things {
        project: project.to_owned(),
        host_group: rows::host_group(s, project, None).await,
        content: rows::content(s, project).await,
        digest,
        policy_group: rows::policy_group(s, project).await,
        host: host.id,
        token: text(&token["enrolment_token"]["id"]),
        alarm,
        isolated,
        whitelist: text(&whitelist["entry"]["id"]),
        command: text(&order["commands"][0]["id"]),
        task: text(&order["task"]),
        scan_policy: text(&plan["id"]),
        scan_task: text(&scan["id"]),
        quota: text(&quota["id"]),
        approval,
        rule: text(&rule["rule"]),
        user: text(&user["user"]["id"]),
        letter: dead_letter(s, project, &text(&target["target"]["id"])).await,
        target: text(&target["target"]["id"]),
    }
}

async fn dead_letter(s: &Server, project: &str, target: &str) -> String {
    let row = lazaret_store::DeadLetterRow {
        id: rows::id(),
        target: target.to_owned(),
        project: project.to_owned(),
        subject: "Lazaret: 1 alarm".to_owned(),
        body: "{}".to_owned(),
        alarms: 1,
        failed_ms: 1,
        attempts: 3,
        error: "gone".to_owned(),
    };
    s.store().put_dead_letter(&row).await.unwrap();
    row.id
}

pub(crate) fn fill(path: &str, t: &Things) -> String {
    let id = match path.trim_start_matches("/api/v1/").split('/').next().unwrap() {
        "hosts" => &t.host,
        "host-groups" => &t.host_group,
        "policy-groups" => &t.policy_group,
        "enrolment-tokens" => &t.token,
        "alarms" => &t.alarm,
        "isolated-files" => &t.isolated,
        "whitelist" => &t.whitelist,
        "commands" => &t.command,
        "tasks" => &t.task,
        "scan-policies" => &t.scan_policy,
        "scan-tasks" => &t.scan_task,
        "quotas" => &t.quota,
        "approvals" => &t.approval,
        "users" => &t.user,
        "targets" => &t.target,
        "dead-letters" => &t.letter,
        "content" => &t.content,
        _ => "01890000-0000-7000-8000-000000000000",
    };
    let whole = ["/api/v1/files", "/api/v1/samples", "/api/v1/deep-scans"].contains(&path);
    let asks = path.ends_with("/switches") || path.ends_with("/content") || path.ends_with("{rule}");
    let asks = asks || whole || path.contains("{sha256}");
    let path = if asks { format!("{path}?project={{project}}") } else { path.to_owned() };
    path.replace("{id}", id)
        .replace("{rule}", &t.rule)
        .replace("{sha256}", &t.digest)
        .replace("{project}", &t.project)
        .replace("{switch}", "isolate_and_kill")
}

/// What a project could consent to.
pub(crate) fn consent() -> Value {
    json!({ "hashes": true, "samples": true, "max_sample_bytes": 1 << 20, "exclude": ["/home"],
        "kinds": ["executable", "script"], "wait_ms": 300, "fail_closed": false, "bytes_per_second": 0,
        "canary_groups": [], "ring_seconds": 60, "retention_days": 30 })
}

pub(crate) fn body(operation: &str, t: &Things) -> Option<Value> {
    let settings = json!({ "kind": "quick", "all_hosts": true });
    let name = format!("n {}", rows::id());
    Some(match operation {
        "login" => json!({ "user": "nobody", "password": "x" }),
        "createApiKey" | "createAccessKey" => json!({}),
        "createUser" => json!({ "name": format!("n{}", rows::id()) }),
        "enrolSecondFactor" => json!({ "password": "x" }),
        "confirmSecondFactor" => json!({ "code": "000000" }),
        "renewRecoveryCodes" | "removeSecondFactor" => json!({ "password": "x", "code": "000000" }),
        "setProjectRules" => json!({ "second_factor": false, "two_person": false, "most_hosts": 5,
            "most_files": 20, "approval_hours": 24 }),
        "setReminders" => json!({ "reminders": false }),
        "approve" | "reject" | "cancelApproval" => json!({}),
        "createQuota" => json!({ "project": t.project, "edition": "basic", "total": 1 }),
        "updateQuota" => json!({ "total": 6 }),
        "bindQuota" => json!({ "quota": t.quota, "hosts": [t.host] }),
        "unbindQuota" => json!({ "hosts": [t.host] }),
        "updateUser" => json!({ "unlock": true }),
        "createProject" => json!({ "name": name }),
        "assignHosts" => json!({ "hosts": [t.host], "importance": "test" }),
        "updateHost" => json!({ "importance": "test" }),
        "createHostGroup" | "createPolicyGroup" => json!({ "project": t.project, "name": name }),
        "updateHostGroup" => json!({ "name": name }),
        "updatePolicyGroup" => json!({ "name": name, "settings": {} }),
        "replayPolicyGroup" => json!({ "settings": {} }),
        "setSwitch" => json!({ "project": t.project, "on": true }),
        "replaySwitches" => json!({ "project": t.project, "isolate_and_kill": true }),
        "createEnrolmentToken" => json!({ "project": t.project }),
        "handleAlarm" => json!({ "operate_type": "ignore" }),
        "handleAlarms" => json!({ "alarms": [t.alarm], "operate_type": "ignore" }),
        "handleAllAlarms" => json!({ "class": "worm", "operate_type": "ignore" }),
        "thawAlarm" | "collectSample" | "reportFalsePositive" | "restoreIsolated" => json!({}),
        "restoreIsolatedFiles" | "deleteIsolatedFiles" => json!({ "files": [t.isolated] }),
        "addWhitelistEntry" => json!({ "project": t.project, "scope": "host", "scope_id": t.host,
            "field": "file_path", "judge": "equal", "value": "/srv/x", "any_content": true, "description": "x" }),
        "updateWhitelistEntry" => json!({ "description": "x", "owner": "y" }),
        "removeWhitelistEntries" => json!({ "entries": [t.whitelist] }),
        "addContent" => {
            json!({ "project": t.project, "name": rows::id(), "kind": "hashes", "body": "b".repeat(64) })
        }
        "promoteContent" => json!({ "promoted": true }),
        "createScanPolicy" => json!({ "project": t.project, "name": name, "settings": settings,
            "start": { "start_type": "day" } }),
        "updateScanPolicy" => json!({ "name": name, "settings": settings, "start": { "start_type": "day" } }),
        "setRecoveryKey" => json!({ "recipient": null }),
        "disarmRule" => json!({ "project": t.project, "rule": name }),
        "startScan" => json!({ "project": t.project, "name": name, "settings": settings }),
        "createTarget" => json!({ "project": t.project, "name": name,
            "settings": { "webhook": { "url": "https://192.0.2.1/" } } }),
        "updateTarget" => json!({ "name": name, "enabled": true,
            "settings": { "webhook": { "url": "https://192.0.2.1/" } } }),
        "setCloudScan" => consent(),
        "sayVerdict" => json!({ "verdict": "bad", "class": "worm", "reason": "x" }),
        "holdSample" => json!({ "held": false }),
        "downloadSample" => json!({}),
        "rotateTargetSecret" => json!({ "keep_old": true }),
        _ => return None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_as_its_permission_says() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let (inside, outside) = (rows::project(&s, "inside").await, rows::project(&s, "outside").await);
    let mut people = Vec::new();
    for role in ROLES {
        for (place, project) in [("inside", inside.as_str()), ("outside", outside.as_str()), ("all", "*")] {
            let token = s.person(&format!("{role}-{place}"), &[(project, role)]).await;
            people.push((role, place, token));
        }
    }
    let nothing = s.person("nothing", &[]).await;
    let table = serde_json::to_value(&s.running().routes).unwrap();
    let table = table.as_array().unwrap();
    assert!(table.len() > 80, "{}", table.len());
    let fixture = things(&s, &admin, &inside).await;
    let mut faults = Vec::new();
    for row in table {
        let text = |k: &str| row[k].as_str().unwrap();
        let (method, path, operation, permission) =
            (text("method"), text("path"), text("operation"), text("permission"));
        let bound = path.contains('{') && !path.contains("/users/");
        let by_body = BODY_BOUND.contains(&operation) || ALSO_BOUND.contains(&operation);
        let call = async |token: &str, t: &Things| {
            s.send(method, &fill(path, t), token, body(operation, t), &[("if-match", "\"1\"")]).await
        };
        let mut check = |who: &str, got: u16, good: &dyn Fn(u16) -> bool, want: &str| {
            if !good(got) || got >= 500 {
                faults
                    .push(format!("{method} {path} ({operation}, {permission}) as {who}: {got}, not {want}"));
            }
        };
        let none = call("", &fixture).await.status;
        if permission == "public" {
            let login = operation == "login";
            let provider = path.contains("/sso/{name}/");
            check(
                "nobody",
                none,
                &|c| {
                    c == if provider {
                        404
                    } else if login {
                        401
                    } else {
                        200
                    }
                },
                "an answer",
            );
            continue;
        }
        check("nobody", none, &|c| c == 401, "401");
        if ENDING.contains(&operation) || PROVING.contains(&operation) {
            continue;
        }
        let got = call(&nothing, &fixture).await.status;
        let signed_in = permission == "signed_in";
        check("somebody without grants", got, &|c| (c == 403) != signed_in, "403 unless it is for all");
        for (role, place, token) in &people {
            let fresh;
            let t = if !DESTRUCTIVE.contains(&operation) || !permits(permission, role) {
                &fixture
            } else {
                fresh = things(&s, &admin, &inside).await;
                &fresh
            };
            let got = call(token, t).await.status;
            let who = format!("{role} {place}");
            let needs_all = permission.ends_with("_all");
            if !permits(permission, role) || (needs_all && *place != "all") {
                check(&who, got, &|c| c == 403, "403");
            } else if OWN.contains(&operation) || (*place == "outside" && (bound || by_body) && !signed_in) {
                check(&who, got, &|c| c == 404, "404");
            } else {
                // Only its author takes an order back.
                let others = operation == "cancelApproval";
                check(&who, got, &|c| ![401, 403, 404].contains(&c) || (others && c == 403), "done");
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    s.stop().await;
}

async fn lists_hold_nothing_of_other_projects(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let (a, b) = (rows::project(&s, "a").await, rows::project(&s, "b").await);
    let seen = things(&s, &admin, &a).await;
    let hidden = things(&s, &admin, &b).await;
    let token = s.person("a", &[(&a, "administrator")]).await;
    for (path, there, not_there) in [
        ("projects", &a, &b),
        ("hosts", &seen.host, &hidden.host),
        ("host-groups", &seen.host_group, &hidden.host_group),
        ("policy-groups", &seen.policy_group, &hidden.policy_group),
        ("enrolment-tokens", &seen.token, &hidden.token),
        ("alarms", &seen.alarm, &hidden.alarm),
        ("isolated-files", &seen.isolated, &hidden.isolated),
        ("whitelist", &seen.whitelist, &hidden.whitelist),
        ("commands", &seen.command, &hidden.command),
        ("scan-policies", &seen.scan_policy, &hidden.scan_policy),
        ("scan-tasks", &seen.scan_task, &hidden.scan_task),
        ("disarmed-rules", &seen.rule, &hidden.rule),
        ("targets", &seen.target, &hidden.target),
        ("dead-letters", &seen.letter, &hidden.letter),
        ("audit", &seen.whitelist, &hidden.whitelist),
    ] {
        let text = s.get(&format!("/api/v1/{path}"), &token).await.text;
        assert!(text.contains(there.as_str()), "{path}: {text}");
        assert!(!text.contains(not_there.as_str()), "{path}: {text}");
    }
    // The same content in both: what shows is the host, and each project has its own.
    for path in ["files", "samples", "deep-scans"] {
        let text = s.get(&format!("/api/v1/{path}?project={a}"), &token).await.text;
        assert!(!text.contains(&hidden.host) && !text.contains(&b), "{path}: {text}");
        s.get(&format!("/api/v1/{path}?project={b}"), &token).await.problem(404, "not-found");
    }
    let places = format!("/api/v1/files/{}/places?project={a}", seen.digest);
    let text = s.get(&places, &token).await.text;
    assert!(text.contains(&seen.host) && !text.contains(&hidden.host), "{text}");
    let same = s.get(&format!("/api/v1/alarms/{}/same", seen.alarm), &token).await.text;
    assert!(!same.contains(&hidden.alarm), "{same}");
    let statistics = s.get("/api/v1/alarms/statistics", &token).await.expect(200);
    assert_eq!(statistics["total"], 1);
    let digest = json!({ "sha256": "07".repeat(32) });
    let restored = s.post("/api/v1/isolated-files/restore", &token, digest).await.expect(202);
    assert_eq!(restored["total"], 1, "fleet-wide ends where the caller's projects end: {restored}");
    s.stop().await;
}
