// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan, the gateway's part (docs/adr/0016): questions about hashes, inventories and samples in,
//! verdicts out. Nothing of one project answers another: all goes by the project that the host is of now.

pub(super) mod ask;
mod bucket;
pub(super) mod feed;
pub(super) mod inventory;
mod known;
mod listed;
mod notes;
pub(super) mod sample;
mod uploads;
pub(super) mod view;

use super::Inner;
use crate::numbers;
use bucket::Buckets;
use lazaret_samples::SampleError;
use lazaret_store::{Standing, StoreError};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};

/// Orders that come so soon after one another are looked for together.
const TOGETHER: Duration = Duration::from_millis(10);
/// How often it is looked what stands still, at least.
const SWEEP: Duration = Duration::from_secs(30);
/// Inventories that are written at the same time.
const INVENTORIES: usize = 8;

/// Bounds of a gateway.
#[derive(Debug, Clone)]
pub struct CloudLimits {
    /// Questions that a host may ask at once.
    pub questions_at_once: u32,
    /// And, on an average, in a second.
    pub questions_per_second: u32,
    /// Samples that come in at the same time.
    pub uploads: usize,
    /// Of these, of one host.
    pub uploads_of_host: usize,
    /// Parts of samples that one host may send in a second.
    pub parts_per_second: u32,
    /// A sample that does not go on for so long is given up.
    pub stall: Duration,
}

impl Default for CloudLimits {
    fn default() -> Self {
        Self {
            questions_at_once: 8_192,
            questions_per_second: 512,
            uploads: 256,
            uploads_of_host: 4,
            parts_per_second: 64,
            stall: Duration::from_secs(600),
        }
    }
}

/// What the sessions of a gateway share.
pub(super) struct Cloud {
    feeds: feed::Feeds,
    known: known::Known<Standing>,
    listed: listed::Listed,
    notes: notes::Notes,
    questions: Buckets,
    parts: Buckets,
    uploads: uploads::Uploads,
    inventories: Semaphore,
    finishes: Semaphore,
    look_ups: Semaphore,
    /// The last sample could not be stored.
    failing: AtomicBool,
    /// Verdicts were put in this process.
    pub(super) wake: Notify,
}

impl Cloud {
    pub(super) fn new(limits: &CloudLimits) -> Self {
        Self {
            feeds: feed::Feeds::default(),
            known: known::Known::default(),
            listed: listed::Listed::default(),
            notes: notes::Notes::default(),
            questions: Buckets::new(limits.questions_at_once, limits.questions_per_second),
            parts: Buckets::new(limits.parts_per_second.saturating_mul(2), limits.parts_per_second),
            uploads: uploads::Uploads::new(limits.uploads, limits.uploads_of_host, limits.stall),
            inventories: Semaphore::new(INVENTORIES),
            finishes: Semaphore::new(sample::FINISHES),
            look_ups: Semaphore::new(ask::LOOK_UPS),
            failing: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Said once until it works again.
    fn samples_fail(&self, inner: &Inner, why: &SampleError) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            inner.log(&format!("samples cannot be stored, so the hosts keep them: {why}"));
        }
    }

    fn samples_work(&self, inner: &Inner) {
        if self.failing.swap(false, Ordering::Relaxed) {
            inner.log("samples are stored again");
        }
    }
}

/// Runs until the gateway stops.
pub(super) async fn run(inner: Arc<Inner>) {
    let pause = SWEEP.min(inner.settings.cloud.stall / 4).max(Duration::from_millis(50));
    let mut swept = Instant::now();
    let mut told = false;
    loop {
        tokio::select! {
            () = inner.cloud.wake.notified() => tokio::time::sleep(TOGETHER).await,
            () = tokio::time::sleep(inner.settings.poll) => {}
        }
        match look(&inner).await {
            Ok(()) => {
                if std::mem::take(&mut told) {
                    inner.log("the database gives verdicts again");
                }
            }
            Err(e) => {
                numbers::database(&e);
                if !std::mem::replace(&mut told, true) {
                    inner.log(&format!("verdicts to hosts wait: {e}"));
                }
            }
        }
        if swept.elapsed() >= pause {
            swept = Instant::now();
            sweep(&inner).await;
        }
    }
}

async fn look(inner: &Inner) -> Result<(), StoreError> {
    let read_only = inner.settings.read_only.is_on();
    if !read_only {
        listed::put(inner).await?;
    }
    // Verdicts first: they are what hosts wait for.
    feed::look(inner).await?;
    if !read_only {
        notes::write(inner).await?;
    }
    Ok(())
}

/// Gives up what stands still, and forgets the feeds of projects that have no host here.
async fn sweep(inner: &Inner) {
    let coming = u32::try_from(inner.cloud.uploads.coming()).unwrap_or(u32::MAX);
    metrics::gauge!("lazaret_gateway_samples_coming").set(coming);
    let projects: HashSet<String> =
        inner.lives.all().iter().filter_map(|live| Some(live.view()?.project.clone())).collect();
    inner.cloud.feeds.keep(&projects);
    let Some(samples) = &inner.settings.samples else { return };
    for (project, sha256) in inner.cloud.uploads.sweep(Instant::now()) {
        metrics::counter!("lazaret_gateway_samples_given_up_total").increment(1);
        sample::forget(inner, samples, &project, &sha256, "it stood still", 0).await;
    }
    // Parts of which nobody here knows any more.
    samples.sweep().await;
}

/// For the wire.
fn ms(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
}
