// SPDX-License-Identifier: Apache-2.0
//! Virus scans: plans that begin by themselves, and scans that run.

use super::alarms::hosts_of;
use super::alarms::view::HostBrief;
use super::extract::{Accepted, Created, Empty, IfMatch, Json, Path, Query, Tagged};
use super::gate::Access;
use super::host_groups::{fresh, raced};
use super::hosts::{Count, counts};
use super::page::{PageOf, cursor};
use super::permission::Permission;
use super::problem::Problem;
use super::projects::{self, check_name};
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use super::words::List;
use crate::json::some;
use crate::scans::plan::{ScanKind, ScanSettings, ScanStart};
use crate::scans::run::{self, Planned, Wanted};
use crate::time;
use axum::extract::State;
use lazaret_store::{ScanHostRow, ScanPolicyRow, ScanTaskRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A plan of scans.
#[derive(Debug, Serialize, ToSchema)]
struct ScanPolicy {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    name: String,
    settings: ScanSettings,
    start: ScanStart,
    /// Absent: it does not begin by itself (again).
    #[schema(format = DateTime)]
    next_at: Option<String>,
    revision: i64,
    #[schema(format = DateTime)]
    updated_at: String,
    updated_by: String,
}

/// Those of the projects that the caller may see.
#[derive(Serialize, ToSchema)]
struct ScanPolicies {
    items: Vec<ScanPolicy>,
}

/// A new plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewScanPolicy {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    settings: ScanSettings,
    start: ScanStart,
}

/// A plan as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScanPolicyChange {
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    settings: ScanSettings,
    start: ScanStart,
}

/// A scan that is to begin now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewScan {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    settings: ScanSettings,
}

