// SPDX-License-Identifier: Apache-2.0
//! The switches of a project: isolate and kill, cloud scan, high detection.

use super::approvals::request::{self, Request};
use super::extract::{Accepted, Json, Path, Query};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::projects;
use super::record::Record;
use super::replay::{self, Concerned, Replay};
use super::route::{Routes, get, post, put};
use super::state::Api;
use crate::scans::cloud::{self, Baseline};
use crate::time;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lazaret_store::SwitchRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// *Isolate and Kill Malicious Programs*.
pub(crate) const ISOLATE_AND_KILL: &str = "isolate_and_kill";
/// *Malware Cloud Scan*: what leaves hosts is a matter of the project's consent beside it (api/cloud).
pub(crate) const CLOUD_SCAN: &str = "malware_cloud_scan";
/// High detection mode.
pub(crate) const HIGH_DETECTION: &str = "malware_sample_high_detect";
/// All of them.
pub(crate) const NAMES: [&str; 3] = [ISOLATE_AND_KILL, CLOUD_SCAN, HIGH_DETECTION];

/// A switch of a project.
#[derive(Debug, Serialize, ToSchema)]
struct Switch {
    project: String,
    name: String,
    on: bool,
    /// Absent when nobody has set it.
    set_by: Option<String>,
    #[schema(format = DateTime)]
    set_at: Option<String>,
    /// Of *Malware Cloud Scan*, when it was switched on by this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<BaselineScan>,
}

/// The quick scan of all hosts of the project; `GET /scan-tasks/{id}` follows it, `POST
/// /scan-tasks/{id}/cancel` ends it.
#[derive(Debug, Serialize, ToSchema)]
struct BaselineScan {
    #[schema(format = Uuid)]
    task: String,
    /// By this request; else it runs already, and no second one was begun.
    begun: bool,
}

/// All switches of a project.
#[derive(Serialize, ToSchema)]
struct Switches {
    items: Vec<Switch>,
}

/// Which project; `0` unless said otherwise.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct SwitchQuery {
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
}

/// On or off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SwitchChange {
    #[serde(default = "default_project")]
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    on: bool,
}

/// Switches that are to be tried on the past; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SwitchReplay {
    #[serde(default = "default_project")]
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    #[serde(default)]
    isolate_and_kill: Option<bool>,
    #[serde(default)]
    malware_sample_high_detect: Option<bool>,
}

/// Nothing is done yet: a second person must approve it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waiting {
    /// Where.
    pub(crate) approval: String,
}

/// As HSS has it.
fn default_project() -> String {
    lazaret_store::DEFAULT_PROJECT.to_owned()
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/switches", "listSwitches", "The switches of a project")
            .query::<SwitchQuery>()
            .answers::<Switches>(200)
            .problem(404),
        list,
    );
    r.add(
        Permission::Administer,
        put("/switches/{switch}", "setSwitch", "Set a switch")
            .describe("`isolate_and_kill` off means alarms only: nothing is refused, isolated or killed by itself. `malware_cloud_scan` on begins a quick scan of all hosts of the project, spread over ten minutes, unless one runs; what leaves the hosts is said apart (`PUT /projects/{project}/cloud-scan`).")
            .body::<SwitchChange>()
            .answers::<Switch>(200)
            .answers::<Waiting>(202),
        set,
    );
    r.add(
        Permission::View,
        post("/switches/replay", "replaySwitches", "What switches would have changed in the last 30 days")
            .describe("Changes nothing. Judges the kept verdicts of the project's hosts again whose group has no policy group.")
            .body::<SwitchReplay>()
            .answers::<Replay>(200)
            .problem(404),
        try_out,
    );
}

fn view(row: &SwitchRow) -> Switch {
    Switch {
        project: row.project.clone(),
        name: row.name.clone(),
        on: row.on,
        set_by: crate::json::some(&row.who),
        set_at: time::some_rfc3339(row.at_ms),
        scan: None,
    }
}

/// What a switch that is on now begins.
pub(super) async fn begins(api: &Api, access: &Access, row: &SwitchRow) -> Result<Option<Baseline>, Problem> {
    if row.name != CLOUD_SCAN || !row.on {
        return Ok(None);
    }
    let record = Record::new(access, &row.project, "scan.start", "scan of malware_cloud_scan");
    Ok(Some(cloud::begin(&record.on(api), &row.project, access.who(), row.at_ms).await?))
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<SwitchQuery>,
) -> Result<Json<Switches>, Problem> {
    let project = q.project.unwrap_or_else(default_project);
    projects::within(&api, &access, &project).await?;
    let mut items = Vec::with_capacity(NAMES.len());
    for name in NAMES {
        items.push(view(&api.store.switch(&project, name).await?));
    }
    Ok(Json(Switches { items }))
}

async fn set(
    State(api): State<Api>,
    access: Access,
    Path(name): Path<String>,
    Json(ask): Json<SwitchChange>,
) -> Result<Response, Problem> {
    if !NAMES.contains(&name.as_str()) {
        return Err(Problem::no("switch", &name));
    }
    projects::within(&api, &access, &ask.project).await?;
    if request::two_person(&api, &ask.project).await? {
        let waits = Request::Switch { project: ask.project.clone(), name, on: ask.on };
        let address = request::wait(&api, &access, [ask.project].into(), &waits).await?;
        return Ok(Accepted(Json(Waiting { approval: address })).into_response());
    }
    let row = SwitchRow {
        project: ask.project,
        name: name.clone(),
        on: ask.on,
        who: access.who().to_owned(),
        at_ms: time::now_ms(),
    };
    let before = api.store.switch(&row.project, &name).await?;
    let mut shown = view(&row);
    Record::new(&access, &row.project, "switch.set", format!("switch {name}"))
        .before(&view(&before))
        .after(&shown)
        .on(&api)
        .set_switch(&row)
        .await?;
    let scan = begins(&api, &access, &row).await?;
    shown.scan = scan.map(|s| BaselineScan { task: s.task, begun: s.begun });
    Ok(Json(shown).into_response())
}

async fn try_out(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<SwitchReplay>,
) -> Result<Json<Replay>, Problem> {
    projects::within(&api, &access, &ask.project).await?;
    let changed: Vec<(String, bool)> =
        [(ISOLATE_AND_KILL, ask.isolate_and_kill), (HIGH_DETECTION, ask.malware_sample_high_detect)]
            .into_iter()
            .filter_map(|(name, on)| Some((name.to_owned(), on?)))
            .collect();
    let policy = replay::proposed(&api, &ask.project, None, &changed).await?;
    let concerned = Concerned { project: ask.project, policy_group: None };
    Ok(Json(replay::run(&api, &concerned, &policy).await?))
}
