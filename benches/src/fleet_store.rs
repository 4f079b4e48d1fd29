// SPDX-License-Identifier: Apache-2.0
//! A million alarms in each database, through the store's own ingest: how many go in a second, and how long
//! a page of the filtered list takes, filter by filter. The reference is the list of one host, which is one
//! walk along one index. `LAZARET_BENCH_DATABASE=sqlite` or `postgres` measures one of them.

use crate::fleet::load;
use crate::fleet_rows::{self as rows, HOSTS};
use crate::report::{self, Samples};
use lazaret_kit::pg::Cluster;
use lazaret_store::{AlarmFilter, Cursor, Scope, Store};
use std::time::{Duration, Instant};

/// Sessions that send at the same time.
const SESSIONS: u64 = 64;
/// Alarms of one batch.
const BATCH: u64 = 32;
/// How often each list is asked for.
const TIMES: usize = 60;
/// Entries of a page.
const PAGE: u32 = 50;

/// As many as the bar says, or fewer for a quick look.
fn alarms() -> u64 {
    std::env::var("LAZARET_BENCH_ALARMS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000)
}

/// Both databases, one after the other.
pub(crate) fn measure() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let only = std::env::var("LAZARET_BENCH_DATABASE").unwrap_or_default();
    if only != "postgres" {
        let folder = tempfile::tempdir().expect("temporary folder");
        runtime.block_on(async {
            one("SQLite", &folder.path().join("lazaret.db").display().to_string()).await;
        });
    }
    if only == "sqlite" {
        return;
    }
    // As it is run for a fleet: nothing that is acknowledged may be lost.
    let cluster = Cluster::start_with(&[
        "fsync=on",
        "full_page_writes=on",
        "shared_buffers=512MB",
        "max_wal_size=4GB",
        "maintenance_work_mem=256MB",
    ]);
    runtime.block_on(one("PostgreSQL", &cluster.url()));
}

async fn one(name: &str, url: &str) {
    let store = Store::open(url).await.expect("open");
    store.migrate().await.expect("migrate");
    let groups = rows::fleet(&store).await;
    let n = alarms();
    let (all, last) = fill(&store, n).await;
    report::line(&format!(
        "{name}: {n} alarms by {SESSIONS} sessions in batches of {BATCH}: {:.0} a second, the last fifth {:.0} a second; load {}\n",
        per_second(n, all),
        per_second(n / 5, last),
        load()
    ));
    rows::handle_some(&store).await;
    lists(&store, name, &groups).await;
    store.close().await;
}

#[allow(clippy::cast_precision_loss, reason = "figures of a few digits")]
pub(crate) fn per_second(n: u64, time: Duration) -> f64 {
    n as f64 / time.as_secs_f64()
}

/// How long all took, and the last fifth of them.
async fn fill(store: &Store, n: u64) -> (Duration, Duration) {
    let begin = Instant::now();
    let mut first_part = Duration::ZERO;
    for (part, end) in [(0, n * 4 / 5), (n * 4 / 5, n)] {
        let mut tasks = tokio::task::JoinSet::new();
        for session in 0..SESSIONS {
            let store = store.clone();
            tasks.spawn(async move {
                let sender = rows::Sender::new(session, SESSIONS, n);
                let mut at = part + session * BATCH;
                while at < end {
                    let batch = sender.batch(at, (at + BATCH).min(end));
                    store.ingest(batch).await.expect("ingest");
                    at += SESSIONS * BATCH;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("a session");
        }
        if part == 0 {
            first_part = begin.elapsed();
        }
    }
    (begin.elapsed(), begin.elapsed() - first_part)
}

async fn lists(store: &Store, name: &str, groups: &[String]) {
    report::line(&format!("| {name}: filter | total | p50 | p99 | against one host |"));
    report::line("|---|---|---|---|---|");
    let mut base = None;
    let mut worst = (Duration::ZERO, "");
    for (what, filter) in rows::filters(groups) {
        let mut times = Vec::with_capacity(TIMES);
        let mut total = 0;
        for _ in 0..TIMES {
            let begin = Instant::now();
            total = page(store, &filter).await;
            times.push(begin.elapsed());
        }
        let samples = Samples::new(times);
        let (p50, p99) = (samples.at(0.5), samples.at(0.99));
        let base = *base.get_or_insert(p50);
        report::line(&format!(
            "| {what} | {total} | {} | {} | {:.1} |",
            report::us(p50),
            report::us(p99),
            p50.as_secs_f64() / base.as_secs_f64()
        ));
        if p99 > worst.0 {
            worst = (p99, what);
        }
    }
    report::line(&format!(
        "\n{name}: the slowest is \"{}\" with a p99 of {}; {HOSTS} hosts, pages of {PAGE}, {TIMES} times each; load {}\n",
        worst.1,
        report::us(worst.0),
        load()
    ));
}

async fn page(store: &Store, filter: &AlarmFilter) -> u64 {
    let cursor = Cursor { after: None, limit: PAGE };
    store.alarms_page(&Scope::All, filter, &cursor).await.expect("a page").total
}
