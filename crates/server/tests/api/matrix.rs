// SPDX-License-Identifier: Apache-2.0
//! Tenants kept apart: every route, with every role and kind of credential, asked from one project for the
//! things of another. What is there and what is not there must give the same answer, to the letter, and
//! nothing of the other project may show anywhere. A route that is not in the table below fails the test.

use crate::coverage::{ROLES, Things, body, fill, permits, things};
use crate::kit::{Reply, Server};
use crate::known_routes::How::{Global, Named, Own, Public};
use crate::known_routes::{KNOWN, how};
use crate::rows;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;

/// Ids that nothing has.
fn nothing() -> Things {
    Things {
        project: rows::id(),
        host: rows::id(),
        host_group: rows::id(),
        policy_group: rows::id(),
        token: rows::id(),
        alarm: rows::id(),
        isolated: rows::id(),
        whitelist: rows::id(),
        command: rows::id(),
        task: rows::id(),
        scan_policy: rows::id(),
        scan_task: rows::id(),
        quota: rows::id(),
        approval: rows::id(),
        rule: rows::id(),
        user: rows::id(),
        target: rows::id(),
        letter: rows::id(),
        content: rows::id(),
        digest: "ab".repeat(32),
    }
}

/// What must not be seen outside: ids of things, the name of the host, the content's digest, its paths.
fn marks(t: &Things) -> Vec<String> {
    let ids = [
        &t.project,
        &t.host,
        &t.host_group,
        &t.policy_group,
        &t.token,
        &t.alarm,
        &t.isolated,
        &t.whitelist,
        &t.command,
        &t.task,
        &t.scan_policy,
        &t.scan_task,
        &t.quota,
        &t.approval,
        &t.rule,
        &t.target,
        &t.letter,
        &t.content,
    ];
    let mut out: Vec<String> = ids.into_iter().cloned().collect();
    out.push(format!("host-{}", &t.host[24..]));
    out.extend([
        DIGEST.repeat(32),
        "/srv/x.php".to_owned(),
        "/srv/y.php".to_owned(),
        "/srv/bin/z".to_owned(),
    ]);
    out
}

/// The content's digest in `things`, a byte of it.
const DIGEST: &str = "07";

/// The answer without what is different in each: ids become `U`, times `T`, digests `D`.
fn plain(reply: &Reply) -> String {
    let text: Vec<char> = reply.text.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    while i < text.len() {
        let rest = &text[i..];
        if is_uuid(rest) {
            out.push('U');
            i += 36;
        } else if is_time(rest) {
            out.push('T');
            i += 24;
        } else if is_digest(rest) {
            out.push('D');
            i += 64;
        } else {
            out.push(text[i]);
            i += 1;
        }
    }
    format!("{} {out}", reply.status)
}

fn is_uuid(rest: &[char]) -> bool {
    rest.len() >= 36
        && rest[..36]
            .iter()
            .enumerate()
            .all(|(i, c)| if [8, 13, 18, 23].contains(&i) { *c == '-' } else { c.is_ascii_hexdigit() })
}

/// Of the two that are asked for: a refusal names what was asked.
fn is_digest(rest: &[char]) -> bool {
    let text: String = rest.iter().take(64).collect();
    text == DIGEST.repeat(32) || text == "ab".repeat(32)
}

fn is_time(rest: &[char]) -> bool {
    const FORM: &str = "0000-00-00T00:00:00.000Z";
    rest.len() >= FORM.len()
        && FORM.chars().zip(rest).all(|(f, c)| if f == '0' { c.is_ascii_digit() } else { f == *c })
}

/// Somebody who asks.
struct Caller {
    who: String,
    role: &'static str,
    token: String,
    /// Of the other project alone: must see nothing.
    outside: bool,
}

/// Everybody: each role in the project, in another one and in all; nobody's rights; and API keys of a
/// person who may do all, narrowed to the other project.
async fn callers(s: &Server, inside: &str, outside: &str) -> Vec<Caller> {
    let mut out = Vec::new();
    let caller = |who: String, role, token, outside| Caller { who, role, token, outside };
    for role in ROLES {
        for (place, project) in [("inside", inside), ("outside", outside), ("all", "*")] {
            let token = s.person(&format!("{role}.{place}"), &[(project, role)]).await;
            out.push(caller(format!("{role} {place}"), role, token, place == "outside"));
        }
    }
    let token = s.person("no.rights", &[]).await;
    out.push(caller("somebody without rights".to_owned(), "", token, true));
    // Of a person with rights in both: the key has them in one alone.
    let both = s.person("of.both", &[(inside, "administrator"), (outside, "administrator")]).await;
    for role in ROLES {
        let ask = json!({ "grants": [{ "project": outside, "role": role }] });
        let made = s.post("/api/v1/me/api-keys", &both, ask).await.expect(201);
        let token = made["key"].as_str().unwrap().to_owned();
        out.push(caller(format!("key with {role} outside"), role, token, true));
    }
    out
}

