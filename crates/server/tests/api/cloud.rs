// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan for people: consent, the scan that the switch begins, files, verdicts, and that nothing of
//! one project shows in another.

use crate::base::{Base, on_both};
use crate::coverage::consent;
use crate::kit::{Reply, Server};
use crate::rows;
use serde_json::{Value, json};

on_both!(
    consent_is_set_and_said_in_words,
    switching_on_begins_one_scan,
    a_person_calls_bad_releases_and_withdraws,
    files_are_found_by_what_is_known_of_them,
    a_false_positive_withdraws_the_verdict,
    a_content_of_two_projects_is_two_files,
);

const SHA: [u8; 32] = [0x5a; 32];

fn digest() -> String {
    "5a".repeat(32)
}

async fn say(s: &Server, token: &str, project: &str, body: Value) -> Reply {
    s.post(&format!("/api/v1/files/{}/verdict?project={project}", digest()), token, body).await
}

fn bad(class: &str) -> Value {
    json!({ "verdict": "bad", "class": class, "reason": "seen elsewhere" })
}

async fn consent_is_set_and_said_in_words(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let project = rows::project(&s, "p").await;
    let host = rows::host(&s, &project).await;
    let path = format!("/api/v1/projects/{project}/cloud-scan");
    let before = s.get(&path, &admin).await;
    assert_eq!(before.header("etag"), "\"0\"");
    let before = before.expect(200);
    assert_eq!((&before["consent"]["hashes"], &before["consent"]["samples"]), (&json!(false), &json!(false)));
    assert_eq!(before["leaves_hosts"].as_array().unwrap().len(), 1);
    assert!(before["leaves_hosts"][0].as_str().unwrap().contains("Nothing leaves"), "{before}");
    let put =
        async |body: Value, tag: &str| s.send("PUT", &path, &admin, Some(body), &[("if-match", tag)]).await;
    s.send("PUT", &path, &admin, Some(consent()), &[]).await.problem(428, "precondition-required");
    let mut wrong = consent();
    wrong["hashes"] = json!(false);
    assert!(put(wrong, "\"0\"").await.problem(422, "invalid").contains("hashes"));
    let mut wrong = consent();
    wrong["canary_groups"] = json!([rows::host_group(&s, "0", None).await]);
    put(wrong, "\"0\"").await.problem(422, "invalid");
    let mut wrong = consent();
    wrong["canary_groups"] = json!([rows::id()]);
    put(wrong, "\"0\"").await.problem(404, "not-found");

    let mut good = consent();
    good["canary_groups"] = json!([rows::host_group(&s, &project, None).await]);
    let after = put(good.clone(), "\"0\"").await;
    assert_eq!(after.header("etag"), "\"1\"");
    let after = after.expect(200);
    assert_eq!(after["consent"], good);
    let words = after["leaves_hosts"].to_string();
    for part in ["SHA-256", "1 MiB", "/home", "30 days", "switch malware_cloud_scan is off"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    put(consent(), "\"0\"").await.problem(412, "stale");
    assert!(s.store().host(&host.id).await.unwrap().generation > host.generation, "hosts are to apply it");
    let audit = s.get("/api/v1/audit?action=cloud_scan.consent", &admin).await.expect(200);
    assert_eq!((&audit["total"], &audit["items"][0]["project"]), (&json!(1), &json!(project)));
    assert_eq!(audit["items"][0]["before"]["hashes"], false);
    assert_eq!(audit["items"][0]["after"]["hashes"], true);
    let viewer = s.person("viewer", &[(&project, "viewer")]).await;
    assert_eq!(s.get(&path, &viewer).await.expect(200)["consent"], good);
    s.send("PUT", &path, &viewer, Some(good), &[("if-match", "\"1\"")]).await.problem(403, "forbidden");
    s.stop().await;
}

async fn switching_on_begins_one_scan(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let project = rows::project(&s, "p").await;
    let (one, two) = (rows::host(&s, &project).await, rows::host(&s, &project).await);
    rows::host(&s, "0").await;
    s.store().revoke_host(&two.id).await.unwrap();
    let switch = async |on: bool| {
        let body = json!({ "project": project, "on": on });
        s.send("PUT", "/api/v1/switches/malware_cloud_scan", &admin, Some(body), &[]).await.expect(200)
    };
    let first = switch(true).await;
    assert_eq!((&first["on"], &first["scan"]["begun"]), (&json!(true), &json!(true)));
    let task = first["scan"]["task"].as_str().unwrap().to_owned();
    let again = switch(true).await;
    assert_eq!((&again["scan"]["begun"], &again["scan"]["task"]), (&json!(false), &json!(task)));
    let tasks = s.get(&format!("/api/v1/scan-tasks?project={project}"), &admin).await.expect(200);
    assert_eq!((&tasks["total"], &tasks["items"][0]["kind"]), (&json!(1), &json!("quick")));
    let hosts = s.get(&format!("/api/v1/scan-tasks/{task}/hosts"), &admin).await.expect(200);
    assert_eq!(hosts["total"], 1, "of this project, and none that no order reaches: {hosts}");
    assert_eq!(hosts["items"][0]["host"]["id"], json!(one.id));
    let path = format!("/api/v1/projects/{project}/cloud-scan");
    let shown = s.get(&path, &admin).await.expect(200);
    assert_eq!((&shown["on"], &shown["scan"]), (&json!(true), &json!({ "task": task, "runs": true })));
    let audit = s.get("/api/v1/audit?action=scan.start", &admin).await.expect(200);
    assert_eq!(audit["total"], 1, "{audit}");

    // It is cancelled as any other; then the next one is another.
    s.send("POST", &format!("/api/v1/scan-tasks/{task}/cancel"), &admin, None, &[]).await.expect(200);
    assert_eq!(s.get(&path, &admin).await.expect(200)["scan"]["runs"], false);
    let off = switch(false).await;
    assert!(off.get("scan").is_none(), "{off}");
    let next = switch(true).await;
    assert_eq!(next["scan"]["begun"], true);
    assert_ne!(next["scan"]["task"], json!(task));
    let other = json!({ "project": project, "on": true });
    let other =
        s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(other), &[]).await.expect(200);
    assert!(other.get("scan").is_none(), "{other}");
    s.stop().await;
}

