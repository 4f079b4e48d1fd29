// SPDX-License-Identifier: Apache-2.0
//! From what arrived to what is told: compares each alarm and isolated file with what was told of it before,
//! and puts the difference in one order for all targets. Several changes of one thing that arrive together
//! become one.

use crate::notice_action::{self, Action};
use crate::text::now_ms;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{AlarmRow, CommandRow, IsolatedRow, NoticeRow, Result, Store, Told};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// Arrivals looked at together.
const PORTION: u32 = 500;

/// What was told of an alarm, or of an isolated file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    pub(crate) handled: bool,
    pub(crate) severity: i64,
    pub(crate) suppressed: bool,
    pub(crate) count: i64,
    /// Lines of the timeline, or processes.
    pub(crate) lines: usize,
    /// Of an isolated file without an alarm.
    pub(crate) status: String,
}

/// What a notice about an alarm says beside its word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AlarmDetail {
    pub(crate) handled: bool,
    pub(crate) suppressed: bool,
    pub(crate) by: String,
    pub(crate) who: String,
    pub(crate) remark: String,
    pub(crate) count: i64,
}

/// Takes a portion; how many it took.
pub(crate) async fn take(store: &Store) -> Result<usize> {
    let arrived = store.arrivals(PORTION).await?;
    if arrived.is_empty() {
        return Ok(0);
    }
    let ids = |kind: &str| -> Vec<String> {
        let set: BTreeSet<&String> = arrived.iter().filter(|a| a.kind == kind).map(|a| &a.id).collect();
        set.into_iter().cloned().collect()
    };
    let (alarm_ids, file_ids) = (ids("alarm"), ids("isolated"));
    let alarms: HashMap<String, AlarmRow> = by_id(store.alarms_by_ids(&alarm_ids).await?, |a| &a.id);
    let files: HashMap<String, IsolatedRow> = by_id(store.isolated_by_ids(&file_ids).await?, |i| &i.id);
    let before_alarms = states(store.told("alarm", &alarm_ids).await?);
    let before_files = states(store.told("isolated", &file_ids).await?);
    let commands = store.commands_about(&[alarm_ids, file_ids, isolated_of(&alarms)].concat()).await?;
    let since_ms = since(store).await?;
    let (mut told, mut notices) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for a in &arrived {
        // The newest form was read: the later arrivals of one thing are in it.
        if !seen.insert((a.kind.as_str(), a.id.as_str())) {
            continue;
        }
        let state = match a.kind.as_str() {
            "alarm" => alarms.get(&a.id).map(|row| {
                let details = v1::Alarm::decode(row.details.as_slice()).unwrap_or_default();
                let older = older(row, &details, since_ms);
                let before = before_alarms.get(&a.id).or(older.as_ref());
                let (state, actions) = of_alarm(row, &details, before, &mut notices);
                notices.extend(actions.into_iter().map(|x| x.notice(row.project.clone(), &commands)));
                state
            }),
            _ => files.get(&a.id).map(|row| {
                let details = v1::Isolated::decode(row.details.as_slice()).unwrap_or_default();
                let (state, actions) = notice_action::of_file(row, &details, before_files.get(&a.id));
                notices.extend(actions.into_iter().map(|x| x.notice(row.project.clone(), &commands)));
                state
            }),
        };
        if let Some(state) = state {
            let state = serde_json::to_string(&state).unwrap_or_default();
            told.push(Told { kind: a.kind.clone(), id: a.id.clone(), state, at_ms: now_ms() });
        }
    }
    let taken: Vec<i64> = arrived.iter().map(|a| a.seq).collect();
    store.put_notices(&taken, &told, &notices).await?;
    Ok(arrived.len())
}

/// When the oldest target was made: its id says so.
async fn since(store: &Store) -> Result<i64> {
    let made = |id: &str| {
        let (seconds, nanos) = uuid::Uuid::parse_str(id).ok()?.get_timestamp()?.to_unix();
        i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))
    };
    let targets = store.targets(&lazaret_store::Scope::All).await?;
    Ok(targets.iter().filter_map(|t| made(&t.id)).min().unwrap_or(0))
}

