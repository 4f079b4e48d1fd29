// SPDX-License-Identifier: Apache-2.0
//! Policy groups: HSS gives each host one; in Lazaret a host has that of its host group, or follows its project's
//! switches, which stand here as the project's default group.

mod carrier;
mod change;
pub(crate) mod default_group;
mod deploy;
mod deploy_body;
mod groups;
mod remove;
mod switch;

pub(crate) use change::{add_policy_group, change_policy_group};
pub(crate) use deploy::associate_policy_group;
pub(crate) use groups::list_policy_group;
pub(crate) use remove::delete_policy_group;
pub(crate) use switch::{change_policy_switch_status, show_policy_switch_status};

use crate::call::Call;
use crate::error::HssError;
use crate::rest::{self, Rest};
use crate::words;
use serde_json::Value;

/// A policy group's path.
fn path(id: &str) -> String {
    format!("/policy-groups/{}", rest::part(id))
}

/// A policy group of the projects that are asked for.
async fn find(call: &Call, id: &str) -> Result<Value, HssError> {
    let group = call.rest.get(&path(id), &[]).await?;
    if call.one_project().is_some_and(|p| words::text(&group, "project") != p) {
        return Err(HssError::missing("policy group", id));
    }
    Ok(group)
}

/// How many hosts there are of a `group`, or of a `project`.
async fn hosts_of(rest: &Rest, name: &'static str, id: &str) -> Result<u64, HssError> {
    let mut query = vec![(name, id.to_owned()), ("limit", "1".to_owned())];
    let page = rest.get("/hosts", &query).await?;
    let total = page.get("total").and_then(Value::as_u64).unwrap_or(0);
    if page.get("total_is_capped").and_then(Value::as_bool) != Some(true) {
        return Ok(total);
    }
    query.pop();
    let at = crate::ask::Offset { offset: 0, limit: 1 };
    Ok(crate::page::page(rest, "/hosts", &query, at).await?.total)
}

/// A policy group's id in a body.
fn group_id<'a>(body: &'a Value, name: &str) -> Result<&'a str, HssError> {
    let id = words::text(body, name);
    checked_id(name, id)?;
    Ok(id)
}

/// Ids of policy groups are letters, digits and `-`; HSS gives them 36 characters to 64.
fn checked_id(name: &str, id: &str) -> Result<(), HssError> {
    if id.is_empty() {
        return Err(HssError::invalid(format!(
            "{name}: is missing; policy/groups lists the ids of policy groups"
        )));
    }
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !plain || !(36..=64).contains(&id.len()) {
        return Err(HssError::invalid(format!(
            "{name}: an id of a policy group has 36 to 64 letters, digits and -; policy/groups lists them"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_of_their_form() {
        let id = "0190a3c5-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        assert_eq!(group_id(&json!({ "group_id": id }), "group_id").unwrap(), id);
        for bad in [json!({}), json!({ "group_id": "short" }), json!({ "group_id": format!("{id}/") })] {
            assert!(group_id(&bad, "group_id").unwrap_err().message().starts_with("group_id: "), "{bad}");
        }
        assert!(checked_id("id_list", &"a".repeat(65)).is_err());
    }
}