struct Route {
    method: String,
    path: String,
    operation: String,
    permission: String,
}

async fn call(s: &Server, r: &Route, token: &str, t: &Things, sent: Option<Value>) -> Reply {
    s.send(&r.method, &fill(&r.path, t), token, sent, &[("if-match", "\"1\"")]).await
}

/// Bodies of a call with the other project's things and with nothing's, alike but for the ids.
fn bodies(r: &Route, theirs: &Things, none: &Things) -> (Option<Value>, Option<Value>) {
    (body(&r.operation, theirs), body(&r.operation, none))
}

fn routes(s: &Server) -> Vec<Route> {
    let table = serde_json::to_value(&s.running().routes).unwrap();
    let route = |row: &Value| {
        let text = |k: &str| row[k].as_str().unwrap().to_owned();
        Route {
            method: text("method"),
            path: text("path"),
            operation: text("operation"),
            permission: text("permission"),
        }
    };
    table.as_array().unwrap().iter().map(route).collect()
}

#[tokio::test]
async fn every_route_is_in_the_table_and_nothing_else_is() {
    let s = Server::start().await;
    let there: BTreeSet<String> = routes(&s).into_iter().map(|r| r.operation).collect();
    let known: Vec<&str> = KNOWN.iter().flat_map(|(_, list)| list.iter().copied()).collect();
    let unknown: Vec<&String> = there.iter().filter(|o| how(o).is_none()).collect();
    assert!(unknown.is_empty(), "say in KNOWN how these are called, and what they owe outside: {unknown:?}");
    let gone: Vec<&&str> = known.iter().filter(|o| !there.contains(**o)).collect();
    assert!(gone.is_empty(), "no routes any more: {gone:?}");
    assert_eq!(known.len(), there.len(), "one is there twice");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_project_shows_in_another() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let inside = rows::project(&s, "inside").await;
    let outside = rows::project(&s, "outside").await;
    let theirs = things(&s, &admin, &inside).await;
    let none = nothing();
    let marks = marks(&theirs);
    let callers = callers(&s, &inside, &outside).await;
    let routes = routes(&s);
    let (mut asked, mut faults) = (0, Vec::new());
    for r in &routes {
        let Some(how) = how(&r.operation) else { continue };
        let name = format!("{} {} ({})", r.method, r.path, r.operation);
        let nobody = call(&s, r, "", &theirs, body(&r.operation, &theirs)).await;
        asked += 1;
        if how != Public && nobody.status != 401 {
            faults.push(format!("{name} without credentials: {}", nobody.status));
        }
        if marks.iter().any(|m| nobody.text.contains(m.as_str())) {
            faults.push(format!("{name} without credentials shows: {}", nobody.text));
        }
        if matches!(how, Public | Own) {
            continue;
        }
        for c in callers.iter().filter(|c| c.outside) {
            let (there, absent) = bodies(r, &theirs, &none);
            let got = call(&s, r, &c.token, &theirs, there).await;
            let other = call(&s, r, &c.token, &none, absent).await;
            asked += 2;
            let may = permits(&r.permission, c.role) && (!c.role.is_empty() || r.permission == "signed_in");
            let want: &[u16] = match how {
                Global => &[403],
                _ if !may => &[403],
                Named => &[404],
                _ => &[200, 201, 202, 204, 403, 404, 409, 412, 422],
            };
            if !want.contains(&got.status) {
                faults.push(format!("{name} as {}: {} {}, not {want:?}", c.who, got.status, got.text));
            }
            // Names are sent as they come back: a random one differs.
            let same = plain(&got) == plain(&other);
            if matches!(how, Named | Global) && !same {
                faults.push(format!("{name} as {}: {} is told from {}", c.who, plain(&got), plain(&other)));
            }
            // A refusal names the id that was asked for; it came from the caller.
            let sent = fill(&r.path, &theirs);
            let said = body(&r.operation, &theirs).map(|b| b.to_string()).unwrap_or_default();
            let shown = |m: &&String| {
                got.text.contains(m.as_str()) && !sent.contains(m.as_str()) && !said.contains(m.as_str())
            };
            if let Some(mark) = marks.iter().find(shown) {
                faults.push(format!("{name} as {} shows {mark}: {}", c.who, got.text));
            }
        }
        // Inside: a role that may not is told so, whatever it names.
        for c in callers.iter().filter(|c| !c.outside) {
            let all = r.permission.ends_with("_all") && !c.who.ends_with(" all");
            if permits(&r.permission, c.role) && !all {
                continue;
            }
            let got = call(&s, r, &c.token, &theirs, body(&r.operation, &theirs)).await;
            asked += 1;
            if got.status != 403 {
                faults.push(format!("{name} as {}: {}, not 403", c.who, got.status));
            }
        }
    }
    let _ = writeln!(
        std::io::stdout(),
        "authorisation matrix: {} routes x {} credentials x 2 projects, {asked} requests, {} leaks",
        routes.len(),
        callers.len() + 1,
        faults.len()
    );
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    // Nobody outside changed anything of theirs.
    assert!(!s.store().host(&theirs.host).await.unwrap().removed);
    assert!(!s.store().alarm(&theirs.alarm).await.unwrap().handled);
    assert_eq!(s.store().isolated(&theirs.isolated).await.unwrap().status, "isolated");
    let commands = s.get("/api/v1/commands", &admin).await.expect(200);
    let by: Vec<&Value> = commands["items"].as_array().unwrap().iter().map(|c| &c["ordered_by"]).collect();
    assert!(by.iter().all(|who| who.as_str().unwrap().starts_with("admin-")), "{by:?}");
    s.stop().await;
}

