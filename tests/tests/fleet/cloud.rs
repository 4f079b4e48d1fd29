// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan with real parts: hosts with their sensors, a worker with its jail and the deep content, a
//! real clamd beside it, samples in a folder or in an S3-compatible store.

mod arrival;
mod collect;
mod consent;
mod judgement;
mod liars;
mod outages;
mod projects;
mod workers;

use crate::{Base, Host, Site};
use lazaret_kit::pg::Cluster;
use lazaret_kit::{Clamd, S3, Server, ServerSetup, bad, binaries, eventually, s3};
use lazaret_model::MalwareClass;
use serde_json::{Value, json};
use sha2::Digest as _;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// For whatever goes over hosts, server and worker.
const SOON: Duration = Duration::from_secs(60);
/// How long it is watched that something does not happen.
const WHILE: Duration = Duration::from_secs(3);
/// Where samples lie on an S3-compatible store.
const BUCKET: &str = "samples";

/// Words that clamd's own database of these stories knows; put together at run time.
fn clamd_words() -> String {
    std::hint::black_box(["lazaret-story-", "clamd-stand-in"]).concat()
}

/// The connector's name.
const CLAMD: &str = "clam";

/// A site with everything behind it.
struct Cloud {
    site: Site,
    s3: Option<S3>,
    clamd: Clamd,
}

impl Cloud {
    /// On loopback.
    fn new(base: Base) -> Self {
        Self::with(base, ServerSetup::default())
    }

    /// SQLite keeps samples in its folder; PostgreSQL goes with an S3-compatible store.
    fn with(base: Base, setup: ServerSetup) -> Self {
        let s3 = (base == Base::Postgres).then(S3::start);
        if let Some(s3) = &s3 {
            s3.make_bucket(BUCKET);
        }
        let clamd = Clamd::start(&[("Story.StandIn", clamd_words().as_bytes())]);
        let more = format!("{}{}", setup.more, sections(s3.as_ref(), &clamd));
        Self { site: Site::with(base, ServerSetup { more, ..setup }), s3, clamd }
    }

    fn server(&self) -> &Server {
        &self.site.server
    }
}

/// What the server's configuration says of samples and of the deep scan.
fn sections(s3: Option<&S3>, clamd: &Clamd) -> String {
    let mut text = String::new();
    if let Some(s3) = s3 {
        let _ = writeln!(
            text,
            "[samples.s3]\nendpoint = {:?}\nbucket = {BUCKET:?}\nregion = \"us-east-1\"\nkey_id = {:?}\nsecret = {:?}\n\
             allow_http = true\npath_style = true\npatience_seconds = 3",
            s3.endpoint(),
            s3::KEY_ID,
            s3::SECRET
        );
    }
    let _ = writeln!(
        text,
        "[deep_scan]\nworkers = 1\npack = {:?}\nscanner = {:?}\nlease_seconds = 10\n\
         [[deep_scan.connectors]]\nname = {CLAMD:?}\nkind = \"clamd\"\naddress = \"unix:{}\"",
        binaries::deep_pack(),
        binaries::path("lazaret-scanner"),
        clamd.socket().display()
    );
    text
}

/// What a project may be asked for, changed from what it is: hashes and samples, acting at once.
fn consent(server: &Server, project: &str, change: impl FnOnce(&mut Value)) {
    server.change(&format!("/projects/{project}/cloud-scan"), |before| {
        let mut consent = before["consent"].clone();
        for key in ["hashes", "samples"] {
            consent[key] = json!(true);
        }
        consent["ring_seconds"] = json!(0);
        change(&mut consent);
        consent
    });
}

fn switch(server: &Server, project: &str, name: &str, on: bool) {
    let body = json!({"project": project, "on": on});
    let (status, answer) = server.call("PUT", &format!("/switches/{name}"), Some(&body));
    assert_eq!(status, 200, "{name}: {answer}");
}

/// Both switches and the whole consent, in force on these hosts.
fn armed(server: &Server, hosts: &[&Host], change: impl FnOnce(&mut Value)) {
    consent(server, "0", change);
    switch(server, "0", "isolate_and_kill", true);
    switch(server, "0", "malware_cloud_scan", true);
    let consent = server.get("/projects/0/cloud-scan")["consent"].clone();
    for host in hosts {
        agreed(server, host, |c| ["hashes", "samples"].iter().all(|what| c[*what] == consent[*what]));
        until(server, host, "the switch on the host", || host.daemon.status()["isolate_and_kill"] == true);
    }
}

/// Waits until a host goes by what it is to tell.
fn agreed(server: &Server, host: &Host, fits: impl Fn(&Value) -> bool) {
    until(server, host, "the consent on the host", || fits(&host.daemon.status()["cloud"]));
}

/// Waits for something that concerns a host.
fn until(server: &Server, host: &Host, what: &str, mut is_so: impl FnMut() -> bool) {
    let so = eventually(SOON, || {
        let so = is_so();
        if !so {
            std::thread::sleep(Duration::from_millis(100));
        }
        so
    });
    assert!(so, "{what}: not within {SOON:?}\n{}\n{}", server.log(), host.daemon.log());
}

/// Looks the whole while whether it stays so.
fn stays(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if !is_so() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    true
}

fn digest(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A program that only the deep scan condemns, unlike those of other numbers.
fn program(number: u64) -> Vec<u8> {
    bad::cloud_script(MalwareClass::Trojan, number)
}

/// The file's page; `None` where the project does not know the file.
fn page(server: &Server, project: &str, sha256: &str) -> Option<Value> {
    let (status, body) = server.call("GET", &format!("/files/{sha256}?project={project}"), None);
    assert!(status == 200 || status == 404, "{status} {body}");
    (status == 200).then_some(body)
}

/// Its standing; empty where the project does not know the file.
fn standing(server: &Server, project: &str, sha256: &str) -> String {
    let page = page(server, project, sha256).unwrap_or_default();
    page["file"]["standing"].as_str().unwrap_or_default().to_owned()
}

/// Hosts that have it, by id.
fn places(server: &Server, sha256: &str) -> Vec<String> {
    let (status, body) = server.call("GET", &format!("/files/{sha256}/places?project=0"), None);
    assert!(status == 200 || status == 404, "{status} {body}");
    let items = body["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|p| p["host"]["id"].as_str().map(str::to_owned)).collect()
}

/// What a list has about a content.
fn about(server: &Server, list: &str, sha256: &str) -> Vec<Value> {
    let all = server.get(list);
    let items = all["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().filter(|i| i["sha256"] == sha256).collect()
}

/// A person calls a content bad.
fn condemn(server: &Server, project: &str, sha256: &str) -> Value {
    let body = json!({"verdict": "bad", "class": "trojan", "reason": "a person has looked at it"});
    server.post(&format!("/files/{sha256}/verdict?project={project}"), &body)
}

/// A second server, of another role, over the same database, folder and configuration.
fn beside(cluster: &Cluster, name: &str, role: &str, first: &Cloud) -> Server {
    Server::start(&ServerSetup {
        database: Some(cluster.url_of(name)),
        data: Some(first.server().data()),
        role: role.to_owned(),
        more: sections(first.s3.as_ref(), &first.clamd),
        ..ServerSetup::default()
    })
}
