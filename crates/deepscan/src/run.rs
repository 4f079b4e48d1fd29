// SPDX-License-Identifier: Apache-2.0
//! The worker: takes jobs while it has scanners for them, renews what it has, gives back what it cannot end.

use crate::connectors::Connector;
use crate::jail::Jail;
use crate::job::{self, Desk, Outcome};
use crate::queue::{Lease, Queue};
use crate::settings::Settings;
use lazaret_model::Sha256;
use lazaret_samples::Samples;
use lazaret_store::{GivenBack, Store, StoreError};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// After scanners could not be started, until they are tried again; doubled up to the most.
const RESTART: Duration = Duration::from_secs(5);
/// See [`RESTART`].
const LONGEST_RESTART: Duration = Duration::from_secs(120);
/// It is looked for newer content this often.
const CONTENT: Duration = Duration::from_secs(15);
/// It is looked for samples that were set aside this often, and at once after one was.
const ASIDE: Duration = Duration::from_secs(5);
/// What came of a job is written again so often, until its lease has run out.
const WRITES: u32 = 5;

/// A sample that ended its scanner too often: nobody scans it any more until a person says so.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// Of the job.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Which.
    pub sha256: Sha256,
    /// How the last scanner ended.
    pub why: String,
    /// How often.
    pub crashes: i64,
    /// When.
    pub at_ms: i64,
}

/// Something that is told and waited for.
pub type Told = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// What a worker tells whoever runs it.
#[derive(Clone)]
pub struct Hooks {
    /// One line for the log.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
    /// Called for each until it succeeds; more than once when a worker dies meanwhile.
    pub on_set_aside: Arc<dyn Fn(SetAside) -> Told + Send + Sync>,
    /// A verdict was put.
    pub on_verdict: Arc<dyn Fn() + Send + Sync>,
    /// While it says so, no job is taken.
    pub is_paused: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            log: Arc::new(|_| {}),
            on_set_aside: Arc::new(|_| Box::pin(std::future::ready(Ok(())))),
            on_verdict: Arc::new(|| {}),
            is_paused: Arc::new(|| false),
        }
    }
}

/// A worker of the deep scan.
pub struct DeepScan {
    desk: Arc<Desk>,
    queue: Queue,
    hooks: Hooks,
}

impl fmt::Debug for DeepScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeepScan").field("settings", &self.desk.settings).finish_non_exhaustive()
    }
}

impl DeepScan {
    /// Makes one; nothing runs yet.
    #[must_use]
    pub fn new(
        store: Store,
        samples: Samples,
        settings: Settings,
        connectors: Vec<Connector>,
        hooks: Hooks,
    ) -> Self {
        let queue = Queue::new(store, &settings);
        let connectors = connectors.into_iter().map(Arc::new).collect();
        Self { desk: Arc::new(Desk { samples, settings, connectors }), queue, hooks }
    }

