// SPDX-License-Identifier: Apache-2.0
//! A second person says yes or no; or the first one takes it back.

use super::request::{self, Request};
use super::{Approval, view, within};
use crate::api::alarms;
use crate::api::alarms::filter;
use crate::api::cloud::verdict;
use crate::api::extract::{Json, Path};
use crate::api::gate::Access;
use crate::api::isolated;
use crate::api::orders;
use crate::api::permission::Permission;
use crate::api::problem::{Kind, Problem};
use crate::api::project_rules;
use crate::api::projects::check_text;
use crate::api::state::Api;
use crate::api::switches;
use crate::people::sign_in::SESSION;
use crate::scans::cloud;
use crate::time;
use axum::extract::State;
use lazaret_store::{ApprovalRow, Approved, Decision, Scope, StoreError, SwitchRow};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Say {
    #[serde(default)]
    #[schema(max_length = 512)]
    remark: String,
}

fn decision(row: &ApprovalRow, access: &Access, state: &str, remark: &str) -> Decision {
    let now_ms = time::now_ms();
    let action = match state {
        "approved" => "approval.approve",
        "rejected" => "approval.reject",
        _ => "approval.cancel",
    };
    let mut audit = request::record(row, access.who(), action, now_ms);
    audit.address = access.address.to_string();
    audit.before.clone_from(&row.request);
    Decision {
        id: row.id.clone(),
        state: state.to_owned(),
        decided_id: access.caller.user.id.clone(),
        decided_by: access.who().to_owned(),
        now_ms,
        remark: remark.to_owned(),
        result: String::new(),
        audit: Some(audit),
    }
}

/// A person, and not the one who asked: neither by another sign-in nor by a key.
fn second(row: &ApprovalRow, access: &Access) -> Result<(), Problem> {
    if row.author_id == access.caller.user.id {
        return Err(Problem::new(
            Kind::Forbidden,
            "who gave the order does not approve it: that is for a second person",
        ));
    }
    if access.caller.kind != SESSION {
        return Err(Problem::new(Kind::Forbidden, "a second person approves, signed in; a key is none"));
    }
    Ok(())
}

/// What the author could order now, if they may still.
async fn author(api: &Api, row: &ApprovalRow, request: &Request, access: &Access) -> Result<Access, Problem> {
    let permission = match request {
        Request::Handle { .. } | Request::DeleteIsolated { .. } => Permission::Operate,
        Request::Switch { .. }
        | Request::Rules { .. }
        | Request::CloudScan { .. }
        | Request::CallBad { .. }
        | Request::Release { .. } => Permission::Administer,
    };
    let gone = || Problem::conflict(format!("{} may not order this any more: reject it", row.author));
    let user = match api.store.user(&row.author_id).await {
        Ok(user) if !user.disabled => user,
        Ok(_) | Err(StoreError::NotFound(_)) => return Err(gone()),
        Err(e) => return Err(e.into()),
    };
    let scope = permission.scope(&user.grants).ok_or_else(gone)?;
    let may = |p: &String| match &scope {
        Scope::All => true,
        Scope::Projects(list) => list.contains(p),
    };
    if !row.projects.iter().all(may) {
        return Err(gone());
    }
    let mut caller = (*access.caller).clone();
    caller.grants.clone_from(&user.grants);
    caller.user = user;
    // The hosts' journals and the audit log name both.
    caller.user.name = format!("{} (approved by {})", row.author, access.who());
    Ok(Access {
        caller: Arc::new(caller),
        scope: Scope::Projects(row.projects.clone()),
        address: access.address,
    })
}

pub(super) async fn approve(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<Say>,
) -> Result<Json<Approval>, Problem> {
    let row = within(&api, &access, &id).await?;
    check_text("remark", &ask.remark, 512)?;
    second(&row, &access)?;
    let request: Request = serde_json::from_str(&row.request)
        .map_err(|e| StoreError::Corrupt(format!("approval {id} cannot be read: {e}")))?;
    let acting = author(&api, &row, &request, &access).await?;
    let mut decision = decision(&row, &access, "approved", &ask.remark);
    let mut what = Approved::default();
    match request {
        Request::Handle { alarms, operate_type, remark, target } => {
            let order =
                alarms::handle::prepare(&api, &acting, &alarms, operate_type, &remark, target).await?;
            if !order.done.is_empty() {
                let word = alarms::handle::kept_word(operate_type).to_owned();
                what.handled = Some((order.done.clone(), word, acting.who().to_owned(), remark));
            }
            let (rows, ordered) = orders::written(order);
            what.order = rows;
            decision.result = serde_json::to_string(&ordered).unwrap_or_default();
        }
        Request::DeleteIsolated { files } => {
            let (rows, ordered) = orders::written(isolated::prepare_delete(&api, &acting, &files).await?);
            what.order = rows;
            decision.result = serde_json::to_string(&ordered).unwrap_or_default();
        }
        Request::Switch { project, name, on } => {
            let who = acting.who().to_owned();
            if on && name == switches::CLOUD_SCAN {
                let scan = cloud::next(&api.store, &project).await?;
                decision.result = serde_json::json!({ "scan": scan.task, "begun": scan.begun }).to_string();
            }
            what.switch = Some(SwitchRow { project, name, on, who, at_ms: decision.now_ms });
        }
        Request::Rules { project, rules, revision } => {
            what.rules = Some(project_rules::row(&project, &rules, revision, acting.who()));
        }
        Request::CloudScan { project, consent, revision } => {
            what.consent = Some(consent.row(&project, revision, acting.who()));
        }
        Request::CallBad { project, sha256, class, reason } => {
            let digest = filter::sha256(&sha256)?;
            let size = match api.store.file(&project, &digest).await {
                Ok(file) => file.size,
                Err(StoreError::NotFound(_)) => 0,
                Err(e) => return Err(e.into()),
            };
            let consent = api.store.cloud_consent(&project).await?;
            let of = (project.as_str(), digest.as_slice(), size);
            what.verdict = Some(verdict::new(of, class, (acting.who(), &reason), &consent, decision.now_ms));
        }
        Request::Release { project, sha256 } => {
            what.release = Some((project, filter::sha256(&sha256)?, acting.who().to_owned()));
        }
    }
    let after = api.store.apply_approval(&decision, &what).await?;
    metrics::counter!("lazaret_commands_ordered_total")
        .increment(u64::try_from(what.order.commands.len()).unwrap_or_default());
    if let Some(row) = &what.switch
        && let Err(e) = switches::begins(&api, &acting, row).await
    {
        // It is on; switching it on again begins what is missing.
        let why = e.detail();
        crate::log::line(&format!("api: the scan that {} begins in {}: {why}", row.name, row.project));
    }
    Ok(Json(view(&after)))
}

pub(super) async fn reject(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<Say>,
) -> Result<Json<Approval>, Problem> {
    let row = within(&api, &access, &id).await?;
    check_text("remark", &ask.remark, 512)?;
    second(&row, &access)?;
    let after = api.store.refuse_approval(&decision(&row, &access, "rejected", &ask.remark)).await?;
    Ok(Json(view(&after)))
}

pub(super) async fn cancel(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<Say>,
) -> Result<Json<Approval>, Problem> {
    let row = within(&api, &access, &id).await?;
    check_text("remark", &ask.remark, 512)?;
    if row.author_id != access.caller.user.id {
        return Err(Problem::new(Kind::Forbidden, "only who gave the order takes it back; others reject it"));
    }
    let after = api.store.refuse_approval(&decision(&row, &access, "cancelled", &ask.remark)).await?;
    Ok(Json(view(&after)))
}
