// SPDX-License-Identifier: Apache-2.0
//! What is done when nobody asks: ends of commands, credentials and entries, and what is kept too long.

use crate::api::{approvals, exports};
use crate::content::Publisher;
use crate::gateway::Handle;
use crate::read_only::ReadOnly;
use crate::{log, numbers, scans, time};
use lazaret_store::{ApprovalRow, CommandFilter, Cursor, Scope, Store, StoreError};
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked for commands whose time is over.
const OFTEN: Duration = Duration::from_secs(2);
/// How often it is looked for verdicts whose ring is over.
const RINGS: Duration = Duration::from_secs(1);
/// Every so many looks the rest is done.
const RARELY: u32 = 30;
/// Every so many looks what waits is counted.
const COUNTED: u32 = 5;
/// A command that was sent may end so long after its time.
const GRACE_MS: i64 = 3_600_000;
/// Answers to requests with a key are kept.
const ANSWERS_MS: i64 = time::DAY_MS;
/// Alarms deleted at a time.
const PORTION: u32 = 2_000;

/// What it works on.
pub(crate) struct Jobs {
    pub(crate) store: Store,
    /// Alarms are kept.
    pub(crate) alarm_days: u32,
    /// Hosts' histories and ended orders are kept.
    pub(crate) history_days: u32,
    pub(crate) publisher: Publisher,
    pub(crate) read_only: ReadOnly,
}

/// Runs until told to stop.
pub(crate) async fn run(jobs: Jobs, mut stop: watch::Receiver<bool>) {
    let mut round = 0u32;
    let mut told = false;
    loop {
        let all = round.is_multiple_of(RARELY);
        let count = round.is_multiple_of(COUNTED);
        round = round.wrapping_add(1);
        if jobs.read_only.is_on() {
            tokio::select! {
                () = tokio::time::sleep(OFTEN) => continue,
                _ = stop.wait_for(|s| *s) => return,
            }
        }
        match once(&jobs, all, count).await {
            Ok(()) => told = false,
            Err(e) => {
                numbers::database(&e);
                if !std::mem::replace(&mut told, true) {
                    log::line(&format!("worker: waits for the database: {e}"));
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(OFTEN) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
    }
}

/// Verdicts whose ring is over: from then on all hosts act on them. Runs until told to stop; a gateway of this
/// process is told at once.
pub(crate) async fn release(
    store: Store,
    gateway: Option<Handle>,
    read_only: ReadOnly,
    mut stop: watch::Receiver<bool>,
) {
    let mut told = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(RINGS) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
        if read_only.is_on() {
            continue;
        }
        match store.release_due(time::now_ms()).await {
            Ok(released) => {
                told = false;
                if !released.is_empty() {
                    metrics::counter!("lazaret_verdicts_released_total").increment(released.len() as u64);
                    if let Some(gateway) = &gateway {
                        gateway.ordered();
                    }
                }
            }
            Err(e) => {
                numbers::database(&e);
                if !std::mem::replace(&mut told, true) {
                    log::line(&format!("worker: verdicts wait for their ring: {e}"));
                }
            }
        }
    }
}

async fn once(jobs: &Jobs, all: bool, count: bool) -> Result<(), StoreError> {
    let store = &jobs.store;
    let now_ms = time::now_ms();
    let expired = store.expire_commands(now_ms, GRACE_MS).await?;
    metrics::counter!("lazaret_commands_expired_total").increment(u64::try_from(expired.len()).unwrap_or(0));
    scans::run::due(store).await?;
    if count {
        waiting(store).await?;
    }
    if !all {
        return Ok(());
    }
    store.expire_credentials(now_ms).await?;
    store.forget_flows(now_ms - crate::people::oidc::PATIENCE_MS).await?;
    store.forget_answers(now_ms - ANSWERS_MS).await?;
    let ended = |a: &ApprovalRow| approvals::request::record(a, "server", "approval.expire", now_ms);
    for approval in store.expire_approvals(now_ms, ended).await? {
        log::line(&format!("worker: nobody approved {} in time: {}", approval.id, approval.title));
    }
    for pool in store.expire_quotas(now_ms).await? {
        log::line(&format!("worker: the quota {} ({}) has expired", pool.id, pool.edition));
    }
    store.delete_exports(now_ms - exports::KEPT_MS, now_ms - exports::STALE_MS, now_ms).await?;
    for entry in store.expire_whitelist(now_ms).await? {
        log::line(&format!("worker: the whitelist entry {} of {} has ended", entry.id, entry.owner));
    }
    jobs.publisher.publish_all().await?;
    store.prepare_alarm_days(now_ms).await?;
    let before_ms = now_ms - i64::from(jobs.alarm_days) * time::DAY_MS;
    while store.delete_alarms_before(before_ms, PORTION).await? == u64::from(PORTION) {
        tokio::task::yield_now().await;
    }
    // Behind them: what is wide of a day goes at once.
    let days = store.drop_alarm_days(before_ms).await?;
    if days > 0 {
        log::line(&format!("worker: the details of {days} days of alarms are gone"));
    }
    let before_ms = now_ms - i64::from(jobs.history_days) * time::DAY_MS;
    while store.delete_history_before(before_ms, PORTION).await? >= u64::from(PORTION) {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// How many orders have no result yet, up to 10,000 of each state.
async fn waiting(store: &Store) -> Result<(), StoreError> {
    for state in ["pending", "sent"] {
        let filter = CommandFilter { states: vec![state.to_owned()], ..CommandFilter::default() };
        let page = store.commands_page(&Scope::All, &filter, &Cursor { after: None, limit: 1 }).await?;
        let total = u32::try_from(page.total).unwrap_or(u32::MAX);
        metrics::gauge!("lazaret_commands_waiting", "state" => state).set(total);
    }
    Ok(())
}
