// SPDX-License-Identifier: Apache-2.0
//! What is done now and then: package databases that changed, alarms that are old.

use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use lazaret_model::IsolatedStatus;
use lazaret_state::Retention;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PACKAGES: Duration = Duration::from_secs(5);
const ALARMS: Duration = Duration::from_secs(3600);

/// Runs until the daemon stops.
pub(crate) fn run(core: &Arc<Core>) {
    let mut packages = Instant::now();
    let mut alarms = Instant::now();
    let mut whitelist = now_ms();
    while !core.is_stopping() {
        std::thread::sleep(Duration::from_millis(200));
        let now = now_ms();
        if now >= whitelist + 1_000 {
            // What an entry has let pass is judged again when its time is over.
            if core
                .live()
                .whitelist
                .entries()
                .iter()
                .filter_map(|e| e.expires_ms)
                .any(|e| whitelist < e && e <= now)
            {
                core.judge_again();
            }
            whitelist = now;
        }
        if packages.elapsed() > PACKAGES {
            core.guards.follow_packages();
            packages = Instant::now();
        }
        if alarms.elapsed() > ALARMS {
            prune(core);
            prune_journal(core);
            core.uplink.commands.forget(core);
            core.cloud.samples.upkeep(core);
            alarms = Instant::now();
        }
    }
}

/// Journal entries are kept this long, milliseconds.
const JOURNAL_MS: i64 = 30 * 24 * 3600 * 1000;

/// Forgets journal segments older than 30 days; what is open was replayed at the start.
fn prune_journal(core: &Core) {
    let journal = core.responder.journal();
    let oldest = now_ms() - JOURNAL_MS;
    let mut after = 0;
    while let Ok(entries) = journal.entries(after, 500) {
        let old = entries.iter().take_while(|e| e.at_ms < oldest).last().map(|e| e.seq);
        let Some(seq) = old else { break };
        after = seq;
        if entries.last().is_some_and(|e| e.seq != seq) {
            break;
        }
    }
    if after > 0
        && let Err(e) = journal.prune(after)
    {
        log!("the journal could not be shortened: {e}");
    }
}

/// Forgets old handled alarms, never one whose file is still in the vault.
fn prune(core: &Core) {
    let Ok(objects) = core.responder.vault().list() else { return };
    let mut held: HashSet<_> = objects
        .iter()
        .filter(|o| {
            !matches!(
                o.manifest.as_ref().map(|m| m.status),
                Ok(IsolatedStatus::Restored | IsolatedStatus::Deleted)
            )
        })
        .map(|o| o.id)
        .collect();
    // What is disabled must stay to be found by who wants to enable it.
    let disabled = core.responder.disabled().into_iter().filter_map(|r| r.alarm);
    held.extend(disabled.filter_map(|id| core.database.alarm(id).ok().flatten()?.isolated));
    match core.database.prune(now_ms(), Retention::default(), &held) {
        Ok(pruned) if pruned.over_unhandled > 0 => crate::alarms::about_daemon(
            core,
            lazaret_model::Severity::Medium,
            format!(
                "{} unhandled alarms were forgotten: there were more than can be kept",
                pruned.over_unhandled
            ),
            Vec::new(),
        ),
        Ok(_) => {}
        Err(e) => log!("{e}"),
    }
}
