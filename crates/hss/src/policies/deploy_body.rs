// SPDX-License-Identifier: Apache-2.0
//! What a request to deploy a policy group asks for.

use super::checked_id;
use crate::ask::one_of;
use crate::error::HssError;
use crate::words;
use serde_json::Value;
use std::collections::HashSet;

/// What a body asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) target: &'a str,
    /// `None`: all of the project.
    pub(super) hosts: Option<Vec<&'a str>>,
}

pub(super) fn read(body: &Value) -> Result<Wanted<'_>, HssError> {
    let target = words::text(body, "target_policy_group_id");
    checked_id("target_policy_group_id", target)?;
    let kinds = [("host", true), ("pod", false), ("workload", false), ("cluster", false)];
    let kind = Some(words::text(body, "deploy_type")).filter(|k| !k.is_empty()).unwrap_or("host");
    if !one_of("deploy_type", kind, &kinds)? {
        return Err(HssError::invalid(
            "deploy_type: policy groups here are for hosts; say host, or leave it out",
        ));
    }
    if words::at(body, "operate_all").as_bool() == Some(true) {
        if words::at(body, "host_id_list").as_array().is_some_and(|l| !l.is_empty()) {
            return Err(HssError::invalid("host_id_list: not with operate_all: some hosts or all of them"));
        }
        return Ok(Wanted { target, hosts: None });
    }
    let (mut hosts, mut seen) = (Vec::new(), HashSet::new());
    for id in words::at(body, "host_id_list").as_array().into_iter().flatten() {
        let id = id.as_str().unwrap_or_default();
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(HssError::missing("host", id));
        }
        if seen.insert(id) {
            hosts.push(id);
        }
    }
    if hosts.is_empty() {
        return Err(HssError::invalid(
            "host_id_list: is empty; name hosts, or set operate_all to true for all",
        ));
    }
    Ok(Wanted { target, hosts: Some(hosts) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const POLICY: &str = "0190a3c5-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

    #[test]
    fn a_body_is_read() {
        let body = json!({ "target_policy_group_id": POLICY, "host_id_list": ["a", "b", "a"], "deploy_type": "host" });
        assert_eq!(read(&body).unwrap(), Wanted { target: POLICY, hosts: Some(vec!["a", "b"]) });
        let body = json!({ "target_policy_group_id": POLICY, "operate_all": true });
        assert_eq!(read(&body).unwrap().hosts, None);
        for (body, word) in [
            (json!({}), "target_policy_group_id: is missing"),
            (json!({ "target_policy_group_id": POLICY }), "host_id_list: is empty"),
            (
                json!({ "target_policy_group_id": POLICY, "operate_all": false, "host_id_list": [] }),
                "host_id_list",
            ),
            (json!({ "target_policy_group_id": POLICY, "host_id_list": ["a,b"] }), "no host"),
            (
                json!({ "target_policy_group_id": POLICY, "operate_all": true, "deploy_type": "pod" }),
                "deploy_type",
            ),
            (json!({ "target_policy_group_id": POLICY, "deploy_type": "vm" }), "none of host"),
            (
                json!({ "target_policy_group_id": POLICY, "operate_all": true, "host_id_list": ["a"] }),
                "not with operate_all",
            ),
        ] {
            let e = read(&body).unwrap_err();
            assert!(e.message().contains(word), "{body}: {}", e.message());
        }
    }
}
