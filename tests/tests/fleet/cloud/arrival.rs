// SPDX-License-Identifier: Apache-2.0
//! The whole way: an unknown program arrives on one host, the deep scan condemns it, every host that has it
//! refuses it at once, isolates and kills it ring by ring, a person says that it was wrong, and it is back
//! everywhere and stays.

use super::{Cloud, about, armed, digest, page, places, program, standing, stays, until};
use crate::{Base, Host, on_both};
use lazaret_kit::proc::{Running, is_refused, run, write_executable};
use lazaret_kit::{Net, Server, ServerSetup, Setup, Volume};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

on_both!(an_unknown_program_is_ended_everywhere_and_let_be_everywhere);

/// Three hosts, each with its own way and its own kind of file system.
struct Fleet {
    a: Host,
    b: Host,
    c: Host,
}

impl Fleet {
    fn new(server: &Server, net: &Net) -> Self {
        let host = |n: usize, volume: Volume| {
            Host::on(volume, server, Setup { namespace: Some(net.namespace(n)), ..Setup::default() })
        };
        Self { a: host(0, Volume::tmpfs()), b: host(1, Volume::ext4()), c: host(2, Volume::tmpfs()) }
    }

    fn all(&self) -> [&Host; 3] {
        [&self.a, &self.b, &self.c]
    }
}

fn at(host: &Host) -> PathBuf {
    host.volume.join("new-tool")
}

fn an_unknown_program_is_ended_everywhere_and_let_be_everywhere(base: Base) {
    let net = Net::new(3);
    let cloud = Cloud::with(base, ServerSetup { agents: Some(net.server()), ..ServerSetup::default() });
    let server = cloud.server();
    let fleet = Fleet::new(server, &net);
    let canary = server.post("/host-groups", &json!({"project": "0", "name": "first"}));
    let _ = server.post("/hosts/assign", &json!({"hosts": [fleet.b.id], "group": canary["id"]}));
    armed(server, &fleet.all(), |consent| {
        // Only A may send what it has; nobody but the canary acts before a person says so.
        consent["exclude"] = json!([fleet.b.volume.path(), fleet.c.volume.path()]);
        consent["canary_groups"] = json!([canary["id"]]);
        consent["ring_seconds"] = json!(-1);
    });
    let mut bytes = program(1);
    bytes.extend(format!("# {}\n", super::clamd_words()).bytes());
    let sha256 = digest(&bytes);

    // B and C have had it for a while, and C runs it.
    for host in [&fleet.b, &fleet.c] {
        write_executable(&at(host), &bytes);
    }
    until(server, &fleet.c, "the file on B and C", || places(server, &sha256).len() == 2);
    let mut sleeper = Running::start(Command::new(at(&fleet.c)).arg("long"));
    assert_eq!(standing(server, "0", &sha256), "unknown");
    assert!(about(server, "/samples?project=0", &sha256).is_empty(), "nobody may send it yet");

    write_executable(&at(&fleet.a), &bytes);
    let mut seen = BTreeSet::new();
    until(server, &fleet.a, "the file on A", || {
        seen.extend(places(server, &sha256));
        seen.len() == 3
    });
    until(server, &fleet.a, "the deep scan", || standing(server, "0", &sha256) == "bad");
    stored(&cloud, &sha256);

    // Refused everywhere at once; where the ring is not reached it is still there, and runs on.
    for host in fleet.all() {
        until(server, host, "the denial", || is_refused(&run(&at(host))) || !at(host).exists());
    }
    until(server, &fleet.b, "the isolation on the canary", || !at(&fleet.b).exists());
    let waits = || at(&fleet.a).exists() && at(&fleet.c).exists();
    assert!(stays(Duration::from_secs(2), waits), "{}", fleet.c.daemon.log());
    assert!(sleeper.ended().is_none(), "killed before its ring: {}", fleet.c.daemon.log());
    assert!(is_refused(&run(&at(&fleet.a))) && is_refused(&run(&at(&fleet.c))));

    let _ = server.post(&format!("/files/{sha256}/release?project=0"), &json!({}));
    for host in [&fleet.a, &fleet.c] {
        until(server, host, "the isolation after the release", || !at(host).exists());
    }
    until(server, &fleet.c, "the end of what ran", || sleeper.ended().is_some());
    let status = sleeper.ended();
    assert_eq!(status.and_then(|s| s.signal()), Some(9), "{status:?}\n{}", fleet.c.daemon.log());

    let alarm = shown(server, &fleet, &sha256);
    let path = format!("/alarms/{}/false-positive", alarm["id"].as_str().unwrap());
    let done = server.finished(&server.post(&path, &json!({"remark": "our own deployment"})));
    assert!(done.iter().all(|c| c["state"] == "done"), "{done:#?}\n{}", fleet.a.daemon.log());
    let withdrawn = page(server, "0", &sha256).unwrap_or_default();
    assert_eq!(withdrawn["verdict"]["withdrawn"], true, "{withdrawn:#}");
    for host in fleet.all() {
        until(server, host, "the file again", || at(host).exists());
        assert_eq!(std::fs::read(at(host)).unwrap(), bytes, "{}", host.daemon.log());
        assert_eq!(std::fs::metadata(at(host)).unwrap().permissions().mode() & 0o7777, 0o755);
        until(server, host, "its execution", || run(&at(host)).is_ok_and(|o| o.stdout == b"ran\n"));
    }
    let_be(server, &fleet, &bytes, &sha256);
}

