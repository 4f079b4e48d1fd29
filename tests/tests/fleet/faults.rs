// SPDX-License-Identifier: Apache-2.0
//! What happens to a server itself: its database is gone, locked, or without room. People are told to
//! come back, hosts keep what they have, and afterwards everything is there once.

use crate::{Base, Host, Site, arrived, content, on_server};
use lazaret_kit::pg::Cluster;
use lazaret_kit::{Server, ServerSetup, Volume, eventually};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(60);

/// How long the database is away.
fn outage() -> Duration {
    Duration::from_secs(if std::env::var_os("LAZARET_FULL").is_some() { 60 } else { 12 })
}

fn drop_files(host: &Host, numbers: std::ops::Range<usize>) {
    for n in numbers {
        std::fs::write(host.volume.join(&format!("f{n}")), content(n)).unwrap();
    }
}

/// Refused in time, as a problem that says when to come again; its words.
fn not_now(server: &Server, method: &str, path: &str, body: Option<&Value>) -> String {
    let asked = Instant::now();
    let answer = server.ask(method, path, body).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
    let text = answer.body();
    let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    assert_eq!(answer.status(), 503, "{method} {path}: {text}\n{}", server.log());
    assert_eq!(header("content-type"), "application/problem+json", "{text}");
    assert!(header("retry-after").parse::<u32>().is_ok_and(|s| s > 0), "{text}");
    assert!(text.contains("urn:lazaret:problem:unavailable"), "{text}");
    assert!(asked.elapsed() < Duration::from_secs(15), "{method} {path}: {:?}", asked.elapsed());
    text.clone()
}

fn readiness(server: &Server, path: &str) -> u16 {
    let answer = lazaret_kit::fleet::http().get(format!("{}{path}", server.api)).call();
    answer.map_or(0, |a| a.status().as_u16())
}

#[test]
fn a_database_that_is_gone_for_a_while_costs_nothing() {
    let mut cluster = Cluster::start();
    let database = Some(cluster.create("lazaret"));
    let server = Server::start(&ServerSetup { database, ..ServerSetup::default() });
    let hosts = [Host::new(&server), Host::new(&server)];
    for host in &hosts {
        drop_files(host, 0..3);
        arrived(&server, host, 3);
    }
    let first = on_server(&server, &hosts[0])[0].clone();
    cluster.stop();
    let gone = Instant::now();
    let mut written = 3;
    let handle = format!("/alarms/{first}/handle");
    while gone.elapsed() < outage() {
        for host in &hosts {
            drop_files(host, written..written + 3);
        }
        written += 3;
        let _ = not_now(&server, "GET", "/alarms", None);
        let _ = not_now(&server, "POST", &handle, Some(&json!({"operate_type": "isolate_and_kill"})));
        assert_eq!((readiness(&server, "/healthz"), readiness(&server, "/readyz")), (200, 503));
    }
    let (status, _) = server.call("POST", "/login", Some(&json!({"user": "admin", "password": "x"})));
    assert_eq!(status, 503, "a sign-in is not refused for a database that is away");
    for host in &hosts {
        let unsent = || host.daemon.status()["server"]["unsent"].as_u64().unwrap_or_default();
        assert!(eventually(SOON, || unsent() >= (written as u64) - 3), "{}", host.daemon.log());
    }
    cluster.run_again();
    assert!(eventually(SOON, || readiness(&server, "/readyz") == 200), "{}", server.log());
    for host in &hosts {
        arrived(&server, host, written);
    }
    // No order was half taken, and none is lost from now on.
    assert_eq!(server.get("/commands")["items"].as_array().map(Vec::len), Some(0));
    let done = server.finished(&server.post(&handle, &json!({"operate_type": "isolate_and_kill"})));
    assert_eq!(done[0]["state"], "done", "{done:#?}");
}

#[test]
fn a_database_file_that_somebody_else_locks_is_waited_for() {
    let site = Site::new(Base::Sqlite);
    let server = &site.server;
    let host = Host::new(server);
    drop_files(&host, 0..2);
    arrived(server, &host, 2);
    let other = rusqlite::Connection::open(server.data().join("server.db")).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    drop_files(&host, 2..8);
    let switch = json!({"project": "0", "on": false});
    let _ = not_now(server, "PUT", "/switches/isolate_and_kill", Some(&switch));
    // Who only looks is not held up.
    let asked = Instant::now();
    assert_eq!(on_server(server, &host).len(), 2);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    std::thread::sleep(Duration::from_secs(3));
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    arrived(server, &host, 8);
    assert_eq!(server.call("PUT", "/switches/isolate_and_kill", Some(&switch)).0, 200);
}

/// Takes all the room there is.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("balloon");
    let mut file = std::fs::File::create(&path).unwrap();
    for size in [1 << 20, 4096, 512, 1] {
        let piece = vec![0x55; size];
        while file.write_all(&piece).and_then(|()| file.sync_data()).is_ok() {}
    }
    path
}

#[test]
fn a_full_disk_stops_the_server_from_promising_and_loses_nothing() {
    let disk = Volume::ext4();
    let data = Some(disk.join("data"));
    let mut server = Server::start(&ServerSetup { data, ..ServerSetup::default() });
    let host = Host::new(&server);
    let mut written = 0;
    // Once it goes on by itself, once it is killed meanwhile.
    for killed in [false, true] {
        drop_files(&host, written..written + 4);
        written += 4;
        arrived(&server, &host, written);
        let before = written;
        let balloon = fill(disk.path());
        drop_files(&host, written..written + 30);
        written += 30;
        let said = || server.log().matches("entries of hosts cannot be written").count();
        let lines = 1 + usize::from(killed);
        assert!(eventually(SOON, || said() == lines), "{}", server.log());
        assert!(server.log().contains("the disk of the database is full"), "{}", server.log());
        let mut on = false;
        let switch = || {
            on = !on;
            let body = json!({"project": "0", "on": on});
            server.call("PUT", "/switches/malware_cloud_scan", Some(&body)).0 == 503
        };
        assert!(eventually(SOON, switch), "{}", server.log());
        let body = json!({"project": "0", "on": false});
        let words = not_now(&server, "PUT", "/switches/malware_cloud_scan", Some(&body));
        assert!(words.contains("full"), "{words}");
        // All alarms are made by now: what is not stored is not acknowledged.
        let made = || crate::on_host(&host).len() == written;
        assert!(eventually(SOON, made), "{}", host.daemon.log());
        let unsent = host.daemon.status()["server"]["unsent"].as_u64().unwrap_or_default();
        let stored = on_server(&server, &host).len();
        assert!(stored < written && unsent as usize + stored >= written, "{unsent} {stored} {before}");
        if killed {
            server.kill();
        }
        std::fs::remove_file(balloon).unwrap();
        if killed {
            server.restart();
        }
        arrived(&server, &host, written);
    }
    let unsent = || host.daemon.status()["server"]["unsent"].as_u64() == Some(0);
    assert!(eventually(SOON, unsent), "{}", host.daemon.status());
}
