// SPDX-License-Identifier: Apache-2.0
//! Alarms: made of a case, folded with its repeats, kept, told.

use crate::core::Core;
use crate::flood::{self, Floods, Kind, Place};
use crate::log::{log, printable};
use crate::look::{Case, now_ms};
use lazaret_model::{
    Action, ActionRecord, Alarm, AlarmId, Decision, FileFacts, Forensics, HandleStatus, Handling, IsolatedId,
    IsolatedStatus, Origin, Severity, Verdict,
};
use lazaret_policy::severity;
use lazaret_proto::{Message, v1};
use lazaret_response::{Report, Standstill, WindowEnd};
use lazaret_state::{AlarmRow, StateError};

/// The same file at the same place within this long is the same alarm, seen again.
const FOLD_MS: i64 = 60 * 60 * 1000;

/// What became of a case beside the alarm itself.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) timeline: Vec<ActionRecord>,
    pub(crate) isolated: Option<IsolatedId>,
    /// Everything that policy ordered was done: nobody needs to handle it.
    pub(crate) settled: bool,
    /// Its processes are frozen until then.
    pub(crate) window: Option<i64>,
}

/// Keeps the alarm of a case. Returns its id.
pub(crate) fn raise(core: &Core, id: AlarmId, case: &Case, done: Done) -> AlarmId {
    // Held until the alarm is kept: others count on, and handle, what they find there.
    let mut floods = core.changing_alarms();
    let alarm = match known(core, case) {
        Some(old) => again(old, case, done),
        None => placed(core, &mut floods, new(id, case, done), case),
    };
    let first = alarm.count == 1;
    let kept = if first {
        core.database.insert_alarm(&row_of(&alarm))
    } else {
        core.database.update_alarm(&row_of(&alarm))
    };
    drop(floods);
    if let Err(e) = kept {
        log!("the alarm about {} could not be stored: {e}", printable(&case.facts.path));
    }
    if first {
        let class = alarm.verdict.as_ref().map_or("none", |v| v.class.word());
        core.gate.counters.count_alarm(class, alarm.rating.map_or("none", lazaret_model::Rating::word));
    }
    if first || alarm.isolated.is_some() {
        log!("alarm {}: {}", alarm.id, alarm.title);
        core.events.tell("alarm", alarm.title.clone(), Some(alarm.id.to_string()));
    }
    alarm.id
}

/// A new alarm, or in a flood the one that counts it.
fn placed(core: &Core, floods: &mut Floods, mut alarm: Alarm, case: &Case) -> Alarm {
    if !flood::concerns(alarm.decision, alarm.origin) {
        return alarm;
    }
    let verdict = case.decided.verdict(&case.report);
    let uid = case.facts.uid;
    let kind = Kind { uid, class: verdict.class, family: verdict.family.clone(), rating: alarm.rating };
    match floods.place(kind.clone(), case.at_ms) {
        Place::Own => return alarm,
        Place::First => {}
        Place::On(id) => {
            let rest = core.database.alarm(id).ok().flatten().filter(|row| !row.handled);
            if let Some(mut rest) = rest.and_then(|row| decode(&row).ok()) {
                flood::add(&mut rest, &alarm);
                return rest;
            }
            // Somebody has dealt with it: what comes now is news.
        }
    }
    flood::begin(&mut alarm, uid);
    floods.rest(&kind, alarm.id);
    alarm
}

/// The alarm that this case would be folded into.
fn known(core: &Core, case: &Case) -> Option<Alarm> {
    let row = core
        .database
        .recent_same(case.facts.sha256, &case.facts.path, case.at_ms - FOLD_MS)
        .unwrap_or_else(|e| {
            log!("{e}");
            None
        })
        // What was restored or handled and comes back is news.
        .filter(|row| !row.handled && row.isolated.is_none());
    row.and_then(|row| decode(&row).ok())
}

/// The id that [`raise`] will give this case's alarm: for what is journaled before it is raised.
pub(crate) fn id_of(core: &Core, case: &Case) -> AlarmId {
    known(core, case).map_or_else(AlarmId::new, |a| a.id)
}