    /// Works until told to stop. Jobs that are not done then are given back, and all scanners are gone.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        if !self.work_is_there(&mut stop).await {
            return;
        }
        let Some(mut jail) = self.jail(&mut stop).await else { return };
        (self.hooks.log)(&format!("deep scan: ready, {}", jail.told()));
        let mut jobs = JoinSet::new();
        let (mut looked, mut asked) = (Instant::now(), None);
        let mut told = false;
        while !*stop.borrow() {
            if asked.is_none_or(|when: Instant| when.elapsed() >= ASIDE) && !(self.hooks.is_paused)() {
                asked = Some(Instant::now());
                self.tell().await;
            }
            let free = self.desk.settings.workers.saturating_sub(jobs.len());
            let mut taken = 0;
            if free > 0 && !(self.hooks.is_paused)() {
                match self.queue.take(u32::try_from(free).unwrap_or(1)).await {
                    Ok(leases) => {
                        told = false;
                        taken = leases.len();
                        for lease in leases {
                            jobs.spawn(self.task(lease, &jail).run(stop.clone()));
                        }
                    }
                    Err(e) => self.say_once(&mut told, &format!("deep scan: waits for the database: {e}")),
                }
            }
            metrics::gauge!("lazaret_deep_scans_running").set(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
            if looked.elapsed() >= CONTENT {
                looked = Instant::now();
                match jail.renew(&self.desk.settings.content).await {
                    Some(Ok(version)) => (self.hooks.log)(&format!("deep scan: content {version} is loaded")),
                    Some(Err(e)) => (self.hooks.log)(&format!("deep scan: newer content: {e}")),
                    None => {}
                }
            }
            // With a scanner free and jobs taken there may be more at once.
            let pause = if taken > 0 && taken < free { Duration::ZERO } else { self.desk.settings.poll };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Some(ended) = jobs.join_next() => {
                    if self.ended(ended) {
                        asked = None;
                    }
                }
                _ = stop.wait_for(|s| *s) => {}
            }
        }
        while let Some(ended) = jobs.join_next().await {
            self.ended(ended);
        }
        jail.stop().await;
    }

    /// Waits for a first job: until then no content is loaded, and no scanner takes memory. `false`: told to stop.
    async fn work_is_there(&self, stop: &mut watch::Receiver<bool>) -> bool {
        let mut told = false;
        while !*stop.borrow() {
            match self.queue.is_due().await {
                Ok(true) => return true,
                Ok(false) => told = false,
                Err(e) => self.say_once(&mut told, &format!("deep scan: waits for the database: {e}")),
            }
            tokio::select! {
                () = tokio::time::sleep(self.desk.settings.poll) => {}
                _ = stop.wait_for(|s| *s) => {}
            }
        }
        false
    }

    /// Scanners, as soon as they can be had. `None`: told to stop meanwhile.
    async fn jail(&self, stop: &mut watch::Receiver<bool>) -> Option<Jail> {
        let (mut wait, mut said) = (RESTART, String::new());
        loop {
            match Jail::start(&self.desk.settings).await {
                Ok(jail) if *stop.borrow() => {
                    jail.stop().await;
                    return None;
                }
                Ok(jail) => return Some(jail),
                Err(why) if why == said => {}
                Err(why) => {
                    (self.hooks.log)(&format!("deep scan: samples wait, there are no scanners: {why}"));
                    said = why;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_RESTART),
                _ = stop.wait_for(|s| *s) => return None,
            }
        }
    }

    /// One job from here to its end.
    fn task(&self, lease: Lease, jail: &Jail) -> Task {
        Task {
            desk: Arc::clone(&self.desk),
            queue: self.queue.clone(),
            hooks: self.hooks.clone(),
            jail: jail.clone(),
            lease,
        }
    }

    /// Whether its sample was set aside.
    fn ended(&self, ended: Result<bool, tokio::task::JoinError>) -> bool {
        ended.unwrap_or_else(|e| {
            // Its lease runs out, and somebody takes it again.
            (self.hooks.log)(&format!("deep scan: a job ended by itself: {e}"));
            false
        })
    }

    /// Tells of samples that were set aside. What cannot be told now is told the next time.
    async fn tell(&self) {
        let Ok(list) = self.queue.aside().await else { return };
        for (id, aside) in list {
            if (self.hooks.on_set_aside)(aside).await.is_err() || self.queue.told(&id).await.is_err() {
                return;
            }
            count("set_aside");
        }
    }

    fn say_once(&self, told: &mut bool, text: &str) {
        if !std::mem::replace(told, true) {
            (self.hooks.log)(text);
        }
    }
}

struct Task {
    desk: Arc<Desk>,
    queue: Queue,
    hooks: Hooks,
    jail: Jail,
    lease: Lease,
}

impl Task {
    /// Whether its sample was set aside.
    async fn run(self, mut stop: watch::Receiver<bool>) -> bool {
        let outcome = tokio::select! {
            outcome = job::run(&self.desk, &self.jail, &self.lease) => outcome,
            () = self.lost() => {
                count("lost");
                return false;
            }
            _ = stop.wait_for(|s| *s) => {
                Outcome::Again { why: "the worker stopped".to_owned(), after: Duration::ZERO }
            }
        };
        let mut wait = Duration::from_millis(200);
        for attempt in 1.. {
            match self.write(&outcome).await {
                Ok(aside) => return aside,
                // Somebody else has it, or the sample is gone: there is nothing to write to.
                Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => {
                    count("lost");
                    return false;
                }
                Err(e) if attempt == WRITES || *stop.borrow() => {
                    let (job, sha256) = (&self.lease.id, self.lease.sha256);
                    (self.hooks.log)(&format!(
                        "deep scan: what came of {sha256} ({job}) could not be written, it is done again: {e}"
                    ));
                    return false;
                }
                Err(_) => tokio::time::sleep(wait).await,
            }
            wait *= 3;
        }
        false
    }

    /// Renews the lease; ends when it is somebody else's. An error of the database is no end: the lease may
    /// outlive it.
    async fn lost(&self) {
        loop {
            tokio::time::sleep(self.desk.settings.lease / 3).await;
            if let Ok(false) = self.queue.renew(&self.lease).await {
                return;
            }
        }
    }

    /// Whether its sample was set aside.
    async fn write(&self, outcome: &Outcome) -> Result<bool, StoreError> {
        match outcome {
            Outcome::Judged { weighed, .. } => {
                if self.queue.finish(&self.lease, outcome).await? {
                    (self.hooks.on_verdict)();
                }
                count(match weighed.standing {
                    crate::Standing::Bad => "bad",
                    crate::Standing::Clean => "clean",
                    crate::Standing::Pending => "unknown",
                });
            }
            Outcome::Again { why, after } => {
                self.queue.give_back(&self.lease, why, *after, false).await?;
                count("again");
            }
            Outcome::Crashed { why } => {
                let after = self.desk.settings.wait(self.lease.tries);
                count("crashed");
                return Ok(self.queue.give_back(&self.lease, why, after, true).await? == GivenBack::SetAside);
            }
        }
        Ok(false)
    }
}

fn count(result: &'static str) {
    metrics::counter!("lazaret_deep_scans_total", "result" => result).increment(1);
}
