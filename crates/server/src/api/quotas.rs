// SPDX-License-Identifier: Apache-2.0
//! Editions, and how many hosts may have which: pools, bound to hosts by people or at enrolment.

use super::extract::{Created, Empty, IfMatch, Json, Path, Tagged};
use super::gate::Access;
use super::hosts;
use super::page::moment;
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::projects::{self, check_text};
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use crate::editions::{EDITIONS, Edition, sold};
use crate::time;
use axum::extract::State;
use lazaret_store::{QuotaPoolRow, SHARED_POOL, Scope, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Hosts of one request.
const BATCH: usize = 100;
/// Hosts of a pool at most.
const MOST: i64 = 10_000_000;

/// The capability matrix.
#[derive(Serialize, ToSchema)]
struct Editions {
    items: Vec<Edition>,
}

/// A number of hosts that may have an edition.
#[derive(Debug, Serialize, ToSchema)]
struct Quota {
    #[schema(format = Uuid)]
    id: String,
    /// `*`: shared by all projects.
    project: String,
    edition: String,
    /// Absent: without a limit, or shared with projects that the caller may not see.
    total: Option<i64>,
    /// Hosts that have it, of the projects that the caller may see.
    used: u64,
    /// Absent like `total`.
    idle: Option<i64>,
    unlimited: bool,
    /// `normal`, `expired`, `freeze`.
    quota_status: String,
    /// `idle` or `used`: whether any host has it.
    used_status: &'static str,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Hosts that enrol take from it by themselves.
    automatic: bool,
    note: String,
    #[schema(format = DateTime)]
    created_at: Option<String>,
    revision: i64,
}

/// All of them.
#[derive(Serialize, ToSchema)]
struct Quotas {
    items: Vec<Quota>,
}

/// A new pool.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewQuota {
    /// Id of a project, or `*` for all.
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    /// `basic`, `professional`, `enterprise`, `premium`, `wtp`, `container`.
    #[schema(max_length = 32)]
    edition: String,
    /// Hosts; absent: without a limit.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000_000)]
    total: Option<i64>,
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[serde(default)]
    automatic: bool,
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
}

/// The whole of it as it is to be; project and edition stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuotaChange {
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_000_000)]
    total: Option<i64>,
    /// `normal` or `freeze`. A later `expires_at` ends an expiry.
    #[serde(default)]
    #[schema(max_length = 16)]
    quota_status: Option<String>,
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[serde(default)]
    automatic: bool,
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
}

/// Hosts that are to have it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Bind {
    #[schema(format = Uuid)]
    quota: String,
    #[schema(min_items = 1, max_items = 100)]
    hosts: Vec<String>,
}

/// Hosts that are to have none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Unbind {
    #[schema(min_items = 1, max_items = 100)]
    hosts: Vec<String>,
}

/// How many hosts were concerned.
#[derive(Serialize, ToSchema)]
struct Bound {
    hosts: usize,
}

pub(crate) fn routes(r: &mut Routes) {
    let (view, all) = (Permission::View, Permission::AdministerAll);
    r.add(
        view,
        get("/editions", "listEditions", "What each edition includes").answers::<Editions>(200),
        editions,
    );
    r.add(
        view,
        get("/quotas", "listQuotas", "How many hosts may have which edition").answers::<Quotas>(200),
        list,
    );
    r.add(
        all,
        post("/quotas", "createQuota", "A new quota")
            .body::<NewQuota>()
            .tagged()
            .answers::<Quota>(201)
            .problem(404),
        create,
    );
    r.add(view, get("/quotas/{id}", "getQuota", "One quota").tagged().answers::<Quota>(200), show);
    r.add(
        all,
        put("/quotas/{id}", "updateQuota", "Change total, end, automatic binding; freeze it")
            .body::<QuotaChange>()
            .if_match()
            .tagged()
            .answers::<Quota>(200)
            .problem(409),
        update,
    );
    r.add(
        all,
        delete("/quotas/{id}", "deleteQuota", "Delete a quota that no host has")
            .if_match()
            .answers_empty()
            .problem(409),
        remove,
    );
    r.add(
        Permission::Administer,
        post("/quotas/bind", "bindQuota", "Give hosts a quota, all or none; what they had goes back")
            .body::<Bind>()
            .answers::<Bound>(200)
            .problem(404)
            .problem(409),
        bind,
    );
    r.add(
        Permission::Administer,
        post("/quotas/unbind", "unbindQuota", "Take from hosts what they have")
            .describe("They go on without an edition: nothing is isolated by itself; files can be restored as before.")
            .body::<Unbind>()
            .answers::<Bound>(200)
            .problem(404),
        unbind,
    );
}

