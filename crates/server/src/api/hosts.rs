// SPDX-License-Identifier: Apache-2.0
//! Hosts: how they stand, where they belong, and when they are to go.

use super::extract::{Accepted, Empty, Json, Path, Query};
use super::gate::Access;
use super::orders::{self, Order, Ordered};
use super::page::{OfProject, PageOf, cursor};
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use super::words::{HostStatus, Importance, List, Protection};
use crate::editions::{self, HostEdition};
use crate::time;
use axum::extract::State;
use lazaret_proto::Message as _;
use lazaret_proto::v1::{self, command};
use lazaret_store::{HostCounts, HostFilter, HostRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A protected server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Host {
    #[schema(format = Uuid)]
    pub(crate) id: String,
    pub(crate) name: String,
    project: String,
    #[schema(format = Uuid)]
    group: Option<String>,
    /// `installing`, `installed`, `online`, `offline`, `install_failed`, `not_installed`.
    status: String,
    #[schema(format = DateTime)]
    status_since: String,
    /// `important`, `common`, `test`.
    importance: String,
    agent_version: String,
    os: String,
    kernel: String,
    arch: String,
    addresses: Vec<String>,
    content_version: String,
    protection: HostProtection,
    #[schema(format = DateTime)]
    enrolled_at: String,
    #[schema(format = DateTime)]
    seen_at: Option<String>,
    /// Stopped in order: its silence is no alarm.
    stopped: bool,
    revoked: bool,
    removed: bool,
    /// Of what it is to apply, and of what it has.
    generation: i64,
    generation_applied: i64,
    /// What it did not apply, and why.
    refused: Vec<String>,
    #[schema(format = DateTime)]
    certificate_until: Option<String>,
    /// What is included, and what is not; absent where only the host itself was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    edition: Option<HostEdition>,
}

/// What is protected, and why not all.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct HostProtection {
    /// `full`, `partial`, `none`, `unknown`.
    state: String,
    reason: String,
}

/// A host with what it told of itself.
#[derive(Serialize, ToSchema)]
struct HostFull {
    host: Host,
    mounts: Vec<Mount>,
    /// What is not as configured, worst first.
    degraded: Vec<String>,
    cpus: u32,
    memory_bytes: u64,
    #[schema(format = DateTime)]
    booted_at: Option<String>,
    /// Keys that the server may not change on this host.
    pinned: Vec<String>,
    isolate_and_kill: Option<bool>,
    dry_run: Option<bool>,
    safe_mode: Option<bool>,
    open_breakers: Vec<String>,
    alarms_unhandled: Option<u64>,
    isolated: Option<u64>,
    /// How it stands with the server's content; absent: its agent does not say.
    content: Option<HostContent>,
}

/// How a host stands with the server's content.
#[derive(Serialize, ToSchema)]
struct HostContent {
    /// Of the pack in force; 0: it is not one of the server's.
    number: u64,
    version: String,
    /// `installed`, `fetching`, `checking`, `in_force`, `refused`.
    state: String,
    /// Why one was refused.
    reason: Option<String>,
    refused_number: Option<u64>,
    /// The one before, kept to fall back to.
    previous_version: Option<String>,
}

/// A mount point: what is configured for it, and what is in force.
#[derive(Serialize, ToSchema)]
struct Mount {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    fs_type: String,
    configured: String,
    effective: String,
    reason: String,
}

/// How many.
#[derive(Serialize, ToSchema)]
struct HostStatistics {
    total: u64,
    by_status: Vec<Count>,
    by_protection: Vec<Count>,
    by_importance: Vec<Count>,
}

/// How many of a word.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    pub(crate) word: String,
    pub(crate) count: u64,
}

/// Counts as they come from the database.
pub(crate) fn counts(rows: Vec<(String, u64)>) -> Vec<Count> {
    rows.into_iter().map(|(word, count)| Count { word, count }).collect()
}

/// Filters of hosts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HostQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    /// Part of name, id or address.
    #[param(max_length = 200)]
    text: Option<String>,
    #[param(inline)]
    status: Option<HostStatus>,
    #[param(format = Uuid)]
    group: Option<String>,
    #[param(inline)]
    importance: Option<Importance>,
    #[param(inline)]
    protection: Option<Protection>,
    /// These only, separated by commas; 100 at most.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, max_items = 100)]
    ids: Option<List<String>>,
    /// Removed ones too.
    removed: Option<bool>,
    /// `next` of the page before.
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Where hosts belong; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    #[schema(min_items = 1, max_items = 100)]
    hosts: Vec<String>,
    /// Host group of the same project; with `ungroup` none.
    #[serde(default)]
    #[schema(format = Uuid)]
    group: Option<String>,
    #[serde(default)]
    ungroup: bool,
    #[serde(default)]
    importance: Option<Importance>,
}

/// The same for one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HostChange {
    #[serde(default)]
    #[schema(format = Uuid)]
    group: Option<String>,
    #[serde(default)]
    ungroup: bool,
    #[serde(default)]
    importance: Option<Importance>,
}

