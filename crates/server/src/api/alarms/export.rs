// SPDX-License-Identifier: Apache-2.0
//! Alarms as CSV: asked for, written while nobody waits, fetched.

use super::filter::AlarmQuery;
use super::{hosts_of, view};
use crate::api::exports::{self, Export, KEPT_MS, cell};
use crate::api::extract::{Accepted, Json, Path, Query};
use crate::api::gate::Access;
use crate::api::permission::Permission;
use crate::api::problem::{Kind, Problem};
use crate::api::record::Record;
use crate::api::route::{Routes, get, post};
use crate::api::state::Api;
use crate::json::{hex, lossy};
use crate::time;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use lazaret_store::{AlarmFilter, AlarmRow, Cursor, HostRow};
use serde::Serialize;
use std::collections::HashMap;
use tokio::io::AsyncReadExt as _;
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

fn shown(e: &Export) -> ExportView {
    let (state, reason) = match &e.state {
        exports::State::Running => ("running", None),
        exports::State::Done => ("done", None),
        exports::State::Failed(why) => ("failed", Some(why.clone())),
    };
    ExportView {
        id: e.id.clone(),
        state,
        rows: e.rows,
        reason,
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
    let export = Export {
        id: Uuid::now_v7().to_string(),
        user: access.caller.user.id.clone(),
        created_ms: time::now_ms(),
        rows: 0,
        state: exports::State::Running,
    };
    api.exports.begin(export.clone())?;
    Record::new(&access, "", "alarm.export", format!("export {}", export.id)).write(&api).await?;
    let answer = shown(&export);
    tokio::spawn(async move {
        let id = export.id;
        let ended = match write(&api, &access, &filter, &id).await {
            Ok(()) => exports::State::Done,
            Err(why) => exports::State::Failed(why),
        };
        api.exports.update(&id, |e| e.state = ended);
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
    let path = api.exports.path(id);
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .await
        .map_err(|e| format!("the file cannot be made: {e}"))?;
    let mut cursor = Cursor { after: None, limit: PAGE };
    let mut rows = 0;
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
        let bytes = csv.into_inner().map_err(|e| format!("a row cannot be written: {e}"))?;
        tokio::io::AsyncWriteExt::write_all(&mut file, &bytes)
            .await
            .map_err(|e| format!("the file cannot be written: {e}"))?;
        api.exports.update(id, |e| e.rows = rows);
        match page.next {
            Some(next) if rows < MOST => cursor.after = Some(next),
            _ => break,
        }
    }
    tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(|e| format!("the file cannot be written: {e}"))
}

fn own(api: &Api, access: &Access, id: &str) -> Result<Export, Problem> {
    let found = api.exports.get(id).filter(|e| e.user == access.caller.user.id);
    found.ok_or_else(|| Problem::no("export", id))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<ExportView>, Problem> {
    Ok(Json(shown(&own(&api, &access, &id)?)))
}

async fn download(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let export = own(&api, &access, &id)?;
    if export.state != exports::State::Done {
        return Err(Problem::conflict("the export is not done"));
    }
    let file = tokio::fs::File::open(api.exports.path(&export.id)).await.map_err(|e| {
        crate::log::line(&format!("api: the export {}: {e}", export.id));
        Problem::new(Kind::Internal, "the file cannot be read; export anew")
    })?;
    let body = futures_util::stream::try_unfold(file, |mut file| async move {
        let mut part = vec![0; 64 << 10];
        let n = file.read(&mut part).await?;
        part.truncate(n);
        Ok::<_, std::io::Error>((n > 0).then_some((part, file)))
    });
    let name = format!("attachment; filename=\"alarms-{}.csv\"", export.id);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(body)).into_response())
}
