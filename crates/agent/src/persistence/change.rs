// SPDX-License-Identifier: Apache-2.0
//! Disabling and enabling the entries of an alarm, each through the responder.

use super::returns::load;
use crate::alarms::update;
use crate::core::Core;
use crate::log::log;
use lazaret_model::{Action, Alarm, AlarmId, Outcome, PersistenceEntry, PersistenceState};
use lazaret_response::persistence::{DisableTarget, DisabledRecord};
use lazaret_response::{Order, Plan, Replayed};
use std::collections::BTreeSet;

/// Disables these entries and keeps what came of it on the alarm.
pub(crate) fn disable(core: &Core, alarm: &mut Alarm, numbers: &[u32], who: &str, automatic: bool) {
    change(core, alarm, numbers, |id, entry| {
        let root = core.config.paths.root.clone();
        let may_disable = core.guards.disable_guard(&root, entry, automatic);
        let target = DisableTarget { root, entry: entry.clone(), may_disable };
        Plan { alarm: Some(id), who: who.to_owned(), order: Order::Disable(target) }
    });
}

/// Enables these entries again, the last one that was disabled first.
pub(crate) fn enable(core: &Core, alarm: &mut Alarm, numbers: &[u32], who: &str) {
    let mut numbers = numbers.to_vec();
    let disabled = |n: &u32| alarm.forensics.persistence.entries.iter().find(|e| e.number == *n)?.disabled_as;
    numbers.retain(|n| disabled(n).is_some());
    numbers.sort_by_key(|n| std::cmp::Reverse(disabled(n)));
    change(core, alarm, &numbers, |id, entry| {
        // Entries without one were left out above.
        let disabled = entry.disabled_as.unwrap_or_else(lazaret_model::JournalId::new);
        Plan { alarm: Some(id), who: who.to_owned(), order: Order::Enable { id: disabled } }
    });
}

fn change(
    core: &Core,
    alarm: &mut Alarm,
    numbers: &[u32],
    plan: impl Fn(AlarmId, &PersistenceEntry) -> Plan,
) {
    for number in numbers {
        let id = alarm.id;
        let Some(entry) = alarm.forensics.persistence.entries.iter().find(|e| e.number == *number) else {
            continue;
        };
        let report = core.responder.execute(plan(id, entry));
        for record in &report.records {
            core.events.tell(
                "action",
                format!("{} {}: {}", record.action.word(), record.target, record.outcome),
                Some(id.to_string()),
            );
        }
        alarm.forensics.timeline.extend(report.records.iter().cloned());
        // The record is what counts, whatever the report says.
        settle(alarm, &core.responder.disabled());
        let last = report.records.last().map(|r| &r.outcome);
        let reason = match last {
            Some(Outcome::AlreadyGone) => "it is not there any more".to_owned(),
            Some(outcome) => outcome.reason().to_owned(),
            None => String::new(),
        };
        if let Some(entry) = alarm.forensics.persistence.entries.iter_mut().find(|e| e.number == *number) {
            entry.reason = reason;
        }
    }
    if let Err(e) = update(core, alarm) {
        log!("{e}");
    }
}

/// Makes the entries say what the records say.
fn settle(alarm: &mut Alarm, records: &[DisabledRecord]) {
    for entry in &mut alarm.forensics.persistence.entries {
        let record = records.iter().find(|r| r.alarm == Some(alarm.id) && r.number == entry.number);
        entry.disabled_as = record.map(|r| r.id);
        entry.state = if record.is_some() { PersistenceState::Disabled } else { PersistenceState::Active };
    }
}

/// After a start: what replay has brought to an end stands on its alarm.
pub(crate) fn reconcile(core: &Core, replayed: &[Replayed]) {
    let ours = |r: &&Replayed| {
        r.report.outcome(Action::Disable).is_some() || r.report.outcome(Action::Enable).is_some()
    };
    let records = core.responder.disabled();
    let alarms: BTreeSet<AlarmId> = replayed
        .iter()
        .filter(ours)
        .filter_map(|r| r.alarm)
        .chain(records.iter().filter_map(|r| r.alarm))
        .collect();
    for id in alarms {
        let Some(mut alarm) = load(core, id) else { continue };
        let before = alarm.clone();
        settle(&mut alarm, &records);
        for r in replayed.iter().filter(ours).filter(|r| r.alarm == Some(id)) {
            alarm.forensics.timeline.extend(r.report.records.iter().cloned());
        }
        if alarm != before
            && let Err(e) = update(core, &alarm)
        {
            log!("{e}");
        }
    }
}
