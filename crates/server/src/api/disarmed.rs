// SPDX-License-Identifier: Apache-2.0
//! Rules that the hosts of a project only alarm by: listed, disarmed, armed again.

use super::extract::{Created, Json, Path, Query};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::projects;
use super::record::Record;
use super::route::{Routes, delete, get, post};
use super::state::Api;
use crate::time;
use axum::extract::State;
use lazaret_store::{DEFAULT_PROJECT, DisarmedRow, Scope, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A rule that only alarms.
#[derive(Debug, Serialize, ToSchema)]
struct DisarmedRule {
    project: String,
    rule: String,
    reason: String,
    disarmed_by: String,
    #[schema(format = DateTime)]
    disarmed_at: String,
    /// The false positive because of which it is.
    #[schema(format = Uuid)]
    alarm: Option<String>,
}

/// All of them.
#[derive(Serialize, ToSchema)]
struct DisarmedRules {
    items: Vec<DisarmedRule>,
}

/// Which project; all that the caller may see unless said otherwise.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct DisarmedQuery {
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
}

/// Which project; `0` unless said otherwise.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RearmQuery {
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
}

/// What is to be disarmed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Disarm {
    #[serde(default = "default_project")]
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    /// As alarms name it in their evidence.
    #[schema(min_length = 1, max_length = 256)]
    rule: String,
    #[serde(default)]
    #[schema(max_length = 512)]
    reason: String,
}

fn default_project() -> String {
    DEFAULT_PROJECT.to_owned()
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/disarmed-rules", "listDisarmedRules", "Rules that only alarm")
            .query::<DisarmedQuery>()
            .answers::<DisarmedRules>(200)
            .problem(404),
        list,
    );
    r.add(
        Permission::Administer,
        post("/disarmed-rules", "disarmRule", "Let a rule only alarm, on every host of a project")
            .describe(
                "Also on hosts that are away or enrol later. A rule that is disarmed already stays as it is.",
            )
            .body::<Disarm>()
            .answers::<DisarmedRule>(201)
            .problem(404)
            .problem(409),
        disarm,
    );
    r.add(
        Permission::Administer,
        delete("/disarmed-rules/{rule}", "rearmRule", "Let a rule act again")
            .describe(
                "A rule that the circuit breaker of a host stopped stays so on that host: see `lazaret rules rearm`.",
            )
            .query::<RearmQuery>()
            .answers::<DisarmedRule>(200)
            .problem(422),
        rearm,
    );
}

fn view(row: &DisarmedRow) -> DisarmedRule {
    DisarmedRule {
        project: row.project.clone(),
        rule: row.rule.clone(),
        reason: row.reason.clone(),
        disarmed_by: row.who.clone(),
        disarmed_at: time::rfc3339(row.at_ms),
        alarm: crate::json::some(&row.alarm),
    }
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<DisarmedQuery>,
) -> Result<Json<DisarmedRules>, Problem> {
    let scope = match q.project {
        Some(project) => Scope::Projects(vec![projects::within(&api, &access, &project).await?.id]),
        None => access.scope.clone(),
    };
    let rows = api.store.disarmed_rules(&scope).await?;
    Ok(Json(DisarmedRules { items: rows.iter().map(view).collect() }))
}

/// As hosts take it.
fn check_rule(rule: &str) -> Result<(), Problem> {
    if rule.is_empty() || rule.chars().count() > 256 || rule.chars().any(char::is_control) {
        return Err(Problem::invalid("rule: 1 to 256 characters, none of them a control character"));
    }
    Ok(())
}

async fn disarm(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Disarm>,
) -> Result<Created<Json<DisarmedRule>>, Problem> {
    check_rule(&ask.rule)?;
    projects::check_text("reason", &ask.reason, 512)?;
    projects::within(&api, &access, &ask.project).await?;
    let row = DisarmedRow {
        project: ask.project,
        rule: ask.rule,
        reason: ask.reason,
        who: access.who().to_owned(),
        at_ms: time::now_ms(),
        alarm: String::new(),
    };
    let shown = view(&row);
    let record = Record::new(&access, &row.project, "rule.disarm", format!("rule {}", row.rule));
    if !record.after(&shown).on(&api).disarm_rule(&row).await? {
        let text =
            format!("the rule \"{}\" is disarmed in this project already", super::problem::shown(&row.rule));
        return Err(Problem::conflict(text));
    }
    Ok(Created(Json(shown)))
}

async fn rearm(
    State(api): State<Api>,
    access: Access,
    Path(rule): Path<String>,
    Query(q): Query<RearmQuery>,
) -> Result<Json<DisarmedRule>, Problem> {
    let project = q.project.unwrap_or_else(default_project);
    projects::within(&api, &access, &project).await?;
    let row = match api.store.rearm_rule(&project, &rule).await {
        Err(StoreError::NotFound(_)) => return Err(Problem::no("disarmed rule", &rule)),
        other => other?,
    };
    let shown = view(&row);
    Record::new(&access, &project, "rule.rearm", format!("rule {rule}")).before(&shown).write(&api).await?;
    Ok(Json(shown))
}
