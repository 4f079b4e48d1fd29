// SPDX-License-Identifier: Apache-2.0
//! What was done on hosts, out of timelines and isolated files: each isolation, kill, restore and deletion
//! once, with what came of it.

use crate::notice::{self, State};
use crate::text::now_ms;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lazaret_proto::v1;
use lazaret_store::{AlarmRow, CommandRow, IsolatedRow, NoticeRow};
use serde::{Deserialize, Serialize};

/// Bytes of a command line that are kept.
const MOST_CMDLINE: usize = 2048;

/// One action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Action {
    /// `isolate`, `restore`, `delete`, `kill`.
    pub(crate) word: String,
    /// On a process, not on a file.
    pub(crate) process: bool,
    pub(crate) alarm: String,
    pub(crate) isolated: String,
    pub(crate) host: String,
    pub(crate) at_ms: i64,
    /// `done`, `partial`, `already_gone`, `refused`, `failed`.
    pub(crate) outcome: String,
    pub(crate) reason: String,
    /// The order that led to it; without one the isolated file or the alarm.
    pub(crate) command: String,
    pub(crate) pid: Option<i32>,
    /// Base64 of raw bytes.
    pub(crate) path: String,
    pub(crate) cmdline: String,
    pub(crate) severity: i64,
    pub(crate) class: String,
    pub(crate) test: bool,
}

impl Action {
    pub(crate) fn notice(mut self, project: String, commands: &[CommandRow]) -> NoticeRow {
        let by_itself = if self.isolated.is_empty() { &self.alarm } else { &self.isolated };
        self.command = notice::command(commands, &self).unwrap_or(by_itself).to_owned();
        let about = if self.alarm.is_empty() { &self.isolated } else { &self.alarm };
        NoticeRow {
            seq: 0,
            project,
            host: self.host.clone(),
            kind: if self.process { "process" } else { "file" }.into(),
            about: about.clone(),
            word: self.word.clone(),
            at_ms: self.at_ms,
            noted_ms: now_ms(),
            severity: self.severity,
            class: self.class.clone(),
            test: self.test,
            detail: serde_json::to_string(&self).unwrap_or_default(),
        }
    }

    /// As raw bytes.
    pub(crate) fn path(&self) -> Vec<u8> {
        STANDARD.decode(&self.path).unwrap_or_default()
    }

    /// Same.
    pub(crate) fn cmdline(&self) -> Vec<u8> {
        STANDARD.decode(&self.cmdline).unwrap_or_default()
    }
}

/// Lines of an alarm's timeline behind the first `told`.
pub(crate) fn of_timeline(row: &AlarmRow, details: &v1::Alarm, told: usize) -> Vec<Action> {
    let base = Action {
        alarm: row.id.clone(),
        isolated: row.isolated.clone(),
        host: row.host.clone(),
        path: STANDARD.encode(&row.path),
        severity: row.severity,
        class: row.class.clone(),
        test: row.test,
        ..Action::default()
    };
    let mut out = Vec::new();
    for r in details.timeline.iter().skip(told) {
        let process = match r.action.as_str() {
            "isolate" | "restore" | "delete" => false,
            // Those of an isolated file are told one by one, with the file.
            "kill" if row.isolated.is_empty() && r.outcome != "already_gone" => true,
            _ => continue,
        };
        let mut action = Action {
            word: r.action.clone(),
            process,
            at_ms: r.at_ms,
            outcome: r.outcome.clone(),
            reason: r.reason.clone(),
            ..base.clone()
        };
        if process && let Some(p) = details.chain.first() {
            action.pid = p.process.as_ref().map(|r| r.pid);
            action.cmdline = STANDARD.encode(cut(&p.cmdline));
            if !p.exe.is_empty() {
                action.path = STANDARD.encode(&p.exe);
            }
        }
        out.push(action);
    }
    out
}

/// What an isolated file tells that its alarm does not: each process that was ended, and, where no alarm
/// would tell it, where the file stands.
pub(crate) fn of_file(
    row: &IsolatedRow,
    details: &v1::Isolated,
    before: Option<&State>,
) -> (State, Vec<Action>) {
    let told = before.map_or(0, |b| b.lines);
    let state =
        State { lines: details.killed.len().max(told), status: row.status.clone(), ..State::default() };
    let base = Action {
        alarm: row.alarm.clone(),
        isolated: row.id.clone(),
        host: row.host.clone(),
        // Of high confidence, or nobody would have isolated it.
        severity: 2,
        class: row.class.clone(),
        ..Action::default()
    };
    let mut out = Vec::new();
    for k in details.killed.iter().skip(told) {
        out.push(Action {
            word: "kill".into(),
            process: true,
            at_ms: row.isolated_ms,
            outcome: k.outcome.clone(),
            reason: k.reason.clone(),
            pid: k.process.as_ref().map(|p| p.pid),
            path: STANDARD.encode(&k.exe),
            cmdline: STANDARD.encode(cut(&k.cmdline)),
            ..base.clone()
        });
    }
    let moved = before.is_none_or(|b| b.status != row.status);
    let settled = match row.status.as_str() {
        "isolated" | "isolated_in_place" => Some(("isolate", "done")),
        "isolate_failed" => Some(("isolate", "failed")),
        "restored" => Some(("restore", "done")),
        "restore_failed" => Some(("restore", "failed")),
        "deleted" => Some(("delete", "done")),
        "delete_failed" => Some(("delete", "failed")),
        _ => None,
    };
    if let Some((word, outcome)) = settled
        && moved
        && row.alarm.is_empty()
    {
        out.push(Action {
            word: word.into(),
            at_ms: row.updated_ms,
            outcome: outcome.into(),
            reason: row.reason.clone(),
            path: STANDARD.encode(&row.path),
            ..base
        });
    }
    (state, out)
}

fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(MOST_CMDLINE)]
}
