// SPDX-License-Identifier: Apache-2.0
//! Alarms as JSON: the short form of lists, and the whole.

use crate::attack;
use crate::editions::HostEdition;
use crate::json::{self, exact, hex, lossy, some};
use crate::time;
use lazaret_model::MalwareClass;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{AlarmRow, HostRow};
use serde::Serialize;
use utoipa::ToSchema;

/// The host of something, as far as a list needs it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct HostBrief {
    #[schema(format = Uuid)]
    id: String,
    name: String,
    #[schema(format = Uuid)]
    group: Option<String>,
    importance: String,
    status: String,
    address: Option<String>,
}

impl HostBrief {
    /// Also of a host whose row is gone.
    pub(crate) fn of(id: &str, host: Option<&HostRow>) -> Self {
        Self {
            id: id.to_owned(),
            name: host.map(|h| h.name.clone()).unwrap_or_default(),
            group: host.and_then(|h| h.group.clone()),
            importance: host.map_or_else(|| "common".to_owned(), |h| h.importance.clone()),
            status: host.map_or_else(|| "not_installed".to_owned(), |h| h.status.clone()),
            address: host.and_then(|h| h.addresses.split(',').next()).and_then(some),
        }
    }
}

/// How somebody dealt with it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlarmHandled {
    by: String,
    /// `policy`, `uid N` of the host, or a user of the server.
    who: String,
    #[schema(format = DateTime)]
    at: String,
    remark: String,
}

/// An alarm as lists have it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlarmItem {
    id: String,
    project: String,
    host: HostBrief,
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    last: String,
    /// When the server got its newest form, by the server's clock.
    #[schema(format = DateTime)]
    received_at: String,
    count: i64,
    severity: &'static str,
    /// Absent for alarms about an agent.
    class: Option<String>,
    class_title: Option<&'static str>,
    /// Number and word of HSS.
    event_type: Option<u32>,
    event_class_id: Option<&'static str>,
    rating: Option<String>,
    #[schema(minimum = 0, maximum = 100)]
    confidence: Option<i64>,
    title: String,
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
    process_sha256: Option<String>,
    cmdline: Option<String>,
    uid: Option<i64>,
    container: Option<String>,
    origin: String,
    decision: String,
    /// Acted on by policy.
    auto_block: bool,
    test: bool,
    #[schema(format = Uuid)]
    isolated: Option<String>,
    handle_status: &'static str,
    handled: Option<AlarmHandled>,
    /// Words that can be done with it as it stands.
    operate_accept_list: Vec<&'static str>,
    /// ATT&CK: tactic and technique.
    att_ck: Option<&'static str>,
    technique: Option<&'static str>,
    attack_phase: Option<&'static str>,
    attack_tag: &'static str,
    /// Whitelist entry that suppressed it.
    suppressed_by: Option<String>,
    /// What the host's edition does not include, as far as it concerns this alarm; each with the reason.
    not_included: Vec<String>,
}

impl AlarmItem {
    /// With what the host's edition leaves out.
    pub(super) fn with_edition(mut self, a: &AlarmRow, edition: &HostEdition) -> Self {
        if !is_own(a) {
            self.not_included = edition.about_alarm(a.rating == "high" && a.decision == "alarm");
        }
        self
    }
}

/// One line of an alarm's history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HandlingItem {
    pub(super) alarm: String,
    pub(super) host: String,
    #[schema(format = DateTime)]
    pub(super) at: String,
    pub(super) operate_type: String,
    pub(super) who: String,
    pub(super) remark: String,
    pub(super) title: String,
    pub(super) class: Option<String>,
    pub(super) severity: &'static str,
}

/// An alarm with all that is known.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmFull {
    pub(super) summary: AlarmItem,
    /// As the host has it; absent for the server's own alarms.
    pub(super) alarm: Option<json::Alarm>,
    pub(super) history: Vec<HandlingItem>,
    pub(super) commands: Vec<crate::api::commands::Command>,
    /// What a person may do about it.
    pub(super) recommendation: String,
}

/// 0 to 3 as a word.
pub(crate) const fn severity(n: i64) -> &'static str {
    match n {
        ..=0 => "low",
        1 => "medium",
        2 => "high",
        _ => "critical",
    }
}

/// Arguments that belong together are divided by NUL.
fn cmdline(raw: &[u8]) -> Option<String> {
    let end = raw.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    let spaced: Vec<u8> = raw.iter().take(end).map(|b| if *b == 0 { b' ' } else { *b }).collect();
    (!spaced.is_empty()).then(|| lossy(&spaced))
}

