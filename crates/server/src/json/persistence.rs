// SPDX-License-Identifier: Apache-2.0
//! What brings a program back: a part of an alarm.

use super::{exact, lossy, some};
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;
use utoipa::ToSchema;

/// What an alarm knows of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Persistence {
    /// `null`: not yet.
    searched_at: Option<String>,
    entries: Vec<Entry>,
    problems: Vec<String>,
    returns: u64,
    returned: Vec<Return>,
    return_of: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Return {
    at: String,
    alarm: String,
    by: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Entry {
    number: u32,
    kind: String,
    user: bool,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_b64: Option<String>,
    line: Option<u32>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_b64: Option<String>,
    uid: u32,
    link: String,
    why: String,
    can_be_disabled: bool,
    only_shown: Option<String>,
    state: String,
    reason: Option<String>,
    disabled_as: Option<String>,
}

impl From<&v1::PersistenceEntry> for Entry {
    fn from(e: &v1::PersistenceEntry) -> Self {
        Self {
            number: e.number,
            kind: e.kind.clone(),
            user: e.user,
            file: lossy(&e.file),
            file_b64: exact(&e.file),
            line: (e.line > 0).then_some(e.line),
            text: lossy(&e.text),
            text_b64: exact(&e.text),
            uid: e.uid,
            link: e.link.clone(),
            why: e.why.clone(),
            can_be_disabled: e.only_shown.is_empty(),
            only_shown: some(&e.only_shown),
            state: e.state.clone(),
            reason: some(&e.reason),
            disabled_as: some(&e.disabled_as),
        }
    }
}

impl From<&v1::Persistence> for Persistence {
    fn from(p: &v1::Persistence) -> Self {
        Self {
            searched_at: (p.searched_ms > 0).then(|| time::rfc3339(p.searched_ms)),
            entries: p.entries.iter().map(Into::into).collect(),
            problems: p.problems.clone(),
            returns: p.returns,
            returned: p
                .returned
                .iter()
                .map(|r| Return { at: time::rfc3339(r.at_ms), alarm: r.alarm.clone(), by: some(&r.by) })
                .collect(),
            return_of: some(&p.return_of),
        }
    }
}
