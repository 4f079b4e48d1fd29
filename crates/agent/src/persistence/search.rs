// SPDX-License-Identifier: Apache-2.0
//! One search, and what policy makes of it.

use super::returns::{load, started};
use super::{Inquiry, change};
use crate::alarms::update;
use crate::config::OnOff;
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::now_ms;
use lazaret_model::{Alarm, Persistence, PersistenceEntry, PersistenceLink};
use lazaret_response::persistence::{Limits, Started, find};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Looks for what brings the file of an alarm back, keeps it on the alarm, and disables it where
/// policy says so.
pub(super) fn search(core: &Core, job: &Inquiry, returned: bool) {
    let Some(alarm) = load(core, job.alarm) else { return };
    let names = names(core, &alarm);
    let root = &core.config.paths.root;
    let mut found = find(root, &names, &started(&job.chain, returned), Limits::default());
    let disabled = core.responder.disabled();
    for entry in &mut found.entries {
        // A unit's file stays where it is when the unit is disabled.
        let other = disabled
            .iter()
            .find(|r| r.alarm != Some(alarm.id) && r.file.0 == entry.file && r.text.0 == entry.text);
        match other.and_then(|r| r.alarm) {
            Some(other) => entry.only_shown = format!("it is disabled for alarm {other} already"),
            None => guard(core, entry),
        }
    }
    // Read again: the search took a while.
    let Some(mut alarm) = load(core, job.alarm) else { return };
    merge(&mut alarm.forensics.persistence, found.entries);
    alarm.forensics.persistence.problems = found.problems;
    alarm.forensics.persistence.searched_ms = now_ms();
    let numbers: Vec<u32> = automatic(core, job, &alarm.forensics.persistence);
    let title = alarm.title.clone();
    let n = alarm.forensics.persistence.entries.len();
    if let Err(e) = update(core, &alarm) {
        log!("{e}");
        return;
    }
    if n > 0 {
        let text = format!("{n} entries would bring it back: {title}");
        core.events.tell("alarm", text, Some(alarm.id.to_string()));
    }
    if !numbers.is_empty() {
        change::disable(core, &mut alarm, &numbers, "policy", true);
    }
}

/// What would bring a file back that is not isolated yet, one line each, for people.
pub(crate) fn preview(core: &Core, path: &[u8], others: &[Vec<u8>]) -> Vec<String> {
    let names: Vec<Vec<u8>> = std::iter::once(path.to_vec()).chain(others.iter().cloned()).collect();
    let found = find(&core.config.paths.root, &names, &Started::default(), Limits::default());
    found
        .entries
        .iter()
        .map(|e| {
            let line = if e.line > 0 { format!(":{}", e.line) } else { String::new() };
            let (kind, file, text) = (e.kind.word(), printable(&e.file), printable(&e.text));
            format!("{kind} {file}{line}: {text} ({})", e.why)
        })
        .collect()
}

/// Every name that the file had.
fn names(core: &Core, alarm: &Alarm) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = alarm.forensics.file.iter().map(|f| f.path.clone()).collect();
    if let Some(manifest) = alarm.isolated.and_then(|id| core.responder.vault().manifest(id).ok()) {
        names.extend(std::iter::once(manifest.path.0).chain(manifest.links.into_iter().map(|l| l.0)));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|n| seen.insert(n.clone()));
    names
}

/// What a package brought and vouches for is only shown.
fn guard(core: &Core, entry: &mut PersistenceEntry) {
    use rustix::fs::{Mode, OFlags};
    if !entry.can_be_disabled() {
        return;
    }
    let relative = entry.file.strip_prefix(b"/").unwrap_or(&entry.file);
    let path = core.config.paths.root.join(OsStr::from_bytes(relative));
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::open(&path, flags, Mode::empty()) else { return };
    let may = core.guards.disable_guard(&core.config.paths.root, entry, false);
    if let Err(guard) = may(&entry.file, &file.into()) {
        entry.only_shown = guard.to_string();
    }
}

/// Known entries keep their number and state.
fn merge(known: &mut Persistence, found: Vec<PersistenceEntry>) {
    for mut entry in found {
        if let Some(old) = known.entries.iter_mut().find(|e| e.is_same(&entry)) {
            (old.line, old.uid) = (entry.line, entry.uid);
            (old.link, old.why, old.only_shown) = (entry.link, entry.why, entry.only_shown);
        } else {
            entry.number = known.entries.iter().map(|e| e.number).max().unwrap_or(0) + 1;
            known.entries.push(entry);
        }
    }
}

/// What policy disables by itself: only with an isolation that it ordered, and only what names the
/// file. A script that names it may be a good one with one line too many: a person decides.
fn automatic(core: &Core, job: &Inquiry, persistence: &Persistence) -> Vec<u32> {
    if !job.automatic || core.config.response.disable_persistence == OnOff::Off {
        return Vec::new();
    }
    persistence
        .entries
        .iter()
        .filter(|e| e.can_be_disabled() && e.disabled_as.is_none())
        .filter(|e| e.link == PersistenceLink::Direct)
        .map(|e| e.number)
        .collect()
}