/// What can be done with an alarm as it stands.
pub(super) fn accepted(a: &AlarmRow) -> Vec<&'static str> {
    let own = is_own(a);
    match a.handled_by.as_str() {
        "mark_as_handled" => vec!["unhandle"],
        "ignore" => vec!["do_not_ignore"],
        "add_to_alarm_whitelist" => vec!["remove_from_alarm_whitelist"],
        "isolate_and_kill" => vec!["do_not_isolate_or_kill"],
        _ if own => vec!["mark_as_handled", "ignore"],
        _ => vec!["mark_as_handled", "ignore", "add_to_alarm_whitelist", "isolate_and_kill"],
    }
}

/// Raised by the server itself, about a host: no journal of a host has it.
pub(super) fn is_own(a: &AlarmRow) -> bool {
    a.class.is_empty() && a.position == lazaret_store::Position::default()
}

pub(crate) fn item(a: &AlarmRow, host: Option<&HostRow>) -> AlarmItem {
    let class: Option<MalwareClass> = a.class.parse().ok();
    let place = class.map(attack::place);
    AlarmItem {
        id: a.id.clone(),
        project: a.project.clone(),
        host: HostBrief::of(&a.host, host),
        at: time::rfc3339(a.at_ms),
        last: time::rfc3339(a.last_ms),
        received_at: time::rfc3339(a.received_ms),
        count: a.count,
        severity: severity(a.severity),
        class: some(&a.class),
        class_title: class.map(|c| c.row().title),
        event_type: class.map(|c| c.row().hss_event_type),
        event_class_id: class.map(|c| c.row().hss_event_class_id),
        rating: some(&a.rating),
        confidence: (a.confidence >= 0).then_some(a.confidence),
        title: a.title.clone(),
        path: (!a.path.is_empty()).then(|| lossy(&a.path)),
        path_b64: exact(&a.path),
        sha256: hex(&a.sha256),
        process_sha256: hex(&a.process_sha256),
        cmdline: cmdline(&a.cmdline),
        uid: (a.uid >= 0).then_some(a.uid),
        container: some(&a.container),
        origin: a.origin.clone(),
        decision: a.decision.clone(),
        auto_block: a.auto_block,
        test: a.test,
        isolated: some(&a.isolated),
        handle_status: if a.handled { "handled" } else { "unhandled" },
        handled: a.handled.then(|| AlarmHandled {
            by: a.handled_by.clone(),
            who: a.handled_who.clone(),
            at: time::rfc3339(a.handled_ms),
            remark: a.remark.clone(),
        }),
        operate_accept_list: accepted(a),
        att_ck: place.map(|p| p.0),
        technique: place.map(|p| p.1),
        attack_phase: place.map(|p| p.2),
        attack_tag: attack::tag(class, &a.decision, !a.isolated.is_empty(), attack::ran(&a.origin)),
        suppressed_by: some(&a.suppressed),
        not_included: Vec::new(),
    }
}

/// The alarm as the host sent it.
pub(super) fn details(a: &AlarmRow) -> Option<v1::Alarm> {
    if a.details.is_empty() {
        return None;
    }
    v1::Alarm::decode(a.details.as_slice()).ok()
}

/// What a person may do about it, in one sentence or two.
pub(super) fn recommendation(a: &AlarmRow) -> String {
    let text = match (a.decision.as_str(), a.rating.as_str()) {
        _ if is_own(a) => {
            "Look at the host: whether it runs, reaches the server, and is the machine that it should be."
        }
        _ if a.test => "A test program: nothing is to be done. Mark it as handled.",
        _ if a.handled => "Nothing more is to be done, unless the handling was wrong: then take it back.",
        // In a rehearsal, while it is frozen, when isolating failed, or after a restore.
        ("isolate_and_kill", _) if a.isolated.is_empty() => {
            "The file is not isolated, or not any more: the timeline says why. Isolate it, or whitelist it when it belongs there."
        }
        ("isolate_and_kill", _) => {
            "The file is isolated and its processes are killed. Find out how it came there; if it was wrong, report a false positive."
        }
        ("deny", _) => {
            "It cannot run but lies where it was. Read why it was left in place, then isolate it or whitelist it."
        }
        (_, "high") => {
            "Rated high and not acted on: read why, then isolate it, or whitelist it when it belongs there."
        }
        (_, "medium") => "Look at the evidence and at who put it there; isolate it when nobody needs it.",
        _ => "Worth a look when there is time.",
    };
    text.to_owned()
}