#[tokio::test]
async fn not_even_a_digest_is_known_outside() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let (inside, outside) = (rows::project(&s, "inside").await, rows::project(&s, "outside").await);
    let theirs = things(&s, &admin, &inside).await;
    let token = s.person("outside", &[(&outside, "administrator")]).await;
    let (known, unknown) = (DIGEST.repeat(32), "ab".repeat(32));
    for path in [
        "/api/v1/alarms?sha256={}",
        "/api/v1/alarms/statistics?sha256={}",
        "/api/v1/isolated-files?sha256={}",
        "/api/v1/whitelist?text={}",
    ] {
        let ask = |digest: &str| path.replace("{}", digest);
        let there = s.get(&ask(&known), &token).await;
        let absent = s.get(&ask(&unknown), &token).await;
        assert_eq!(there.status, 200, "{path}: {}", there.text);
        assert_eq!(plain(&there), plain(&absent), "{path}");
    }
    for (name, value) in [
        ("host", &theirs.host),
        ("ids", &theirs.alarm),
        ("text", &"/srv/x.php".to_owned()),
        ("group", &theirs.host_group),
    ] {
        let there = s.get(&format!("/api/v1/alarms?{name}={value}"), &token).await;
        assert_eq!(there.expect(200)["total"], 0, "{name}");
    }
    // A content that both have is another file in each.
    for path in ["files/{}", "files/{}/places", "files?sha256={}"] {
        let ask = |digest: &str, project: &str| {
            let path = format!("/api/v1/{}", path.replace("{}", digest));
            let sign = if path.contains('?') { '&' } else { '?' };
            format!("{path}{sign}project={project}")
        };
        for (one, other) in [
            (ask(&known, &outside), ask(&unknown, &outside)),
            (ask(&known, &inside), ask(&known, &rows::id())),
        ] {
            let there = s.get(&one, &token).await;
            let absent = s.get(&other, &token).await;
            assert_eq!(plain(&there), plain(&absent), "{one}");
        }
    }
    let restore = |digest: &str| json!({ "sha256": digest });
    let there = s.post("/api/v1/isolated-files/restore", &token, restore(&known)).await;
    let absent = s.post("/api/v1/isolated-files/restore", &token, restore(&unknown)).await;
    assert_eq!(plain(&there), plain(&absent));
    for project in [inside.as_str(), &rows::id()] {
        s.get(&format!("/api/v1/alarms?project={project}"), &token).await.problem(404, "not-found");
    }
    let all = s.get("/api/v1/alarms?project=all_granted_eps", &token).await.expect(200);
    assert_eq!(all["total"], 0);
    let own = s.get(&format!("/api/v1/alarms?project={inside}"), &admin).await.expect(200);
    assert_eq!(own["total"], 1);
    s.stop().await;
}

/// Puts a thing of somewhere into a body.
type Make<'a> = Box<dyn Fn(&Things) -> Value + 'a>;

fn make<'a>(body: impl Fn(&Things) -> Value + 'a) -> Make<'a> {
    Box::new(body)
}