async fn a_person_calls_bad_releases_and_withdraws(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.person("ada", &[("0", "administrator")]).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let (one, two) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    rows::file(&s, &one, b"/usr/local/bin/x", SHA).await;
    rows::file(&s, &two, b"/tmp/\xff", SHA).await;
    let page = format!("/api/v1/files/{}", digest());
    let release = async |token: &str| s.send("POST", &format!("{page}/release"), token, None, &[]).await;
    let before = s.get(&page, &op).await.expect(200);
    assert_eq!((&before["file"]["standing"], &before["file"]["hosts"]), (&json!("unknown"), &json!(2)));
    assert_eq!((&before["verdict"], &before["judged"]), (&json!(null), &json!(null)));
    release(&admin).await.problem(409, "conflict");
    say(&s, &admin, "0", json!({ "verdict": "withdrawn", "reason": "x" })).await.problem(409, "conflict");
    say(&s, &op, "0", bad("worm")).await.problem(403, "forbidden");
    for wrong in [
        json!({ "verdict": "bad", "class": "worm", "reason": " " }),
        json!({ "verdict": "bad", "class": "spam", "reason": "x" }),
        json!({ "verdict": "good", "reason": "x" }),
        json!({ "verdict": "bad", "reason": "x".repeat(513) }),
        json!({ "verdict": "withdrawn", "class": "worm", "reason": "x" }),
    ] {
        say(&s, &admin, "0", wrong).await.problem(422, "invalid");
    }

    let called = say(&s, &admin, "0", bad("worm")).await.expect(200);
    let number = |v: &Value| v["verdict"]["number"].as_i64().unwrap();
    assert_eq!((&called["hosts"], &called["verdict"]["act"]), (&json!(2), &json!("canary")));
    assert!(called["verdict"]["release_at"].is_string(), "the ring's time: {called}");
    let shown = s.get(&page, &op).await.expect(200);
    assert_eq!(
        (&shown["file"]["standing"], &shown["file"]["verdict"]["class"]),
        (&json!("bad"), &json!("worm"))
    );
    assert_eq!(shown["judged"]["evidence"][0]["id"], json!(format!("cloud:{}", digest())));
    assert_eq!(shown["judged"]["evidence"][0]["decisive"], true);
    assert!(shown["history"][0]["text"].as_str().unwrap().contains("called worm by ada"), "{shown}");

    let released = release(&admin).await.expect(200);
    assert_eq!(
        (&released["verdict"]["act"], &released["verdict"]["released_by"]),
        (&json!("all"), &json!("ada"))
    );
    assert!(number(&released) > number(&called));
    assert_eq!(number(&release(&admin).await.expect(200)), number(&released), "once");

    let isolated = rows::isolated(&s, &one, b"/usr/local/bin/x", SHA, "isolated").await;
    rows::isolated(&s, &two, b"/tmp/x", SHA, "restored").await;
    let reason = json!({ "verdict": "withdrawn", "reason": "our own tool" });
    let withdrawn = say(&s, &admin, "0", reason).await.expect(200);
    assert!(number(&withdrawn) > number(&released));
    assert_eq!((&withdrawn["verdict"]["withdrawn"], &withdrawn["isolated_total"]), (&json!(true), &json!(1)));
    assert_eq!(withdrawn["isolated"][0]["id"], json!(isolated));
    let restore = json!({ "files": [isolated], "parents": true });
    assert_eq!(s.post("/api/v1/isolated-files/restore", &op, restore).await.expect(202)["total"], 1);
    let shown = s.get(&page, &op).await.expect(200);
    assert_eq!((&shown["file"]["standing"], &shown["file"]["settled"]), (&json!("clean"), &json!(true)));
    assert_eq!((&shown["isolated_total"], &shown["verdict"]["withdrawn_by"]), (&json!(2), &json!("ada")));
    release(&admin).await.problem(409, "conflict");

    let places = s.get(&format!("{page}/places?limit=1"), &op).await.expect(200);
    assert_eq!(places["total"], 2);
    let next = places["next"].as_str().unwrap();
    let rest = s.get(&format!("{page}/places?limit=1&after={next}"), &op).await.expect(200);
    let paths: Vec<&Value> = [&places, &rest].iter().map(|p| &p["items"][0]["path"]).collect();
    assert!(
        paths.contains(&&json!("/usr/local/bin/x")) && paths.contains(&&json!("/tmp/\u{fffd}")),
        "{paths:?}"
    );
    let exact: Vec<&Value> = [&places, &rest].iter().map(|p| &p["items"][0]["path_b64"]).collect();
    assert!(exact.contains(&&json!("L3RtcC//")), "{exact:?}");

    // What no host has yet can be called bad; a digest that is none is nothing.
    let other = format!("/api/v1/files/{}/verdict", "6b".repeat(32));
    assert_eq!(s.post(&other, &admin, bad("miner")).await.expect(200)["hosts"], 0);
    for name in ["x", &digest()[..63], &digest().to_uppercase()] {
        s.get(&format!("/api/v1/files/{name}"), &op).await.problem(404, "not-found");
    }
    for action in ["file.verdict", "file.release", "file.withdraw"] {
        let audit = s.get(&format!("/api/v1/audit?action={action}"), &admin).await.expect(200);
        assert!(audit["total"].as_i64().unwrap() >= 1, "{action}: {audit}");
    }
    s.stop().await;
}

