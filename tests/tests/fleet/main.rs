// SPDX-License-Identifier: Apache-2.0
//! Real servers with real hosts: what people see and do over a fleet. Each story that is about what is
//! kept runs on SQLite and on PostgreSQL.

mod away;
mod backup;
mod cli;
mod cluster;
mod content;
mod enrol;
mod false_positive;
mod main_job;
mod scan;
mod silence;

use lazaret_kit::pg::Cluster;
use lazaret_kit::{Daemon, Server, ServerSetup, Setup, Volume};

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

/// One test for each database.
macro_rules! on_both {
    ($($(#[$more:meta])* $name:ident),+ $(,)?) => {
        mod sqlite { $(#[test] $(#[$more])* fn $name() { super::$name(crate::Base::Sqlite); })+ }
        mod postgres { $(#[test] $(#[$more])* fn $name() { super::$name(crate::Base::Postgres); })+ }
    };
}
pub(crate) use on_both;
