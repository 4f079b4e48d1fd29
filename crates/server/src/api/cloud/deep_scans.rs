// SPDX-License-Identifier: Apache-2.0
//! Deep scans of samples: what waits, runs, is done, and what was set aside.

use super::project_or_default;
use super::view::{self, DeepScan};
use crate::api::extract::{Json, Query};
use crate::api::gate::Access;
use crate::api::page::{PageOf, cursor};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::projects;
use crate::api::route::{Routes, get};
use crate::api::state::Api;
use crate::api::words::{DeepScanState, List};
use axum::extract::State;
use lazaret_store::DeepScansQuery;
use serde::Deserialize;
use utoipa::IntoParams;

/// Filters of deep scans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct DeepScanQuery {
    /// Of which project; `0` unless said otherwise.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<DeepScanState>>, style = Form, explode = false)]
    state: Option<List<DeepScanState>>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/deep-scans", "listDeepScans", "Deep scans of samples, newest first")
            .query::<DeepScanQuery>()
            .page::<DeepScan>()
            .problem(404),
        list,
    );
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<DeepScanQuery>,
) -> Result<Json<PageOf<DeepScan>>, Problem> {
    let asked = DeepScansQuery {
        project: projects::within(&api, &access, &project_or_default(q.project)).await?.id,
        states: q.state.unwrap_or_default().0.iter().map(|s| s.word().to_owned()).collect(),
        page: cursor(q.after, q.limit)?,
        ..DeepScansQuery::default()
    };
    Ok(Json(PageOf::of(api.store.deep_scans(&asked).await?, |s| view::deep_scan(&s))))
}
