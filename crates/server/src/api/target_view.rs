// SPDX-License-Identifier: Apache-2.0
//! Targets as the API has them. No secret is in what it shows.

use super::problem::{Kind, Problem};
use crate::json::some;
use crate::time;
use lazaret_notify::{Failure, Seal, Secrets, Settings};
use lazaret_store::{TargetRow, TargetState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where alarms are told to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Target {
    #[schema(format = Uuid)]
    id: String,
    /// Absent: every project.
    project: Option<String>,
    name: String,
    kind: lazaret_notify::Kind,
    enabled: bool,
    settings: Settings,
    has_password: bool,
    has_token: bool,
    /// Secrets that a web hook is signed with, 0 to 2.
    webhook_secrets: usize,
    state: TargetProgress,
    #[schema(format = DateTime)]
    updated_at: String,
    updated_by: String,
}

/// How far a target is.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetProgress {
    /// Messages or events that were delivered.
    sent: i64,
    /// Tries of what is next that failed.
    failures: i64,
    /// Dropped because it was not taken in time.
    missed: i64,
    #[schema(format = DateTime)]
    last_success_at: Option<String>,
    #[schema(format = DateTime)]
    last_failure_at: Option<String>,
    /// Of the last failure; gone with the next success.
    error: Option<String>,
    #[schema(format = DateTime)]
    next_try_at: Option<String>,
    #[schema(format = DateTime)]
    next_digest_at: Option<String>,
}

/// Those that the caller may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct Targets {
    pub(crate) items: Vec<Target>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTarget {
    /// Absent: every project.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) project: Option<String>,
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) name: String,
    /// On unless said otherwise.
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    pub(crate) settings: Settings,
    /// Of `email.user`.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) password: Option<String>,
    /// Sent with `http` as `Authorization: Bearer`.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) token: Option<String>,
}

/// All of it anew, but what is secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetChange {
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) settings: Settings,
    /// Absent: stays; empty: goes.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) password: Option<String>,
    /// Absent: stays; empty: goes.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) token: Option<String>,
}

/// How a secret is changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecret {
    /// False when the one before is known to others.
    pub(crate) keep_old: bool,
}

/// A target, and what is shown only now.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetSecret {
    pub(crate) target: Target,
    /// Of a web hook: `whsec_...`.
    pub(crate) secret: Option<String>,
}

/// What came of one message.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetTest {
    /// The target took it.
    delivered: bool,
    /// What it did instead.
    error: Option<String>,
}

impl TargetTest {
    pub(crate) fn of(result: Result<(), Failure>) -> Self {
        let error = result.err().map(|e| e.to_string());
        Self { delivered: error.is_none(), error }
    }
}

pub(crate) fn settings_of(row: &TargetRow) -> Result<Settings, Problem> {
    Settings::stored(&row.settings).map_err(|e| {
        crate::log::line(&format!("api: target {}: {e}", row.id));
        Problem::new(Kind::Internal, e)
    })
}

pub(crate) fn view(row: &TargetRow, state: &TargetState, seal: &dyn Seal) -> Result<Target, Problem> {
    let settings = settings_of(row)?;
    let inside = |e| Problem::new(Kind::Internal, e);
    let kind = settings.kind().map_err(inside)?;
    let secrets = Secrets::of(row, seal).map_err(inside)?;
    Ok(Target {
        id: row.id.clone(),
        project: some(&row.project),
        name: row.name.clone(),
        kind,
        enabled: row.enabled,
        settings,
        has_password: secrets.password.is_some(),
        has_token: secrets.token.is_some(),
        webhook_secrets: secrets.webhook.len(),
        state: TargetProgress {
            sent: state.sent,
            failures: state.failures,
            missed: state.missed,
            last_success_at: time::some_rfc3339(state.ok_ms),
            last_failure_at: time::some_rfc3339(state.error_ms),
            error: some(&state.error),
            next_try_at: time::some_rfc3339(state.retry_ms),
            next_digest_at: time::some_rfc3339(state.digest_ms),
        },
        updated_at: time::rfc3339(row.updated_ms),
        updated_by: row.updated_by.clone(),
    })
}
