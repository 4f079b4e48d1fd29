// SPDX-License-Identifier: Apache-2.0
//! What is done when nobody asks: ends of commands, credentials and entries, and what is kept too long.

use crate::content::Publisher;
use crate::read_only::ReadOnly;
use crate::{log, scans, time};
use lazaret_store::{Store, StoreError};
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked for commands whose time is over.
const OFTEN: Duration = Duration::from_secs(2);
/// Every so many looks the rest is done.
const RARELY: u32 = 30;
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
        round = round.wrapping_add(1);
        if jobs.read_only.is_on() {
            tokio::select! {
                () = tokio::time::sleep(OFTEN) => continue,
                _ = stop.wait_for(|s| *s) => return,
            }
        }
        match once(&jobs, all).await {
            Ok(()) => told = false,
            Err(e) => {
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

async fn once(jobs: &Jobs, all: bool) -> Result<(), StoreError> {
    let store = &jobs.store;
    let now_ms = time::now_ms();
    let expired = store.expire_commands(now_ms, GRACE_MS).await?;
    metrics::counter!("lazaret_commands_expired_total").increment(u64::try_from(expired.len()).unwrap_or(0));
    scans::run::due(store).await?;
    if !all {
        return Ok(());
    }
    store.expire_credentials(now_ms).await?;
    store.forget_answers(now_ms - ANSWERS_MS).await?;
    for entry in store.expire_whitelist(now_ms).await? {
        log::line(&format!("worker: the whitelist entry {} of {} has ended", entry.id, entry.owner));
    }
    jobs.publisher.publish_all().await?;
    store.prepare_alarm_days(now_ms).await?;
    let mut before_ms = now_ms - i64::from(jobs.alarm_days) * time::DAY_MS;
    let days = store.drop_alarm_days(before_ms).await?;
    if days > 0 {
        log::line(&format!("worker: {days} days of alarms are over and gone"));
    }
    if store.is_postgres() {
        // Days go as a whole; what is deleted one by one lies outside them.
        before_ms -= time::DAY_MS;
    }
    while store.delete_alarms_before(before_ms, PORTION).await? == u64::from(PORTION) {
        tokio::task::yield_now().await;
    }
    let before_ms = now_ms - i64::from(jobs.history_days) * time::DAY_MS;
    while store.delete_history_before(before_ms, PORTION).await? >= u64::from(PORTION) {
        tokio::task::yield_now().await;
    }
    Ok(())
}
