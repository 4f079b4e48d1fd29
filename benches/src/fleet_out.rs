// SPDX-License-Identifier: Apache-2.0
//! What goes out of a server and what it is kept by: from an alarm to a web hook, an OCSF export of a million alarms
//! beside their ingest, backup and restore of them. `--quick` raises alarms for 20 s instead of 310.

use crate::fleet::{DATABASE, QUICK, RATE, load, row, size};
use crate::fleet_store::per_second;
use crate::report::{Samples, line, us};
use lazaret_kit::hook::Hook;
use lazaret_kit::pg::Cluster;
use lazaret_kit::pki::Authority;
use lazaret_kit::{Server, ServerSetup, Swarm};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const HOSTS: &str = "1000";
/// Alarms that are told one by one, each from a host of its own, so far apart that the limit against floods (12 a
/// minute) never gathers two.
const TOLD: u64 = 12;
const APART: Duration = Duration::from_secs(7);
const LONG: Duration = Duration::from_secs(600);

pub(crate) fn measure() {
    let seconds = if QUICK.get().copied().unwrap_or_default() { 20 } else { 310 };
    one(None, seconds);
    let cluster = Cluster::durable();
    one(Some(&cluster), seconds);
}

fn setup(database: Option<String>) -> ServerSetup {
    let more = "[outbound]\nallow = [\"127.0.0.0/8\"]\n".into();
    ServerSetup { database, more, ..ServerSetup::default() }
}

fn one(cluster: Option<&Cluster>, seconds: u64) {
    let name = if cluster.is_some() { "PostgreSQL" } else { "SQLite" };
    line(&format!("\n{name}; load average {}\n\n| what | figure | bar |\n|---|---|---|", load()));
    let mut server = Server::start(&setup(cluster.map(|c| c.create(DATABASE))));
    notified(&server);
    let exported = export(&server, seconds);
    row("bytes of the database", &size(&server, cluster).to_string(), "");
    server.kill();
    kept(&server, cluster, exported);
}

fn epoch_ms(at: Instant) -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from((since.saturating_sub(at.elapsed())).as_millis()).unwrap_or(0)
}

/// From the moment in which the server received an alarm to the request at the hook.
fn notified(server: &Server) {
    let authority = Authority::new();
    let hook = Hook::start(Some(&authority.identity()));
    let settings = json!({ "webhook": { "url": hook.url(), "authority": authority.pem } });
    let made = server.post("/targets", &json!({ "project": "0", "name": "hook", "settings": settings }));
    let id = made["target"]["id"].as_str().unwrap_or_default().to_owned();
    for n in 1..=TOLD {
        let begun = Instant::now();
        let seed = n.to_string();
        let options =
            ["--hosts", "1", "--alarms", "1", "--seconds", "1", "--seed", &seed, "--mode", "alarms"];
        let mut swarm = Swarm::start(server, &options);
        swarm.until("the alarm's acknowledgement", LONG, |l| l["event"] == "produced");
        let _ = swarm.finish();
        std::thread::sleep(APART.saturating_sub(begun.elapsed()));
    }
    let alarms = server.get("/alarms?limit=200");
    let mut times = Vec::new();
    for alarm in alarms["items"].as_array().into_iter().flatten() {
        let (Some(id), Some(received)) = (alarm["id"].as_str(), moment(&alarm["received_at"])) else {
            continue;
        };
        let told = hook.seen().into_iter().filter(|r| r.body.contains(id)).map(|r| epoch_ms(r.at)).min();
        times.extend(told.map(|at| Duration::from_millis(u64::try_from(at - received).unwrap_or(0))));
    }
    let (status, _) = server.call("DELETE", &format!("/targets/{id}"), None);
    let n = times.len();
    if n as u64 != TOLD {
        row("alarms that were told", &format!("{n} of {TOLD}; {status}"), "");
        return;
    }
    let samples = Samples::new(times);
    let figure = format!("{} / {} ({n} alarms)", us(samples.at(0.5)), us(samples.at(1.0)));
    row("from an alarm's arrival to the web hook, p50 / max", &figure, "2 s");
}

/// Milliseconds of an RFC 3339 time in UTC.
fn moment(text: &Value) -> Option<i64> {
    let at: jiff::Timestamp = text.as_str()?.parse().ok()?;
    Some(at.as_millisecond())
}

fn sent(server: &Server, target: &str) -> u64 {
    server.get(&format!("/targets/{target}"))["state"]["sent"].as_u64().unwrap_or(0)
}

/// A file of OCSF events beside the ingest; how many alarms there are.
fn export(server: &Server, seconds: u64) -> u64 {
    let settings = json!({ "file": { "name": "bench.jsonl", "max_megabytes": 1000, "keep": 10 } });
    let made = server.post("/targets", &json!({ "name": "file", "settings": settings }));
    let target = made["target"]["id"].as_str().unwrap_or_default().to_owned();
    let numbers = [RATE, seconds].map(|n| n.to_string());
    let [rate, time] = numbers.each_ref().map(String::as_str);
    let options = ["--hosts", HOSTS, "--rate", rate, "--seconds", time, "--settle", "1", "--mode", "alarms"];
    let mut swarm = Swarm::start(server, &options);
    swarm.until("the first alarm", LONG, |l| l["alarms_made"].as_u64() > Some(0));
    let begun = Instant::now();
    let end = swarm.until("acknowledgement of all alarms", LONG, |l| l["event"] == "produced");
    let (took, beside) = (begun.elapsed(), sent(server, &target));
    let acked = end["alarms_acked"].as_u64().unwrap_or(0);
    while sent(server, &target) < acked && begun.elapsed() < LONG {
        std::thread::sleep(Duration::from_millis(500));
    }
    let (all, whole) = (sent(server, &target), begun.elapsed());
    row(
        "alarms acknowledged beside the export",
        &format!("{acked}, {:.0} a second", per_second(acked, took)),
        "",
    );
    row("events exported meanwhile", &format!("{beside}, {:.0} a second", per_second(beside, took)), "");
    row(
        "all are exported after",
        &format!("{all} in {:.1} s, {:.0} a second", whole.as_secs_f64(), per_second(all, whole)),
        "",
    );
    let _ = swarm.finish();
    acked
}

/// Backup of the server that is ended, restore into an empty one.
fn kept(server: &Server, cluster: Option<&Cluster>, alarms: u64) {
    let folder = tempfile::tempdir_in("/var/tmp").expect("folder");
    let archive = folder.path().join("backup.tar");
    let to = archive.display().to_string();
    let begun = Instant::now();
    let out = server.run(&["backup", "--to", &to]);
    let took = begun.elapsed();
    if !out.status.success() {
        row("backup", &String::from_utf8_lossy(&out.stderr), "");
        return;
    }
    let bytes = std::fs::metadata(&archive).map_or(0, |m| m.len());
    let figure = format!("{:.1} s, {} MiB, {alarms} alarms", took.as_secs_f64(), bytes >> 20);
    row("backup", &figure, "");
    let mut other = Server::start(&setup(cluster.map(|c| c.create("other"))));
    other.kill();
    let begun = Instant::now();
    let out = other.run(&["restore", "--from", &to, "--replace"]);
    let took = begun.elapsed();
    if !out.status.success() {
        row("restore", &String::from_utf8_lossy(&out.stderr), "");
        return;
    }
    other.restart_signed_in();
    let kept = other.get("/alarms/statistics")["total"].as_u64().unwrap_or(0);
    row("restore", &format!("{:.1} s, {kept} alarms in the API", took.as_secs_f64()), "");
}