fn new(id: AlarmId, case: &Case, done: Done) -> Alarm {
    let verdict = case.decided.verdict(&case.report);
    let status = if done.settled {
        HandleStatus::Handled {
            by: Handling::IsolateAndKill,
            at_ms: now_ms(),
            who: "policy".into(),
            remark: String::new(),
        }
    } else {
        HandleStatus::Unhandled
    };
    Alarm {
        id,
        at_ms: case.at_ms,
        last_ms: case.at_ms,
        count: 1,
        origin: case.origin,
        severity: severity(verdict, &case.decided),
        title: title(case, &done),
        verdict: Some(verdict.clone()),
        rating: case.decided.rating,
        decision: case.decided.decision,
        reasons: reasons(case, id, &done),
        forensics: Forensics {
            file: Some(case.facts.clone()),
            chain: case.chain.clone(),
            timeline: done.timeline,
            ..Forensics::default()
        },
        isolated: done.isolated,
        status,
        window_until_ms: done.window,
    }
}

fn again(mut old: Alarm, case: &Case, done: Done) -> Alarm {
    old.count += 1;
    old.last_ms = case.at_ms;
    let fresh = new(old.id, case, done);
    old.origin = fresh.origin;
    old.decision = fresh.decision;
    old.reasons = fresh.reasons;
    old.rating = fresh.rating;
    old.verdict = fresh.verdict;
    old.title = fresh.title;
    old.isolated = fresh.isolated;
    old.status = fresh.status;
    old.window_until_ms = fresh.window_until_ms;
    if !fresh.forensics.chain.is_empty() {
        old.forensics.chain = fresh.forensics.chain;
    }
    old.forensics.file = fresh.forensics.file;
    // A file that is refused a thousand times a minute must not make a record without end.
    if old.forensics.timeline.len() < 200 {
        old.forensics.timeline.extend(fresh.forensics.timeline);
    }
    old
}

fn title(case: &Case, done: &Done) -> String {
    let word = match case.decided.decision {
        Decision::IsolateAndKill if done.window.is_some() => "frozen",
        Decision::IsolateAndKill if case.rehearsal => "would have been isolated and killed",
        Decision::Deny if case.rehearsal => "would have been refused",
        Decision::IsolateAndKill => "isolated and killed",
        Decision::Deny => "refused",
        Decision::Alarm | Decision::Allow => "found",
    };
    title_of(case.decided.verdict(&case.report), &case.facts.path, word)
}

fn title_of(verdict: &Verdict, path: &[u8], done: &str) -> String {
    let what = format!("{} {}", verdict.class.row().title, verdict.family);
    let what = what.trim_end();
    let place = printable(path);
    let inside = verdict.member.as_ref().map(|m| format!(" in member {}", printable(m))).unwrap_or_default();
    format!("{what} {done}: {place}{inside} (confidence {})", verdict.confidence)
}

fn reasons(case: &Case, id: AlarmId, done: &Done) -> Vec<String> {
    let mut reasons = case.decided.reasons.clone();
    if done.window.is_some() {
        reasons.push(format!(
            "its processes are frozen, not killed: until the deadline `lazaret thaw {id}` lets them go on; \
             then they are killed and the file is isolated"
        ));
    }
    if case.rehearsal && case.decided.decision >= Decision::Deny {
        reasons.push("dry run: nothing was refused, isolated or killed".to_owned());
    }
    reasons
}

/// Says that something stands still, and until when.
pub(crate) fn tell_frozen(core: &Core, id: AlarmId, path: &[u8], standstill: Standstill) {
    let left = standstill.until_ms.saturating_sub(now_ms()).max(0);
    let text = format!(
        "{}: {} processes are frozen; killed in {}.{} s unless somebody says `lazaret thaw {id}`",
        printable(path),
        standstill.processes,
        left / 1000,
        left % 1000 / 100
    );
    log!("{text}");
    core.events.tell("action", text, Some(id.to_string()));
    // After a restart the deadline may be another one.
    if let Some(mut alarm) = core.database.alarm(id).ok().flatten().and_then(|row| decode(&row).ok())
        && alarm.window_until_ms != Some(standstill.until_ms)
    {
        alarm.window_until_ms = Some(standstill.until_ms);
        if let Err(e) = update(core, &alarm) {
            log!("{e}");
        }
    }
}

