// SPDX-License-Identifier: Apache-2.0
//! Alarms as CSV: asked for, written while nobody waits, fetched.

use super::filter::AlarmQuery;
use super::{hosts_of, view};
use crate::api::exports::{KEPT_MS, LIMITS, cell};
use crate::api::extract::{Accepted, Json, Path, Query};
use crate::api::gate::Access;
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::record::Record;
use crate::api::route::{Routes, get, post};
use crate::api::state::Api;
use crate::json::{hex, lossy};
use crate::time;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use lazaret_store::{AlarmFilter, AlarmRow, Cursor, EXPORT_PART, ExportRow, HostRow, StoreError};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Rows of one export.
const MOST: u64 = 1_000_000;
/// Rows fetched at a time.
const PAGE: u32 = 1000;

/// How an export stands.
#[derive(Serialize, ToSchema)]
struct ExportView {
    #[schema(format = Uuid)]
    id: String,
    /// `running`, `done`, `failed`.
    state: &'static str,
    rows: u64,
    reason: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Deleted then.
    #[schema(format = DateTime)]
    kept_until: String,
    /// Once it is done.
    download: Option<String>,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        post("/alarms/export", "exportAlarms", "Begin to write alarms as CSV")
            .describe("Takes the filters of the list behind `?`.")
            .query::<AlarmQuery>()
            .answers::<ExportView>(202)
            .problem(409)
            .problem(422),
        begin,
    );
    r.add(
        Permission::View,
        get("/exports/{id}", "getExport", "How an own export stands").answers::<ExportView>(200),
        show,
    );
    r.add(
        Permission::View,
        get("/exports/{id}/file", "downloadExport", "The file of an own export")
            .answers_with(200, "text/csv")
            .problem(409),
        download,
    );
}

fn shown(e: &ExportRow) -> ExportView {
    let state = match e.state.as_str() {
        "done" => "done",
        "running" => "running",
        _ => "failed",
    };
    ExportView {
        id: e.id.clone(),
        state,
        rows: e.rows,
        reason: crate::json::some(&e.reason),
        created_at: time::rfc3339(e.created_ms),
        kept_until: time::rfc3339(e.created_ms + KEPT_MS),
        download: (state == "done").then(|| format!("/api/v1/exports/{}/file", e.id)),
    }
}

async fn begin(
    State(api): State<Api>,
    mut access: Access,
    Query(q): Query<AlarmQuery>,
) -> Result<Accepted<Json<ExportView>>, Problem> {
    access.scope = access.chosen(q.project.as_deref())?;
    let filter = q.filter()?;
    let id = Uuid::now_v7().to_string();
    let export = Record::new(&access, "", "alarm.export", format!("export {id}"))
        .on(&api)
        .begin_export(&id, &access.caller.user.id, &LIMITS, time::now_ms())
        .await?;
    let answer = shown(&export);
    tokio::spawn(async move {
        let failed = write(&api, &access, &filter, &id).await.err();
        if let Err(e) = api.store.end_export(&id, failed.as_deref(), time::now_ms()).await {
            // Another server ends it when nothing comes any more.
            crate::log::line(&format!("api: the export {id} cannot be ended: {e}"));
        }
    });
    Ok(Accepted(Json(answer)))
}

const HEAD: [&str; 24] = [
    "id",
    "project",
    "host_id",
    "host_name",
    "first_seen",
    "last_seen",
    "count",
    "severity",
    "class",
    "rating",
    "confidence",
    "title",
    "path",
    "sha256",
    "cmdline",
    "uid",
    "container",
    "origin",
    "decision",
    "isolated",
    "handled_by",
    "handled_who",
    "handled_at",
    "remark",
];

fn line(a: &AlarmRow, hosts: &HashMap<String, HostRow>) -> Vec<String> {
    let cells: [String; 24] = [
        a.id.clone(),
        a.project.clone(),
        a.host.clone(),
        hosts.get(&a.host).map(|h| h.name.clone()).unwrap_or_default(),
        time::rfc3339(a.at_ms),
        time::rfc3339(a.last_ms),
        a.count.to_string(),
        view::severity(a.severity).to_owned(),
        a.class.clone(),
        a.rating.clone(),
        if a.confidence < 0 { String::new() } else { a.confidence.to_string() },
        a.title.clone(),
        lossy(&a.path),
        hex(&a.sha256).unwrap_or_default(),
        lossy(&a.cmdline).replace('\0', " "),
        if a.uid < 0 { String::new() } else { a.uid.to_string() },
        a.container.clone(),
        a.origin.clone(),
        a.decision.clone(),
        a.isolated.clone(),
        a.handled_by.clone(),
        a.handled_who.clone(),
        time::some_rfc3339(a.handled_ms).unwrap_or_default(),
        a.remark.clone(),
    ];
    cells.iter().map(|c| cell(c)).collect()
}

async fn write(api: &Api, access: &Access, filter: &AlarmFilter, id: &str) -> Result<(), String> {
    let mut cursor = Cursor { after: None, limit: PAGE };
    let mut rows = 0;
    let mut part = Vec::with_capacity(EXPORT_PART);
    let mut head = true;
    loop {
        let page = api.store.alarms_page(&access.scope, filter, &cursor).await.map_err(|e| e.to_string())?;
        let hosts = hosts_of(api, access, page.items.iter().map(|a| a.host.as_str()))
            .await
            .map_err(|p| p.detail().to_owned())?;
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let put = |csv: &mut csv::Writer<Vec<u8>>, record: &[String]| {
            csv.write_record(record).map_err(|e| format!("a row cannot be written: {e}"))
        };
        if std::mem::take(&mut head) {
            put(&mut csv, &HEAD.map(str::to_owned))?;
        }
        for a in &page.items {
            put(&mut csv, &line(a, &hosts))?;
        }
        rows += u64::try_from(page.items.len()).unwrap_or_default();
        part.extend(csv.into_inner().map_err(|e| format!("a row cannot be written: {e}"))?);
        let next = page.next.filter(|_| rows < MOST);
        // Whole parts, and at the end what is left.
        while part.len() >= EXPORT_PART || (next.is_none() && !part.is_empty()) {
            let rest = part.split_off(part.len().min(EXPORT_PART));
            let whole = std::mem::replace(&mut part, rest);
            let added = api.store.add_export_part(id, &whole, rows, &LIMITS, time::now_ms()).await;
            added.map_err(|e| e.to_string())?;
        }
        match next {
            Some(next) => cursor.after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn own(api: &Api, access: &Access, id: &str) -> Result<ExportRow, Problem> {
    match api.store.export(id).await {
        Ok(e) if e.user == access.caller.user.id => Ok(e),
        Ok(_) | Err(StoreError::NotFound(_)) => Err(Problem::no("export", id)),
        Err(e) => Err(e.into()),
    }
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<ExportView>, Problem> {
    Ok(Json(shown(&own(&api, &access, &id).await?)))
}

async fn download(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let export = own(&api, &access, &id).await?;
    if export.state != "done" {
        return Err(Problem::conflict("the export is not done"));
    }
    let name = format!("attachment; filename=\"alarms-{}.csv\"", export.id);
    let body = futures_util::stream::try_unfold((api, export, 0), |(api, export, part)| async move {
        if part >= export.parts {
            return Ok(None);
        }
        let content = api.store.export_part(&export.id, part).await.inspect_err(|e| {
            crate::log::line(&format!("api: the export {}: {e}", export.id));
        })?;
        Ok::<_, StoreError>(Some((content, (api, export, part + 1))))
    });
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}
