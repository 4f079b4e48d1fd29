// SPDX-License-Identifier: Apache-2.0
//! Events as a file, and the file that an event is about.

use super::filter::{self, Wanted};
use crate::ask::{MOST, Offset};
use crate::call::{Answer, Call, Reply};
use crate::error::HssError;
use crate::page;
use crate::project;
use crate::rest::{self, Query, part};
use crate::words::{self, at, ms, text};
use axum::http::header::CONTENT_LENGTH;
use serde_json::{Value, json};

/// Events of one export.
const MOST_ROWS: u64 = 1_000_000;
/// Nobody's id: an export of nothing.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// Projects that are looked through for a file.
const MOST_PROJECTS: usize = 200;

/// `export_event_request`: begins to write events as CSV.
pub(crate) async fn export_event_request(call: &Call) -> Answer {
    let ask = &call.ask;
    // A file has no pages: what they say of one has no effect.
    ask.between("offset", 0..=i64::MAX)?;
    ask.between("limit", 0..=i64::MAX)?;
    let size = ask.between("export_size", 1..=i64::MAX)?.map_or(MOST_ROWS, i64::unsigned_abs).min(MOST_ROWS);
    let (query, total) = match filter::alarms(call).await? {
        Some(wanted) => exported(call, wanted, size).await?,
        None => (only(call, &[]), 0),
    };
    let export = call.rest.post_nothing(&rest::with("/alarms/export", &query)).await?;
    Ok(json!({ "record_total_num": total.min(size), "task_id": at(&export, "id") }).into())
}

/// The query for the API's export, and how many there are. What that does not know it can be asked for when it makes no
/// difference, or when what is left can be named one by one.
async fn exported(call: &Call, wanted: Wanted, size: u64) -> Result<(Query, u64), HssError> {
    let counts = call.rest.get("/alarms/statistics", &wanted.query).await?;
    let all = at(&counts, "total").as_u64().unwrap_or(0);
    if !wanted.is_plain() {
        let few = MOST as u64;
        let listed = wanted.page(call, Offset { offset: 0, limit: few.min(size) }).await?;
        if listed.total < all && listed.total.min(size) <= few {
            let ids: Vec<&str> = listed.items.iter().map(|a| text(a, "id")).collect();
            return Ok((only(call, &ids), listed.total));
        }
        if listed.total < all {
            return Err(HssError::invalid(format!(
                "container_name, event_name, private_ip and public_ip: these choose {} of {all} events, and an export takes \
                 100 of them at most; export without them, or narrow it by category, event_type, host_id or time",
                listed.total
            )));
        }
    }
    let mut query = wanted.query;
    if size < all {
        let last = page::page(&call.rest, "/alarms", &query, Offset { offset: size - 1, limit: 1 }).await?;
        if let Some(last) = last.items.first() {
            since(&mut query, text(last, "last"));
        }
    }
    Ok((query, all))
}

/// From this moment on: the newest of them, and what happened in the same millisecond.
fn since(query: &mut Query, moment: &str) {
    query.retain(|(name, _)| *name != "since");
    query.push(("since", moment.to_owned()));
}

/// These and no others.
fn only(call: &Call, ids: &[&str]) -> Query {
    let mut query = call.scoped();
    query.push(("ids", if ids.is_empty() { NOBODY.to_owned() } else { ids.join(",") }));
    query
}

/// `show_export_task`: how an export stands.
pub(crate) async fn show_export_task(call: &Call) -> Answer {
    let id = call.ask.part("task_id");
    if id.is_empty() || id.chars().count() > 64 {
        return Err(HssError::invalid("task_id: 1 to 64 characters"));
    }
    let export = call.rest.get(&format!("/exports/{}", part(id)), &[]).await?;
    Ok(task(&export, &call.rest.inside().public()).into())
}

fn task(export: &Value, public: &str) -> Value {
    let id = text(export, "id");
    let status = match text(export, "state") {
        "done" => "success",
        "running" => "running",
        _ => "failure",
    };
    let done = status == "success";
    json!({
        "task_id": id,
        "task_name": "alarms",
        "task_status": status,
        "file_id": done.then_some(id),
        "file_name": done.then(|| format!("alarms-{id}.csv")),
        // For the same token, as Authorization: Bearer.
        "lazaret_download": at(export, "download").as_str().map(|path| format!("{public}{path}")),
        "lazaret_rows": at(export, "rows"),
        "lazaret_reason": at(export, "reason"),
        "lazaret_kept_until": ms(at(export, "kept_until")),
    })
}

/// `download_event_source_file`: the file with this content, in an archive that opens with its hash as the password.
pub(crate) async fn download_event_source_file(call: &Call) -> Answer {
    let hash = call.ask.short("file_hash", 255)?.ok_or_else(|| {
        HssError::invalid("file_hash: is missing: the SHA-256 of the file, as events have it")
    })?;
    let digest = words::sha256(hash).ok_or_else(|| HssError::missing("file", hash))?;
    let projects = project::asked(call).await?;
    let more = projects.len().saturating_sub(MOST_PROJECTS);
    for project in projects.into_iter().take(MOST_PROJECTS) {
        let path = rest::with(&format!("/samples/{digest}/download"), &[("project", project)]);
        match call.rest.post_for_file(&path, &json!({ "password": digest })).await {
            Ok((headers, body)) => {
                let length = headers.get(CONTENT_LENGTH).cloned();
                let (name, media) = (format!("{digest}.age"), "application/octet-stream".to_owned());
                return Ok(Reply::File { name, media, length, body });
            }
            Err(e) if e.is_missing() => {}
            Err(e) => return Err(e),
        }
    }
    if more > 0 {
        return Err(HssError::invalid(format!(
            "enterprise_project_id: {MOST_PROJECTS} projects do not have the file, and {more} more were not looked at: name \
             its project"
        )));
    }
    Err(HssError::missing("file", hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn how_an_export_stands() {
        let done = json!({ "id": "e", "state": "done", "rows": 7, "download": "/api/v1/exports/e/file",
            "kept_until": "2026-01-01T00:00:00.000Z", "reason": null });
        assert_eq!(
            without_nulls(task(&done, "https://lazaret.example:8443")),
            json!({ "task_id": "e", "task_name": "alarms", "task_status": "success", "file_id": "e",
                "file_name": "alarms-e.csv", "lazaret_rows": 7, "lazaret_kept_until": 1_767_225_600_000_i64,
                "lazaret_download": "https://lazaret.example:8443/api/v1/exports/e/file" })
        );
        let failed = without_nulls(task(&json!({ "id": "e", "state": "failed", "reason": "full" }), "x"));
        assert_eq!((text(&failed, "task_status"), text(&failed, "lazaret_reason")), ("failure", "full"));
        assert!(at(&failed, "file_id").is_null() && at(&failed, "lazaret_download").is_null());
    }

    #[test]
    fn the_newest_of_them() {
        let mut query = vec![("project", "0".to_owned()), ("since", "a".to_owned())];
        since(&mut query, "b");
        assert_eq!(query, [("project", "0".to_owned()), ("since", "b".to_owned())]);
    }
}
