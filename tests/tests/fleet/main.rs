// SPDX-License-Identifier: Apache-2.0
//! Real servers with real hosts: what people see and do over a fleet. Each story that is about what is
//! kept runs on SQLite and on PostgreSQL.

mod away;
mod backup;
mod cli;
mod cloud;
mod cluster;
mod content;
mod enrol;
mod export;
mod false_positive;
mod faults;
mod install;
mod main_job;
mod notify;
mod scan;
mod silence;
mod swarm;

use lazaret_kit::pg::Cluster;
use lazaret_kit::{Daemon, Server, ServerSetup, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use std::collections::BTreeSet;
use std::time::Duration;

/// A server on one of the databases; the cluster lives as long.
struct Site {
    server: Server,
    cluster: Option<Cluster>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Sqlite,
    Postgres,
}

impl Site {
    fn new(base: Base) -> Self {
        Self::with(base, ServerSetup::default())
    }

    fn with(base: Base, setup: ServerSetup) -> Self {
        let cluster = (base == Base::Postgres).then(Cluster::start);
        let database = cluster.as_ref().map(|c| c.create("lazaret"));
        Self { server: Server::start(&ServerSetup { database, ..setup }), cluster }
    }
}

/// A host that enrols by itself.
struct Host {
    daemon: Daemon,
    volume: Volume,
    id: String,
}

impl Host {
    fn new(server: &Server) -> Self {
        Self::with(server, Setup::default())
    }

    fn with(server: &Server, setup: Setup) -> Self {
        Self::on(Volume::tmpfs(), server, setup)
    }

    fn on(volume: Volume, server: &Server, setup: Setup) -> Self {
        let known: Vec<String> = ids(server);
        let more = format!("{}{}", server.section(), setup.more);
        let daemon = Daemon::start(&Setup { mounts: vec![volume.path().to_owned()], more, ..setup });
        let host = server.eventually("/hosts", "an online host", |h| {
            h["status"] == "online" && !known.iter().any(|k| h["id"] == k.as_str())
        });
        Self { daemon, volume, id: host["id"].as_str().expect("id").to_owned() }
    }
}

fn ids(server: &Server) -> Vec<String> {
    let hosts = server.get("/hosts");
    hosts["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|h| h["id"].as_str().map(str::to_owned))
        .collect()
}

/// Waits until a host has applied what its server wants.
fn settled(server: &Server, host: &Host) {
    server.eventually(&format!("/hosts/{}", host.id), "the generation in force", |h| {
        h["host"]["generation"].as_i64() > Some(0)
            && h["host"]["generation"] == h["host"]["generation_applied"]
    });
}

/// A malicious script that is not the same as any other.
fn content(n: usize) -> Vec<u8> {
    let mut bytes = bad::script(MalwareClass::Botnet, TestRating::High);
    bytes.extend(format!("# {n}\n").bytes());
    bytes
}

/// Ids of the alarms that a host has itself.
fn on_host(host: &Host) -> BTreeSet<String> {
    let alarms = host.daemon.json(["alarms", "list"]);
    alarms.iter().filter_map(|a| a["id"].as_str().map(str::to_owned)).collect()
}

/// Ids of a host's alarms that its server has, the server's own about it too.
fn on_server(server: &Server, host: &Host) -> Vec<String> {
    let page = server.get(&format!("/alarms?host={}&limit=1000", host.id));
    let items = page["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|a| a["id"].as_str().map(str::to_owned)).collect()
}

/// Waits until the server has exactly the host's alarms, so many at least, each once.
fn arrived(server: &Server, host: &Host, least: usize) {
    let (mut here, mut there) = (BTreeSet::new(), Vec::new());
    let same = eventually(Duration::from_secs(90), || {
        (here, there) = (on_host(host), on_server(server, host));
        std::thread::sleep(Duration::from_millis(100));
        here.len() >= least && there.len() >= here.len()
    });
    let once: BTreeSet<String> = there.iter().cloned().collect();
    assert!(
        same && once.len() == there.len() && once == here,
        "{} of {least} on the host, {} on the server, of them {} once\n{}\n{}",
        here.len(),
        there.len(),
        once.len(),
        server.log(),
        host.daemon.log()
    );
}

/// One test for each database.
macro_rules! on_both {
    ($($(#[$more:meta])* $name:ident),+ $(,)?) => {
        mod sqlite { $(#[test] $(#[$more])* fn $name() { super::$name(crate::Base::Sqlite); })+ }
        mod postgres { $(#[test] $(#[$more])* fn $name() { super::$name(crate::Base::Postgres); })+ }
    };
}
pub(crate) use on_both;