async fn files_are_found_by_what_is_known_of_them(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let (one, two) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    rows::file(&s, &one, b"/opt/tool/Run%", SHA).await;
    rows::file(&s, &two, b"/srv/app", [0x5b; 32]).await;
    rows::file(&s, &two, b"/srv/app2", [0x1c; 32]).await;
    say(&s, &admin, "0", bad("worm")).await.expect(200);
    for (query, wanted) in [
        ("", vec!["5a", "5b", "1c"]),
        ("standing=bad", vec!["5a"]),
        ("standing=unknown,clean", vec!["5b", "1c"]),
        ("class=worm", vec!["5a"]),
        ("class=miner", vec![]),
        ("path=/srv/", vec!["5b", "1c"]),
        ("path=Run%25", vec!["5a"]),
        ("path=run%25", vec![]),
        ("path=Run_", vec![]),
        ("sha256=5", vec!["5a", "5b"]),
        ("sha256=5a5", vec!["5a"]),
        ("sha256=5a6", vec![]),
    ] {
        let found = s.get(&format!("/api/v1/files?{query}"), &admin).await.expect(200);
        let mut starts: Vec<String> = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["sha256"].as_str().unwrap()[..2].to_owned())
            .collect();
        starts.sort();
        let mut wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        wanted.sort();
        assert_eq!(starts, wanted, "{query}: {found}");
        assert_eq!(found["total"], json!(wanted.len()), "{query}");
    }
    let by_host = s.get(&format!("/api/v1/files?host={}", one.id), &admin).await.expect(200);
    assert_eq!((&by_host["total"], &by_host["items"][0]["sha256"]), (&json!(1), &json!(digest())));
    let of_host = s.get(&format!("/api/v1/hosts/{}/files", one.id), &admin).await.expect(200);
    assert_eq!((&of_host["total"], &of_host["items"][0]["standing"]), (&json!(1), &json!("bad")));
    assert_eq!(
        (&of_host["items"][0]["class"], &of_host["items"][0]["gone"]),
        (&json!("worm"), &json!(false))
    );
    for bad in ["sha256=XY", "sha256=", "standing=odd", "class=odd", "limit=0", "after=zz", "colour=red"] {
        s.get(&format!("/api/v1/files?{bad}"), &admin).await.problem(422, "invalid");
    }
    // Pages hold while rows arrive.
    let first = s.get("/api/v1/files?limit=2", &admin).await.expect(200);
    rows::file(&s, &one, b"/opt/new", [0xee; 32]).await;
    let next = first["next"].as_str().unwrap();
    let rest = s.get(&format!("/api/v1/files?limit=2&after={next}"), &admin).await.expect(200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
    s.stop().await;
}

