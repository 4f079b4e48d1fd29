// SPDX-License-Identifier: Apache-2.0
//! A host of the API as HSS's `Host`.

use super::editions;
use super::facts::Facts;
use super::standing;
use crate::host;
use crate::words::{ip, ms, text};
use serde_json::{Value, json};

/// Bits of an architecture.
fn bits(arch: &str) -> Option<&'static str> {
    match arch {
        "" => None,
        a if a.contains("64") || a == "s390x" => Some("64"),
        a if a.starts_with("arm") || (a.starts_with('i') && a.ends_with("86")) => Some("32"),
        _ => None,
    }
}

/// With what is known beside the host itself.
pub(super) fn row(host: &Value, facts: &Facts, unhandled: u64, is_scanned: bool) -> Value {
    let mut row = itself(host);
    let parts = [belongs(host, facts), stands(host, unhandled, is_scanned)];
    if let Value::Object(fields) = &mut row {
        for part in parts {
            if let Value::Object(more) = part {
                fields.extend(more);
            }
        }
    }
    row
}

/// What the host says of itself.
fn itself(host: &Value) -> Value {
    let filled = |path: &str| Some(text(host, path).to_owned()).filter(|t| !t.is_empty());
    let addresses = host.get("addresses").unwrap_or(&Value::Null);
    let (os_name, os_version) = host::system(text(host, "os"));
    json!({
        "host_name": filled("name"),
        "host_id": filled("id"),
        "agent_id": filled("id"),
        "private_ip": ip(addresses, true),
        "public_ip": ip(addresses, false),
        "os_name": os_name,
        "os_version": os_version,
        "os_type": "Linux",
        "os_bit": bits(text(host, "arch")),
        "kernel_version": filled("kernel"),
        "agent_version": filled("agent_version"),
        "agent_create_time": ms(host.get("enrolled_at").unwrap_or(&Value::Null)),
        "agent_update_time": ms(host.get("status_since").unwrap_or(&Value::Null)),
        // Whatever it runs on, Lazaret knows it only because it enrolled.
        "outside_host": true,
        "host_sources": "outside",
        "upgradable": false,
        "upgrade_status": "not_upgrade",
        "lazaret_content_version": filled("content_version"),
    })
}

/// Where it belongs.
fn belongs(host: &Value, facts: &Facts) -> Value {
    let filled = |path: &str| Some(text(host, path).to_owned()).filter(|t| !t.is_empty());
    let group = facts.groups.get(text(host, "group"));
    // Of a group that is not to be seen it is not known.
    let known = group.is_some() || text(host, "group").is_empty();
    let policy = known.then(|| facts.policy(group, text(host, "project")));
    let (policy, policy_name) = policy.unzip();
    let pool = facts.pools.get(text(host, "edition.quota"));
    json!({
        "enterprise_project_id": filled("project"),
        "enterprise_project_name": facts.projects.get(text(host, "project")),
        "group_id": filled("group"),
        "group_name": group.map(|g| &g.name),
        "policy_group_id": policy,
        "policy_group_name": policy_name.filter(|n| !n.is_empty()),
        "asset_value": filled("importance"),
        "resource_id": filled("edition.quota"),
        "charging_mode": pool.map(|p| p.charging_mode()),
        // No edition is one to try out.
        "expire_time": -1,
        "lazaret_quota_status": filled("edition.quota_status"),
    })
}

/// How it stands.
fn stands(host: &Value, unhandled: u64, is_scanned: bool) -> Value {
    let filled = |path: &str| Some(text(host, path).to_owned()).filter(|t| !t.is_empty());
    let interruption = standing::interruption(host);
    json!({
        "host_status": host::host_status(host),
        "agent_status": filled("status"),
        "install_result_code": standing::install_result(host),
        "version": editions::version(text(host, "edition.edition")).unwrap_or("hss.version.null"),
        "protect_status": host::protect_status(host),
        "detect_result": standing::detect_result(host, unhandled, is_scanned),
        "intrusion": unhandled,
        "protect_interrupt": interruption.is_some(),
        "interrupt_reason": interruption,
        "protect_degradation": standing::is_degraded(host),
        "degradation_reason": standing::degradation(host),
        "lazaret_protection": filled("protection.state"),
        "lazaret_protection_reason": filled("protection.reason"),
        "lazaret_edition_reason": filled("edition.reason"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::facts::Group;
    use super::*;
    use crate::billing::pools::Pool;
    use crate::call::without_nulls;
    use crate::policies::default_group;

    #[test]
    fn bits_of_architectures() {
        assert_eq!(
            (bits("x86_64"), bits("i686"), bits("aarch64"), bits("")),
            (Some("64"), Some("32"), Some("64"), None)
        );
    }

    #[test]
    fn a_row() {
        let host = json!({
            "id": "h", "name": "web-1", "project": "0", "group": "g", "status": "online",
            "status_since": "2024-02-29T12:34:56.789Z", "importance": "important", "agent_version": "1.2.0",
            "os": "Ubuntu 22.04.3 LTS", "kernel": "6.8.0", "arch": "x86_64", "addresses": ["192.0.2.7", "10.0.0.5"],
            "protection": { "state": "full", "reason": "" }, "enrolled_at": "1970-01-01T00:00:00.005Z",
            "seen_at": "2024-02-29T12:34:56.789Z", "stopped": false,
            "edition": { "edition": "professional", "quota": "q", "quota_status": "normal" },
        });
        let group = Group { name: "web".to_owned(), project: "0".to_owned(), policy: "p".to_owned() };
        let pool =
            Pool::of(&json!({ "id": "q", "project": "*", "edition": "professional", "unlimited": true }));
        let facts = Facts {
            groups: [("g".to_owned(), group)].into(),
            policies: [("p".to_owned(), "strict".to_owned())].into(),
            projects: [("0".to_owned(), "default".to_owned())].into(),
            pools: [("q".to_owned(), pool)].into(),
        };
        let row = without_nulls(row(&host, &facts, 3, false));
        for (field, value) in [
            ("host_id", json!("h")),
            ("private_ip", json!("10.0.0.5")),
            ("public_ip", json!("192.0.2.7")),
            ("version", json!("hss.version.advanced")),
            ("charging_mode", json!("on_demand")),
            ("resource_id", json!("q")),
            ("group_name", json!("web")),
            ("policy_group_name", json!("strict")),
            ("enterprise_project_name", json!("default")),
            ("protect_status", json!("opened")),
            ("detect_result", json!("risk")),
            ("intrusion", json!(3)),
            ("agent_create_time", json!(5)),
            ("protect_interrupt", json!(false)),
        ] {
            assert_eq!(row[field], value, "{field}");
        }
        let mut alone = host;
        alone["group"] = Value::Null;
        let alone = belongs(&alone, &facts);
        assert_eq!(alone["policy_group_id"], json!(default_group::id("0")));
        assert_eq!(alone["policy_group_name"], json!(default_group::NAME));
        for absent in
            ["vulnerability", "baseline", "asset", "vpc_id", "interrupt_reason", "lazaret_edition_reason"]
        {
            assert!(row.get(absent).is_none(), "{absent}");
        }
    }
}