/// How many were changed.
#[derive(Debug, Serialize, ToSchema)]
struct Assigned {
    hosts: usize,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(Permission::View, get("/hosts", "listHosts", "Hosts").query::<HostQuery>().page::<Host>(), list);
    r.add(
        Permission::View,
        get("/hosts/statistics", "hostStatistics", "How many hosts of each kind")
            .query::<OfProject>()
            .answers::<HostStatistics>(200),
        statistics,
    );
    r.add(
        Permission::Administer,
        post("/hosts/assign", "assignHosts", "Put hosts into a group, say how much they matter")
            .body::<Assignment>()
            .answers::<Assigned>(200)
            .problem(404),
        assign,
    );
    r.add(Permission::View, get("/hosts/{id}", "getHost", "One host").answers::<HostFull>(200), show);
    r.add(
        Permission::Administer,
        put("/hosts/{id}", "updateHost", "Group and importance of a host")
            .body::<HostChange>()
            .answers::<HostFull>(200),
        update,
    );
    r.add(
        Permission::Administer,
        delete("/hosts/{id}", "removeHost", "Take a host out of the fleet")
            .describe("Its certificate is not taken any more, its pending commands are cancelled; its alarms and isolated files stay.")
            .answers_empty(),
        remove,
    );
    r.add(
        Permission::Administer,
        post("/hosts/{id}/revoke", "revokeHost", "Take a host's certificate out of force").answers_empty(),
        revoke,
    );
    r.add(
        Permission::Operate,
        post("/hosts/{id}/self-test", "selfTestHost", "Let a host test its protection")
            .answers::<Ordered>(202)
            .orders(),
        self_test,
    );
}

pub(crate) fn view(h: &HostRow) -> Host {
    Host {
        id: h.id.clone(),
        name: h.name.clone(),
        project: h.project.clone(),
        group: h.group.clone(),
        status: h.status.clone(),
        status_since: time::rfc3339(h.status_ms),
        importance: h.importance.clone(),
        agent_version: h.version.clone(),
        os: h.os.clone(),
        kernel: h.kernel.clone(),
        arch: h.arch.clone(),
        addresses: h.addresses.split(',').filter(|a| !a.is_empty()).map(str::to_owned).collect(),
        content_version: h.content_version.clone(),
        protection: HostProtection { state: h.protection.clone(), reason: h.protection_reason.clone() },
        enrolled_at: time::rfc3339(h.enrolled_ms),
        seen_at: time::some_rfc3339(h.seen_ms),
        stopped: h.stopped,
        revoked: h.revoked,
        removed: h.removed,
        generation: h.generation,
        generation_applied: h.generation_applied,
        refused: h.refused.lines().map(str::to_owned).collect(),
        certificate_until: time::some_rfc3339(h.certificate_until_ms),
        edition: None,
    }
}

fn full(h: &HostRow, edition: HostEdition) -> HostFull {
    let report = v1::HostReport::decode(h.report.as_slice()).unwrap_or_default();
    let status = report.status;
    let s = status.as_ref();
    HostFull {
        host: Host { edition: Some(edition), ..view(h) },
        mounts: s.map_or_else(Vec::new, |s| s.mounts.iter().map(mount).collect()),
        degraded: s.map_or_else(Vec::new, |s| s.degraded.clone()),
        cpus: report.cpus,
        memory_bytes: report.memory_bytes,
        booted_at: time::some_rfc3339(report.booted_ms),
        pinned: report.pinned.clone(),
        isolate_and_kill: s.map(|s| s.isolate_and_kill),
        dry_run: s.map(|s| s.dry_run),
        safe_mode: s.map(|s| s.safe_mode),
        open_breakers: s.map_or_else(Vec::new, |s| s.open_breakers.clone()),
        alarms_unhandled: s.map(|s| s.alarms_unhandled),
        isolated: s.map(|s| s.isolated),
        content: report.content.as_ref().map(|c| HostContent {
            number: c.number,
            version: c.version.clone(),
            state: c.state.clone(),
            reason: crate::json::some(&c.reason),
            refused_number: (c.refused_number > 0).then_some(c.refused_number),
            previous_version: crate::json::some(&c.previous_version),
        }),
    }
}

fn mount(m: &v1::MountStatus) -> Mount {
    Mount {
        path: crate::json::lossy(&m.path),
        path_b64: crate::json::exact(&m.path),
        fs_type: m.fs_type.clone(),
        configured: m.configured.clone(),
        effective: m.effective.clone(),
        reason: m.reason.clone(),
    }
}

