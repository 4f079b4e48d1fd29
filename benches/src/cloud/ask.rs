// SPDX-License-Identifier: Apache-2.0
//! What is known of hashes, asked in batches of 512 over real sessions.

use super::{LONG, Place, consent, quick};
use crate::fleet::{cpu, row};
use lazaret_kit::swarm::hash;
use lazaret_kit::{Server, Swarm};
use lazaret_store::{KnownFile, Store};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Hosts that ask in turns.
const HOSTS: &str = "400";
/// Questions in a second that the server must stand.
const BAR: u64 = 20_000;
/// More than any server of this size answers.
const MORE: u64 = 400_000;
/// Rows of one transaction.
const ROWS: usize = 50_000;

/// As many as the bar says, or fewer for a quick look.
fn known() -> u64 {
    let given = std::env::var("LAZARET_BENCH_HASHES").ok().and_then(|n| n.parse().ok());
    given.unwrap_or(if quick() { 500_000 } else { 10_000_000 })
}

pub(crate) fn measure(mut server: Server, place: &Place) {
    consent(&server, |c| c["samples"] = serde_json::json!(false));
    // Nobody else writes meanwhile.
    server.kill();
    let (count, begun) = (known(), Instant::now());
    fill(&place.url(&server), count);
    let took = begun.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = count as f64 / took;
    row("known hashes, written before", &format!("{count}, {rate:.0} a second"), "10000000");
    server.restart();
    let seconds = if quick() { 10 } else { 60 };
    ask(&server, "all known", BAR, count, 0, seconds);
    ask(&server, "one in twenty unknown", BAR, count, 50, seconds);
    ask(&server, "as many as it answers", MORE, count, 0, seconds.min(20));
}

/// As content brings its lists: in order.
fn fill(url: &str, count: u64) {
    let mut all: Vec<([u8; 32], bool)> = (0..count).map(|n| (hash(n), n % 1000 == 0)).collect();
    all.sort_unstable();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let store = Store::open(url).await.expect("the server's database");
        for part in all.chunks(ROWS) {
            let one = |(sha256, bad): &([u8; 32], bool)| KnownFile {
                sha256: sha256.to_vec(),
                // One in a thousand.
                bad: *bad,
                source: "bench".to_owned(),
                name: if *bad { "Stand.In".to_owned() } else { String::new() },
            };
            store.add_known(part.iter().map(one).collect()).await.expect("known hashes");
        }
        store.close().await;
    });
}

fn ask(server: &Server, what: &str, rate: u64, known: u64, unknown: u32, seconds: u64) {
    let (rate, known, unknown) = (rate.to_string(), known.to_string(), unknown.to_string());
    let (time, seed) = (seconds.to_string(), format!("{}{unknown}", rate.len()));
    let mut options = vec!["--mode", "cloud", "--hosts", HOSTS, "--batch", "512", "--seed", &seed];
    options.extend(["--questions", &rate, "--known", &known, "--unknown", &unknown, "--seconds", &time]);
    let mut swarm = Swarm::start(server, &options);
    let ready = swarm.event("ready", LONG);
    let (busy, own, since) = (cpu(server.pid()), cpu(swarm.pid()), Instant::now());
    let end = swarm.event("produced", LONG + Duration::from_secs(seconds));
    let took = since.elapsed().as_secs_f64();
    let c = &end["cloud"];
    let number = |v: &Value| v.as_f64().unwrap_or(0.0);
    // Until the last answer came.
    let asked = (number(&c["last_answer_ms"]) - number(&ready["at_ms"])).max(1.0) / 1000.0;
    let offered = number(&c["questions_due"]) / asked;
    let answered = number(&c["answers"]) / asked;
    let bar = if rate == BAR.to_string() { "20000" } else { "" };
    row(&format!("{what}: answers in a second"), &format!("{answered:.0} of {offered:.0} asked"), bar);
    let ms = |v: &Value| format!("{} / {} / {} ms", v["p50"], v["p99"], v["max"]);
    row(&format!("{what}: a batch of 512, p50 / p99 / max"), &ms(&c["answer_ms"]), "p99 20 ms");
    row(&format!("{what}: the same with its wait at the host"), &ms(&c["wait_ms"]), "");
    let rest = ["answers_unknown", "answers_missing", "answers_lost"].map(|k| c[k].to_string()).join(" / ");
    row(&format!("{what}: unknown / put off / lost"), &rest, "");
    let used = |pid, from| (cpu(pid) - from) / took * 100.0;
    let part = format!("{:.0} % / {:.0} % of one", used(server.pid(), busy), used(swarm.pid(), own));
    row(&format!("{what}: processor of the server / the swarm"), &part, "");
    let told = swarm.finish();
    if told["failed"] != 0 || told["reconnects"] != 0 {
        row(&format!("{what}: sessions that ended"), &told["ends"].to_string(), "none");
    }
}
