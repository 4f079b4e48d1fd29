// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan on this host (docs/adr/0016): which programs it has, what its server knows of them, and
//! what follows of that. Nothing leaves the host without consent, and nothing here is on the way of an answer
//! to the kernel but a look into memory; who waits for the server waits beside the judges.

mod act;
mod answers;
mod consent;
mod inventory;
mod lay_over;
mod parts;
mod questions;
mod samples;
mod sent;
mod settle;
mod status;
mod sweep;
mod verdicts;
mod wait;

pub(crate) use consent::{Consent, Kind};
pub(crate) use lay_over::{Laid, is_of_server};
pub(crate) use samples::{Place, want};
pub(crate) use settle::{Settled, tell_refused};
pub(crate) use wait::Parked;

use crate::core::Core;
use crate::gate::{Question, Reply};
use crate::log::log;
use answers::Answers;
use anyhow::{Context, Result};
use crossbeam_channel::Sender;
use inventory::Inventory;
use lazaret_model::Sha256;
use lazaret_state::Database;
use parts::Parts;
use questions::Questions;
use samples::Samples;
use status::Sums;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::Builder;
use std::time::Duration;
use verdicts::Verdicts;
use wait::Waiting;

/// Contents that the server would like to have, at most; the others are wanted again with the next answer.
const MAX_WANTED: usize = 10_000;

/// A program as a look has just seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    pub(crate) kind: Kind,
    pub(crate) path: Vec<u8>,
    pub(crate) tlsh: String,
    /// The path, as this host sees its files, leads there.
    pub(crate) ours: bool,
}

/// Everything that has to do with cloud scan; shared by all threads.
pub(crate) struct Cloud {
    /// Hashes may leave this host. Looked at before anything else.
    on: AtomicBool,
    consent: RwLock<Arc<Consent>>,
    /// A session stands.
    connected: AtomicBool,
    pub(crate) inventory: Inventory,
    pub(crate) parts: Parts,
    pub(crate) answers: Answers,
    pub(crate) questions: Questions,
    pub(crate) verdicts: Verdicts,
    pub(crate) waiting: Waiting,
    pub(crate) samples: Samples,
    sums: Sums,
    wanted: Mutex<VecDeque<Sha256>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    /// What was kept. What cannot be read is asked for again.
    pub(crate) fn load(database: &Database, consent: Consent) -> Self {
        let answers = Answers::load(database);
        let wanted = answers.wanted().into_iter().take(MAX_WANTED).collect();
        Self {
            on: AtomicBool::new(consent.hashes),
            consent: RwLock::new(Arc::new(consent)),
            connected: AtomicBool::new(false),
            inventory: Inventory::new(),
            parts: Parts::load(database),
            answers,
            questions: Questions::load(database),
            verdicts: Verdicts::load(database),
            waiting: Waiting::new(),
            samples: Samples::default(),
            sums: Sums::default(),
            wanted: Mutex::new(wanted),
        }
    }

    /// Whether hashes may leave this host. Where not, cloud scan costs this one look.
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// What the project has consented to, as far as this host takes it.
    pub(crate) fn consent(&self) -> Arc<Consent> {
        Arc::clone(&self.consent.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a consent in force. Call it before everything is judged again; the caller sees to that.
    pub(crate) fn set_consent(&self, consent: Consent) {
        let hashes = consent.hashes;
        *self.consent.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(consent);
        let was = self.on.swap(hashes, Ordering::AcqRel);
        if was != hashes {
            // In this session nothing was asked for, or nothing more is to come.
            self.verdicts.ask_anew();
            self.waiting.look();
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// A session stands. `incarnation` names the server's data.
    pub(crate) fn begin_session(&self, core: &Core, incarnation: &str) {
        self.parts.begin_session(core, incarnation);
        self.questions.begin_session();
        self.samples.begin_session(&core.uplink.server());
        self.verdicts.ask_anew();
        self.connected.store(true, Ordering::Relaxed);
    }

    /// Nobody answers any more: who waits is told.
    pub(crate) fn end_session(&self) {
        self.connected.store(false, Ordering::Relaxed);
        self.questions.end_session();
        self.samples.end_session();
        self.waiting.look();
    }

    /// This host belongs to another server, or to none.
    pub(crate) fn forget(&self, core: &Core) {
        self.samples.forget(core);
        if let Err(e) = core.database.forget_cloud() {
            log!("{e}");
        }
        self.answers.forget();
        self.questions.forget();
        self.verdicts.forget();
        self.parts.forget();
        lock(&self.wanted).clear();
    }

    /// How long until the server is to be asked something; `None`: there is nothing to ask by itself.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.questions.due_in().filter(|_| self.is_on() && self.is_connected())
    }

    /// The server would like to have this content.
    fn want(&self, sha256: Sha256) {
        let mut wanted = lock(&self.wanted);
        if wanted.len() < MAX_WANTED && !wanted.contains(&sha256) {
            wanted.push_back(sha256);
        }
    }

    /// The next content that the server would like to have.
    pub(crate) fn take_wanted(&self) -> Option<Sha256> {
        lock(&self.wanted).pop_front()
    }
}

/// Starts the threads: one keeps the inventory, one acts on verdicts, one looks after executions that wait
/// for an answer, one brings samples. All sleep until there is something to do.
pub(crate) fn start(core: &Arc<Core>, questions: Sender<Question>, replies: Sender<Reply>) -> Result<()> {
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| -> Result<()> {
        let thread = Builder::new().name(name.to_owned()).spawn(work);
        thread.map(drop).with_context(|| format!("cannot start the thread {name}"))
    };
    let [a, b, c, d] = [(); 4].map(|()| Arc::clone(core));
    spawn("inventory", Box::new(move || inventory::run(&a)))?;
    spawn("verdicts", Box::new(move || act::run(&b)))?;
    spawn("samples", Box::new(move || samples::run(&d)))?;
    spawn("waiting", Box::new(move || wait::run(&c, &questions, &replies)))
}