/// A host within what the caller may.
pub(crate) async fn within(api: &Api, access: &Access, id: &str) -> Result<HostRow, Problem> {
    access.check(api.store.host(id).await, |h| &h.project, "host", id)
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<HostQuery>,
) -> Result<Json<PageOf<Host>>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    let filter = HostFilter {
        text: q.text.unwrap_or_default(),
        status: q.status.map(|s| s.word().to_owned()).unwrap_or_default(),
        group: q.group.unwrap_or_default(),
        importance: q.importance.map(|i| i.word().to_owned()).unwrap_or_default(),
        protection: q.protection.map(|p| p.word().to_owned()).unwrap_or_default(),
        ids: q.ids.unwrap_or_default().0,
        removed: q.removed.unwrap_or(false),
    };
    let page = api.store.hosts_page(&scope, &filter, &cursor(q.after, q.limit)?).await?;
    let ids: Vec<String> = page.items.iter().map(|h| h.id.clone()).collect();
    let (quotas, now_ms) = (api.store.host_quotas(&ids).await?, time::now_ms());
    let edition = |h: &HostRow| Some(HostEdition::of(quotas.get(&h.id), now_ms));
    Ok(Json(PageOf::of(page, |h| Host { edition: edition(&h), ..view(&h) })))
}

async fn statistics(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<OfProject>,
) -> Result<Json<HostStatistics>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    let HostCounts { total, status, protection, importance } = api.store.host_counts(&scope).await?;
    Ok(Json(HostStatistics {
        total,
        by_status: counts(status),
        by_protection: counts(protection),
        by_importance: counts(importance),
    }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<HostFull>, Problem> {
    let host = within(&api, &access, &id).await?;
    Ok(Json(full(&host, editions::of_host(&api.store, &id).await?)))
}

async fn assign(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Assignment>,
) -> Result<Json<Assigned>, Problem> {
    if !(1..=100).contains(&ask.hosts.len()) {
        return Err(Problem::invalid(format!("hosts: 1 to 100, not {}", ask.hosts.len())));
    }
    let change = HostChange { group: ask.group, ungroup: ask.ungroup, importance: ask.importance };
    let mut hosts = Vec::with_capacity(ask.hosts.len());
    for id in &ask.hosts {
        hosts.push(within(&api, &access, id).await?);
    }
    apply(&api, &access, &hosts, &change).await?;
    Ok(Json(Assigned { hosts: hosts.len() }))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<HostChange>,
) -> Result<Json<HostFull>, Problem> {
    let host = within(&api, &access, &id).await?;
    apply(&api, &access, &[host], &ask).await?;
    let host = within(&api, &access, &id).await?;
    Ok(Json(full(&host, editions::of_host(&api.store, &id).await?)))
}

async fn apply(api: &Api, access: &Access, hosts: &[HostRow], change: &HostChange) -> Result<(), Problem> {
    if change.ungroup && change.group.is_some() {
        return Err(Problem::invalid("group and ungroup: one or the other"));
    }
    let ids: Vec<String> = hosts.iter().map(|h| h.id.clone()).collect();
    let mut rows = Vec::new();
    for h in hosts {
        #[derive(Serialize)]
        struct Shown<'a> {
            group: Option<&'a str>,
            importance: &'a str,
        }
        let before = Shown { group: h.group.as_deref(), importance: &h.importance };
        let after = Shown {
            group: if change.ungroup { None } else { change.group.as_deref().or(h.group.as_deref()) },
            importance: change.importance.map_or(h.importance.as_str(), |i| i.word()),
        };
        let record = Record::new(access, &h.project, "host.assign", format!("host {}", h.id));
        rows.push(record.before(&before).after(&after).row());
    }
    // The first of the writes takes the record along.
    let store = api.store.audited(rows);
    if let Some(group) = &change.group {
        let row = super::host_groups::within(api, access, group).await?;
        if let Some(other) = hosts.iter().find(|h| h.project != row.project) {
            return Err(Problem::invalid(format!(
                "the host {} and the group {} are of two projects",
                other.id, row.id
            )));
        }
        store.set_host_group(&ids, Some(group)).await?;
    } else if change.ungroup {
        store.set_host_group(&ids, None).await?;
    }
    if let Some(importance) = change.importance {
        store.set_host_importance(&ids, importance.word()).await?;
    }
    Ok(())
}

async fn remove(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let host = within(&api, &access, &id).await?;
    if host.removed {
        return Ok(Empty);
    }
    // Revoked with it.
    Record::new(&access, &host.project, "host.remove", format!("host {id}"))
        .before(&view(&host))
        .on(&api)
        .remove_host(&id, time::now_ms())
        .await?;
    Ok(Empty)
}

async fn revoke(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let host = within(&api, &access, &id).await?;
    let record = Record::new(&access, &host.project, "host.revoke", format!("host {id}"));
    record.on(&api).revoke_host(&id).await?;
    Ok(Empty)
}

async fn self_test(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let host = within(&api, &access, &id).await?;
    let mut order = Order::new(&access, "self_test", "host.self_test");
    order.to(&host, "", command::Verb::SelfTest(v1::SelfTestCommand {}));
    orders::give(&api, order).await.map(|o| Accepted(Json(o)))
}