/// An alarm from before there was any target is not new when it changes: as if it had been told then.
fn older(row: &AlarmRow, details: &v1::Alarm, since_ms: i64) -> Option<State> {
    (row.at_ms < since_ms).then(|| State {
        handled: row.handled && row.handled_ms < since_ms,
        severity: row.severity,
        suppressed: !row.suppressed.is_empty(),
        count: if row.last_ms < since_ms { row.count } else { 0 },
        lines: details.timeline.iter().take_while(|r| r.at_ms < since_ms).count(),
        status: String::new(),
    })
}

fn by_id<T>(rows: Vec<T>, id: impl Fn(&T) -> &String) -> HashMap<String, T> {
    rows.into_iter().map(|r| (id(&r).clone(), r)).collect()
}

fn states(told: Vec<Told>) -> HashMap<String, State> {
    told.into_iter().map(|t| (t.id, serde_json::from_str(&t.state).unwrap_or_default())).collect()
}

fn isolated_of(alarms: &HashMap<String, AlarmRow>) -> Vec<String> {
    alarms.values().filter(|a| !a.isolated.is_empty()).map(|a| a.isolated.clone()).collect()
}

/// What happened to an alarm since it was told, and what was done about it on its host.
fn of_alarm(
    row: &AlarmRow,
    details: &v1::Alarm,
    before: Option<&State>,
    notices: &mut Vec<NoticeRow>,
) -> (State, Vec<Action>) {
    let mut state = State {
        handled: row.handled,
        severity: row.severity,
        suppressed: !row.suppressed.is_empty(),
        count: row.count,
        lines: details.timeline.len(),
        status: String::new(),
    };
    let mut words: Vec<&str> = Vec::new();
    match before {
        // Known, and kept out from the beginning.
        None if state.suppressed => words.push("suppressed"),
        None if state.handled => words.extend(["new", "handled"]),
        None => words.push("new"),
        Some(b) => {
            if state.suppressed != b.suppressed {
                words.push(if state.suppressed { "suppressed" } else { "reopened" });
            } else if state.handled != b.handled {
                words.push(if state.handled { "handled" } else { "reopened" });
            } else if state.severity > b.severity {
                words.push("raised");
            } else if state.count != b.count || state.lines > b.lines || state.severity < b.severity {
                words.push("changed");
            }
        }
    }
    let lines = before.map_or(0, |b| b.lines);
    // An older form that came late takes nothing back.
    state.lines = state.lines.max(lines);
    for word in words {
        let open = word == "new" && state.handled;
        let detail = AlarmDetail {
            handled: row.handled && !open,
            suppressed: state.suppressed,
            by: if open { String::new() } else { row.handled_by.clone() },
            who: if open { String::new() } else { row.handled_who.clone() },
            remark: if open { String::new() } else { row.remark.clone() },
            count: row.count,
        };
        notices.push(NoticeRow {
            seq: 0,
            project: row.project.clone(),
            host: row.host.clone(),
            kind: "alarm".into(),
            about: row.id.clone(),
            word: word.into(),
            at_ms: match word {
                "new" => row.at_ms,
                "handled" if row.handled_ms > 0 => row.handled_ms,
                _ => row.last_ms,
            },
            noted_ms: now_ms(),
            severity: row.severity,
            class: row.class.clone(),
            test: row.test,
            detail: serde_json::to_string(&detail).unwrap_or_default(),
        });
    }
    (state, notice_action::of_timeline(row, details, lines))
}

/// The order that led to an action: the newest that was given before it, of a verb that does such a thing.
pub(crate) fn command<'a>(commands: &'a [CommandRow], action: &Action) -> Option<&'a str> {
    /// Clocks of hosts are a little off.
    const SLACK_MS: i64 = 5_000;
    let fits = |c: &&CommandRow| {
        let about = c.about == action.alarm || (!action.isolated.is_empty() && c.about == action.isolated);
        let verb = match action.word.as_str() {
            "restore" => ["restore", "handle"].as_slice(),
            "delete" => &["delete"],
            _ => &["handle", "isolate"],
        };
        about
            && !c.about.is_empty()
            && verb.contains(&c.verb.as_str())
            && c.created_ms <= action.at_ms.saturating_add(SLACK_MS)
            && !["pending", "cancelled", "expired", "refused"].contains(&c.state.as_str())
    };
    commands.iter().filter(fits).max_by_key(|c| c.created_ms).map(|c| c.id.as_str())
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
