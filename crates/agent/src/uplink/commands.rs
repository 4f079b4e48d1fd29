// SPDX-License-Identifier: Apache-2.0
//! The server's commands: each id once, whatever is sent again; a result always. Done by threads of their
//! own, so that the session goes on meanwhile.

use super::orders::{self, Ended};
use super::pauses::Pauses;
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::now_ms;
use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use lazaret_proto::v1::command::Verb;
use lazaret_proto::{Message, v1};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads for what takes seconds, and one for scans, which take hours.
const WORKERS: usize = 2;
/// Results are kept as long as the journal's entries, milliseconds.
const KEEP_MS: i64 = 30 * 24 * 3600 * 1000;
/// Commands that wait at once.
const WAITING: usize = 10_000;

/// Cancelling is asked for; who works looks at it.
pub(crate) type Cancel = Arc<AtomicBool>;

pub(super) struct Job {
    pub(super) command: v1::Command,
    pub(super) cancel: Cancel,
    /// It was under way before: the daemon was stopped, or somebody paused it.
    pub(super) again: bool,
}

/// What waits and what is under way.
pub(crate) struct Commands {
    open: Mutex<HashMap<String, Cancel>>,
    work: (Sender<Job>, Receiver<Job>),
    scans: (Sender<Job>, Receiver<Job>),
    /// What waits for samples to be on the server: minutes, on a slow line.
    samples: (Sender<Job>, Receiver<Job>),
    /// The server's clock less ours, milliseconds.
    skew_ms: AtomicI64,
    pub(super) pauses: Pauses,
}

impl Default for Commands {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            work: unbounded(),
            scans: bounded(WAITING),
            samples: bounded(WAITING),
            skew_ms: AtomicI64::new(0),
            pauses: Pauses::default(),
        }
    }
}

impl Commands {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Cancel>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_skew(&self, skew_ms: i64) {
        self.skew_ms.store(skew_ms, Ordering::Relaxed);
    }

    fn server_now(&self) -> i64 {
        now_ms().saturating_add(self.skew_ms.load(Ordering::Relaxed))
    }

