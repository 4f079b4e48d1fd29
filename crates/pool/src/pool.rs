// SPDX-License-Identifier: Apache-2.0
//! The pool: workers, their threads, and the door for jobs.

use crate::config::PoolConfig;
use crate::connection::Connection;
use crate::error::PoolError;
use crate::job::{Done, Job, Priority, Queued, Reply};
use crate::queue::Queue;
use crate::serve::Server;
use crate::slot::{Slot, WorkerInfo};
use crate::spawner::Lease;
use lazaret_model::{ContentInfo, ScanError, ScanReport};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After a spawner could not be started, how long until it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The spawner in force.
pub(crate) struct Current {
    pub(crate) config: PoolConfig,
    pub(crate) spawner: Arc<Lease>,
    /// When a new spawner failed last, and why.
    failed: Option<(Instant, String)>,
}

pub(crate) struct Shared {
    pub(crate) queue: Arc<Queue>,
    pub(crate) deadline: Duration,
    pub(crate) replaced: AtomicU64,
    pub(crate) gaps: Mutex<Vec<String>>,
    /// What `content` answers: kept beside `current`, which is locked while a spawner starts.
    pub(crate) content: Mutex<ContentInfo>,
    /// Set while a slot has a newer worker waiting.
    pub(crate) handing_over: AtomicBool,
    stopping: AtomicBool,
    current: Mutex<Current>,
}

impl Shared {
    pub(crate) fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether a worker with newer content waits for this slot.
    pub(crate) fn newer(&self, slot: &Slot) -> bool {
        self.handing_over.load(Ordering::Acquire) && slot.handover().next.is_some()
    }

    /// Has the spawner in force fork a worker; a spawner that is gone is started anew.
    pub(crate) fn new_worker(&self) -> Result<Connection, String> {
        let mut current = self.current();
        if current.spawner.is_gone() {
            if let Some((when, why)) = &current.failed
                && when.elapsed() < RETRY
            {
                return Err(why.clone());
            }
            let config = current.config.clone();
            match Lease::start(&config, poke(&self.queue)) {
                Ok(spawner) => {
                    current.spawner = spawner;
                    current.failed = None;
                }
                Err(e) => {
                    current.failed = Some((Instant::now(), e.to_string()));
                    return Err(e.to_string());
                }
            }
        }
        let spawner = Arc::clone(&current.spawner);
        drop(current);
        spawner.worker().map(|(connection, _)| connection).map_err(|e| e.to_string())
    }
}

/// Lets the workers' threads look at their workers.
pub(crate) fn poke(queue: &Arc<Queue>) -> Arc<dyn Fn() + Send + Sync> {
    let queue = Arc::clone(queue);
    Arc::new(move || queue.poke())
}

/// Jailed scanners and the queue before them. Dropping it stops it as [`Pool::stop`] does.
pub struct Pool {
    pub(crate) shared: Arc<Shared>,
    pub(crate) slots: Vec<Arc<Slot>>,
    threads: Vec<JoinHandle<()>>,
    /// One reload at a time.
    pub(crate) reloading: Mutex<()>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts the scanner, has it load the content, and waits until all workers are sealed.
    ///
    /// # Errors
    /// When the scanner does not start, its content does not load, or no worker can be had.
    pub fn start(config: PoolConfig) -> Result<Self, PoolError> {
        if config.workers == 0 || config.deadline.is_zero() {
            return Err(PoolError::Config(
                "a pool needs at least one worker and a deadline above zero".into(),
            ));
        }
        let queue = Arc::new(Queue::default());
        let spawner = Lease::start(&config, poke(&queue))?;
        let mut connections = Vec::new();
        let mut gaps = Vec::new();
        for _ in 0..config.workers {
            let (connection, new_gaps) = spawner.worker()?;
            connections.push(connection);
            gaps = new_gaps;
        }
        let shared = Arc::new(Shared {
            queue,
            deadline: config.deadline,
            replaced: AtomicU64::new(0),
            gaps: Mutex::new(gaps),
            content: Mutex::new(spawner.content.clone()),
            handing_over: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            current: Mutex::new(Current { config: config.clone(), spawner, failed: None }),
        });
        let mut pool = Self { shared, slots: Vec::new(), threads: Vec::new(), reloading: Mutex::new(()) };
        let reserved = config.reserved.min(config.workers - 1);
        for (number, connection) in connections.into_iter().enumerate() {
            let slot = Arc::new(Slot::new(number < reserved));
            let server = Server::new(Arc::clone(&pool.shared), Arc::clone(&slot), connection);
            let thread = std::thread::Builder::new()
                .name(format!("pool-{number}"))
                .spawn(move || server.run())
                .map_err(|cause| PoolError::Start { program: config.scanner.clone(), cause })?;
            pool.slots.push(slot);
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// What content is in force.
    #[must_use]
    pub fn content(&self) -> ContentInfo {
        self.shared.content.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the jail could not do on this kernel; empty when everything is in force.
    #[must_use]
    pub fn jail_gaps(&self) -> Vec<String> {
        self.shared.gaps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The workers.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerInfo> {
        self.slots.iter().map(|s| s.info()).collect()
    }

    /// Workers that had to be replaced since the start; a reload does not count.
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.shared.replaced.load(Ordering::Relaxed)
    }

    /// Scans one file and waits for the answer.
    ///
    /// # Errors
    /// Whatever stands between the file and a verdict, see [`ScanError`].
    pub fn scan(&self, job: Job, priority: Priority) -> Result<ScanReport, ScanError> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let done: Done = Box::new(move |result| {
            let _ = sender.send(result);
        });
        self.submit(job, priority, done);
        receiver.recv().unwrap_or_else(|_| Err(ScanError::Unavailable("the answer was lost".into())))
    }

    /// Scans one file; `done` hears the answer exactly once, also when the pool stops.
    ///
    /// Permission and event jobs never block: when 4096 or 8192 of them wait already, or the file is
    /// no regular file, `done` is called at once, on the caller's thread. A background job waits for
    /// room, so it must not be submitted from within a `done`.
    pub fn submit(&self, job: Job, priority: Priority, done: Done) {
        if let Some(queued) = Queued::new(job, priority, Reply::One(done)) {
            self.shared.queue.push(queued);
        }
    }

    /// Stops: what waits or is being scanned answers [`ScanError::Unavailable`], and all processes
    /// are gone when this returns.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.queue.stop();
        for slot in &self.slots {
            let handover = slot.handover();
            if let Some(pidfd) = &handover.current {
                let _ = rustix::process::pidfd_send_signal(&**pidfd, rustix::process::Signal::KILL);
            }
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        for slot in &self.slots {
            let next = slot.handover().next.take();
            drop(next);
        }
    }
}
