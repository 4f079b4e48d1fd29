// SPDX-License-Identifier: Apache-2.0
//! One server with a swarm of hosts on it, on SQLite and on PostgreSQL: sessions, memory, alarms, orders, and
//! how fast the hosts are back after the server was killed. `--quick` raises alarms for 20 s instead of 300.

use crate::report::line;
use lazaret_kit::pg::Cluster;
use lazaret_kit::swarm::FIRST;
use lazaret_kit::{Server, ServerSetup, Swarm};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Set by the command line.
pub(crate) static QUICK: OnceLock<bool> = OnceLock::new();

pub(crate) const DATABASE: &str = "lazaret";
const HOSTS: u64 = 5_000;
/// Alarms that are offered in a second: more than the bar, or it could not be met.
pub(crate) const RATE: u64 = 3_300;
/// After the last connection, before the memory is read and the first alarm comes.
const SETTLE: u64 = 30;
/// For everything that should take seconds.
const LONG: Duration = Duration::from_secs(300);

fn rss_kib(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// Processor time of a process so far, seconds.
pub(crate) fn cpu(pid: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(0)
}

pub(crate) fn row(what: &str, figure: &str, bar: &str) {
    line(&format!("| {what} | {figure} | {bar} |"));
}

pub(crate) fn measure() {
    let seconds = if QUICK.get().copied().unwrap_or_default() { 20 } else { 300 };
    one(None, seconds);
    let cluster = Cluster::durable();
    one(Some(&cluster), seconds);
}

/// Bytes that the database takes.
pub(crate) fn size(server: &Server, cluster: Option<&Cluster>) -> u64 {
    let file = || std::fs::metadata(server.data().join("server.db")).map_or(0, |m| m.len());
    cluster.map_or_else(file, |c| c.size(DATABASE))
}

fn one(cluster: Option<&Cluster>, seconds: u64) {
    let name = if cluster.is_some() { "PostgreSQL" } else { "SQLite" };
    line(&format!(
        "\n{name}; load average {} at the beginning\n\n| what | figure | bar |\n|---|---|---|",
        load()
    ));
    let database = cluster.map(|c| c.create(DATABASE));
    let mut server = Server::start(&ServerSetup { database, ..ServerSetup::default() });
    std::thread::sleep(Duration::from_secs(3));
    let before = rss_kib(server.pid());
    let numbers = [HOSTS, RATE, seconds, SETTLE].map(|n| n.to_string());
    let [hosts, rate, time, settle] = numbers.each_ref().map(String::as_str);
    let options =
        ["--hosts", hosts, "--rate", rate, "--seconds", time, "--settle", settle, "--mode", "alarms"];
    let begun = Instant::now();
    let mut swarm = Swarm::start(&server, &options);
    let ready = swarm.event("ready", LONG);
    row("sessions held", &ready["sessions"].to_string(), "5000");
    row("all enrolled and connected after", &format!("{:.1} s", begun.elapsed().as_secs_f64()), "");
    memory(&server, before, &mut swarm);
    let empty = size(&server, cluster);
    let made = alarms(&server, &mut swarm, seconds);
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = size(&server, cluster).saturating_sub(empty) as f64 / made.max(1.0);
    row("bytes of the database for one alarm", &format!("{each:.0}"), "");
    order(&server, &mut swarm);
    back(&mut server, &mut swarm);
    let told = swarm.finish();
    let ms = |what: &Value| format!("{} / {} / {} ms", what["p50"], what["p99"], what["max"]);
    row("from an alarm to its acknowledgement, p50 / p99 / max", &ms(&told["ack_ms"]), "");
    row("from `created_ms` of a command to the host, p50 / p99 / max", &ms(&told["command_ms"]), "");
    let kept = server.get("/alarms/statistics")["total"].as_u64().unwrap_or(0);
    row(
        "alarms acknowledged / in the API's count",
        &format!("{} / {kept}", told["alarms_acked"]),
        "the same",
    );
    row("load average at the end", &load(), "");
}

fn memory(server: &Server, before: u64, swarm: &mut Swarm) {
    let (busy, since) = (cpu(server.pid()), Instant::now());
    let settled = Instant::now() + Duration::from_secs(SETTLE - 3);
    swarm.until("settled", LONG, |_| Instant::now() >= settled);
    let with = rss_kib(server.pid());
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let each = with.saturating_sub(before) as f64 / HOSTS as f64;
    row("memory of the server before / with them", &format!("{} / {} MiB", before >> 10, with >> 10), "");
    row("memory of an idle session", &format!("{each:.1} KiB"), "64 KiB");
    let part = (cpu(server.pid()) - busy) / since.elapsed().as_secs_f64() * 100.0;
    row("processor of the server with all idle", &format!("{part:.1} % of one"), "");
}

fn alarms(server: &Server, swarm: &mut Swarm, seconds: u64) -> f64 {
    let first = swarm.until("alarms", LONG, |l| l["alarms_made"].as_u64() > Some(0));
    let (busy, since) = (cpu(server.pid()), Instant::now());
    let (own, mut slowest, mut last) = (cpu(swarm.pid()), f64::MAX, (0.0, 0.0));
    let number = |v: &Value| v.as_f64().unwrap_or(0.0);
    let end = swarm.until("acknowledgement of all alarms", LONG + Duration::from_secs(seconds), |l| {
        // Over ten seconds each.
        let now = (number(&l["at_ms"]), number(&l["alarms_acked"]));
        if last.0 == 0.0 {
            last = now;
        } else if now.0 - last.0 >= 10_000.0 && l["event"] == "progress" {
            slowest = slowest.min((now.1 - last.1) / (now.0 - last.0) * 1000.0);
            last = now;
        }
        l["event"] == "produced"
    });
    let took = (number(&end["at_ms"]) - number(&first["at_ms"])).max(1.0) / 1000.0 + 1.0;
    let acked = number(&end["alarms_acked"]);
    row(&format!("alarms raised in {seconds} s"), &end["alarms_made"].to_string(), "");
    row("alarms acknowledged in a second", &format!("{:.0}", acked / took), "3000");
    if slowest < f64::MAX {
        row("the same in the slowest ten seconds", &format!("{slowest:.0}"), "");
    }
    let of = |pid, from| (cpu(pid) - from) / since.elapsed().as_secs_f64() * 100.0;
    let used = format!("{:.0} % / {:.0} % of one", of(server.pid(), busy), of(swarm.pid(), own));
    row("processor of the server / the swarm meanwhile", &used, "");
    acked
}

fn order(server: &Server, swarm: &mut Swarm) {
    let (posted, begun) = (now_ms(), Instant::now());
    let ordered =
        server.post("/alarms/handle-all", &json!({"class": FIRST, "operate_type": "mark_as_handled"}));
    let answered = begun.elapsed();
    let all = swarm.until("the delivery to every host", LONG, |l| l["commands"].as_u64() >= Some(HOSTS));
    let last = all["last_command_ms"].as_i64().unwrap_or(0) - posted;
    row("hosts of one order", &ordered["total"].to_string(), "5000");
    row("the order is answered after", &format!("{} ms", answered.as_millis()), "");
    row("it is at every host after", &format!("{last} ms"), "2000 ms");
    let task = format!("/tasks/{}", ordered["task"].as_str().unwrap_or_default());
    server.eventually(&task, "the end of the order", |t| t["finished"] == true);
    row("every result is there after", &format!("{} ms", begun.elapsed().as_millis()), "");
}

/// Killed and started again: each host waits one to two seconds and longer each time.
fn back(server: &mut Server, swarm: &mut Swarm) {
    server.kill();
    swarm.until("the end of all sessions", LONG, |l| l["sessions"] == 0);
    let begun = Instant::now();
    server.restart();
    let started = begun.elapsed();
    swarm.until("all hosts back", LONG, |l| l["sessions"].as_u64() >= Some(HOSTS));
    let took = begun.elapsed().saturating_sub(started);
    row("after a kill and a start all hosts are back in", &format!("{:.1} s", took.as_secs_f64()), "");
}
