// SPDX-License-Identifier: Apache-2.0
//! Looks for what hosts of this gateway are to be told, one question for all of them: at once when the
//! order came to this process, else by the clock.

use super::live::Live;
use super::{HANDSHAKES, Inner, commands, desired, now_ms};
use crate::numbers;
use lazaret_proto::v1;
use lazaret_session::goodbye;
use lazaret_store::{ChangeKind, HostRow, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Say;

/// Orders of one look.
const AT_ONCE: u32 = 5_000;
/// Desired states of one look.
const STATES_AT_ONCE: u32 = 500;
/// Orders that come so soon after one another are looked for together.
const TOGETHER: Duration = Duration::from_millis(10);
/// All hosts of the gateway are looked at that often, whatever was noticed.
const LOOK_AT_ALL: Duration = Duration::from_secs(30);
/// An order that was sent and has no result so long after its expiry will have none.
const RESULT_GRACE_MS: i64 = 7 * 86_400_000;

/// Runs until the gateway stops.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut seq = -1;
    let mut all = Instant::now();
    let mut told = false;
    loop {
        let why = tokio::select! {
            () = inner.ordered.notified() => "told",
            () = tokio::time::sleep(inner.settings.poll) => "clock",
        };
        if why == "told" {
            tokio::time::sleep(TOGETHER).await;
        }
        metrics::counter!("lazaret_gateway_looks_total", "why" => why).increment(1);
        let everything = all.elapsed() >= LOOK_AT_ALL;
        let looked = async {
            let read_only = inner.settings.read_only.is_on();
            if !read_only {
                orders(&inner).await?;
            }
            states(&inner).await?;
            hosts(&inner, &mut seq, everything).await?;
            if everything && !read_only {
                inner.store.expire_commands(now_ms(), RESULT_GRACE_MS).await?;
            }
            Ok::<(), StoreError>(())
        };
        match looked.await {
            Ok(()) => {
                if everything {
                    all = Instant::now();
                }
                if std::mem::take(&mut told) {
                    inner.log("the database answers again");
                }
                inner.healthy.store(true, Ordering::Relaxed);
            }
            Err(e) => {
                numbers::database(&e);
                // One line for an outage, not one for each look.
                if !std::mem::replace(&mut told, true) {
                    inner.log(&format!("orders to hosts wait: {e}"));
                }
                inner.healthy.store(!e.is_retryable(), Ordering::Relaxed);
            }
        }
        let handshakes = HANDSHAKES.saturating_sub(inner.handshakes.available_permits());
        metrics::gauge!("lazaret_gateway_handshakes").set(u32::try_from(handshakes).unwrap_or(u32::MAX));
        metrics::gauge!("lazaret_gateway_sessions").set(u32::try_from(inner.lives.len()).unwrap_or(u32::MAX));
    }
}

async fn orders(inner: &Inner) -> Result<(), StoreError> {
    let hosts = inner.lives.hosts();
    if hosts.is_empty() {
        return Ok(());
    }
    let mut by_host: HashMap<String, Vec<_>> = HashMap::new();
    for row in inner.store.pending_on_gateway(&inner.settings.instance, AT_ONCE).await? {
        by_host.entry(row.host.clone()).or_default().push(row);
    }
    let (lives, rows): (Vec<_>, Vec<_>) =
        by_host.into_iter().filter_map(|(h, rows)| Some((inner.lives.get(&h)?, rows))).unzip();
    let here = lives.iter().map(|l| &**l).zip(rows).collect();
    commands::give(inner, here).await?;
    for row in inner.store.cancels(&hosts).await? {
        if let Some(live) = inner.lives.get(&row.host) {
            commands::cancel(&mut live.inbox(), &row.id);
            live.news.notify_one();
        }
    }
    Ok(())
}

async fn states(inner: &Inner) -> Result<(), StoreError> {
    for row in inner.store.hosts_behind(&inner.settings.instance, STATES_AT_ONCE).await? {
        if let Some(live) = inner.lives.get(&row.id) {
            state(inner, &live, &row, false).await?;
        }
    }
    Ok(())
}

/// Gives a host its desired state, once for each generation; with `always` also one that the agent says it had.
pub(super) async fn state(
    inner: &Inner,
    live: &Arc<Live>,
    row: &HostRow,
    always: bool,
) -> Result<(), StoreError> {
    // Claimed before it is computed: a greeting and a look at the database come at the same time.
    let before = {
        let mut inbox = live.inbox();
        let known = if always { inbox.sent } else { Some(inbox.generation) };
        if known.is_some_and(|known| known >= row.generation) {
            return Ok(());
        }
        let before = (inbox.generation, inbox.sent);
        (inbox.generation, inbox.sent) = (row.generation, Some(row.generation));
        before
    };
    let state = match desired::state(&inner.store, row).await {
        Ok((mut state, view)) => {
            live.set_view(view);
            if let Some(offer) = &mut state.content {
                offer.key.clone_from(&inner.settings.content_key);
            }
            state
        }
        // One broken row must not keep all others from theirs.
        Err(e) if !e.is_retryable() => {
            inner.log(&format!("{} gets no new state: {e}", row.name));
            return Ok(());
        }
        Err(e) => {
            let mut inbox = live.inbox();
            if inbox.sent == Some(row.generation) {
                (inbox.generation, inbox.sent) = before;
            }
            return Err(e);
        }
    };
    {
        let mut inbox = live.inbox();
        // A newer one was claimed meanwhile, and says all that this one would.
        if inbox.sent != Some(row.generation) {
            return Ok(());
        }
        inbox.out.push_back(Say::Desired(state));
    }
    metrics::counter!("lazaret_gateway_states_sent_total").increment(1);
    live.news.notify_one();
    Ok(())
}

/// Ends the sessions of hosts that may not have one any more.
async fn hosts(inner: &Inner, seq: &mut i64, everything: bool) -> Result<(), StoreError> {
    let changes = inner.store.changes_since(*seq, 1_000).await?;
    let first = std::mem::replace(seq, changes.seq) < 0;
    let mut ids: HashSet<String> = HashSet::new();
    let mut all = everything || (changes.missed && !first);
    for change in changes.items.iter().filter(|c| c.kind == ChangeKind::Host) {
        if change.id.is_empty() {
            all = true;
        } else if inner.lives.get(&change.id).is_some() {
            ids.insert(change.id.clone());
        }
    }
    if all {
        ids.extend(inner.lives.hosts());
    }
    for id in ids {
        let Some(live) = inner.lives.get(&id) else { continue };
        // Asked before the row is read: until the store knows this session, its row is about the one before.
        let written = live.is_written();
        let last = match inner.store.host(&id).await {
            Ok(row) if row.revoked => goodbye(Bye::Revoked, "this host's certificate was revoked"),
            Ok(row) if row.removed => goodbye(Bye::UnknownHost, "this host was removed from the server"),
            Ok(row) if written && !row.run.is_empty() && row.run != live.key && !row.gateway.is_empty() => {
                goodbye(Bye::Busy, "there is a newer session of this host")
            }
            Ok(_) => continue,
            Err(StoreError::NotFound(_)) => goodbye(Bye::UnknownHost, "this host is not known"),
            Err(e) => return Err(e),
        };
        live.end(last);
    }
    Ok(())
}