async fn a_false_positive_withdraws_the_verdict(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    rows::file(&s, &host, b"/srv/x.php", SHA).await;
    let alarm = rows::alarm(&s, &host, b"/srv/x.php", SHA).await;
    let path = format!("/api/v1/alarms/{alarm}/false-positive");
    assert_eq!(s.get(&path, &admin).await.expect(200)["withdrawn_projects"], json!([]));
    say(&s, &admin, "0", bad("webshell")).await.expect(200);
    assert_eq!(s.get(&path, &admin).await.expect(200)["withdrawn_projects"], json!(["0"]));
    let before = s.store().verdict("0", &SHA).await.unwrap();
    s.post(&path, &admin, json!({ "remark": "ours" })).await.expect(202);
    let after = s.store().verdict("0", &SHA).await.unwrap();
    assert!(after.withdrawn && after.number > before.number, "{after:?}");
    assert_eq!(after.withdrawn_why, "false positive: ours");
    let page = s.get(&format!("/api/v1/files/{}", digest()), &admin).await.expect(200);
    assert_eq!((&page["file"]["standing"], &page["alarms_total"]), (&json!("clean"), &json!(1)));
    // Once withdrawn it is not withdrawn again.
    assert_eq!(s.get(&path, &admin).await.expect(200)["withdrawn_projects"], json!([]));
    s.post(&path, &admin, json!({})).await.expect(202);
    assert_eq!(s.store().verdict("0", &SHA).await.unwrap().number, after.number);
    s.stop().await;
}

