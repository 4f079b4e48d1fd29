// SPDX-License-Identifier: Apache-2.0
//! Isolated files of the fleet: where they are, how they stand, and giving them back.

use super::alarms::filter::sha256;
use super::alarms::hosts_of;
use super::alarms::view::HostBrief;
use super::approvals::request::{self, Request};
use super::extract::{Accepted, Json, Path, Query};
use super::gate::Access;
use super::hosts::{Count, counts};
use super::orders::{self, Order, Ordered};
use super::page::{OfProject, PageOf, cursor, moment};
use super::permission::Permission;
use super::problem::Problem;
use super::route::{Routes, get, post};
use super::state::Api;
use super::words::{Importance, IsolatedStatus, List};
use crate::json::{self, exact, hex, lossy, some};
use crate::time;
use axum::extract::State;
use lazaret_proto::Message as _;
use lazaret_proto::v1::{self, command};
use lazaret_store::{CommandFilter, Cursor, HostRow, IsolatedFilter, IsolatedRow, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// States from which a file can come back.
pub(crate) const RESTORABLE: [&str; 4] = ["isolated", "isolated_in_place", "restore_failed", "delete_failed"];
/// Files of one batch.
const BATCH: usize = 100;

/// An isolated file as lists have it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IsolatedItem {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    host: HostBrief,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
    size: i64,
    class: String,
    family: String,
    confidence: i64,
    status: String,
    /// Of a failure, or of what could not be done.
    reason: String,
    alarm: Option<String>,
    alarm_title: String,
    /// `event`, `antivirus`.
    source: String,
    #[schema(format = DateTime)]
    isolated_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// One with all that is known.
#[derive(Serialize, ToSchema)]
struct IsolatedFile {
    summary: IsolatedItem,
    /// As the host has it.
    isolated: Option<json::IsolatedFull>,
    commands: Vec<super::commands::Command>,
}

/// How many.
#[derive(Serialize, ToSchema)]
struct IsolatedStatistics {
    by_status: Vec<Count>,
}

/// Filters of isolated files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct IsolatedQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    #[param(format = Uuid)]
    host: Option<String>,
    /// Part of the host's name.
    #[param(max_length = 200)]
    host_name: Option<String>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<IsolatedStatus>>, style = Form, explode = false)]
    status: Option<List<IsolatedStatus>>,
    #[param(pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
    /// Part of the path.
    #[param(max_length = 200)]
    path: Option<String>,
    #[param(inline)]
    importance: Option<Importance>,
    /// Last change not before.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Last change before.
    #[param(format = DateTime)]
    until: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// How a file comes back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RestoreOne {
    /// Not to where it was, but to the host's `released` folder, for root alone.
    #[serde(default)]
    released: bool,
    /// Make folders of the path that are missing.
    #[serde(default)]
    parents: bool,
    /// Start again the services that were ended with it.
    #[serde(default)]
    restart: bool,
}

/// Several: by their ids, or every one with a content.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RestoreBatch {
    #[serde(default)]
    #[schema(max_items = 100)]
    files: Vec<String>,
    /// Instead of `files`: on every host.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
    #[serde(default)]
    released: bool,
    #[serde(default)]
    parents: bool,
    #[serde(default)]
    restart: bool,
}

/// Several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeleteBatch {
    #[schema(min_items = 1, max_items = 100)]
    files: Vec<String>,
}

pub(crate) fn routes(r: &mut Routes) {
    let (view, operate) = (Permission::View, Permission::Operate);
    r.add(
        view,
        get("/isolated-files", "listIsolated", "Isolated files, last changed first")
            .query::<IsolatedQuery>()
            .page::<IsolatedItem>(),
        list,
    );
    r.add(
        view,
        get("/isolated-files/statistics", "isolatedStatistics", "How many isolated files of each status")
            .query::<OfProject>()
            .answers::<IsolatedStatistics>(200),
        statistics,
    );
    r.add(
        operate,
        post(
            "/isolated-files/restore",
            "restoreIsolatedFiles",
            "Restore several, or a content on every host",
        )
        .body::<RestoreBatch>()
        .answers::<Ordered>(202)
        .orders()
        .problem(404),
        restore_batch,
    );
    r.add(
        operate,
        post("/isolated-files/delete", "deleteIsolatedFiles", "Delete several for good")
            .body::<DeleteBatch>()
            .answers::<Ordered>(202)
            .orders()
            .problem(404),
        delete_batch,
    );
    r.add(
        view,
        get("/isolated-files/{id}", "getIsolated", "One isolated file").answers::<IsolatedFile>(200),
        show,
    );
    r.add(
        operate,
        post("/isolated-files/{id}/restore", "restoreIsolated", "Restore an isolated file")
            .body::<RestoreOne>()
            .answers::<Ordered>(202)
            .orders(),
        restore,
    );
    r.add(
        operate,
        post("/isolated-files/{id}/delete", "deleteIsolated", "Delete an isolated file for good")
            .answers::<Ordered>(202)
            .orders(),
        delete,
    );
    r.add(
        operate,
        post(
            "/isolated-files/{id}/verify",
            "verifyIsolated",
            "Ask the host whether it is whole in its vault",
        )
        .answers::<Ordered>(202)
        .orders(),
        verify,
    );
}

