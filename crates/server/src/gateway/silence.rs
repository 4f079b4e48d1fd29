// SPDX-License-Identifier: Apache-2.0
//! Notices hosts that fell silent: an alarm for each, or one for all when it is an outage of many.

use super::{Inner, alarms, millis, now_ms};
use lazaret_store::{HostRow, Scope, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hosts of one look.
const MOST: u32 = 20_000;
/// Names in the alarm of an outage.
const NAMED: usize = 50;

/// An outage that is going on: by project, its alarm and who is in it.
#[derive(Default)]
struct Outage {
    since: Option<Instant>,
    alarms: BTreeMap<String, (String, Vec<HostRow>)>,
}

/// Runs until the gateway stops.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut begun = Instant::now();
    let silence = inner.settings.silence;
    let every = (silence / 30).clamp(Duration::from_millis(50), Duration::from_secs(2));
    let mut outage = Outage::default();
    // Since when the database is away.
    let mut away: Option<Instant> = None;
    loop {
        tokio::time::sleep(every).await;
        // Who is connected is noted also while the server is read-only; an alarm waits for its end.
        let watched = begun.elapsed() >= inner.settings.silence_grace && !inner.settings.read_only.is_on();
        let looked = async {
            seen(&inner).await?;
            if watched { look(&inner, &mut outage).await } else { Ok(()) }
        };
        match looked.await {
            Ok(()) => {
                // What was heard meanwhile could not be written down, and whoever was sent away may take
                // as long as after a start to come back: nobody counts as silent for that.
                if away.take().is_some_and(|since| since.elapsed() >= silence / 4) {
                    begun = Instant::now();
                }
            }
            Err(e) => {
                if away.is_none() {
                    away = Some(Instant::now());
                    inner.log(&format!("the watch over silent hosts waits: {e}"));
                }
            }
        }
    }
}

/// Writes down who was heard, all at once.
async fn seen(inner: &Inner) -> Result<(), StoreError> {
    let heard: Vec<(String, i64)> =
        inner.lives.all().iter().filter_map(|l| l.newly_heard().map(|at| (l.host.clone(), at))).collect();
    if heard.is_empty() {
        return Ok(());
    }
    inner.store.touch_seen(&heard).await
}

async fn look(inner: &Inner, outage: &mut Outage) -> Result<(), StoreError> {
    let now = now_ms();
    let silence = inner.settings.silence;
    let silent = not_here(inner, now - millis(silence)).await?;
    if silent.is_empty() {
        return Ok(());
    }
    // Those of one moment were heard last up to a keep-alive apart: whoever has been quiet for half
    // the time counts when it is told whether one host fell or the network.
    let quiet = not_here(inner, now - millis(silence / 2)).await?;
    let counts = inner.store.host_counts(&Scope::All).await?;
    let online = counts.status.iter().find(|(word, _)| word == "online").map_or(0, |(_, n)| *n);
    let offline_quiet = quiet.iter().filter(|h| h.status != "online").count() as u64;
    let most = (online + offline_quiet).div_ceil(5).max(5);
    let goes_on = outage.since.is_some_and(|since| since.elapsed() < silence);
    if goes_on || quiet.len() as u64 > most {
        if !goes_on {
            *outage = Outage { since: Some(Instant::now()), alarms: BTreeMap::new() };
        }
        return many(inner, outage, quiet, now).await;
    }
    let ids: Vec<String> = silent.iter().map(|h| h.id.clone()).collect();
    let alarms = silent.iter().map(|h| one(h, silence, now)).collect();
    inner.store.put_alarms(alarms).await?;
    inner.store.set_silent_told(&ids, now).await?;
    metrics::counter!("lazaret_gateway_silent_hosts_total").increment(ids.len() as u64);
    for host in &silent {
        inner.log(&format!("{} ({}) fell silent", host.name, host.id));
    }
    Ok(())
}

/// Silent hosts by the store, without those that have a session here.
async fn not_here(inner: &Inner, before_ms: i64) -> Result<Vec<HostRow>, StoreError> {
    let mut hosts = inner.store.silent_hosts(before_ms, MOST).await?;
    hosts.retain(|h| inner.lives.get(&h.id).is_none());
    Ok(hosts)
}

fn one(host: &HostRow, silence: Duration, now: i64) -> lazaret_store::AlarmRow {
    let id = alarms::named_id(&["silent", &host.id, &host.seen_ms.to_string()]);
    let title = format!("{} fell silent", host.name);
    let reasons = vec![
        format!("nothing was heard of its agent for {} s, and it did not say goodbye", silence.as_secs()),
        "look whether the machine runs, whether it reaches the server, and whether somebody ended lazaretd"
            .to_owned(),
    ];
    alarms::about(host, id, title, reasons, now)
}

/// One alarm for each project that it concerns: a project's people see no other's hosts.
async fn many(inner: &Inner, outage: &mut Outage, quiet: Vec<HostRow>, now: i64) -> Result<(), StoreError> {
    let ids: Vec<String> = quiet.iter().map(|h| h.id.clone()).collect();
    let mut touched = std::collections::BTreeSet::new();
    for host in quiet {
        touched.insert(host.project.clone());
        let (_, hosts) = outage
            .alarms
            .entry(host.project.clone())
            .or_insert_with(|| (uuid::Uuid::now_v7().to_string(), Vec::new()));
        if !hosts.iter().any(|h| h.id == host.id) {
            hosts.push(host);
        }
    }
    let mut rows = Vec::new();
    for (id, hosts) in touched.iter().filter_map(|p| outage.alarms.get(p)) {
        let Some(first) = hosts.first() else { continue };
        let title = format!("{} hosts fell silent at once", hosts.len());
        let mut reasons = vec![
            "so many at a time are an outage of the network or of a site rather than attacks".to_owned(),
        ];
        let names: Vec<&str> = hosts.iter().take(NAMED).map(|h| h.name.as_str()).collect();
        let more = hosts.len().saturating_sub(NAMED);
        reasons.push(names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() });
        rows.push(alarms::about(first, id.clone(), title.clone(), reasons, now));
        inner.log(&title);
    }
    inner.store.put_alarms(rows).await?;
    inner.store.set_silent_told(&ids, now).await?;
    metrics::counter!("lazaret_gateway_silent_hosts_total").increment(ids.len() as u64);
    Ok(())
}
