// SPDX-License-Identifier: Apache-2.0
//! From the moment when a person calls a hash bad to its refusal: at a thousand hosts of the swarm, which note when
//! the verdict came, and at three real ones, where the file is run again and again until it is refused.

use super::{LONG, Place, consent, quick};
use crate::fleet::row;
use crate::report::Samples;
use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::{Daemon, Server, Setup, Swarm, Volume, eventually};
use serde_json::{Value, json};
use sha2::Digest as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SIMULATED: u64 = 1_000;
const REAL: usize = 3;
/// Rows of each simulated host's inventory.
const PROGRAMS: &str = "200";
/// Between two attempts to run the file.
const PAUSE: Duration = Duration::from_millis(5);

struct Host {
    daemon: Daemon,
    volume: Volume,
    id: String,
}

pub(crate) fn measure(server: Server, _place: &Place) {
    let rounds: usize = if quick() { 5 } else { 30 };
    let hosts: Vec<Host> = (0..REAL).map(|_| host(&server)).collect();
    let canary = server.post("/host-groups", &json!({"project": "0", "name": "first"}));
    let _ = server.post("/hosts/assign", &json!({"hosts": [hosts[0].id], "group": canary["id"]}));
    consent(&server, |c| {
        c["samples"] = json!(false);
        c["canary_groups"] = json!([canary["id"]]);
    });
    let simulated = SIMULATED.to_string();
    let options = ["--mode", "cloud", "--hosts", &simulated, "--programs", PROGRAMS, "--seconds", "0"];
    let mut swarm = Swarm::start(&server, &options);
    swarm.event("ready", LONG);
    swarm.event("produced", LONG);
    let (mut denied, mut isolated, mut posted) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let bytes = format!("#!/bin/sh\nexit 0\n# round {round} of a benchmark\n").into_bytes();
        let paths: Vec<PathBuf> = hosts.iter().map(|h| h.volume.join(&format!("tool-{round}"))).collect();
        for path in &paths {
            write_executable(path, &bytes);
        }
        let sha256: String = sha2::Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let file = format!("/files/{sha256}?project=0");
        let there = eventually(LONG, || {
            let (status, page) = server.call("GET", &file, None);
            status == 200 && page["file"]["hosts"].as_u64() == Some(REAL as u64)
        });
        assert!(there, "round {round}: not on {REAL} hosts\n{}\n{}", server.log(), hosts[0].daemon.log());
        let begun = Instant::now();
        let seen = std::thread::scope(|s| {
            let watching: Vec<_> = paths.iter().map(|p| s.spawn(|| refused(p, begun))).collect();
            let gone = s.spawn(|| isolation(&paths[0], begun));
            let body = json!({"verdict": "bad", "class": "trojan", "reason": "a benchmark"});
            let _ = server.post(&format!("/files/{sha256}/verdict?project=0"), &body);
            posted.push(begun.elapsed());
            isolated.push(gone.join().expect("a thread"));
            watching.into_iter().map(|w| w.join().expect("a thread")).collect::<Vec<_>>()
        });
        denied.extend(seen);
        let wanted = SIMULATED * (round as u64 + 1);
        swarm.until("the verdict at all hosts", LONG, |l| l["cloud"]["verdicts"].as_u64() >= Some(wanted));
    }
    let told = swarm.finish();
    let ms = |v: &Value| format!("{} / {} / {} ms", v["p50"], v["p99"], v["max"]);
    row(
        &format!("rounds, and the answer to whoever said so, p50 / p99 / max of {rounds}"),
        &figures(posted),
        "",
    );
    let what = format!("at {SIMULATED} simulated hosts, p50 / p99 / max");
    row(&what, &ms(&told["cloud"]["verdict_ms"]), "2 s, 5 s");
    row(&format!("refused on {REAL} real hosts, p50 / p99 / max"), &figures(denied), "2 s, 5 s");
    row("isolated on the canary, p50 / p99 / max", &figures(isolated), "");
}

fn host(server: &Server) -> Host {
    let before = server.get("/hosts");
    let known = |h: &Value| before["items"].as_array().into_iter().flatten().any(|k| k["id"] == h["id"]);
    let volume = Volume::tmpfs();
    let mounts = vec![volume.path().to_owned()];
    let daemon = Daemon::start(&Setup { mounts, more: server.section(), ..Setup::default() });
    let host = server.eventually("/hosts", "an online host", |h| h["status"] == "online" && !known(h));
    Host { daemon, volume, id: host["id"].as_str().expect("id").to_owned() }
}

/// Runs it until that is refused, or it is gone.
fn refused(path: &Path, since: Instant) -> Duration {
    while since.elapsed() < LONG {
        let ran = run(path);
        if is_refused(&ran) || ran.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return since.elapsed();
        }
        std::thread::sleep(PAUSE);
    }
    panic!("{} still runs after {LONG:?}", path.display())
}

fn isolation(path: &Path, since: Instant) -> Duration {
    assert!(eventually(LONG, || !path.exists()), "{} is still there after {LONG:?}", path.display());
    since.elapsed()
}

fn figures(all: Vec<Duration>) -> String {
    let samples = Samples::new(all);
    let ms = |part| samples.at(part).as_secs_f64() * 1000.0;
    format!("{:.0} / {:.0} / {:.0} ms", ms(0.5), ms(0.99), ms(1.0))
}