pub(crate) fn item(i: &IsolatedRow, host: Option<&HostRow>) -> IsolatedItem {
    IsolatedItem {
        id: i.id.clone(),
        project: i.project.clone(),
        host: HostBrief::of(&i.host, host),
        path: lossy(&i.path),
        path_b64: exact(&i.path),
        sha256: hex(&i.sha256),
        size: i.size,
        class: i.class.clone(),
        family: i.family.clone(),
        confidence: i.confidence,
        status: i.status.clone(),
        reason: i.reason.clone(),
        alarm: some(&i.alarm),
        alarm_title: i.alarm_title.clone(),
        source: i.source.clone(),
        isolated_at: time::rfc3339(i.isolated_ms),
        updated_at: time::rfc3339(i.updated_ms),
    }
}

/// As the host sent it.
pub(crate) fn details(i: &IsolatedRow) -> Option<v1::Isolated> {
    if i.details.is_empty() {
        return None;
    }
    v1::Isolated::decode(i.details.as_slice()).ok()
}

async fn within(api: &Api, access: &Access, id: &str) -> Result<IsolatedRow, Problem> {
    access.check(api.store.isolated(id).await, |i| &i.project, "isolated file", id)
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<IsolatedQuery>,
) -> Result<Json<PageOf<IsolatedItem>>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    let filter = IsolatedFilter {
        host: q.host.unwrap_or_default(),
        host_name: q.host_name.unwrap_or_default(),
        statuses: q.status.unwrap_or_default().0.iter().map(|s| s.word().to_owned()).collect(),
        sha256: q.sha256.as_deref().map(sha256).transpose()?.unwrap_or_default(),
        path: q.path.unwrap_or_default(),
        since_ms: moment("since", q.since.as_deref())?,
        until_ms: moment("until", q.until.as_deref())?,
        ids: Vec::new(),
        importance: q.importance.map(|i| i.word().to_owned()).unwrap_or_default(),
    };
    let page = api.store.isolated_page(&scope, &filter, &cursor(q.after, q.limit)?).await?;
    let hosts = hosts_of(&api, &access, page.items.iter().map(|i| i.host.as_str())).await?;
    Ok(Json(PageOf::of(page, |i| item(&i, hosts.get(&i.host)))))
}

