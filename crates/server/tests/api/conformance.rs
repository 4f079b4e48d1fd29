// SPDX-License-Identifier: Apache-2.0
//! The document as others understand it: schemathesis makes requests of it, well-formed and not, and holds
//! every answer against it. No answer is a failure of the server, none is of a kind, a form or a status that
//! the document does not name, and what does not fit the document is refused.

use crate::base::Base;
use crate::coverage::{Things, things};
use crate::kit::{LIMITS, Server};
use lazaret_server::start::Role;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// As `cargo xtask test` installs it.
const VERSION: &str = include_str!("../../../../xtask/schemathesis.txt");
/// The whole run.
const LIMIT: Duration = Duration::from_secs(175);
/// Of each kind: some are deleted on the way.
const SETS: usize = 4;

/// The program that `cargo xtask test` has installed, or another one that LAZARET_SCHEMATHESIS names.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("LAZARET_SCHEMATHESIS") {
        return named.into();
    }
    let pinned = VERSION.lines().find_map(|l| l.strip_prefix("schemathesis==")).expect("a pinned version");
    let home = std::env::var_os("HOME").expect("HOME");
    let program =
        Path::new(&home).join(format!(".cache/lazaret/tools/schemathesis-{}/bin/st", pinned.trim()));
    assert!(
        program.exists(),
        "no {}: `cargo xtask test` installs it; by hand: python3 -m venv FOLDER && FOLDER/bin/pip install -r xtask/schemathesis.txt, and LAZARET_SCHEMATHESIS=FOLDER/bin/st",
        program.display()
    );
    program
}

/// Which ids stand in which paths and bodies.
fn bindings(sets: &[Things], keys: &[String]) -> String {
    let mut text = format!("[dictionaries.keys]\nvalues = {keys:?}\n");
    let mut dictionary = |name: &str, id: &dyn Fn(&Things) -> &str| {
        let ids: Vec<&str> = sets.iter().map(id).collect();
        let _ = writeln!(text, "[dictionaries.{name}]\nvalues = {ids:?}");
    };
    dictionary("hosts", &|t| &t.host);
    dictionary("host_groups", &|t| &t.host_group);
    dictionary("policy_groups", &|t| &t.policy_group);
    dictionary("tokens", &|t| &t.token);
    dictionary("alarms", &|t| &t.alarm);
    dictionary("isolated", &|t| &t.isolated);
    dictionary("whitelist", &|t| &t.whitelist);
    dictionary("commands", &|t| &t.command);
    dictionary("tasks", &|t| &t.task);
    dictionary("scan_policies", &|t| &t.scan_policy);
    dictionary("scan_tasks", &|t| &t.scan_task);
    dictionary("users", &|t| &t.user);
    dictionary("projects", &|t| &t.project);
    dictionary("digests", &|t| &t.digest);
    for (path, bound) in [
        ("hosts/[{]", "path.id:hosts"),
        ("hosts/assign", "body.hosts[*]:hosts body.group:host_groups"),
        ("host-groups/[{]", "path.id:host_groups body.policy_group:policy_groups"),
        ("host-groups$", "body.project:projects body.policy_group:policy_groups"),
        ("policy-groups/[{]", "path.id:policy_groups"),
        ("policy-groups$", "body.project:projects"),
        ("enrolment-tokens/[{]", "path.id:tokens"),
        ("enrolment-tokens$", "body.project:projects"),
        ("alarms/[{]", "path.id:alarms"),
        ("alarms/handle$", "body.alarms[*]:alarms"),
        ("isolated-files/[{]", "path.id:isolated"),
        ("isolated-files/(restore|delete)$", "body.files[*]:isolated"),
        ("whitelist/[{]", "path.id:whitelist"),
        ("whitelist/delete$", "body.entries[*]:whitelist"),
        ("whitelist$", "body.project:projects"),
        ("commands/[{]", "path.id:commands"),
        ("tasks/[{]", "path.id:tasks"),
        ("scan-policies/[{]", "path.id:scan_policies body.settings.hosts[*]:hosts"),
        ("scan-policies$", "body.project:projects body.settings.hosts[*]:hosts"),
        ("scan-tasks/[{]", "path.id:scan_tasks"),
        ("scan-tasks$", "body.project:projects body.settings.hosts[*]:hosts"),
        ("me/api-keys/[{]", "path.id:keys"),
        ("users/[{]", "path.id:users"),
        ("projects/[{]", "path.project:projects"),
        ("switches", "query.project:projects body.project:projects"),
        ("(files|samples)/[{]", "path.sha256:digests query.project:projects"),
        ("(files|samples|deep-scans)$", "query.project:projects"),
    ] {
        let _ =
            writeln!(text, "[[operations]]\ninclude-path-regex = '^/api/v1/{path}'\n[operations.parameters]");
        for (place, name) in bound.split(' ').filter_map(|b| b.rsplit_once(':')) {
            let _ = writeln!(text, "\"{place}\" = {{ dictionary = \"{name}\", probability = 0.8 }}");
        }
    }
    text
}

async fn conforms(base: Base) {
    let s = Server::start_so(base, LIMITS, Role::All).await;
    let admin = s.admin().await;
    let mut sets = Vec::new();
    let mut keys = Vec::new();
    for _ in 0..SETS {
        sets.push(things(&s, &admin, "0").await);
        let other = s.post("/api/v1/me/api-keys", &admin, json!({ "note": "to revoke" })).await.expect(201);
        keys.push(other["api_key"]["id"].as_str().unwrap().to_owned());
    }
    let key = s.post("/api/v1/me/api-keys", &admin, json!({ "note": "schemathesis" })).await.expect(201);
    let key = key["key"].as_str().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("schemathesis.toml");
    let fixed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/schemathesis.toml");
    let fixed = std::fs::read_to_string(fixed).unwrap();
    std::fs::write(&config, format!("{fixed}\n{}", bindings(&sets, &keys))).unwrap();
    let run = Command::new(program())
        .args(["--no-color", "--config-file"])
        .arg(&config)
        .args(["run", &format!("{}/api/v1/openapi.json", s.base)])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(LIMIT, run).await.expect("schemathesis within its time").unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}\n{said}", run.status);
    // All that it selected, which is all that it found but the stream, which never ends.
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let after = |word: &str| said.split(word).nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let (selected, total) = after("Selected: ").split_once('/').unwrap_or_default();
    let (selected, total) = (number(selected), number(total));
    assert_eq!((number(after("Tested: ")), selected.map(|n| n + 1)), (selected, total), "{said}");
    let operations = s.running().routes.len();
    assert!(total.is_some_and(|n| n + 1 >= operations), "{total:?} of {operations} operations:\n{said}");
    // It asked as somebody who may, to the end.
    s.get("/api/v1/me", key).await.expect(200);
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_the_document_says() {
    conforms(Base::Sqlite).await;
}
