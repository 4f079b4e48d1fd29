// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan: what is known of hashes, asked by many hosts of a server that knows ten million; how fast
//! a hash that turns bad is refused everywhere; and what a worker of the deep scan gets through beside clamd.
//! `LAZARET_BENCH_HASHES` makes it smaller, `--quick` makes all of it shorter.

mod ask;
mod deep;
mod files;
mod spread;

use crate::fleet::{QUICK, load, row};
use crate::report::line;
use lazaret_kit::pg::Cluster;
use lazaret_kit::{Server, ServerSetup};
use serde_json::{Value, json};
use std::time::Duration;

/// For everything that should take seconds.
const LONG: Duration = Duration::from_secs(300);
const DATABASE: &str = "lazaret";

fn quick() -> bool {
    QUICK.get().copied().unwrap_or_default()
}

/// As it is run for a fleet: nothing that is acknowledged may be lost, and it has a tenth of a machine of this size for
/// its own cache (its documents advise a quarter).
fn durable() -> Cluster {
    Cluster::start_with(&[
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "shared_buffers=2GB",
        "max_wal_size=4GB",
    ])
}

/// All three; `cloud_ask`, `cloud_spread` and `cloud_deep` are one of them each.
pub(crate) fn measure() {
    ask();
    spread();
    deep();
}

pub(crate) fn ask() {
    one("questions", None, ask::measure);
    one("questions", Some(durable()), ask::measure);
}

pub(crate) fn spread() {
    one("a hash turns bad", None, spread::measure);
    one("a hash turns bad", Some(durable()), spread::measure);
}

pub(crate) fn deep() {
    let cluster = durable();
    head("deep scan", "PostgreSQL");
    deep::measure(&cluster);
    row("load average at the end", &load(), "");
}

fn head(what: &str, database: &str) {
    line(&format!(
        "\n{what}, {database}; load average {} at the beginning\n\n| what | figure | bar |\n|---|---|---|",
        load()
    ));
}

fn one(what: &str, cluster: Option<Cluster>, measure: fn(Server, &Place)) {
    head(what, if cluster.is_some() { "PostgreSQL" } else { "SQLite" });
    let database = cluster.as_ref().map(|c| c.create(DATABASE));
    let server = Server::start(&ServerSetup { database: database.clone(), ..ServerSetup::default() });
    measure(server, &Place { database });
    row("load average at the end", &load(), "");
    drop(cluster);
}

/// Where the server keeps what it knows.
struct Place {
    database: Option<String>,
}

impl Place {
    fn url(&self, server: &Server) -> String {
        let file = || server.data().join("server.db").display().to_string();
        self.database.clone().unwrap_or_else(file)
    }
}

/// Hashes leave the hosts; whoever isolates waits for a person.
fn consent(server: &Server, change: impl FnOnce(&mut Value)) {
    server.change("/projects/0/cloud-scan", |before| {
        let mut consent = before["consent"].clone();
        consent["hashes"] = json!(true);
        consent["ring_seconds"] = json!(-1);
        change(&mut consent);
        consent
    });
    for name in ["malware_cloud_scan", "isolate_and_kill"] {
        let body = json!({"project": "0", "on": true});
        let (status, answer) = server.call("PUT", &format!("/switches/{name}"), Some(&body));
        assert_eq!(status, 200, "{name}: {answer}");
    }
}