/// Sent once, by A, and sealed where it lies.
fn stored(cloud: &Cloud, sha256: &str) {
    let server = cloud.server();
    let samples = about(server, "/samples?project=0", sha256);
    assert_eq!((samples.len(), &samples[0]["state"]), (1, &json!("stored")), "{samples:#?}");
    let scans = about(server, "/deep-scans?project=0", sha256);
    assert_eq!((scans.len(), &scans[0]["state"]), (1, &json!("done")), "{scans:#?}");
    let sealed = match &cloud.s3 {
        Some(s3) => {
            let keys = s3.keys(super::BUCKET);
            let key = keys.iter().find(|k| k.contains(sha256)).unwrap_or_else(|| panic!("{keys:?}"));
            s3.object(super::BUCKET, key)
        }
        None => {
            let found =
                Command::new("find").arg(server.data()).args(["-name", &format!("*{sha256}*")]).output();
            let found = String::from_utf8(found.unwrap().stdout).unwrap();
            let path =
                found.lines().next().unwrap_or_else(|| panic!("no {sha256} in the folder of the server"));
            std::fs::read(path).unwrap()
        }
    };
    let plain = super::clamd_words();
    assert!(sealed.len() > 100 && !sealed.windows(plain.len()).any(|w| w == plain.as_bytes()));
    assert_eq!(cloud.clamd.looked(), 1, "{}", cloud.clamd.log());
}

/// What people see of it; an alarm about it.
fn shown(server: &Server, fleet: &Fleet, sha256: &str) -> Value {
    until(server, &fleet.a, "alarms and isolated files", || {
        let page = page(server, "0", sha256).unwrap_or_default();
        page["isolated_total"] == 3 && page["alarms_total"].as_i64() >= Some(3)
    });
    let full = page(server, "0", sha256).unwrap_or_default();
    let verdict = &full["verdict"];
    assert_eq!((&verdict["class"], &verdict["origin"]), (&json!("trojan"), &json!("deep_scan")), "{full:#}");
    assert!(verdict["confidence"].as_i64() >= Some(90) && verdict["withdrawn"] == false, "{full:#}");
    assert!(full["judged"]["evidence"].as_array().is_some_and(|e| !e.is_empty()), "{full:#}");
    let votes = full["votes"].as_array().cloned().unwrap_or_default();
    let clamd = votes.iter().any(|v| v["connector"] == super::CLAMD && v["opinion"] == "bad");
    assert!(clamd, "clamd found it too: {votes:#?}");
    let files = server.get(&format!("/isolated-files?status=isolated&sha256={sha256}"));
    let hosts: BTreeSet<&str> =
        files["items"].as_array().into_iter().flatten().filter_map(|f| f["host"]["id"].as_str()).collect();
    assert_eq!(hosts.len(), 3, "{files:#}");
    let alarms = server.get(&format!("/alarms?sha256={sha256}"));
    let items = alarms["items"].as_array().cloned().unwrap_or_default();
    assert!(items.iter().all(|a| a["test"] == true && a["class"] == "trojan"), "{alarms:#}");
    let on_a = items.into_iter().find(|a| a["host"]["id"] == fleet.a.id.as_str()).expect("an alarm of A");
    let alarm = server.get(&format!("/alarms/{}", on_a["id"].as_str().unwrap()));
    let cloud = format!("cloud:{sha256}");
    assert!(alarm["alarm"]["verdict"]["evidence"].to_string().contains(&cloud), "{alarm:#}");
    on_a
}

/// Whatever happens to it now: nobody isolates it again.
fn let_be(server: &Server, fleet: &Fleet, bytes: &[u8], sha256: &str) {
    let scan = || about(server, "/deep-scans?project=0", sha256).pop().unwrap_or_default();
    let first = scan()["finished_at"].clone();
    let _ = server.post(&format!("/files/{sha256}/rescan?project=0"), &json!({}));
    for host in fleet.all() {
        // Written again as it is, and beside it.
        write_executable(&at(host), bytes);
        write_executable(&host.volume.join("copy"), bytes);
    }
    let ids: Vec<&str> = fleet.all().iter().map(|h| h.id.as_str()).collect();
    let begun = server.post(
        "/scan-tasks",
        &json!({"project": "0", "name": "once more", "settings": {
            "kind": "quick", "hosts": ids, "spread_minutes": 0, "automatic": true}}),
    );
    let id = begun["task"]["id"].as_str().or_else(|| begun["id"].as_str()).expect("a scan").to_owned();
    server.eventually(&format!("/scan-tasks/{id}"), "the end of the scan", |t| {
        t["task"]["task_status"] == "finish"
    });
    until(server, &fleet.a, "the second deep scan", || {
        let now = scan();
        now["state"] == "done" && now["finished_at"] != first
    });
    for host in fleet.all() {
        let there = || at(host).exists() && host.volume.join("copy").exists();
        assert!(stays(Duration::from_secs(1), there), "isolated again: {}", host.daemon.log());
        for path in [at(host), host.volume.join("copy")] {
            let ran = run(&path);
            assert!(ran.is_ok_and(|o| o.stdout == b"ran\n"), "{}\n{}", path.display(), host.daemon.log());
        }
    }
    let again = server.get(&format!("/isolated-files?status=isolated&sha256={sha256}"));
    assert_eq!(again["items"], json!([]), "{again:#}");
}
