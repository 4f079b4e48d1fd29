// SPDX-License-Identifier: Apache-2.0
//! Looks for isolated files that are older than the configuration allows, and tells of them. Where
//! it says so they are removed, by the look after the one that told of them.

use crate::alarms::about_daemon_once;
use crate::control::note;
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::now_ms;
use lazaret_model::{Outcome, Severity};
use lazaret_response::{AgeLimit, Aged, AgedLook, AgedNow};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After the start, when everything else is in place.
const FIRST: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_secs(3600);

/// An alarm names so many of them.
const NAMED: usize = 20;

/// Runs until the daemon stops.
pub(crate) fn run(core: &Arc<Core>, limit: AgeLimit) {
    let mut look = AgedLook::default();
    let mut next = Instant::now() + FIRST;
    while !core.is_stopping() {
        std::thread::sleep(Duration::from_millis(200));
        if Instant::now() < next {
            continue;
        }
        match look.look(&core.responder, limit, now_ms()) {
            Ok(now) => tell(core, limit, &now),
            Err(e) => log!("isolated files could not be looked through for old ones: {e}"),
        }
        next = Instant::now() + AGAIN;
    }
}

fn tell(core: &Core, limit: AgeLimit, now: &AgedNow) {
    let days = limit.days;
    if !now.new.is_empty() {
        let then = if limit.remove {
            "they are destroyed in an hour, as [vault] remove_aged says; restore what is wanted: lazaret isolated restore"
        } else {
            "they stay; restore or delete them: lazaret isolated list"
        };
        let mut lines: Vec<String> = now.new.iter().take(NAMED).map(line).collect();
        if now.new.len() > NAMED {
            lines.push(format!("and {} more", now.new.len() - NAMED));
        }
        lines.push(then.to_owned());
        let title = format!("{} isolated files are {days} days old or older", now.held.len());
        about_daemon_once(core, Severity::Low, title, lines);
    }
    for (aged, report) in &now.removed {
        let outcome = report.records.last().map_or(&Outcome::AlreadyGone, |r| &r.outcome);
        let text = format!("{} destroyed, age limit of {days} days: {outcome}", line(aged));
        log!("{text}");
        core.events.tell("action", text, aged.alarm.map(|a| a.to_string()));
        note(core, aged.alarm, report);
    }
}

fn line(aged: &Aged) -> String {
    format!("{} {} ({} days)", aged.id, printable(&aged.path.0), aged.days)
}