async fn a_content_of_two_projects_is_two_files(base: Base) {
    let s = Server::start_on(base).await;
    let (a, b) = (rows::project(&s, "a").await, rows::project(&s, "b").await);
    let of_a = s.person("a", &[(&a, "administrator")]).await;
    let of_b = s.person("b", &[(&b, "administrator")]).await;
    let (one, two) = (rows::host(&s, &a).await, rows::host(&s, &b).await);
    rows::file(&s, &one, b"/a/x", SHA).await;
    rows::file(&s, &two, b"/b/x", SHA).await;
    say(&s, &of_a, &a, bad("worm")).await.expect(200);
    let page = |project: &str| format!("/api/v1/files/{}?project={project}", digest());
    let seen = s.get(&page(&b), &of_b).await.expect(200);
    assert_eq!((&seen["file"]["standing"], &seen["file"]["hosts"]), (&json!("unknown"), &json!(1)));
    assert_eq!(seen["verdict"], json!(null));
    let text = seen.to_string();
    assert!(!text.contains(&one.id) && !text.contains("worm"), "{text}");
    s.get(&page(&a), &of_b).await.problem(404, "not-found");
    s.get(&page("0"), &of_b).await.problem(404, "not-found");
    say(&s, &of_b, &a, json!({ "verdict": "withdrawn", "reason": "x" })).await.problem(404, "not-found");
    let places = format!("/api/v1/files/{}/places?project={b}", digest());
    let places = s.get(&places, &of_b).await.expect(200);
    assert_eq!((&places["total"], &places["items"][0]["path"]), (&json!(1), &json!("/b/x")));
    s.get(&format!("/api/v1/hosts/{}/files", one.id), &of_b).await.problem(404, "not-found");
    s.stop().await;
}

#[tokio::test]
async fn where_two_are_asked_for_much_waits() {
    let s = Server::start().await;
    let project = rows::project(&s, "strict").await;
    let ann = s.person("ann", &[(&project, "administrator")]).await;
    let bob = s.person("bob", &[(&project, "administrator")]).await;
    let (one, two) = (rows::host(&s, &project).await, rows::host(&s, &project).await);
    rows::file(&s, &one, b"/x", SHA).await;
    let rules = json!({ "second_factor": false, "two_person": true, "most_hosts": 1, "most_files": 2,
        "approval_hours": 1 });
    let path = format!("/api/v1/projects/{project}/rules");
    s.send("PUT", &path, &ann, Some(rules), &[("if-match", "\"0\"")]).await.expect(200);
    let approve = async |waits: Value| {
        let path = format!("{}/approve", waits["approval"].as_str().unwrap());
        s.post(&path, &bob, json!({})).await.expect(200)
    };
    let verdict = async || s.store().verdict(&project, &SHA).await.unwrap();

    // One host is not much.
    say(&s, &ann, &project, bad("worm")).await.expect(200);
    rows::file(&s, &two, b"/x", SHA).await;
    let release = format!("/api/v1/files/{}/release?project={project}", digest());
    let waits = s.send("POST", &release, &ann, None, &[]).await.expect(202);
    assert_eq!(verdict().await.act, "canary", "nothing is done yet");
    approve(waits).await;
    assert_eq!(
        (verdict().await.act.as_str(), verdict().await.released_by.as_str()),
        ("all", "ann (approved by bob)")
    );
    // Taking back never waits.
    say(&s, &ann, &project, json!({ "verdict": "withdrawn", "reason": "x" })).await.expect(200);
    let waits = say(&s, &ann, &project, bad("miner")).await.expect(202);
    assert!(verdict().await.withdrawn);
    approve(waits).await;
    let now = verdict().await;
    assert_eq!(
        (now.withdrawn, now.class.as_str(), now.who.as_str()),
        (false, "miner", "ann (approved by bob)")
    );

    let path = format!("/api/v1/projects/{project}/cloud-scan");
    let waits = s.send("PUT", &path, &ann, Some(consent()), &[("if-match", "\"0\"")]).await.expect(202);
    assert_eq!(s.get(&path, &ann).await.expect(200)["consent"]["hashes"], false);
    approve(waits).await;
    assert_eq!(s.get(&path, &ann).await.expect(200)["consent"], consent());

    let body = json!({ "project": project, "on": true });
    let waits = s.send("PUT", "/api/v1/switches/malware_cloud_scan", &ann, Some(body), &[]).await.expect(202);
    assert_eq!(s.get(&path, &ann).await.expect(200)["scan"], json!(null));
    let done = approve(waits).await;
    let shown = s.get(&path, &ann).await.expect(200);
    assert_eq!((&shown["on"], &shown["scan"]["runs"]), (&json!(true), &json!(true)));
    assert_eq!(done["result"]["scan"], shown["scan"]["task"]);
    s.stop().await;
}