/// As the caller may see it: how large a pool is that others share is not told.
fn view(p: &QuotaPoolRow, used: u64, scope: &Scope) -> Quota {
    let unlimited = p.total < 0;
    let whole = p.project != SHARED_POOL || *scope == Scope::All;
    let total = (!unlimited && whole).then_some(p.total);
    let over = p.status == "normal" && p.expires_ms > 0 && p.expires_ms <= time::now_ms();
    Quota {
        id: p.id.clone(),
        project: p.project.clone(),
        edition: p.edition.clone(),
        total,
        used,
        idle: total.map(|t| t - i64::try_from(used).unwrap_or(i64::MAX)),
        unlimited,
        quota_status: if over { "expired".to_owned() } else { p.status.clone() },
        used_status: if used > 0 { "used" } else { "idle" },
        expires_at: time::some_rfc3339(p.expires_ms),
        automatic: p.automatic,
        note: p.note.clone(),
        created_at: time::some_rfc3339(p.created_ms),
        revision: p.revision,
    }
}

async fn shown(api: &Api, access: &Access, p: &QuotaPoolRow) -> Result<Quota, Problem> {
    let uses = api.store.quota_uses(&access.scope).await?;
    Ok(view(p, uses.get(&p.id).copied().unwrap_or(0), &access.scope))
}

/// A pool that the caller may see: of a project of theirs, or one that all share.
async fn within(api: &Api, access: &Access, id: &str) -> Result<QuotaPoolRow, Problem> {
    match api.store.quota_pool(id).await {
        Ok(p) if p.project == SHARED_POOL || access.covers(&p.project) => Ok(p),
        Ok(_) | Err(StoreError::NotFound(_)) => Err(Problem::no("quota", id)),
        Err(e) => Err(e.into()),
    }
}

fn total(asked: Option<i64>) -> Result<i64, Problem> {
    match asked {
        None => Ok(-1),
        Some(n) if (0..=MOST).contains(&n) => Ok(n),
        Some(n) => Err(Problem::invalid(format!("total = {n}: must be 0 to {MOST}, or absent"))),
    }
}

fn record(access: &Access, p: &QuotaPoolRow, action: &str) -> Record {
    let project = if p.project == SHARED_POOL { "" } else { p.project.as_str() };
    Record::new(access, project, action, format!("quota {}", p.id))
}

