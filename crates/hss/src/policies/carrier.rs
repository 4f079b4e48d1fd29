// SPDX-License-Identifier: Apache-2.0
//! Host groups that deploying makes: they hold hosts for no other reason than a policy group, end in its id, and go
//! with it.

use super::default_group;
use crate::error::HssError;
use crate::rest::Rest;
use crate::words;
use serde_json::{Value, json};

/// Characters of the policy group's name in theirs: the id takes 36 of the 64 that a name may have.
const NAME: usize = 24;

/// Whether a host group is one.
pub(super) fn is(host_group: &Value) -> bool {
    let policy = words::text(host_group, "policy_group");
    !policy.is_empty() && words::text(host_group, "name").ends_with(policy)
}

/// Whether it is one of this policy group.
pub(super) fn is_of(host_group: &Value, policy: &str) -> bool {
    is(host_group) && words::text(host_group, "policy_group") == policy
}

fn name(policy_group: &Value) -> String {
    let short: String = words::text(policy_group, "name").chars().take(NAME).collect();
    format!("{} {}", short.trim(), words::text(policy_group, "id"))
}

/// Its id; it is made when there is none.
pub(super) async fn ensure(
    rest: &Rest,
    policy_group: &Value,
    host_groups: &[Value],
) -> Result<String, HssError> {
    let id = words::text(policy_group, "id");
    if let Some(there) = host_groups.iter().find(|g| is_of(g, id)) {
        return Ok(words::text(there, "id").to_owned());
    }
    let body = json!({ "project": words::at(policy_group, "project"), "name": name(policy_group), "policy_group": id });
    let made = rest.post("/host-groups", &body).await?;
    Ok(words::text(&made, "id").to_owned())
}

/// The policy group that a host group gives to its hosts; the default one without any.
pub(super) fn policy_of(host_group: &Value, project: &str) -> String {
    match words::text(host_group, "policy_group") {
        "" => default_group::id(project),
        id => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_known_by_their_names() {
        let id = "0190a3c5-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        let policy = json!({ "id": id, "name": "a name that is much longer than twenty-four characters" });
        let name = name(&policy);
        assert!(name.chars().count() <= 64, "{name}");
        assert!(is(&json!({ "name": name, "policy_group": id })));
        assert!(is_of(&json!({ "name": name, "policy_group": id }), id));
        assert!(!is(&json!({ "name": name })), "it has another policy group now");
        assert!(!is(&json!({ "name": "web", "policy_group": id })));
    }

    #[test]
    fn hosts_without_a_policy_group_have_the_default_one() {
        assert_eq!(policy_of(&json!({ "policy_group": "p" }), "0"), "p");
        assert_eq!(policy_of(&json!({ "policy_group": null }), "0"), default_group::id("0"));
    }
}
