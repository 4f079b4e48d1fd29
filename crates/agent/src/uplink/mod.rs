// SPDX-License-Identifier: Apache-2.0
//! The way to a server, for hosts that belong to one. Nothing here is on the way of an answer to the
//! kernel, and nothing waits for it: without a server the host decides by its last desired state, and
//! everything is delivered later. One thread holds the session, one carries news into the journal, and a
//! few do what the server orders.

mod address;
mod collect;
mod commands;
mod content;
mod desired;
mod enroll;
mod identity;
mod link;
mod notes;
mod orders;
mod outbox;
mod pauses;
mod report;
mod scan;
mod scan_types;
mod scan_units;
mod self_test;
mod side;
mod tls;
mod wanted;

pub(crate) use address::{Address, fingerprint};
pub(crate) use content::Delivery;
pub(crate) use enroll::{Arguments as EnrollArguments, run as enroll};
pub(crate) use wanted::{Wanted, folder as plain_folder};

use crate::config::Config;
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use anyhow::{Context, Result};
use commands::Commands;
use desired::Desired;
use lazaret_proto::v1;
use lazaret_response::Responder;
use lazaret_state::Database;
use notes::Hits;
use outbox::Outbox;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A server that takes nothing does not hold up the daemon's end.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How it stands with the server.
#[derive(Debug, Clone, Default, PartialEq)]
struct Link {
    url: String,
    host: String,
    certificate_until_ms: i64,
    connected: bool,
    since_ms: i64,
    error: String,
    /// Somebody has to do something: the right is taken away, or there is none yet and none to be had.
    problem: String,
    /// The server has taken the right away.
    banned: bool,
    /// The two clocks are apart.
    clock: String,
}

/// Everything that has to do with the server.
pub(crate) struct Uplink {
    pub(crate) desired: Desired,
    pub(crate) content: Delivery,
    pub(crate) hits: Hits,
    pub(crate) commands: Commands,
    outbox: Mutex<Outbox>,
    link: Mutex<Link>,
    /// The newest of each scan.
    progress: Mutex<BTreeMap<String, v1::ScanProgress>>,
    bell: tokio::sync::Notify,
    /// Set anew at every start.
    run: String,
    /// Nothing more happens that has to be noted.
    settled: AtomicBool,
    /// The session says its last word.
    stop: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Uplink {
    pub(crate) fn load(config: &Config, database: &Database, responder: &Responder) -> Self {
        let (_, newest) = responder.journal().position();
        let link = Link {
            url: config.server.url.clone().unwrap_or_default(),
            since_ms: now_ms(),
            ..Link::default()
        };
        // Protection does not depend on it, and the server tells what it has.
        let outbox = Outbox::load(database, newest).unwrap_or_else(|e| {
            log!("how far the server is cannot be told: {e:#}");
            Outbox::default()
        });
        Self {
            desired: Desired::load(&config.paths.state),
            content: Delivery::load(&config.paths.state),
            hits: Hits::default(),
            commands: Commands::default(),
            outbox: Mutex::new(outbox),
            link: Mutex::new(link),
            progress: Mutex::default(),
            bell: tokio::sync::Notify::new(),
            run: uuid::Uuid::now_v7().to_string(),
            settled: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    /// There may be something new for the server.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn tell_progress(&self, progress: v1::ScanProgress) {
        lock(&self.progress).insert(progress.task.clone(), progress);
        self.ring();
    }

    /// The address of the server; empty where this host belongs to none.
    pub(crate) fn server(&self) -> String {
        lock(&self.link).url.clone()
    }

    /// For `status`; `None` where this host belongs to no server.
    pub(crate) fn status(&self, core: &Core) -> Option<v1::ServerLink> {
        let link = lock(&self.link).clone();
        if link.url.is_empty() {
            return None;
        }
        let (_, newest) = core.responder.journal().position();
        Some(v1::ServerLink {
            url: link.url,
            host: link.host,
            connected: link.connected,
            since_ms: link.since_ms,
            error: link.error,
            generation: self.desired.generation(),
            refused: self.desired.refused(),
            unsent: newest.saturating_sub(lock(&self.outbox).acked().seq),
            certificate_until_ms: link.certificate_until_ms,
            pinned: core.config.local.pin.clone(),
            group: self.desired.group(),
            refused_by_server: link.banned,
        })
    }

    /// What somebody has to do something about.
    pub(crate) fn problem(&self) -> Option<String> {
        let link = lock(&self.link);
        [&link.problem, &link.clock].into_iter().find(|why| !why.is_empty()).cloned()
    }

    fn set_link(&self, change: impl FnOnce(&mut Link)) {
        let mut link = lock(&self.link);
        let before = link.connected;
        change(&mut link);
        if link.connected != before {
            link.since_ms = now_ms();
        }
    }
}

/// The uplink's threads.
pub(crate) struct Threads {
    notes: JoinHandle<()>,
    session: JoinHandle<()>,
}

/// Starts them, after the daemon is ready.
pub(crate) fn start(core: &Arc<Core>) -> Result<Threads> {
    let thread = |name: &str, work: Box<dyn FnOnce() + Send>| {
        Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .with_context(|| format!("cannot start the thread {name}"))
    };
    core.uplink.commands.start(core)?;
    if let Err(e) = core.uplink.commands.resume(core) {
        log!("what the server ordered before cannot be taken up: {e:#}");
    }
    let (a, b) = (Arc::clone(core), Arc::clone(core));
    Ok(Threads {
        notes: thread("notes", Box::new(move || notes::run(&a)))?,
        session: thread("uplink", Box::new(move || link::run(&b)))?,
    })
}

/// Everything is done: it is noted, and the server hears that this silence is no alarm.
pub(crate) fn stop(core: &Core, threads: Threads) {
    core.uplink.settled.store(true, Ordering::Relaxed);
    let _ = threads.notes.join();
    core.uplink.stop.store(true, Ordering::Relaxed);
    core.uplink.ring();
    let end = Instant::now() + LAST_WORD;
    while !threads.session.is_finished() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
}
