// SPDX-License-Identifier: Apache-2.0
//! What brings a program back: a part of an alarm, and one line an entry in `persistence`.

use super::{exact, lossy, some};
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;

/// What an alarm knows of it.
#[derive(Debug, Serialize)]
pub(super) struct Persistence<'a> {
    /// `null`: not yet.
    searched_at: Option<String>,
    entries: Vec<Entry<'a>>,
    problems: &'a [String],
    returns: u64,
    returned: Vec<Return<'a>>,
    return_of: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Return<'a> {
    at: String,
    alarm: &'a str,
    by: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    number: u32,
    kind: &'a str,
    user: bool,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_b64: Option<String>,
    line: Option<u32>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_b64: Option<String>,
    uid: u32,
    link: &'a str,
    why: &'a str,
    can_be_disabled: bool,
    only_shown: Option<&'a str>,
    state: &'a str,
    reason: Option<&'a str>,
    disabled_as: Option<&'a str>,
}

/// One entry with its alarm.
#[derive(Debug, Serialize)]
pub(crate) struct PersistenceLine<'a> {
    r#type: &'static str,
    alarm: &'a str,
    #[serde(flatten)]
    entry: Entry<'a>,
}

impl<'a> PersistenceLine<'a> {
    pub(crate) fn new(alarm: &'a str, entry: &'a v1::PersistenceEntry) -> Self {
        Self { r#type: "persistence", alarm, entry: entry.into() }
    }
}

impl<'a> From<&'a v1::PersistenceEntry> for Entry<'a> {
    fn from(e: &'a v1::PersistenceEntry) -> Self {
        Self {
            number: e.number,
            kind: &e.kind,
            user: e.user,
            file: lossy(&e.file),
            file_b64: exact(&e.file),
            line: (e.line > 0).then_some(e.line),
            text: lossy(&e.text),
            text_b64: exact(&e.text),
            uid: e.uid,
            link: &e.link,
            why: &e.why,
            can_be_disabled: e.only_shown.is_empty(),
            only_shown: some(&e.only_shown),
            state: &e.state,
            reason: some(&e.reason),
            disabled_as: some(&e.disabled_as),
        }
    }
}

impl<'a> From<&'a v1::Persistence> for Persistence<'a> {
    fn from(p: &'a v1::Persistence) -> Self {
        Self {
            searched_at: (p.searched_ms > 0).then(|| time::rfc3339(p.searched_ms)),
            entries: p.entries.iter().map(Into::into).collect(),
            problems: &p.problems,
            returns: p.returns,
            returned: p
                .returned
                .iter()
                .map(|r| Return { at: time::rfc3339(r.at_ms), alarm: &r.alarm, by: some(&r.by) })
                .collect(),
            return_of: some(&p.return_of),
        }
    }
}
