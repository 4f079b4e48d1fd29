// SPDX-License-Identifier: Apache-2.0
//! Orders to hosts.

/// One order to one host.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRow {
    /// Identity; the host does each once.
    pub id: String,
    /// To whom.
    pub host: String,
    /// Whose.
    pub project: String,
    /// Several orders that a person gave at once; empty else.
    pub task: String,
    /// `handle`, `restore`, `delete`, `scan`, `self_test`, `collect`, `thaw`, `rearm`, `preview` ...
    pub verb: String,
    /// Alarm or isolated file that it is about, or empty.
    pub about: String,
    /// `pending`, `sent`, `done`, `partial`, `refused`, `failed`, `expired`, `cancelled`.
    pub state: String,
    /// Of the end.
    pub reason: String,
    /// Who ordered it.
    pub who: String,
    /// When.
    pub created_ms: i64,
    /// Not begun after that.
    pub expires_ms: i64,
    /// Sent to the host, 0.
    pub sent_ms: i64,
    /// End, 0.
    pub finished_ms: i64,
    /// Somebody asked to cancel it.
    pub cancel: bool,
    /// Encoded `Command`.
    pub payload: Vec<u8>,
    /// Encoded `CommandResult`, or empty.
    pub result: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct CommandFilter {
    /// Exact.
    pub task: String,
    /// Exact.
    pub host: String,
    /// Exact.
    pub about: String,
    /// Any of these.
    pub states: Vec<String>,
    /// Any of these.
    pub verbs: Vec<String>,
    /// These only.
    pub ids: Vec<String>,
    /// Not made before.
    pub since_ms: Option<i64>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandEnd {
    /// Which.
    pub id: String,
    /// Whose result it is: another host's is refused.
    pub host: String,
    /// `done`, `partial`, `refused`, `failed`, `expired`, `cancelled`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at_ms: i64,
    /// Encoded `CommandResult`, or empty.
    pub result: Vec<u8>,
}

/// How a task stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskSummary {
    /// Identity.
    pub task: String,
    /// Of its first command.
    pub verb: String,
    /// Who ordered it.
    pub who: String,
    /// When.
    pub created_ms: i64,
    /// Commands.
    pub total: u64,
    /// By state.
    pub states: Vec<(String, u64)>,
}