async fn editions(_: Access) -> Json<Editions> {
    Json(Editions { items: EDITIONS.to_vec() })
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<Quotas>, Problem> {
    let uses = api.store.quota_uses(&access.scope).await?;
    let pools = api.store.quota_pools(&access.scope).await?;
    let one = |p: &QuotaPoolRow| view(p, uses.get(&p.id).copied().unwrap_or(0), &access.scope);
    Ok(Json(Quotas { items: pools.iter().map(one).collect() }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<Quota>, Problem> {
    let row = within(&api, &access, &id).await?;
    Ok(Tagged(row.revision, shown(&api, &access, &row).await?))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewQuota>,
) -> Result<Created<Tagged<Quota>>, Problem> {
    if ask.project != SHARED_POOL {
        projects::within(&api, &access, &ask.project).await?;
    }
    if !sold(&ask.edition) {
        let words: Vec<&str> = EDITIONS.iter().map(|e| e.name).filter(|n| sold(n)).collect();
        return Err(Problem::invalid(format!("edition: one of {}", words.join(", "))));
    }
    check_text("note", &ask.note, 200)?;
    let now_ms = time::now_ms();
    let expires_ms = moment("expires_at", ask.expires_at.as_deref())?.unwrap_or(0);
    if expires_ms != 0 && expires_ms <= now_ms {
        return Err(Problem::invalid("expires_at: has passed"));
    }
    let row = QuotaPoolRow {
        id: Uuid::now_v7().to_string(),
        project: ask.project,
        edition: ask.edition,
        total: total(ask.total)?,
        status: "normal".to_owned(),
        expires_ms,
        automatic: ask.automatic,
        note: ask.note,
        created_ms: now_ms,
        revision: 1,
    };
    let shown = view(&row, 0, &access.scope);
    record(&access, &row, "quota.create").after(&shown).on(&api).create_quota_pool(&row).await?;
    Ok(Created(Tagged(1, shown)))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Json(ask): Json<QuotaChange>,
) -> Result<Tagged<Quota>, Problem> {
    let before = within(&api, &access, &id).await?;
    if before.revision != seen {
        return Err(Problem::new(Kind::Stale, "somebody changed it since it was read; read it again"));
    }
    check_text("note", &ask.note, 200)?;
    let expires_ms = moment("expires_at", ask.expires_at.as_deref())?.unwrap_or(0);
    let over = expires_ms > 0 && expires_ms <= time::now_ms();
    let status = match ask.quota_status.as_deref() {
        Some("freeze") => "freeze",
        Some("normal") | None if over => "expired",
        Some("normal") => "normal",
        // What was frozen stays so until somebody says otherwise.
        None if before.status == "freeze" => "freeze",
        None => "normal",
        Some(_) => return Err(Problem::invalid("quota_status: normal or freeze")),
    };
    let row = QuotaPoolRow {
        total: total(ask.total)?,
        status: status.to_owned(),
        expires_ms,
        automatic: ask.automatic,
        note: ask.note,
        ..before.clone()
    };
    let after = api.store.update_quota_pool(&row).await?;
    let shown_before = shown(&api, &access, &before).await?;
    let shown = shown(&api, &access, &after).await?;
    record(&access, &after, "quota.update").before(&shown_before).after(&shown).write(&api).await?;
    Ok(Tagged(after.revision, shown))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<Empty, Problem> {
    let before = within(&api, &access, &id).await?;
    if before.revision != seen {
        return Err(Problem::new(Kind::Stale, "somebody changed it since it was read; read it again"));
    }
    let shown = shown(&api, &access, &before).await?;
    record(&access, &before, "quota.delete").before(&shown).on(&api).delete_quota_pool(&id, seen).await?;
    Ok(Empty)
}

/// The hosts of a request, each within what the caller may, by project.
async fn several(api: &Api, access: &Access, ids: &[String]) -> Result<Vec<(String, Vec<String>)>, Problem> {
    if !(1..=BATCH).contains(&ids.len()) {
        return Err(Problem::invalid(format!("hosts: 1 to {BATCH}, not {}", ids.len())));
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for id in &ids {
        let host = hosts::within(api, access, id).await?;
        if host.removed {
            return Err(Problem::conflict(format!("the host {} was removed from the fleet", host.name)));
        }
        match out.iter_mut().find(|(p, _)| *p == host.project) {
            Some((_, list)) => list.push(host.id),
            None => out.push((host.project, vec![host.id])),
        }
    }
    Ok(out)
}

async fn bind(State(api): State<Api>, access: Access, Json(ask): Json<Bind>) -> Result<Json<Bound>, Problem> {
    let pool = within(&api, &access, &ask.quota).await?;
    let by_project = several(&api, &access, &ask.hosts).await?;
    let hosts: Vec<String> = by_project.iter().flat_map(|(_, list)| list.iter().cloned()).collect();
    let of = |(project, list): &(String, Vec<String>)| {
        Record::new(&access, project, "quota.bind", format!("quota {}", pool.id)).after(list).row()
    };
    let store = api.store.audited(by_project.iter().map(of).collect());
    let bound = store.bind_quota(&pool.id, &hosts, access.who(), time::now_ms()).await;
    bound.map_err(|e| match e {
        // How many others have it is not for who may not see them.
        StoreError::Conflict(_) if pool.project == SHARED_POOL && access.scope != Scope::All => {
            Problem::conflict("the quota is not in force, or too little is left of it: take another one")
        }
        e => e.into(),
    })?;
    Ok(Json(Bound { hosts: hosts.len() }))
}

async fn unbind(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Unbind>,
) -> Result<Json<Bound>, Problem> {
    let by_project = several(&api, &access, &ask.hosts).await?;
    let hosts: Vec<String> = by_project.iter().flat_map(|(_, list)| list.iter().cloned()).collect();
    let of = |(project, list): &(String, Vec<String>)| {
        Record::new(&access, project, "quota.unbind", "hosts".to_owned()).after(list).row()
    };
    let had = api.store.audited(by_project.iter().map(of).collect()).unbind_quota(&hosts).await?;
    Ok(Json(Bound { hosts: had }))
}
