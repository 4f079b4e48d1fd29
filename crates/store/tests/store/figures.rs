// SPDX-License-Identifier: Apache-2.0
//! How fast it is: a million alarms. Too long for every run; `--run-ignored all -E 'test(figures)'`.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;
use std::time::{Duration, Instant};

const HOSTS: i64 = 200;
const CLASSES: [&str; 8] =
    ["miner", "worm", "virus", "trojan", "webshell", "botnet", "rootkit", "ransomware"];
/// Two years of alarms would be spread over it.
const STEP_MS: i64 = 60_000;

fn made(host: &str, n: i64) -> AlarmRow {
    let mut a = alarm(&format!("{n:08x}-{host}-0000-7000-8000-000000000000"), n * STEP_MS);
    // Rare ones among them: one in 256 is critical, one in 1,000 is a rootkit.
    a.severity = if n % 256 == 0 { 3 } else { n % 3 };
    a.class = CLASSES[if n % 1000 == 0 { 6 } else { usize::try_from(n % 6).unwrap() }].into();
    a.rating = ["high", "medium", "low"][usize::try_from(n % 3).unwrap()].into();
    a.handled = n % 500 != 0;
    a.sha256 = format!("{:032x}", n % 5000).into_bytes();
    a.path = format!("/tmp/{:x}/run-{n}", n * 7919).into_bytes();
    a.uid = n % 50;
    a.details = vec![0x55; 1500];
    a
}

#[allow(clippy::print_stdout, reason = "figures are what this is for")]
async fn ingest_and_list(bed: &Bed, total: i64) {
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for h in 0..HOSTS {
        let (store, name) = (bed.store.clone(), format!("h{h:03}"));
        tasks.spawn(async move {
            store
                .insert_host(&HostRow {
                    importance: if h == 7 { "important" } else { "common" }.into(),
                    ..host(&name)
                })
                .await
                .unwrap();
            let each = total / HOSTS;
            for first in (1..=each).step_by(50) {
                let last = (first + 49).min(each);
                let records =
                    (first..=last).map(|n| record(n, says(made(&name, n * HOSTS + h)))).collect::<Vec<_>>();
                store.ingest(batch(&name, records)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let took = begin.elapsed();
    println!("ingested {total} alarms in {took:?}: {:.0}/s", total as f64 / took.as_secs_f64());
    let all = AlarmFilter::default;
    let filters: Vec<(&str, AlarmFilter)> = vec![
        ("none", all()),
        ("critical", AlarmFilter { severities: vec![3], ..all() }),
        ("critical and high", AlarmFilter { severities: vec![3, 2], ..all() }),
        ("two classes", AlarmFilter { classes: vec!["worm".into(), "miner".into()], ..all() }),
        ("rare class", AlarmFilter { classes: vec!["rootkit".into()], ..all() }),
        (
            "class and severities",
            AlarmFilter { classes: vec!["worm".into()], severities: vec![2, 3], ..all() },
        ),
        ("unhandled", AlarmFilter { handled: Some(false), ..all() }),
        ("unhandled high", AlarmFilter { handled: Some(false), ratings: vec!["high".into()], ..all() }),
        ("host", AlarmFilter { host: "h042".into(), ..all() }),
        ("host name of many", AlarmFilter { host_name: "H0".into(), ..all() }),
        ("important hosts", AlarmFilter { importance: "important".into(), ..all() }),
        ("hash", AlarmFilter { sha256: format!("{:032x}", 77).into_bytes(), ..all() }),
        (
            "a week",
            AlarmFilter {
                since_ms: Some(total * STEP_MS / 2),
                until_ms: Some(total * STEP_MS / 2 + 604_800_000),
                ..all()
            },
        ),
        ("text, common", AlarmFilter { text: "tmp".into(), ..all() }),
        ("text, one in a million", AlarmFilter { text: format!("run-{}", total / 3), ..all() }),
    ];
    for scope in [Scope::All, Scope::Projects(vec![P.into()])] {
        for (name, filter) in &filters {
            let mut times = Vec::new();
            let mut found = 0;
            for _ in 0..10 {
                let begin = Instant::now();
                let page = bed.store.alarms_page(&scope, filter, &page(50)).await.unwrap();
                found = page.total;
                if page.next.is_some() {
                    bed.store.alarms_page(&scope, filter, &behind(page.next, 50)).await.unwrap();
                }
                times.push(begin.elapsed());
            }
            times.sort();
            println!("{name}: {found} found, two pages median {:?}, worst {:?}", times[5], times[9]);
            assert!(
                name.starts_with("text, one") || times[5] < Duration::from_millis(200),
                "{name}: {times:?}"
            );
        }
    }
    let begin = Instant::now();
    let counts = bed.store.alarm_counts(&Scope::All, &all()).await.unwrap();
    println!("counted {} by every kind in {:?}", counts.total, begin.elapsed());
}

fn total() -> i64 {
    std::env::var("LAZARET_FIGURES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000)
}

#[test]
#[ignore = "a million alarms: some minutes"]
fn figures_sqlite() {
    crate::bed::run_for(Duration::from_secs(1200), Bed::sqlite, async |bed| {
        ingest_and_list(&bed, total()).await
    });
}

#[test]
#[ignore = "a million alarms: some minutes"]
fn figures_postgres() {
    crate::bed::run_for(Duration::from_secs(1200), Bed::postgres, async |bed| {
        ingest_and_list(&bed, total()).await
    });
}
