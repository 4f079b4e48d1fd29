// SPDX-License-Identifier: Apache-2.0
//! What one worker of the deep scan gets through, with one scanner and with two, beside clamd with the same files in
//! the same run. The samples come the real way: a host sends them, before a worker runs.

use super::{DATABASE, LONG, consent, files, quick};
use crate::fleet::row;
use lazaret_kit::pg::Cluster;
use lazaret_kit::proc::write_executable;
use lazaret_kit::{Clamd, Daemon, Server, ServerSetup, Setup, Volume, binaries, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

fn section(scanners: usize) -> String {
    format!(
        "[deep_scan]\nworkers = {scanners}\npack = {:?}\nscanner = {:?}\n",
        binaries::deep_pack(),
        binaries::path("lazaret-scanner")
    )
}

pub(super) fn measure(cluster: &Cluster) {
    let count: u64 = if quick() { 60 } else { 300 };
    let database = Some(cluster.create(DATABASE));
    let one = ServerSetup { database, more: section(1), ..ServerSetup::default() };
    let mut people = Server::start(&ServerSetup { role: "api".to_owned(), ..one.clone() });
    let beside = ServerSetup { data: Some(people.data()), ..one };
    let gateway = Server::start(&ServerSetup { role: "gateway".to_owned(), ..beside.clone() });
    people.agents.clone_from(&gateway.agents);
    people.authority.clone_from(&gateway.authority);
    consent(&people, |c| {
        c["samples"] = json!(true);
        c["bytes_per_second"] = json!(0);
        c["max_sample_bytes"] = json!(64 << 20);
    });
    let volume = Volume::ext4_of(1024);
    let mounts = vec![volume.path().to_owned()];
    let daemon = Daemon::start(&Setup { mounts, more: people.section(), ..Setup::default() });
    let agreed = || daemon.status()["cloud"]["samples"] == true;
    assert!(eventually(LONG, agreed), "{}", daemon.log());
    let (mut all, mut bytes) = (Vec::new(), 0);
    let begun = Instant::now();
    for n in 0..count {
        let file = files::file(n);
        write_executable(&volume.join(&format!("program-{n}")), &file);
        bytes += file.len();
        all.push(file);
    }
    let queued = || total(&people, "queued") >= count;
    assert!(
        eventually(LONG * 3, || slow(queued)),
        "{} of {count}\n{}",
        total(&people, "queued"),
        daemon.log()
    );
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let mb = bytes as f64 / 1e6;
    let took = begun.elapsed().as_secs_f64();
    row("files, and bytes of all", &format!("{count}, {mb:.0} MB"), "");
    row("written, looked at and sent by one host", &figure(count, mb, took), "");
    drop(daemon);
    let deep = worker(&beside, &people, 1, count);
    row("deep scan, one worker with one scanner", &figure(count, mb, deep), "");
    for n in 0..count {
        let sha256: String = <sha2::Sha256 as sha2::Digest>::digest(&all[n as usize])
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let _ = people.post(&format!("/files/{sha256}/rescan?project=0"), &json!({}));
    }
    let two = worker(&beside, &people, 2, count);
    row("deep scan, one worker with two scanners", &figure(count, mb, two), "");
    let clamd = Clamd::start(&[("Bench.StandIn", b"a signature of a benchmark, and no other")]);
    let begun = Instant::now();
    for file in &all {
        let said = clamd.scan(file).expect("clamd");
        assert_eq!(said, "OK");
    }
    let theirs = begun.elapsed().as_secs_f64();
    row("clamd, one stream at a time, one signature", &figure(count, mb, theirs), "");
    row(
        "the deep scan takes, of clamd's time",
        &format!("{:.2}, {:.2} with two", deep / theirs, two / theirs),
        "",
    );
}

fn figure(count: u64, mb: f64, seconds: f64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let files = count as f64 / seconds;
    format!("{files:.1} samples/s, {:.1} MB/s", mb / seconds)
}

/// Jobs in a state.
fn total(people: &Server, state: &str) -> u64 {
    people.get(&format!("/deep-scans?project=0&state={state}&limit=1"))["total"].as_u64().unwrap_or(0)
}

/// Asks not more often than ten times a second.
fn slow(ask: impl Fn() -> bool) -> bool {
    std::thread::sleep(Duration::from_millis(100));
    ask()
}

/// Seconds from the first job that a worker has taken until nothing is left.
fn worker(setup: &ServerSetup, people: &Server, scanners: usize, count: u64) -> f64 {
    let role = "worker".to_owned();
    let worker = Server::start(&ServerSetup { role, more: section(scanners), ..setup.clone() });
    let begun = || total(people, "queued") < count;
    assert!(eventually(LONG, begun), "{}", worker.log());
    let since = Instant::now();
    let done = || slow(|| total(people, "done") >= count);
    assert!(eventually(LONG * 6, done), "{} of {count}\n{}", total(people, "done"), worker.log());
    since.elapsed().as_secs_f64()
}