async fn statistics(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<OfProject>,
) -> Result<Json<IsolatedStatistics>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    Ok(Json(IsolatedStatistics { by_status: counts(api.store.isolated_counts(&scope).await?) }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<IsolatedFile>, Problem> {
    let row = within(&api, &access, &id).await?;
    let hosts = hosts_of(&api, &access, [row.host.as_str()].into_iter()).await?;
    let filter = CommandFilter { about: id, ..CommandFilter::default() };
    let ordered =
        api.store.commands_page(&access.scope, &filter, &Cursor { after: None, limit: 200 }).await?;
    Ok(Json(IsolatedFile {
        summary: item(&row, hosts.get(&row.host)),
        isolated: details(&row).as_ref().map(Into::into),
        commands: ordered.items.iter().map(super::commands::view).collect(),
    }))
}

/// The files of a batch, each within what the caller may.
async fn several(api: &Api, access: &Access, ids: &[String]) -> Result<Vec<IsolatedRow>, Problem> {
    if !(1..=BATCH).contains(&ids.len()) {
        return Err(Problem::invalid(format!("files: 1 to {BATCH}, not {}", ids.len())));
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = Vec::with_capacity(ids.len());
    for id in &ids {
        rows.push(within(api, access, id).await?);
    }
    Ok(rows)
}

/// Orders something for each file whose state allows it.
async fn give(
    api: &Api,
    access: &Access,
    order: Order,
    files: &[IsolatedRow],
    what: impl Fn(&IsolatedRow) -> command::Verb,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let order = put_together(api, access, order, files, what).await?;
    orders::give(api, order).await.map(|o| Accepted(Json(o)))
}

async fn put_together(
    api: &Api,
    access: &Access,
    mut order: Order,
    files: &[IsolatedRow],
    what: impl Fn(&IsolatedRow) -> command::Verb,
) -> Result<Order, Problem> {
    let hosts = hosts_of(api, access, files.iter().map(|f| f.host.as_str())).await?;
    for file in files {
        if !RESTORABLE.contains(&file.status.as_str()) {
            let state = &file.status;
            order.refuse(
                &file.id,
                format!("it is {state}: its vault holds nothing that this could be done with"),
            );
            continue;
        }
        match hosts.get(&file.host) {
            Some(host) => order.to(host, &file.id, what(file)),
            None => order
                .refuse(&file.id, "its host is not there any more; its vault opens with the recovery key"),
        }
    }
    Ok(order)
}

fn restoring(access: &Access, target: String, how: &RestoreOne) -> Order {
    let mut order = Order::new(access, "restore", "isolated.restore");
    order.target = target;
    order.asked = format!("released {}, parents {}, restart {}", how.released, how.parents, how.restart);
    order
}

fn restore_command(file: &IsolatedRow, how: &RestoreOne) -> command::Verb {
    command::Verb::Restore(v1::RestoreCommand {
        id: file.id.clone(),
        released: how.released,
        parents: how.parents,
        restart: how.restart,
    })
}

async fn restore(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(how): Json<RestoreOne>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let file = within(&api, &access, &id).await?;
    let order = restoring(&access, format!("isolated_file {id}"), &how);
    give(&api, &access, order, &[file], |f| restore_command(f, &how)).await
}

async fn restore_batch(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<RestoreBatch>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let how = RestoreOne { released: ask.released, parents: ask.parents, restart: ask.restart };
    let (files, target) = match &ask.sha256 {
        Some(_) if !ask.files.is_empty() => {
            return Err(Problem::invalid("files and sha256: one or the other"));
        }
        Some(digest) => {
            let states: Vec<String> = RESTORABLE.iter().map(|s| (*s).to_owned()).collect();
            let files = api.store.isolated_by_hash(&access.scope, &sha256(digest)?, &states).await?;
            (files, format!("isolated files with the content {digest}"))
        }
        None => {
            let files = several(&api, &access, &ask.files).await?;
            (files, format!("isolated_files {}", ask.files.join(" ")))
        }
    };
    let order = restoring(&access, target, &how);
    give(&api, &access, order, &files, |f| restore_command(f, &how)).await
}

fn delete_command(file: &IsolatedRow) -> command::Verb {
    command::Verb::Delete(v1::IsolatedDelete { id: file.id.clone() })
}

fn deleting(access: &Access, ids: &[String]) -> Order {
    let mut order = Order::new(access, "delete", "isolated.delete");
    order.target = match ids {
        [one] => format!("isolated_file {one}"),
        many => format!("isolated_files {}", many.join(" ")),
    };
    order
}

/// The order to delete files by their ids; those that are gone are refused.
pub(crate) async fn prepare_delete(api: &Api, access: &Access, ids: &[String]) -> Result<Order, Problem> {
    let mut order = deleting(access, ids);
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        match api.store.isolated(id).await {
            Ok(file) if access.covers(&file.project) => files.push(file),
            Ok(_) | Err(StoreError::NotFound(_)) => order.refuse(id, "it is not there any more"),
            Err(e) => return Err(e.into()),
        }
    }
    put_together(api, access, order, &files, delete_command).await
}

async fn delete_files(
    api: &Api,
    access: &Access,
    files: Vec<IsolatedRow>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let ids: Vec<String> = files.iter().map(|f| f.id.clone()).collect();
    if let Some(projects) = request::deletion_waits(api, &files).await? {
        let waits = Request::DeleteIsolated { files: ids };
        let address = request::wait(api, access, projects, &waits).await?;
        return Ok(Accepted(Json(Ordered::waiting(address))));
    }
    give(api, access, deleting(access, &ids), &files, delete_command).await
}

async fn delete(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let file = within(&api, &access, &id).await?;
    delete_files(&api, &access, vec![file]).await
}

async fn delete_batch(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<DeleteBatch>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let files = several(&api, &access, &ask.files).await?;
    delete_files(&api, &access, files).await
}

async fn verify(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let file = within(&api, &access, &id).await?;
    let mut order = Order::new(&access, "verify", "isolated.verify");
    order.target = format!("isolated_file {id}");
    give(&api, &access, order, &[file], |f| command::Verb::Verify(v1::IsolatedVerify { id: f.id.clone() }))
        .await
}
