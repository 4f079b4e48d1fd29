// SPDX-License-Identifier: Apache-2.0
//! Enrolment tokens: the right of a machine to become a host, and the line that installs the agent.

use super::extract::{Created, Empty, Json, Path};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::projects::{self, check_text};
use super::record::Record;
use super::route::{Routes, delete, get, post};
use super::state::Api;
use crate::init::MOST_TOKEN_HOURS;
use crate::people::secret;
use crate::time;
use axum::extract::State;
use lazaret_store::TokenRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Valid for so long unless said otherwise.
const DEFAULT_HOURS: i64 = 24;

/// A token without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct EnrolmentToken {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    #[schema(format = Uuid)]
    group: Option<String>,
    note: String,
    /// Absent: without limit.
    uses_left: Option<i64>,
    created_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    expired: bool,
}

/// Those of the projects that the caller may see.
#[derive(Serialize, ToSchema)]
struct EnrolmentTokens {
    items: Vec<EnrolmentToken>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEnrolmentToken {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    /// New hosts go into it.
    #[serde(default)]
    #[schema(format = Uuid)]
    group: Option<String>,
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
    /// 24 unless said otherwise.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 2160)]
    valid_hours: Option<i64>,
    /// Absent: without limit.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000)]
    uses: Option<i64>,
}

/// The secret is shown this once.
#[derive(Serialize, ToSchema)]
struct EnrolmentTokenSecret {
    enrolment_token: EnrolmentToken,
    token: String,
    /// SHA-256 of the authority's certificate: by it the agent knows the server.
    ca_fingerprint: String,
    server: String,
    /// For a shell of root on the new host.
    install: String,
    /// For an agent that is installed already.
    enrol: String,
}

pub(crate) fn routes(r: &mut Routes) {
    let p = Permission::Administer;
    r.add(
        p,
        get("/enrolment-tokens", "listEnrolmentTokens", "Enrolment tokens").answers::<EnrolmentTokens>(200),
        list,
    );
    r.add(
        p,
        post(
            "/enrolment-tokens",
            "createEnrolmentToken",
            "A new enrolment token, with the line that installs the agent",
        )
        .body::<NewEnrolmentToken>()
        .answers::<EnrolmentTokenSecret>(201)
        .problem(404),
        create,
    );
    r.add(
        p,
        delete("/enrolment-tokens/{id}", "revokeEnrolmentToken", "Revoke an enrolment token").answers_empty(),
        revoke,
    );
    r.add(
        p,
        post(
            "/hosts/{id}/re-enrol",
            "reEnrolHost",
            "A token for one machine to enrol anew, in the host's project and group",
        )
        .describe("For a host that lost its identity, was revoked, or was made from another's image.")
        .answers::<EnrolmentTokenSecret>(201)
        .problem(404),
        re_enrol,
    );
}

fn view(t: &TokenRow) -> EnrolmentToken {
    EnrolmentToken {
        id: t.id.clone(),
        project: t.project.clone(),
        group: t.group.clone(),
        note: t.note.clone(),
        uses_left: (t.uses_left >= 0).then_some(t.uses_left),
        created_by: t.who.clone(),
        created_at: time::rfc3339(t.created_ms),
        expires_at: time::rfc3339(t.expires_ms),
        expired: t.expires_ms <= time::now_ms() || t.uses_left == 0,
    }
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<EnrolmentTokens>, Problem> {
    let rows = api.store.tokens(&access.scope).await?;
    Ok(Json(EnrolmentTokens { items: rows.iter().map(view).collect() }))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewEnrolmentToken>,
) -> Result<Created<Json<EnrolmentTokenSecret>>, Problem> {
    projects::within(&api, &access, &ask.project).await?;
    if let Some(group) = &ask.group {
        let group = super::host_groups::within(&api, &access, group).await?;
        if group.project != ask.project {
            return Err(Problem::invalid("group: of another project"));
        }
    }
    check_text("note", &ask.note, 200)?;
    let hours = ask.valid_hours.unwrap_or(DEFAULT_HOURS);
    if !(1..=MOST_TOKEN_HOURS).contains(&hours) {
        return Err(Problem::invalid(format!("valid_hours: 1 to {MOST_TOKEN_HOURS}")));
    }
    if ask.uses.is_some_and(|u| !(1..=100_000).contains(&u)) {
        return Err(Problem::invalid("uses: 1 to 100000"));
    }
    let made =
        New { project: ask.project, group: ask.group, note: ask.note, hours, uses: ask.uses.unwrap_or(-1) };
    make(&api, &access, made, "enrolment_token.create").await
}

struct New {
    project: String,
    group: Option<String>,
    note: String,
    hours: i64,
    uses: i64,
}

async fn make(
    api: &Api,
    access: &Access,
    new: New,
    action: &str,
) -> Result<Created<Json<EnrolmentTokenSecret>>, Problem> {
    let token = secret::enrolment_token()?;
    let now_ms = time::now_ms();
    let row = TokenRow {
        id: Uuid::now_v7().to_string(),
        hash: secret::digest(&token),
        project: new.project,
        group: new.group,
        expires_ms: now_ms + new.hours * 3_600_000,
        uses_left: new.uses,
        who: access.who().to_owned(),
        created_ms: now_ms,
        note: new.note,
    };
    let shown = view(&row);
    Record::new(access, &row.project, action, format!("enrolment_token {}", row.id))
        .after(&shown)
        .on(api)
        .create_token(&row)
        .await?;
    let server = api.config.public_gateway();
    let ca = api.authority.clone();
    let install = super::install::line(&api.config, &ca, &token);
    let enrol = format!("lazaretd enroll --server '{server}' --token '{token}' --ca-fingerprint '{ca}'");
    Ok(Created(Json(EnrolmentTokenSecret {
        enrolment_token: shown,
        token,
        ca_fingerprint: ca,
        server,
        install,
        enrol,
    })))
}

async fn revoke(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let rows = api.store.tokens(&access.scope).await?;
    let row = rows.iter().find(|t| t.id == id).ok_or_else(|| Problem::no("enrolment token", &id))?;
    Record::new(&access, &row.project, "enrolment_token.revoke", format!("enrolment_token {id}"))
        .before(&view(row))
        .on(&api)
        .revoke_token(&id)
        .await?;
    Ok(Empty)
}

async fn re_enrol(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Created<Json<EnrolmentTokenSecret>>, Problem> {
    let host = super::hosts::within(&api, &access, &id).await?;
    let new = New {
        project: host.project.clone(),
        group: host.group.clone(),
        note: format!("re-enrol {}", host.name),
        hours: DEFAULT_HOURS,
        uses: 1,
    };
    make(&api, &access, new, "host.re_enrol").await
}
