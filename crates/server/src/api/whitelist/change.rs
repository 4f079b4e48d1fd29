// SPDX-License-Identifier: Apache-2.0
//! Changing and removing entries.

use super::add::end;
use super::view::{WhitelistEntry, shown, tag};
use super::within;
use crate::api::extract::{Json, Path, Query, Tagged};
use crate::api::gate::Access;
use crate::api::problem::{Kind, Problem};
use crate::api::projects::check_text;
use crate::api::record::Record;
use crate::api::state::Api;
use crate::api::words::Class;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use lazaret_store::WhitelistRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Entries of one deletion.
const BATCH: usize = 100;

/// What can be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryChange {
    #[schema(min_length = 1, max_length = 512)]
    description: String,
    #[schema(min_length = 1, max_length = 64)]
    owner: String,
    #[serde(default)]
    class: Option<Class>,
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Several entries.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    #[schema(min_items = 1, max_items = 100)]
    entries: Vec<String>,
    /// Bring the alarms back that they suppressed.
    #[serde(default)]
    restore_alarm: bool,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
pub(super) struct Removed {
    entries: u64,
    /// Alarms that are listed again.
    alarms: u64,
}

/// What becomes of its alarms.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct RemovalQuery {
    /// Bring the alarms back that it suppressed.
    restore_alarm: Option<bool>,
}

pub(super) async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(ask): Json<EntryChange>,
) -> Result<Tagged<WhitelistEntry>, Problem> {
    let Some(seen) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(Kind::PreconditionRequired, "send If-Match with the ETag of what you read"));
    };
    let before = within(&api, &access, &id).await?;
    if seen.to_str().unwrap_or_default().trim() != format!("\"{}\"", tag(&before)) {
        return Err(Problem::new(Kind::Stale, "somebody changed it since it was read; read it again"));
    }
    if ask.description.trim().is_empty() || ask.owner.trim().is_empty() {
        return Err(Problem::invalid("description and owner: say why, and who answers for it"));
    }
    check_text("description", &ask.description, 512)?;
    check_text("owner", &ask.owner, 64)?;
    let after = WhitelistRow {
        description: ask.description,
        owner: ask.owner,
        class: ask.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        expires_ms: end(ask.expires_at.as_deref())?,
        ..before.clone()
    };
    if after.judge.starts_with("not_") && after.class.is_empty() {
        return Err(Problem::invalid(
            "class: an entry that holds for everything but its value must be limited to one",
        ));
    }
    let entry = shown(&after);
    Record::new(&access, &before.project, "whitelist.update", format!("whitelist {id}"))
        .before(&shown(&before))
        .after(&entry)
        .on(&api)
        .update_whitelist(&after)
        .await?;
    Ok(Tagged(tag(&after), entry))
}

pub(super) async fn take_out(
    api: &Api,
    access: &Access,
    rows: Vec<WhitelistRow>,
    restore_alarm: bool,
) -> Result<Json<Removed>, Problem> {
    let mut alarms = 0;
    if restore_alarm {
        for row in &rows {
            alarms += api.store.unsuppress(&row.id).await?;
        }
    }
    let ids: Vec<String> = rows.iter().map(|r| r.id.clone()).collect();
    let records = rows.iter().map(|row| {
        let target = format!("whitelist {}", row.id);
        Record::new(access, &row.project, "whitelist.remove", target).before(&shown(row)).row()
    });
    let entries = api.store.audited(records.collect()).remove_whitelist(&ids).await?;
    Ok(Json(Removed { entries, alarms }))
}

pub(super) async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<RemovalQuery>,
) -> Result<Json<Removed>, Problem> {
    let row = within(&api, &access, &id).await?;
    take_out(&api, &access, vec![row], q.restore_alarm.unwrap_or(false)).await
}

pub(super) async fn remove_several(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Removal>,
) -> Result<Json<Removed>, Problem> {
    if !(1..=BATCH).contains(&ask.entries.len()) {
        return Err(Problem::invalid(format!("entries: 1 to {BATCH}, not {}", ask.entries.len())));
    }
    let mut rows = Vec::with_capacity(ask.entries.len());
    for id in &ask.entries {
        rows.push(within(&api, &access, id).await?);
    }
    take_out(&api, &access, rows, ask.restore_alarm).await
}