    /// Those without a result.
    pub(crate) fn open(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Takes a command in: remembers it, then queues it. One that is known changes nothing.
    pub(crate) fn take(&self, core: &Core, command: v1::Command) -> Result<()> {
        if !core.database.take_command(&command.id, now_ms(), &command.encode_to_vec())? {
            return Ok(());
        }
        if self.lock().len() >= WAITING {
            let why = format!("{WAITING} commands wait on this host already");
            return finish(core, &command.id, Ended::refused(why));
        }
        self.queue(core, command, false)
    }

    fn queue(&self, core: &Core, command: v1::Command, again: bool) -> Result<()> {
        let cancel = Cancel::default();
        self.lock().insert(command.id.clone(), Arc::clone(&cancel));
        let id = command.id.clone();
        let queue = match &command.verb {
            Some(Verb::Scan(_)) => &self.scans.0,
            Some(Verb::Collect(_)) => &self.samples.0,
            _ => &self.work.0,
        };
        if queue.try_send(Job { command, cancel, again }).is_err() {
            self.lock().remove(&id);
            return finish(core, &id, Ended::refused("too many commands wait on this host"));
        }
        Ok(())
    }

    /// Cancels what can still be; what is not known is never begun.
    pub(crate) fn cancel(&self, core: &Core, id: &str) -> Result<()> {
        let known = self.lock().get(id).cloned();
        if let Some(cancel) = known {
            cancel.store(true, Ordering::Relaxed);
            // Nobody works on a paused one: it is taken up to end.
            if let Some(job) = self.pauses.take(id) {
                self.go_on(core, job);
            }
            return Ok(());
        }
        if core.database.take_command(id, now_ms(), &[])? {
            finish(core, id, Ended::cancelled("cancelled before it came"))?;
        }
        Ok(())
    }

    /// Takes a paused scan up again.
    pub(super) fn go_on(&self, core: &Core, job: Job) {
        let id = job.command.id.clone();
        if self.scans.0.try_send(Job { again: true, ..job }).is_err() {
            self.lock().remove(&id);
            if let Err(e) = finish(core, &id, Ended::failed("too many commands wait on this host")) {
                log!("{e:#}");
            }
        }
    }

    /// Of a finished command.
    pub(crate) fn result(&self, core: &Core, id: &str) -> Result<Option<v1::CommandResult>> {
        let Some(bytes) = core.database.command(id)?.and_then(|row| row.result) else { return Ok(None) };
        Ok(Some(v1::CommandResult::decode(bytes.as_slice())?))
    }

    /// After a start: what waited is queued again, a scan goes on, and of everything else that was under
    /// way it is said that it was cut off.
    pub(crate) fn resume(&self, core: &Core) -> Result<()> {
        core.database.forget_commands(now_ms() - KEEP_MS)?;
        for row in core.database.open_commands()? {
            let Ok(command) = v1::Command::decode(row.command.as_slice()) else {
                finish(core, &row.id, Ended::failed("what was stored of it cannot be read"))?;
                continue;
            };
            if row.begun && !goes_on(&command) {
                let why = "the daemon ended while it was under way; what had begun was brought to an end at the \
                           start: the alarm or isolated file says how";
                finish(core, &row.id, Ended::failed(why))?;
                continue;
            }
            if let Some(Verb::Scan(scan)) = &command.verb {
                self.pauses.remember(core, &scan.task);
            }
            self.queue(core, command, row.begun)?;
        }
        Ok(())
    }

    /// Forgets results that are old.
    pub(crate) fn forget(&self, core: &Core) {
        if let Err(e) = core.database.forget_commands(now_ms() - KEEP_MS) {
            log!("{e}");
        }
    }

    /// Starts the threads.
    pub(crate) fn start(&self, core: &Arc<Core>) -> Result<()> {
        let mut lines: Vec<(String, &Receiver<Job>)> =
            (0..WORKERS).map(|i| (format!("order-{i}"), &self.work.1)).collect();
        lines.push(("scan".to_owned(), &self.scans.1));
        lines.push(("collect".to_owned(), &self.samples.1));
        for (name, jobs) in lines {
            let (core, jobs, scans) = (Arc::clone(core), jobs.clone(), name == "scan");
            std::thread::Builder::new().name(name).spawn(move || {
                if scans {
                    // What people wait for goes first.
                    let _ = rustix::process::setpriority_process(None, 19);
                }
                for job in jobs {
                    work(&core, job);
                }
            })?;
        }
        Ok(())
    }
}

/// Takes long, and what the daemon's end has cut off of it goes on at the next start.
fn goes_on(command: &v1::Command) -> bool {
    matches!(command.verb, Some(Verb::Scan(_) | Verb::Collect(_)))
}

fn work(core: &Arc<Core>, job: Job) {
    let id = &job.command.id;
    if core.is_stopping() {
        // It stays in the database and is taken up at the next start.
        return;
    }
    // A daemon that stops waits for what takes seconds.
    let is_short = !goes_on(&job.command);
    core.in_flight.fetch_add(usize::from(is_short), Ordering::Relaxed);
    let ended = run(core, &job);
    core.in_flight.fetch_sub(usize::from(is_short), Ordering::Relaxed);
    let Some(ended) = ended else {
        // A scan that the daemon's end has cut off goes on at the next start, one that is paused when
        // somebody says so.
        if !core.is_stopping()
            && let Some(job) = core.uplink.commands.pauses.park(job)
        {
            core.uplink.commands.go_on(core, job);
        }
        return;
    };
    core.uplink.commands.lock().remove(id);
    if let Some(Verb::Scan(scan)) = &job.command.verb {
        core.uplink.commands.pauses.forget(core, &scan.task);
    }
    let who = printable(job.command.who.as_bytes());
    let text =
        format!("{} of the server ({who}): {} {}", orders::name(&job.command), ended.outcome, ended.reason);
    log!("{}", text.trim_end());
    core.events.tell("switch", text.trim_end().to_owned(), None);
    if let Err(e) = finish(core, id, ended) {
        log!("the result of command {id} could not be stored: {e}");
    }
}

/// `None`: it is not over.
fn run(core: &Arc<Core>, job: &Job) -> Option<Ended> {
    let Job { command, cancel, again } = job;
    if cancel.load(Ordering::Relaxed) {
        return Some(Ended::cancelled("cancelled before it was begun"));
    }
    let expired = command.expires_ms > 0 && core.uplink.commands.server_now() >= command.expires_ms;
    if expired && !again {
        return Some(Ended::new("expired", "its time was over before this host could begin"));
    }
    if let Err(e) = core.database.begin_command(&command.id) {
        return Some(Ended::failed(format!("not begun: {e}")));
    }
    // A result comes whatever happens in there.
    catch_unwind(AssertUnwindSafe(|| orders::run(core, command, cancel)))
        .unwrap_or_else(|_| Some(Ended::failed("an error in lazaretd itself; its log says where")))
}

fn finish(core: &Core, id: &str, ended: Ended) -> Result<()> {
    let result = v1::CommandResult {
        id: id.to_owned(),
        outcome: ended.outcome.to_owned(),
        reason: ended.reason,
        at_ms: now_ms(),
        detail: ended.detail,
    };
    core.database.finish_command(id, now_ms(), &result.encode_to_vec())?;
    core.uplink.ring();
    Ok(())
}