/// What became of what was frozen.
pub(crate) fn finish(core: &Core, id: AlarmId, path: &[u8], report: &Report) {
    let word = match &report.window {
        Some(WindowEnd::Thawed(_)) => "thawed",
        _ => "isolated and killed",
    };
    let text = format!("{}: {word} at the end of its window", printable(path));
    log!("{text}");
    core.events.tell("action", text.clone(), Some(id.to_string()));
    let stored = core.database.alarm(id).ok().flatten().and_then(|row| decode(&row).ok());
    let Some(mut alarm) = stored else {
        // The daemon ended between the freezing and its alarm.
        let lines = report.records.iter().map(|r| format!("{} {}", r.action.word(), r.outcome)).collect();
        about_daemon(core, Severity::High, text, lines);
        return;
    };
    alarm.window_until_ms = None;
    alarm.forensics.timeline.extend(report.records.iter().cloned());
    alarm.isolated = report.isolated;
    alarm.reasons.retain(|r| !r.starts_with("its processes are frozen"));
    if let Some(verdict) = &alarm.verdict {
        alarm.title = title_of(verdict, path, word);
    }
    let settled = report.records.iter().all(|r| r.outcome.is_settled() || r.action == Action::Freeze)
        && report.status == Some(IsolatedStatus::Isolated);
    let handled = |by, who: &str, remark: &str| HandleStatus::Handled {
        by,
        at_ms: now_ms(),
        who: who.to_owned(),
        remark: remark.to_owned(),
    };
    match &report.window {
        Some(WindowEnd::Thawed(who)) => {
            alarm.reasons.push(format!("{who} let its processes go on"));
            // By a switch it was let go without anybody having looked at it.
            if alarm
                .forensics
                .file
                .as_ref()
                .and_then(|f| f.sha256)
                .is_some_and(|c| core.live().is_excepted(&c))
            {
                alarm.status = handled(Handling::MarkAsHandled, who, "thawed");
            }
        }
        Some(WindowEnd::Now(who)) => {
            alarm.reasons.push(format!("the window was ended early: {who}"));
            if settled {
                alarm.status = handled(Handling::IsolateAndKill, who, "");
            }
        }
        _ if settled => alarm.status = handled(Handling::IsolateAndKill, "policy", ""),
        _ => {}
    }
    if let Err(e) = update(core, &alarm) {
        log!("{e}");
    }
}

/// An alarm about the daemon itself.
pub(crate) fn about_daemon(core: &Core, severity: Severity, title: String, reasons: Vec<String>) {
    let alarm = Alarm {
        id: AlarmId::new(),
        at_ms: now_ms(),
        last_ms: now_ms(),
        count: 1,
        origin: Origin::Daemon,
        severity,
        title,
        verdict: None,
        rating: None,
        decision: Decision::Alarm,
        reasons,
        forensics: Forensics::default(),
        isolated: None,
        status: HandleStatus::Unhandled,
        window_until_ms: None,
    };
    log!("alarm {}: {}", alarm.id, alarm.title);
    if let Err(e) = core.database.insert_alarm(&row_of(&alarm)) {
        log!("{e}");
    }
    core.events.tell("daemon", alarm.title.clone(), Some(alarm.id.to_string()));
}

/// The same, unless an unhandled one with this title is younger than an hour.
pub(crate) fn about_daemon_once(core: &Core, severity: Severity, title: String, reasons: Vec<String>) {
    let filter = lazaret_state::AlarmFilter {
        unhandled_only: true,
        since_ms: Some(now_ms() - FOLD_MS),
        limit: Some(200),
        ..lazaret_state::AlarmFilter::default()
    };
    let known = core.database.alarms(&filter).is_ok_and(|rows| rows.iter().any(|r| r.title == title));
    if !known {
        about_daemon(core, severity, title, reasons);
    }
}

/// The stored form.
pub(crate) fn row_of(alarm: &Alarm) -> AlarmRow {
    let file: Option<&FileFacts> = alarm.forensics.file.as_ref();
    AlarmRow {
        id: alarm.id,
        at_ms: alarm.at_ms,
        last_ms: alarm.last_ms,
        count: alarm.count,
        class: alarm.verdict.as_ref().map(|v| v.class),
        rating: alarm.rating,
        path: file.map(|f| f.path.clone()).unwrap_or_default(),
        sha256: file.and_then(|f| f.sha256),
        handled: alarm.status != HandleStatus::Unhandled,
        test: alarm.verdict.as_ref().is_some_and(|v| v.test),
        isolated: alarm.isolated,
        title: alarm.title.clone(),
        details: v1::Alarm::from(alarm).encode_to_vec(),
    }
}

/// Back from the stored form.
pub(crate) fn decode(row: &AlarmRow) -> Result<Alarm, String> {
    v1::Alarm::decode(row.details.as_slice())
        .map_err(|e| e.to_string())
        .and_then(|a| Alarm::try_from(a).map_err(|e| e.to_string()))
        .map_err(|e| format!("the stored alarm {} cannot be read: {e}", row.id))
}

/// Changes a stored alarm.
pub(crate) fn update(core: &Core, alarm: &Alarm) -> Result<(), StateError> {
    core.database.update_alarm(&row_of(alarm))
}
