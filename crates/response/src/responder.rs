// SPDX-License-Identifier: Apache-2.0
//! The only door to a change on the host.

use crate::config::{ResponderConfig, Step};
use crate::error::ResponseError;
use crate::interrupted::Interrupted;
use crate::journal::{Body, Closing, Journal};
use crate::layers::Overlays;
use crate::orphans;
use crate::persistence::Records;
use crate::plan::{Order, Plan, Report};
use crate::record::Owner;
use crate::replay::Replayed;
use crate::stage::{self, StagingFolders};
use crate::turns::Turns;
use lazaret_model::{Action, IsolatedId, Outcome, Sha256};
use lazaret_vault::{RawPath, Vault};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// Executes plans, one journal and one vault at a time. Several threads may use it at once; plans
/// for the same inode or object wait for each other.
pub struct Responder {
    pub(crate) config: ResponderConfig,
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) staging: StagingFolders,
    pub(crate) overlays: Overlays,
    pub(crate) turns: Turns,
    /// Windows that the last run left open, until somebody asks.
    pub(crate) interrupted: Mutex<Vec<Interrupted>>,
    /// Whose records lie in the staging folders.
    pub(crate) owner: Owner,
    pub(crate) records: Records,
    /// What this run isolated, by inode: a second plan for a file that is already gone must not
    /// seal it twice.
    pub(crate) done: Mutex<HashMap<(u64, u64), (Sha256, IsolatedId)>>,
}

impl Responder {
    /// Opens journal and vault, closes every intent that a crash left open, and denies again what
    /// could not be moved away.
    ///
    /// # Errors
    /// When the journal or the vault cannot be used. Damage inside either is no error: what is
    /// readable stays in force (see [`Journal::problems`], [`Vault::list`]).
    pub fn open(config: ResponderConfig) -> Result<(Self, Vec<Replayed>), ResponseError> {
        // The journal first: it holds the lock, and opening the vault tidies up after a crash.
        let (journal, entries) = Journal::open(&config.journal_dir, config.journal_bytes)?;
        let owner = orphans::owner(&config.journal_dir)?;
        let known = orphans::known(&entries);
        let vault = match &config.vault_identity {
            Some(file) => Vault::open_with_identity(&config.vault_dir, file)?,
            None => Vault::open(&config.vault_dir)?,
        };
        let vault = vault.with_limits(config.vault_limits.clone());
        let responder = Self {
            records: Records::new(config.disabled_dir.clone()),
            config,
            journal,
            vault,
            staging: StagingFolders::default(),
            overlays: Overlays::default(),
            turns: Turns::default(),
            interrupted: Mutex::new(Vec::new()),
            owner,
            done: Mutex::new(HashMap::new()),
        };
        let mut replayed = responder.replay(entries);
        let staging = stage::existing();
        replayed.extend(responder.orphans(&staging, &known));
        // What an open intent still needs is not swept away: the next start tries both again.
        if !replayed.iter().any(|r| r.open) {
            replayed.extend(responder.sweep(&staging));
        }
        responder.deny_again();
        Ok((responder, replayed))
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Does it, and says what really happened. Blocks until it is done: milliseconds to the name
    /// being gone, then as long as killing, sealing and searching for links take.
    pub fn execute(&self, plan: Plan) -> Report {
        let start = Instant::now();
        let Plan { alarm, who, order } = plan;
        let mut report = match order {
            Order::IsolateAndKill(target) => self.isolate_and_kill(alarm, &who, target, start),
            Order::Window(target, window) => self.in_window(alarm, &who, target, window, start),
            Order::Resume(cut, may_kill, window) => self.resume(&who, cut, may_kill, window, start),
            Order::Rehearse(target) => self.rehearse(alarm, &who, target),
            Order::Restore { id, to, parents } => self.restore(alarm, &who, id, to.as_deref(), parents),
            Order::Delete { id } => self.delete(&who, id),
            Order::Disable(target) => self.disable(alarm, &who, &target),
            Order::Enable { id } => self.enable(&who, id),
            Order::Restart { id } => self.restart(alarm, &who, id),
        };
        // Now, when nobody waits for it.
        let _ = self.journal.keep_ready();
        report.timings.total = start.elapsed();
        report
    }

    pub(crate) fn step(&self, step: Step) {
        if let Some(f) = &self.config.on_step {
            f(step);
        }
    }

    /// Writes the outcome; what cannot be written is said in the report.
    pub(crate) fn close(&self, report: &mut Report, reason: &str, staged: Option<RawPath>, replayed: bool) {
        let closing = Closing {
            isolated: report.isolated,
            status: report.status.map(|s| s.word().to_owned()),
            reason: reason.to_owned(),
            records: report.records.iter().map(Into::into).collect(),
            killed: report.killed.iter().map(Into::into).collect(),
            left_alone: report.left_alone.iter().map(Into::into).collect(),
            staged,
            replayed,
        };
        if let Err(e) = self.journal.append(report.journal, Body::Outcome(closing), true) {
            let action = report.records.last().map_or(Action::Isolate, |r| r.action);
            let why = format!("done, but the outcome could not be journaled: {e}");
            report.record(action, Outcome::Partial(why), "journal");
        }
    }
}
