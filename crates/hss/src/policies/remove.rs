// SPDX-License-Identifier: Apache-2.0
//! Policy groups that no host has go, and with them the host groups that deploying had made for them.

use super::{carrier, checked_id, default_group, find, hosts_of, path};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::rest;
use crate::words;
use serde_json::{Value, json};

/// Groups of one request.
const MOST: usize = 50;

pub(crate) async fn delete_policy_group(call: &Call) -> Answer {
    let ids = ids(&call.ask.body)?;
    let host_groups = call.rest.items("/host-groups").await?;
    // Everything is looked at before anything goes.
    for id in &ids {
        if let Some(project) = default_group::project_of(call, id).await? {
            return Err(HssError::invalid(format!(
                "id_list: {id} is the default group of the project {project}, its switches; it cannot be deleted"
            )));
        }
        free(call, id, &host_groups).await?;
    }
    let mut done: Vec<&str> = Vec::new();
    for id in &ids {
        let gone = remove(call, id, &host_groups).await;
        gone.map_err(|e| if done.is_empty() { e } else { e.after(&format!("deleted {}", done.join(", "))) })?;
        done.push(id);
    }
    Ok(json!({}).into())
}

fn ids(body: &Value) -> Result<Vec<&str>, HssError> {
    let list = words::at(body, "id_list").as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=MOST).contains(&list.len()) {
        return Err(HssError::invalid(format!("id_list: {} ids; 1 to {MOST} are taken", list.len())));
    }
    let mut out: Vec<&str> = Vec::with_capacity(list.len());
    for id in list {
        let id = id.as_str().unwrap_or_default();
        checked_id("id_list", id)?;
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(out)
}

/// Whether no host has it, and no host group of people's.
async fn free(call: &Call, id: &str, host_groups: &[Value]) -> Result<(), HssError> {
    let name = words::text(&find(call, id).await?, "name").to_owned();
    for group in host_groups.iter().filter(|g| words::text(g, "policy_group") == id) {
        if !carrier::is(group) {
            return Err(HssError::invalid(format!(
                "id_list: the host group {} has the policy group {name} ({id}): give that another one first",
                words::text(group, "name")
            )));
        }
        let hosts = hosts_of(&call.rest, "group", words::text(group, "id")).await?;
        if hosts > 0 {
            return Err(HssError::invalid(format!(
                "id_list: {hosts} hosts have the policy group {name} ({id}): deploy another one to them first"
            )));
        }
    }
    Ok(())
}

async fn remove(call: &Call, id: &str, host_groups: &[Value]) -> Result<(), HssError> {
    for group in host_groups.iter().filter(|g| carrier::is_of(g, id)) {
        let path = format!("/host-groups/{}", rest::part(words::text(group, "id")));
        let (_, tag) = call.rest.tagged(&path).await?;
        call.rest.delete(&path, &tag).await?;
    }
    let (_, tag) = call.rest.tagged(&path(id)).await?;
    call.rest.delete(&path(id), &tag).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_once_each() {
        let id = "0190a3c5-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        assert_eq!(ids(&json!({ "id_list": [id, id] })).unwrap(), [id]);
        for (body, word) in [
            (json!({}), "0 ids"),
            (json!({ "id_list": [] }), "0 ids"),
            (json!({ "id_list": vec![id; 51] }), "51 ids"),
            (json!({ "id_list": [""] }), "is missing"),
            (json!({ "id_list": [id, "../x"] }), "36 to 64"),
        ] {
            let e = ids(&body).unwrap_err();
            assert!(e.message().contains(word), "{body}: {}", e.message());
        }
    }
}
