// SPDX-License-Identifier: Apache-2.0
//! What waits, as it was asked for: things are named one by one, so that what is approved is what was seen,
//! and nothing that came after it.

use crate::api::cloud::consent::Consent;
use crate::api::gate::Access;
use crate::api::problem::Problem;
use crate::api::project_rules::Rules;
use crate::api::state::Api;
use crate::api::words::{Class, Verb};
use crate::time;
use lazaret_store::{AlarmRow, ApprovalRow, IsolatedRow, NewAudit, ProjectRulesRow};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is done when a second person says yes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Alarms are handled.
    Handle { alarms: Vec<String>, operate_type: Verb, remark: String, target: String },
    /// Isolated files are deleted for good.
    DeleteIsolated { files: Vec<String> },
    /// A switch is set.
    Switch { project: String, name: String, on: bool },
    /// The rules of a project are changed.
    Rules { project: String, rules: Rules, revision: i64 },
    /// What leaves the hosts of a project is changed.
    CloudScan { project: String, consent: Consent, revision: i64 },
    /// A content is called bad: hosts refuse it, and isolate and kill it ring by ring.
    CallBad { project: String, sha256: String, class: Class, reason: String },
    /// All hosts isolate and kill a content that is called bad.
    Release { project: String, sha256: String },
}

impl Request {
    /// As in the audit log.
    pub(crate) const fn action(&self) -> &'static str {
        match self {
            Self::Handle { .. } => "alarm.handle",
            Self::DeleteIsolated { .. } => "isolated.delete",
            Self::Switch { .. } => "switch.set",
            Self::Rules { .. } => "project.rules",
            Self::CloudScan { .. } => "cloud_scan.consent",
            Self::CallBad { .. } => "file.verdict",
            Self::Release { .. } => "file.release",
        }
    }

    /// For people.
    fn title(&self) -> String {
        match self {
            Self::Handle { alarms, operate_type, target, .. } => {
                let shown: String = target.chars().take(100).collect();
                format!("{} for {} alarms ({shown})", operate_type.word(), alarms.len())
            }
            Self::DeleteIsolated { files } => format!("delete {} isolated files for good", files.len()),
            Self::Switch { project, name, on } => {
                format!("switch {name} {} in project {project}", if *on { "on" } else { "off" })
            }
            Self::Rules { project, .. } => format!("change what project {project} asks of its people"),
            Self::CloudScan { project, .. } => format!("change what leaves the hosts of project {project}"),
            Self::CallBad { project, sha256, class, .. } => {
                format!("call {sha256} {} in project {project}", class.word())
            }
            Self::Release { project, sha256 } => {
                format!("isolate {sha256} on all hosts of project {project} at once")
            }
        }
    }
}

/// Where an approval is.
pub(crate) fn address(id: &str) -> String {
    format!("/api/v1/approvals/{id}")
}

/// Writes down that it waits; where it is then.
pub(crate) async fn wait(
    api: &Api,
    access: &Access,
    projects: BTreeSet<String>,
    request: &Request,
) -> Result<String, Problem> {
    let now_ms = time::now_ms();
    let mut hours = i64::MAX;
    for project in &projects {
        hours = hours.min(api.store.project_rules(project).await?.approval_hours);
    }
    let text = serde_json::to_string(request)
        .map_err(|e| Problem::invalid(format!("this cannot be kept until somebody approves it: {e}")))?;
    let row = ApprovalRow {
        id: Uuid::now_v7().to_string(),
        projects: projects.into_iter().collect(),
        action: request.action().to_owned(),
        title: request.title(),
        request: text,
        author_id: access.caller.user.id.clone(),
        author: access.who().to_owned(),
        created_ms: now_ms,
        expires_ms: now_ms + hours.clamp(1, 720) * 3_600_000,
        state: "pending".to_owned(),
        decided_id: String::new(),
        decided_by: String::new(),
        decided_ms: 0,
        remark: String::new(),
        result: String::new(),
    };
    let mut audit = record(&row, access.who(), "approval.ask", now_ms);
    audit.address = access.address.to_string();
    audit.after.clone_from(&row.request);
    api.store.create_approval(&row, &audit).await?;
    metrics::counter!("lazaret_api_approvals_asked_total").increment(1);
    Ok(address(&row.id))
}

/// A row of the audit log about an approval.
pub(crate) fn record(row: &ApprovalRow, who: &str, action: &str, now_ms: i64) -> NewAudit {
    NewAudit {
        at_ms: now_ms,
        who: who.to_owned(),
        // Of several projects: for those who see all of them.
        project: if let [one] = row.projects.as_slice() { one.clone() } else { String::new() },
        action: action.to_owned(),
        target: format!("approval {}", row.id),
        outcome: "done".to_owned(),
        ..NewAudit::default()
    }
}

/// The rules of projects where two persons are asked for.
async fn strict<'a>(
    api: &Api,
    projects: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, ProjectRulesRow>, Problem> {
    let mut out = BTreeMap::new();
    for project in projects.collect::<BTreeSet<&'a str>>() {
        let rules = api.store.project_rules(project).await?;
        if rules.two_person {
            out.insert(project.to_owned(), rules);
        }
    }
    Ok(out)
}

/// Whether a project asks for two.
pub(crate) async fn two_person(api: &Api, project: &str) -> Result<bool, Problem> {
    Ok(api.store.project_rules(project).await?.two_person)
}

/// Whether this handling waits: *all of a type* does, and what isolates or gives back much at once.
pub(crate) async fn handling_waits(
    api: &Api,
    rows: &[AlarmRow],
    verb: Verb,
    all: bool,
) -> Result<Option<BTreeSet<String>>, Problem> {
    let weighs = matches!(verb, Verb::IsolateAndKill | Verb::DoNotIsolateOrKill | Verb::AddToAlarmWhitelist);
    if rows.is_empty() || !(all || weighs) {
        return Ok(None);
    }
    let strict = strict(api, rows.iter().map(|a| a.project.as_str())).await?;
    let much = strict.iter().any(|(project, rules)| {
        let of: Vec<&AlarmRow> = rows.iter().filter(|a| a.project == *project).collect();
        let hosts: BTreeSet<&str> = of.iter().map(|a| a.host.as_str()).collect();
        all || over(hosts.len(), rules.most_hosts) || over(of.len(), rules.most_files)
    });
    Ok(much.then(|| rows.iter().map(|a| a.project.clone()).collect()))
}

fn over(n: usize, most: i64) -> bool {
    i64::try_from(n).unwrap_or(i64::MAX) > most
}

/// Whether this deletion waits: where two are asked for, each does.
pub(crate) async fn deletion_waits(
    api: &Api,
    files: &[IsolatedRow],
) -> Result<Option<BTreeSet<String>>, Problem> {
    let strict = strict(api, files.iter().map(|f| f.project.as_str())).await?;
    Ok((!strict.is_empty()).then(|| files.iter().map(|f| f.project.clone()).collect()))
}

/// Whether a verdict that concerns so many hosts waits.
pub(crate) async fn verdict_waits(api: &Api, project: &str, hosts: i64) -> Result<bool, Problem> {
    let rules = api.store.project_rules(project).await?;
    Ok(rules.two_person && hosts > rules.most_hosts)
}
