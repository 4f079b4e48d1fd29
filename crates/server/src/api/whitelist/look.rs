// SPDX-License-Identifier: Apache-2.0
//! Looking at the whitelist: the list, one entry, what it let through.

use super::view::{WhitelistEntry, shown, tag};
use super::within;
use crate::api::extract::{Json, Path, Query, Tagged};
use crate::api::gate::Access;
use crate::api::page::{PageOf, cursor};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::words::{Class, WhitelistField, WhitelistScope};
use crate::json::{exact, hex, lossy};
use crate::time;
use axum::extract::State;
use lazaret_store::WhitelistFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What an entry let through on a host.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hit {
    host: String,
    #[schema(format = DateTime)]
    at: String,
    count: i64,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
}

/// Filters of entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    #[param(inline)]
    scope: Option<WhitelistScope>,
    #[param(format = Uuid)]
    scope_id: Option<String>,
    #[param(inline)]
    field: Option<WhitelistField>,
    #[param(inline)]
    class: Option<Class>,
    /// Part of value, description or owner.
    #[param(max_length = 200)]
    text: Option<String>,
    #[param(format = Uuid)]
    alarm: Option<String>,
    /// Ended ones only, or living ones only.
    expired: Option<bool>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct HitQuery {
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(super) async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<EntryQuery>,
) -> Result<Json<PageOf<WhitelistEntry>>, Problem> {
    let granted = access.chosen(q.project.as_deref())?;
    let filter = WhitelistFilter {
        scope: q.scope.map(|s| s.word().to_owned()).unwrap_or_default(),
        scope_id: q.scope_id.unwrap_or_default(),
        field: q.field.map(|f| f.word().to_owned()).unwrap_or_default(),
        class: q.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        text: q.text.unwrap_or_default(),
        ids: Vec::new(),
        alarm: q.alarm.unwrap_or_default(),
        expired: q.expired.map(|e| (e, time::now_ms())),
    };
    let page = api.store.whitelist_page(&granted, &filter, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |w| shown(&w))))
}

pub(super) async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<WhitelistEntry>, Problem> {
    let row = within(&api, &access, &id).await?;
    Ok(Tagged(tag(&row), shown(&row)))
}

pub(super) async fn hits(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<HitQuery>,
) -> Result<Json<PageOf<Hit>>, Problem> {
    within(&api, &access, &id).await?;
    let page = api.store.whitelist_hits(&id, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |h| Hit {
        host: h.host,
        at: time::rfc3339(h.at_ms),
        count: h.count,
        path: lossy(&h.path),
        path_b64: exact(&h.path),
        sha256: hex(&h.sha256),
    })))
}
