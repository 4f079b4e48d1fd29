// SPDX-License-Identifier: Apache-2.0
//! What belongs to hosts and stands elsewhere: names of groups, policy groups and projects, and quotas. One question
//! each, however many hosts are shown.

use crate::billing::pools::{self, Pool};
use crate::call::Call;
use crate::error::HssError;
use crate::policies::default_group;
use crate::project;
use crate::words::text;
use serde_json::Value;
use std::collections::HashMap;

/// A host group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) project: String,
    /// Id; empty: none.
    pub(super) policy: String,
}

/// By their ids.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) groups: HashMap<String, Group>,
    /// Names of policy groups.
    pub(super) policies: HashMap<String, String>,
    /// Names of projects.
    pub(super) projects: HashMap<String, String>,
    pub(super) pools: HashMap<String, Pool>,
}

fn named(rows: &[Value]) -> HashMap<String, String> {
    rows.iter().map(|r| (text(r, "id").to_owned(), text(r, "name").to_owned())).collect()
}

/// Host groups of the projects that are asked for.
pub(super) async fn groups(call: &Call) -> Result<HashMap<String, Group>, HssError> {
    let rows = call.rest.items("/host-groups").await?;
    Ok(groups_of(&rows, call.one_project()))
}

fn groups_of(rows: &[Value], project: Option<&str>) -> HashMap<String, Group> {
    let one = |r: &Value| Group {
        name: text(r, "name").to_owned(),
        project: text(r, "project").to_owned(),
        policy: text(r, "policy_group").to_owned(),
    };
    let here = |r: &&Value| project.is_none_or(|p| p == text(r, "project"));
    rows.iter().filter(here).map(|r| (text(r, "id").to_owned(), one(r))).collect()
}

impl Facts {
    /// Id and name of the policy group of hosts that are in this group, or in none, of a project.
    pub(super) fn policy(&self, group: Option<&Group>, project: &str) -> (String, &str) {
        match group.map(|g| g.policy.as_str()).filter(|p| !p.is_empty()) {
            Some(id) => (id.to_owned(), self.policies.get(id).map_or("", String::as_str)),
            None => (default_group::id(project), default_group::NAME),
        }
    }

    /// All of them.
    pub(super) async fn read(call: &Call) -> Result<Self, HssError> {
        Ok(Self {
            groups: groups(call).await?,
            policies: named(&call.rest.items("/policy-groups").await?),
            projects: project::names(call).await?,
            pools: pools::read(call).await?.into_iter().map(|p| (p.id.clone(), p)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_of_one_project() {
        let rows = [
            json!({ "id": "a", "project": "0", "name": "web", "policy_group": "p" }),
            json!({ "id": "b", "project": "1", "name": "db" }),
        ];
        let found = groups_of(&rows, Some("0"));
        assert_eq!(found.len(), 1);
        let web = Group { name: "web".to_owned(), project: "0".to_owned(), policy: "p".to_owned() };
        assert_eq!(found.get("a"), Some(&web));
        assert_eq!(groups_of(&rows, None).get("b").map(|g| g.policy.as_str()), Some(""));
    }
}
