// SPDX-License-Identifier: Apache-2.0
//! Samples: listed, held, deleted. Their bytes leave by `download.rs` alone.

use super::{Of, Place, project_or_default};
use crate::api::alarms::hosts_of;
use crate::api::alarms::view::HostBrief;
use crate::api::extract::{Json, Path, Query};
use crate::api::gate::Access;
use crate::api::page::{PageOf, cursor};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::projects::{self, check_text};
use crate::api::record::Record;
use crate::api::route::{Routes, delete, get, put};
use crate::api::state::Api;
use crate::api::words::{List, SampleState};
use crate::json::{hex, some};
use crate::time;
use axum::extract::State;
use lazaret_store::{HostRow, SampleRow, SamplesQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Kept whatever its age.
#[derive(Debug, Serialize, ToSchema)]
struct SampleHold {
    by: String,
    reason: String,
    #[schema(format = DateTime)]
    since: String,
}

/// A file that a host has sent, or sends.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sample {
    project: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    size: i64,
    /// `executable`, `script`.
    kind: String,
    /// Who sends or sent it.
    host: HostBrief,
    /// `receiving`, `stored`, `failed` (it came wrong, and may come again), `deleting`, `deleted`.
    state: String,
    /// Bytes that have come.
    have: i64,
    /// Of the last failure.
    reason: String,
    #[schema(format = DateTime)]
    began_at: String,
    #[schema(format = DateTime)]
    stored_at: Option<String>,
    /// Null: until somebody deletes it.
    #[schema(format = DateTime)]
    kept_until: Option<String>,
    hold: Option<SampleHold>,
    /// Null of a deleted one: its time was over.
    deleted_by: Option<String>,
    deleted_reason: Option<String>,
    #[schema(format = DateTime)]
    deleted_at: Option<String>,
}

/// Filters of samples.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct SampleQuery {
    /// Of which project; `0` unless said otherwise.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<SampleState>>, style = Form, explode = false)]
    state: Option<List<SampleState>>,
    /// Sent by this host.
    #[param(format = Uuid)]
    host: Option<String>,
    /// Under legal hold, or not.
    held: Option<bool>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Legal hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldChange {
    held: bool,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 512)]
    reason: String,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/samples", "listSamples", "Files that hosts have sent for the deep scan, newest first")
            .query::<SampleQuery>()
            .page::<Sample>()
            .problem(404),
        list,
    );
    r.add(
        Permission::Administer,
        put("/samples/{sha256}/hold", "holdSample", "Keep a sample whatever its age, or end that")
            .describe("While it is held nobody deletes it, and its age does not.")
            .query::<super::OfProject>()
            .body::<HoldChange>()
            .answers::<Sample>(200)
            .problem(409),
        hold,
    );
    r.add(
        Permission::Administer,
        delete(
            "/samples/{sha256}",
            "deleteSample",
            "Delete a sample for good; what is known of its content stays",
        )
        .describe("`deleting`: the store does not answer; it is deleted when it does.")
        .query::<super::OfProject>()
        .answers::<Sample>(200)
        .problem(409),
        remove,
    );
}

pub(super) fn view(s: &SampleRow, host: Option<&HostRow>) -> Sample {
    let gone = s.state == "deleted" || s.state == "deleting";
    Sample {
        project: s.project.clone(),
        sha256: hex(&s.sha256).unwrap_or_default(),
        size: s.size,
        kind: s.kind.clone(),
        host: HostBrief::of(&s.host, host),
        state: s.state.clone(),
        have: s.have,
        reason: s.reason.clone(),
        began_at: time::rfc3339(s.began_ms),
        stored_at: time::some_rfc3339(s.stored_ms),
        kept_until: if gone { None } else { time::some_rfc3339(s.expires_ms) },
        hold: s.hold.then(|| SampleHold {
            by: s.hold_by.clone(),
            reason: s.hold_why.clone(),
            since: time::rfc3339(s.hold_ms),
        }),
        deleted_by: some(&s.deleted_by),
        deleted_reason: some(&s.deleted_why),
        deleted_at: time::some_rfc3339(s.deleted_ms),
    }
}

/// With the host that sent it.
pub(super) async fn shown(api: &Api, access: &Access, row: &SampleRow) -> Result<Sample, Problem> {
    let hosts = hosts_of(api, access, std::iter::once(row.host.as_str())).await?;
    Ok(view(row, hosts.get(&row.host)))
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<SampleQuery>,
) -> Result<Json<PageOf<Sample>>, Problem> {
    let asked = SamplesQuery {
        project: projects::within(&api, &access, &project_or_default(q.project)).await?.id,
        states: q.state.unwrap_or_default().0.iter().map(|s| s.word().to_owned()).collect(),
        host: q.host.unwrap_or_default(),
        hold: q.held,
        page: cursor(q.after, q.limit)?,
    };
    let page = api.store.samples(&asked).await?;
    let hosts = hosts_of(&api, &access, page.items.iter().map(|s| s.host.as_str())).await?;
    Ok(Json(PageOf::of(page, |s| view(&s, hosts.get(&s.host)))))
}

async fn hold(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
    Json(ask): Json<HoldChange>,
) -> Result<Json<Sample>, Problem> {
    check_text("reason", &ask.reason, 512)?;
    let at = of.place(&api, &access, &digest, "sample").await?;
    let before = at.sample(&api).await?;
    if ask.held && ask.reason.trim().is_empty() {
        return Err(Problem::invalid("reason: say why it is held"));
    }
    let now_ms = time::now_ms();
    let after = SampleRow {
        hold: ask.held,
        hold_by: access.who().to_owned(),
        hold_why: ask.reason,
        hold_ms: now_ms,
        ..before.clone()
    };
    let verb = if ask.held { "sample.hold" } else { "sample.release" };
    let store = record(&access, &at, verb).before(&view(&before, None)).after(&view(&after, None)).on(&api);
    let row =
        store.hold_sample(&at.project, &at.sha256, ask.held, access.who(), &after.hold_why, now_ms).await?;
    Ok(Json(shown(&api, &access, &row).await?))
}

pub(super) fn record(access: &Access, at: &Place, verb: &str) -> Record {
    Record::new(access, &at.project, verb, format!("sample {}", at.digest))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
) -> Result<Json<Sample>, Problem> {
    let at = of.place(&api, &access, &digest, "sample").await?;
    let before = at.sample(&api).await?;
    let store = record(&access, &at, "sample.delete").before(&view(&before, None)).on(&api);
    let row = store.delete_sample(&at.project, &at.sha256, access.who(), "", time::now_ms()).await?;
    if row.state == "deleting" {
        match api.samples.delete(&at.project, &at.sha256).await {
            Ok(()) => api.store.sample_deleted(&at.project, &at.sha256, time::now_ms()).await?,
            // The worker tries again: it is on its way, and nobody gets it any more.
            Err(e) => crate::log::line(&format!("api: the sample {digest} is not deleted yet: {e}")),
        }
    }
    let row = at.sample(&api).await?;
    Ok(Json(shown(&api, &access, &row).await?))
}
