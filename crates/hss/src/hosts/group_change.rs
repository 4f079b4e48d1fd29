// SPDX-License-Identifier: Apache-2.0
//! Groups are made, changed and deleted, and hosts put into them.

use super::chosen;
use crate::body::{needed_in, short_in};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::rest::part;
use crate::words::text;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// Of a group's name, as the API has it.
const LONGEST_NAME: usize = 64;

/// A group of the projects that are asked for, with its tag.
async fn group(call: &Call, id: &str) -> Result<(Value, String), HssError> {
    let (group, tag) = call.rest.tagged(&path(id)).await?;
    if call.one_project().is_some_and(|p| p != text(&group, "project")) {
        return Err(HssError::missing("host group", id));
    }
    Ok((group, tag))
}

fn path(id: &str) -> String {
    format!("/host-groups/{}", part(id))
}

/// Hosts and a group are of one project.
fn same_project(hosts: &[Value], group: &Value) -> Result<(), HssError> {
    match hosts.iter().find(|h| text(h, "project") != text(group, "project")) {
        Some(other) => Err(HssError::invalid(format!(
            "host_id_list: the host {} is of another project than the group {}",
            text(other, "id"),
            text(group, "id")
        ))),
        None => Ok(()),
    }
}

/// `add_hosts_group`: a group, with hosts or without.
pub(crate) async fn add_hosts_group(call: &Call) -> Answer {
    let body = &call.ask.body;
    let project = call.project()?;
    let name = needed_in(body, "", "group_name", LONGEST_NAME)?;
    let ids = chosen::named(body, "host_id_list")?.unwrap_or_default();
    let hosts = chosen::hosts(call, &ids).await?;
    same_project(&hosts, &json!({ "id": name, "project": project }))?;
    let made = call.rest.post("/host-groups", &json!({ "project": project, "name": name })).await?;
    let id = text(&made, "id");
    if let Err(e) = chosen::assign(call, &ids, ("group", json!(id))).await {
        // A group without its hosts is not what was asked for.
        return Err(match delete(call, id).await {
            Ok(()) => e.and("; the group was not made"),
            Err(_) => e.and(&format!("; the group {id} was made")),
        });
    }
    Ok(json!({ "lazaret_group_id": id }).into())
}

/// `change_hosts_group`: its name, and which hosts it has.
pub(crate) async fn change_hosts_group(call: &Call) -> Answer {
    let body = &call.ask.body;
    let id = needed_in(body, "", "group_id", 64)?;
    let name = short_in(body, "", "group_name", LONGEST_NAME)?;
    let ids = chosen::named(body, "host_id_list")?;
    let (before, _) = group(call, id).await?;
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    if let Some(ids) = &ids {
        let hosts = chosen::hosts(call, ids).await?;
        same_project(&hosts, &before)?;
        let members = chosen::every(call, Some(id), |h| !ids.iter().any(|i| i == text(h, "id"))).await?;
        remove = members.iter().map(|h| text(h, "id").to_owned()).collect();
        let new = hosts.iter().filter(|h| text(h, "group") != id);
        add = new.map(|h| text(h, "id").to_owned()).collect();
    }
    let renames = name.is_some_and(|n| n != text(&before, "name"));
    if let (true, Some(name)) = (renames, name) {
        rename(call, id, name).await?;
    }
    let done = if renames { "; the group has its new name" } else { "" };
    chosen::assign(call, &add, ("group", json!(id))).await.map_err(|e| e.and(done))?;
    let done = if add.is_empty() {
        done.to_owned()
    } else {
        format!("{done}; {} hosts were put into it", add.len())
    };
    chosen::assign(call, &remove, ("ungroup", json!(true))).await.map_err(|e| e.and(&done))?;
    Ok(json!({}).into())
}

/// What else the group has stays. Once more where somebody was faster.
async fn rename(call: &Call, id: &str, name: &str) -> Result<(), HssError> {
    let mut tries = 0;
    loop {
        let (now, tag) = group(call, id).await?;
        match call.rest.put(&path(id), &renamed(&now, name), &tag).await {
            Err(e) if e.status() == StatusCode::CONFLICT && tries == 0 => tries += 1,
            done => return done.map(drop),
        }
    }
}

fn renamed(group: &Value, name: &str) -> Value {
    json!({ "name": name, "policy_group": group.get("policy_group").unwrap_or(&Value::Null) })
}

async fn delete(call: &Call, id: &str) -> Result<(), HssError> {
    let mut tries = 0;
    loop {
        let (_, tag) = group(call, id).await?;
        match call.rest.delete(&path(id), &tag).await {
            Err(e) if e.status() == StatusCode::CONFLICT && tries == 0 => tries += 1,
            done => return done.map(drop),
        }
    }
}

/// `delete_hosts_group`: its hosts stay, without a group.
pub(crate) async fn delete_hosts_group(call: &Call) -> Answer {
    let id = call.ask.short("group_id", 128)?;
    let id = id.ok_or_else(|| HssError::invalid("group_id: is missing: list_host_groups has it"))?;
    delete(call, id).await?;
    Ok(json!({}).into())
}

/// `associate_hosts_group`: hosts into a group; all of its project with `operate_all`.
pub(crate) async fn associate_hosts_group(call: &Call) -> Answer {
    let body = &call.ask.body;
    let id = needed_in(body, "", "group_id", 128)?;
    let all = body.get("operate_all").and_then(Value::as_bool) == Some(true);
    if all && body.get("host_id_list").and_then(Value::as_array).is_some_and(|l| !l.is_empty()) {
        return Err(HssError::invalid("host_id_list: not with operate_all: some hosts or all of them"));
    }
    let named = if all { Vec::new() } else { chosen::needed(body, "host_id_list")? };
    let (group, _) = group(call, id).await?;
    let hosts = if all {
        let project = text(&group, "project");
        chosen::every(call, None, |h| text(h, "project") == project && text(h, "group") != id).await?
    } else {
        chosen::hosts(call, &named).await?
    };
    same_project(&hosts, &group)?;
    let ids: Vec<String> = hosts.iter().map(|h| text(h, "id").to_owned()).collect();
    chosen::assign(call, &ids, ("group", json!(id))).await?;
    Ok(json!({}).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_leaves_the_policy_group() {
        let group = json!({ "id": "g", "name": "old", "policy_group": "p", "revision": 3 });
        assert_eq!(renamed(&group, "new"), json!({ "name": "new", "policy_group": "p" }));
        assert_eq!(renamed(&json!({}), "new"), json!({ "name": "new", "policy_group": null }));
    }

    #[test]
    fn projects_are_not_mixed() {
        let group = json!({ "id": "g", "project": "0" });
        assert!(same_project(&[json!({ "id": "a", "project": "0" })], &group).is_ok());
        let e = same_project(&[json!({ "id": "b", "project": "1" })], &group).unwrap_err();
        assert!(e.message().contains("the host b"), "{}", e.message());
    }
}
