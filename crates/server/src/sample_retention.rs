// SPDX-License-Identifier: Apache-2.0
//! Samples go when their time is over, unless somebody holds them; and what was to be deleted while their store
//! did not answer. A task of its own: a store that is slow keeps nothing else waiting.

use crate::read_only::ReadOnly;
use crate::{log, numbers, time};
use lazaret_samples::Samples;
use lazaret_store::{Store, StoreError};
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(60);
/// Files that nobody has any more are forgotten so many at a time.
const PORTION: u32 = 2_000;

/// What it works on.
pub(crate) struct Retention {
    pub(crate) store: Store,
    pub(crate) samples: Samples,
    pub(crate) read_only: ReadOnly,
    /// Files that no host has any more are remembered so many days.
    pub(crate) history_days: u32,
}

/// Runs until told to stop.
pub(crate) async fn run(r: Retention, mut stop: watch::Receiver<bool>) {
    let mut told = false;
    loop {
        if !r.read_only.is_on() {
            let looked = tokio::select! {
                looked = once(&r) => looked,
                _ = stop.wait_for(|s| *s) => return,
            };
            match looked {
                Ok(()) => told = false,
                Err(e) => {
                    numbers::database(&e);
                    if !std::mem::replace(&mut told, true) {
                        log::line(&format!("worker: samples whose time is over wait for the database: {e}"));
                    }
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
    }
}

async fn once(r: &Retention) -> Result<(), StoreError> {
    loop {
        let due = r.store.samples_due(time::now_ms()).await?;
        let mut deleted = 0_u64;
        let mut failed = None;
        for sample in &due {
            match r.samples.delete(&sample.project, &sample.sha256).await {
                Ok(()) => {
                    r.store.sample_deleted(&sample.project, &sample.sha256, time::now_ms()).await?;
                    deleted += 1;
                }
                Err(e) => {
                    let stop = e.is_retryable();
                    failed = Some(e);
                    if stop {
                        // The store is down: each of them would only wait.
                        break;
                    }
                }
            }
        }
        metrics::counter!("lazaret_samples_deleted_total").increment(deleted);
        if let Some(e) = failed {
            log::line(&format!("worker: samples whose time is over are not all deleted: {e}; tried again"));
            break;
        }
        if deleted == 0 {
            break;
        }
    }
    let before_ms = time::now_ms() - i64::from(r.history_days) * time::DAY_MS;
    while r.store.delete_files_before(before_ms, PORTION).await? >= u64::from(PORTION) {
        tokio::task::yield_now().await;
    }
    Ok(())
}