/// An own thing together with one of another project.
#[tokio::test]
async fn own_things_do_not_reach_over_the_border() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let (inside, outside) = (rows::project(&s, "inside").await, rows::project(&s, "outside").await);
    let theirs = things(&s, &admin, &inside).await;
    let own = things(&s, &admin, &outside).await;
    let none = nothing();
    let token = s.person("outside", &[(&outside, "administrator")]).await;
    let scan = |t: &Things, what: &str| {
        let id = if what == "hosts" { &t.host } else { &t.host_group };
        json!({ "project": own.project, "name": "x", "settings": { "kind": "quick", what: [id] } })
    };
    let entry = |t: &Things, scope: &str, id: &str| {
        json!({ "project": own.project, "scope": scope, "scope_id": id, "field": "file_path", "judge": "equal",
            "value": "/srv/z", "any_content": true, "description": "x", "alarm": t.alarm })
    };
    let calls: Vec<(&str, String, Make<'_>)> = vec![
        ("POST", "/hosts/assign".into(), make(|t| json!({ "hosts": [own.host], "group": t.host_group }))),
        (
            "POST",
            "/hosts/assign".into(),
            make(|t| json!({ "hosts": [own.host, t.host], "importance": "test" })),
        ),
        ("PUT", format!("/hosts/{}", own.host), make(|t| json!({ "group": t.host_group }))),
        (
            "POST",
            "/host-groups".into(),
            make(|t| json!({ "project": own.project, "name": "x", "policy_group": t.policy_group })),
        ),
        (
            "PUT",
            format!("/host-groups/{}", own.host_group),
            make(|t| json!({ "name": "x", "policy_group": t.policy_group })),
        ),
        (
            "POST",
            "/enrolment-tokens".into(),
            make(|t| json!({ "project": own.project, "group": t.host_group })),
        ),
        ("POST", "/quotas/bind".into(), make(|t| json!({ "quota": t.quota, "hosts": [own.host] }))),
        ("POST", "/quotas/bind".into(), make(|t| json!({ "quota": own.quota, "hosts": [own.host, t.host] }))),
        ("POST", "/quotas/unbind".into(), make(|t| json!({ "hosts": [own.host, t.host] }))),
        ("POST", "/scan-tasks".into(), make(|t| scan(t, "hosts"))),
        ("POST", "/scan-tasks".into(), make(|t| scan(t, "groups"))),
        ("POST", "/whitelist".into(), make(|t| entry(&own, "host", &t.host))),
        ("POST", "/whitelist".into(), make(|t| entry(&own, "group", &t.host_group))),
        ("POST", "/whitelist".into(), make(|t| entry(t, "host", &own.host))),
        (
            "POST",
            "/alarms/handle".into(),
            make(|t| json!({ "alarms": [own.alarm, t.alarm], "operate_type": "ignore" })),
        ),
        ("POST", "/isolated-files/delete".into(), make(|t| json!({ "files": [own.isolated, t.isolated] }))),
        ("POST", "/isolated-files/restore".into(), make(|t| json!({ "files": [own.isolated, t.isolated] }))),
        ("POST", "/whitelist/delete".into(), make(|t| json!({ "entries": [own.whitelist, t.whitelist] }))),
    ];
    for (method, path, with) in &calls {
        let path = format!("/api/v1{path}");
        let send =
            async |t: &Things| s.send(method, &path, &token, Some(with(t)), &[("if-match", "\"1\"")]).await;
        let (there, absent) = (send(&theirs).await, send(&none).await);
        assert_eq!(there.status, 404, "{method} {path}: {}", there.text);
        assert_eq!(plain(&there), plain(&absent), "{method} {path}");
    }
    assert!(!s.store().alarm(&own.alarm).await.unwrap().handled, "all of it or nothing");
    s.stop().await;
}

#[tokio::test]
async fn of_a_task_over_two_projects_each_sees_its_part() {
    let s = Server::start().await;
    let (a, b) = (rows::project(&s, "a").await, rows::project(&s, "b").await);
    let both = s.person("both", &[(&a, "administrator"), (&b, "administrator")]).await;
    let (one, two) = (rows::host(&s, &a).await, rows::host(&s, &b).await);
    let sha = [9; 32];
    rows::isolated(&s, &one, b"/a", sha, "isolated").await;
    rows::isolated(&s, &two, b"/b", sha, "isolated").await;
    let restore = json!({ "sha256": "09".repeat(32) });
    let headers = [("idempotency-key", "k1")];
    let path = "/api/v1/isolated-files/restore";
    let ordered = s.send("POST", path, &both, Some(restore.clone()), &headers).await.expect(202);
    assert_eq!(ordered["total"], 2);
    let task = format!("/api/v1/tasks/{}", ordered["task"].as_str().unwrap());
    assert_eq!(s.get(&task, &both).await.expect(200)["total"], 2);
    let part = s.person("part", &[(&a, "viewer")]).await;
    let seen = s.get(&task, &part).await.expect(200);
    assert_eq!((&seen["total"], &seen["by_state"][0]["count"]), (&json!(1), &json!(1)), "{seen}");
    // The same person's key for one project does not get the kept answer about both.
    let ask = json!({ "grants": [{ "project": a, "role": "operator" }] });
    let made = s.post("/api/v1/me/api-keys", &both, ask).await.expect(201);
    let key = made["key"].as_str().unwrap();
    s.send("POST", path, key, Some(restore), &headers).await.problem(409, "conflict");
    s.stop().await;
}