/// A scan of many hosts.
#[derive(Debug, Serialize, ToSchema)]
struct ScanTask {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    policy: Option<String>,
    name: String,
    kind: String,
    /// `scanning`, `paused`, `finish`.
    task_status: String,
    started_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// A scan and how it stands.
#[derive(Serialize, ToSchema)]
struct ScanTaskFull {
    task: ScanTask,
    host_num: u64,
    by_state: Vec<Count>,
    virus_num: u64,
    scan_file_num: u64,
    /// Mean over the hosts, of 1000; an estimate.
    permille: u64,
}

/// One host of a scan.
#[derive(Debug, Serialize, ToSchema)]
struct ScanHost {
    host: HostBrief,
    /// `waiting`, `scanning`, `paused`, `success`, `fail`, `cancel`.
    host_task_status: String,
    #[schema(format = DateTime)]
    begins_at: String,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    run_duration_seconds: Option<i64>,
    scan_file_num: i64,
    scan_bytes: i64,
    virus_num: i64,
    errors: i64,
    /// Of 1000; an estimate.
    permille: i64,
    fail_reason: String,
    command: Option<String>,
}

/// Filters of a scan's hosts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ScanHostQuery {
    /// Any of these, separated by commas: `waiting`, `scanning`, `paused`, `success`, `fail`, `cancel`.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, max_items = 100)]
    state: Option<List<String>>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ScanTaskQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(crate) fn routes(r: &mut Routes) {
    let (view, operate) = (Permission::View, Permission::Operate);
    r.add(
        view,
        get("/scan-policies", "listScanPolicies", "Plans of scans").answers::<ScanPolicies>(200),
        list,
    );
    r.add(
        operate,
        post("/scan-policies", "createScanPolicy", "A new plan of scans")
            .body::<NewScanPolicy>()
            .tagged()
            .answers::<ScanPolicy>(201)
            .problem(404)
            .problem(409),
        create,
    );
    r.add(
        view,
        get("/scan-policies/{id}", "getScanPolicy", "One plan").tagged().answers::<ScanPolicy>(200),
        show,
    );
    r.add(
        operate,
        put("/scan-policies/{id}", "updateScanPolicy", "Change a plan")
            .body::<ScanPolicyChange>()
            .if_match()
            .tagged()
            .answers::<ScanPolicy>(200)
            .problem(409),
        update,
    );
    r.add(
        operate,
        delete("/scan-policies/{id}", "deleteScanPolicy", "Delete a plan; its scans stay")
            .if_match()
            .answers_empty(),
        remove,
    );
    r.add(
        view,
        get("/scan-tasks", "listScanTasks", "Scans, newest first")
            .query::<ScanTaskQuery>()
            .page::<ScanTask>(),
        tasks,
    );
    r.add(
        operate,
        post("/scan-tasks", "startScan", "Scan hosts now")
            .body::<NewScan>()
            .answers::<ScanTask>(202)
            .orders()
            .problem(404),
        begin,
    );
    r.add(view, get("/scan-tasks/{id}", "getScanTask", "One scan").answers::<ScanTaskFull>(200), task);
    r.add(
        view,
        get("/scan-tasks/{id}/hosts", "listScanHosts", "How each host of a scan stands")
            .query::<ScanHostQuery>()
            .page::<ScanHost>(),
        hosts,
    );
    r.add(
        operate,
        post("/scan-tasks/{id}/cancel", "cancelScanTask", "Stop a scan").answers::<ScanTaskFull>(200),
        cancel,
    );
}

fn policy(p: &ScanPolicyRow) -> Result<ScanPolicy, Problem> {
    let planned: Planned = serde_json::from_str(&p.settings)
        .map_err(|e| lazaret_store::StoreError::Corrupt(format!("scan policy {}: {e}", p.id)))?;
    Ok(ScanPolicy {
        id: p.id.clone(),
        project: p.project.clone(),
        name: p.name.clone(),
        settings: planned.settings,
        start: planned.start,
        next_at: time::some_rfc3339(p.next_ms),
        revision: p.revision,
        updated_at: time::rfc3339(p.updated_ms),
        updated_by: p.updated_by.clone(),
    })
}

fn task_view(t: &ScanTaskRow) -> ScanTask {
    ScanTask {
        id: t.id.clone(),
        project: t.project.clone(),
        policy: some(&t.policy),
        name: t.name.clone(),
        kind: t.kind.clone(),
        task_status: t.state.clone(),
        started_by: t.who.clone(),
        created_at: time::rfc3339(t.created_ms),
        finished_at: time::some_rfc3339(t.finished_ms),
    }
}

/// Bounds, and hosts and groups of that project alone.
async fn check(
    api: &Api,
    access: &Access,
    project: &str,
    name: &str,
    s: &ScanSettings,
) -> Result<(), Problem> {
    projects::within(api, access, project).await?;
    check_name("name", name)?;
    if let Some(fault) = s.fault() {
        return Err(Problem::invalid(fault));
    }
    for id in &s.groups {
        if super::host_groups::within(api, access, id).await?.project != project {
            return Err(Problem::invalid(format!("groups: {id} is of another project")));
        }
    }
    let found = hosts_of(api, access, s.hosts.iter().map(String::as_str)).await?;
    for id in &s.hosts {
        if found.get(id).is_none_or(|h| h.project != project) {
            return Err(Problem::no("host", id));
        }
    }
    Ok(())
}

fn row(
    access: &Access,
    before: Option<&ScanPolicyRow>,
    project: &str,
    name: String,
    planned: &Planned,
) -> Result<ScanPolicyRow, Problem> {
    let now_ms = time::now_ms();
    if let Some(fault) = planned.start.fault(now_ms) {
        return Err(Problem::invalid(format!("start: {fault}")));
    }
    Ok(ScanPolicyRow {
        id: before.map_or_else(|| Uuid::now_v7().to_string(), |b| b.id.clone()),
        project: project.to_owned(),
        name,
        kind: ScanKind::word(planned.settings.kind).to_owned(),
        settings: serde_json::to_string(planned).map_err(|e| Problem::invalid(e.to_string()))?,
        next_ms: planned.start.first_ms(now_ms),
        revision: before.map_or(1, |b| b.revision),
        updated_ms: now_ms,
        updated_by: access.who().to_owned(),
    })
}

async fn policy_within(api: &Api, access: &Access, id: &str) -> Result<ScanPolicyRow, Problem> {
    access.check(api.store.scan_policy(id).await, |p| &p.project, "scan policy", id)
}

pub(super) async fn task_within(api: &Api, access: &Access, id: &str) -> Result<ScanTaskRow, Problem> {
    access.check(api.store.scan_task(id).await, |t| &t.project, "scan", id)
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<ScanPolicies>, Problem> {
    let rows = api.store.scan_policies(&access.scope).await?;
    Ok(Json(ScanPolicies { items: rows.iter().map(policy).collect::<Result<_, _>>()? }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<ScanPolicy>, Problem> {
    let row = policy_within(&api, &access, &id).await?;
    Ok(Tagged(row.revision, policy(&row)?))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewScanPolicy>,
) -> Result<Created<Tagged<ScanPolicy>>, Problem> {
    check(&api, &access, &ask.project, &ask.name, &ask.settings).await?;
    let planned = Planned { settings: ask.settings, start: ask.start };
    let row = row(&access, None, &ask.project, ask.name, &planned)?;
    let shown = policy(&row)?;
    let record = Record::new(&access, &row.project, "scan_policy.create", format!("scan_policy {}", row.id));
    record.after(&shown).on(&api).create_scan_policy(&row).await?;
    Ok(Created(Tagged(row.revision, shown)))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Json(ask): Json<ScanPolicyChange>,
) -> Result<Tagged<ScanPolicy>, Problem> {
    let before = policy_within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    check(&api, &access, &before.project, &ask.name, &ask.settings).await?;
    let planned = Planned { settings: ask.settings, start: ask.start };
    let row = row(&access, Some(&before), &before.project, ask.name, &planned)?;
    let record = Record::new(&access, &before.project, "scan_policy.update", format!("scan_policy {id}"));
    let next = ScanPolicyRow { revision: row.revision + 1, ..row.clone() };
    let store = record.before(&policy(&before)?).after(&policy(&next)?).on(&api);
    let written = store.update_scan_policy(&row).await;
    let after = raced(written, async { api.store.scan_policy(&id).await.map(|p| p.revision) }, seen).await?;
    Ok(Tagged(after.revision, policy(&after)?))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<Empty, Problem> {
    let before = policy_within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    let record = Record::new(&access, &before.project, "scan_policy.delete", format!("scan_policy {id}"));
    let written = record.before(&policy(&before)?).on(&api).delete_scan_policy(&id, seen).await;
    raced(written, async { api.store.scan_policy(&id).await.map(|p| p.revision) }, seen).await?;
    Ok(Empty)
}

async fn tasks(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<ScanTaskQuery>,
) -> Result<Json<PageOf<ScanTask>>, Problem> {
    let page =
        api.store.scan_tasks_page(&access.chosen(q.project.as_deref())?, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |t| task_view(&t))))
}

async fn begin(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewScan>,
) -> Result<Accepted<Json<ScanTask>>, Problem> {
    check(&api, &access, &ask.project, &ask.name, &ask.settings).await?;
    let wanted = Wanted {
        project: &ask.project,
        policy: "",
        name: &ask.name,
        who: access.who(),
        settings: &ask.settings,
    };
    let task = run::begin(&api.store, &wanted, time::now_ms()).await?;
    let shown = task_view(&task);
    Record::new(&access, &task.project, "scan.start", format!("scan {}", task.id))
        .before(&ask.settings)
        .after(&shown)
        .write(&api)
        .await?;
    Ok(Accepted(Json(shown)))
}

async fn full(api: &Api, row: &ScanTaskRow) -> Result<Json<ScanTaskFull>, Problem> {
    let s = api.store.scan_summary(&row.id).await?;
    Ok(Json(ScanTaskFull {
        task: task_view(row),
        host_num: s.hosts,
        by_state: counts(s.states),
        virus_num: s.found,
        scan_file_num: s.files,
        permille: s.permille,
    }))
}

async fn task(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<ScanTaskFull>, Problem> {
    let row = task_within(&api, &access, &id).await?;
    full(&api, &row).await
}

async fn hosts(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<ScanHostQuery>,
) -> Result<Json<PageOf<ScanHost>>, Problem> {
    task_within(&api, &access, &id).await?;
    let states = q.state.unwrap_or_default().0;
    let page = api.store.scan_hosts_page(&id, &states, &cursor(q.after, q.limit)?).await?;
    let known = hosts_of(&api, &access, page.items.iter().map(|h| h.host.as_str())).await?;
    let one = |h: ScanHostRow| ScanHost {
        host: HostBrief::of(&h.host, known.get(&h.host)),
        host_task_status: h.state,
        begins_at: time::rfc3339(h.start_ms),
        started_at: time::some_rfc3339(h.started_ms),
        finished_at: time::some_rfc3339(h.finished_ms),
        run_duration_seconds: (h.started_ms > 0 && h.finished_ms >= h.started_ms)
            .then(|| (h.finished_ms - h.started_ms) / 1000),
        scan_file_num: h.files,
        scan_bytes: h.bytes,
        virus_num: h.found,
        errors: h.errors,
        permille: h.permille,
        fail_reason: h.reason,
        command: some(&h.command),
    };
    Ok(Json(PageOf::of(page, one)))
}

async fn cancel(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<ScanTaskFull>, Problem> {
    let row = task_within(&api, &access, &id).await?;
    let now_ms = time::now_ms();
    for host in api.store.cancel_scan_task(&id, now_ms).await? {
        if !host.command.is_empty() {
            api.store.cancel_command(&host.command, access.who(), now_ms).await?;
        }
    }
    Record::new(&access, &row.project, "scan.cancel", format!("scan {id}")).write(&api).await?;
    let row = task_within(&api, &access, &id).await?;
    full(&api, &row).await
}
