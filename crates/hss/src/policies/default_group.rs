// SPDX-License-Identifier: Apache-2.0
//! The default group of a project: what holds for hosts without a policy group, which are the project's switches.

use crate::call::Call;
use crate::error::HssError;
use crate::project;
use serde_json::{Value, json};

pub(crate) const NAME: &str = "default_policy_group";
const DESCRIPTION: &str = "The switches of the project";

/// No id of the API begins so.
const BEGINNING: &str = "default-";

/// Its id: of the project, with the length that HSS gives to ids.
pub(crate) fn id(project: &str) -> String {
    format!("{BEGINNING}{project:->36}")
}

/// The project whose default group an id is, of those that are asked for.
pub(super) async fn project_of(call: &Call, group: &str) -> Result<Option<String>, HssError> {
    if !group.starts_with(BEGINNING) {
        return Ok(None);
    }
    Ok(project::asked(call).await?.into_iter().find(|project| id(project) == group))
}

/// As if it were one of the API's: without settings of its own.
pub(super) fn row(project: &str) -> Value {
    json!({
        "id": id(project), "project": project, "name": NAME, "description": DESCRIPTION, "settings": {}, "default": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_one_project() {
        assert_eq!(id("0").len(), 44);
        assert_ne!(id("0"), id("00"));
        assert!(crate::policies::checked_id("group_id", &id("0")).is_ok());
        let project = "0190a3c5-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        assert_eq!(id(project), format!("default-{project}"));
    }
}
