// SPDX-License-Identifier: Apache-2.0
//! New plans of scans, changed ones, and their end.

use super::{fail, plan};
use crate::body;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::rest::part;
use crate::words;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Characters of a plan's name; the API says how many it takes.
const NAME: usize = 255;

fn path(id: &str) -> String {
    format!("/scan-policies/{}", part(id))
}

pub(crate) async fn create_anti_virus_policy(call: &Call) -> Answer {
    let asked = &call.ask.body;
    plan::unpaid(asked)?;
    body::short_in(asked, "", "task_id", body::ID)?;
    let hosts = body::needed_ids(asked, "host_ids", body::ID)?;
    let mut new = json!({
        "project": call.project()?,
        "name": body::needed_in(asked, "", "policy_name", NAME)?,
        "settings": plan::settings(asked, None)?,
        "start": plan::start(asked, None)?,
    });
    if words::text(&new, "start.start_type") == "now" {
        // Few hosts, each named: they begin at once, as with HSS.
        new["settings"]["spread_minutes"] = json!(0);
    }
    let reasons = fail::reasons(call, &hosts, words::text(&new, "settings.kind")).await?;
    let made = call.rest.post("/scan-policies", &new).await?;
    let answer = json!({
        "policy_id": made.get("id"),
        "result": reasons.is_empty(),
        "fail_reasons": reasons,
        "lazaret_next_start_time": words::ms(words::at(&made, "next_at")),
    });
    Ok(answer.into())
}

/// A plan of the projects that are asked for, with its tag.
async fn tagged(call: &Call, id: &str) -> Result<(Value, String), HssError> {
    let (plan, tag) = call.rest.tagged(&path(id)).await?;
    if call.one_project().is_some_and(|p| p != words::text(&plan, "project")) {
        return Err(HssError::missing("scan policy", id));
    }
    Ok((plan, tag))
}

pub(crate) async fn change_antivirus_policy(call: &Call) -> Answer {
    let asked = &call.ask.body;
    plan::unpaid(asked)?;
    let id = body::needed_in(asked, "", "policy_id", body::ID)?;
    let mut again = true;
    loop {
        let (before, tag) = tagged(call, id).await?;
        let name =
            body::short_in(asked, "", "policy_name", NAME)?.unwrap_or_else(|| words::text(&before, "name"));
        let new = json!({
            "name": name,
            "settings": plan::settings(asked, before.get("settings"))?,
            "start": plan::start(asked, before.get("start"))?,
        });
        match call.rest.put(&path(id), &new, &tag).await {
            // Somebody else changed it meanwhile.
            Err(e) if e.status() == StatusCode::CONFLICT && again => again = false,
            outcome => return outcome.map(|_| json!({}).into()),
        }
    }
}

pub(crate) async fn delete_antivirus_policy(call: &Call) -> Answer {
    let ids = body::needed_ids(&call.ask.body, "policy_ids", body::ID)?;
    let mut tags = Vec::with_capacity(ids.len());
    for id in &ids {
        tags.push(tagged(call, id).await?.1);
    }
    for (done, (id, tag)) in ids.iter().zip(&tags).enumerate() {
        if let Err(e) = delete(call, id, tag).await {
            return Err(if done == 0 { e } else { partly(&ids, done, &e) });
        }
    }
    Ok(json!({}).into())
}

async fn delete(call: &Call, id: &str, tag: &str) -> Result<Value, HssError> {
    match call.rest.delete(&path(id), tag).await {
        Err(e) if e.status() == StatusCode::CONFLICT => {
            let (_, tag) = tagged(call, id).await?;
            call.rest.delete(&path(id), &tag).await
        }
        outcome => outcome,
    }
}

/// Some are gone, and one could not be deleted.
fn partly(ids: &[&str], done: usize, why: &HssError) -> HssError {
    let (gone, left) = ids.split_at(done.min(ids.len()));
    HssError::conflict(format!(
        "policy_ids: deleted {}; not deleted {}: {}",
        gone.join(", "),
        left.join(", "),
        why.message()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted_and_what_is_not_is_named() {
        let e = partly(&["a", "b", "c"], 1, &HssError::forbidden("no right"));
        assert_eq!(e.message(), "policy_ids: deleted a; not deleted b, c: no right");
    }

    #[test]
    fn ids_are_parts_of_paths() {
        assert_eq!(path("../hosts"), "/scan-policies/%2E%2E%2Fhosts");
    }
}
