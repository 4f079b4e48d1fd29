// SPDX-License-Identifier: Apache-2.0
//! Hosts, as the answers about scans name them.

use crate::address::Addresses;
use crate::ask::Ask;
use crate::error::HssError;
use crate::host as hosts;
use crate::words;
use serde_json::{Map, Value, json};

/// Whether a field has a text in it; case does not matter.
pub(super) fn has(value: &Value, path: &str, wanted: &str) -> bool {
    words::text(value, path).to_lowercase().contains(&wanted.to_lowercase())
}

/// What `private_ip` and `public_ip` ask for; `None`: no host can have that.
pub(super) fn asked(ask: &Ask) -> Result<Option<Addresses>, HssError> {
    let (private, public) = (ask.short("private_ip", 128)?, ask.short("public_ip", 39)?);
    Ok(Addresses::asked([(private, Some(true)), (public, Some(false))]))
}

/// A host as every list of HSS's scans has it. `brief` is what a row tells of its host, `host` the host itself, which
/// may be gone.
pub(super) fn short(brief: &Value, host: Option<&Value>) -> Map<String, Value> {
    // Of a host whose row is gone the API has no name, and words that stand for nothing.
    let known = host.is_some() || !words::text(brief, "name").is_empty();
    let id = host.and_then(|h| h.get("id")).or_else(|| brief.get("id")).cloned();
    let one =
        |name: &str| host.and_then(|h| h.get(name)).or_else(|| brief.get(name)).filter(|_| known).cloned();
    let addresses = host.map_or_else(|| words::at(brief, "address"), |h| words::at(h, "addresses"));
    let fields = [
        ("host_id", id),
        ("host_name", one("name")),
        ("private_ip", Some(words::ip(addresses, true))),
        ("public_ip", Some(words::ip(addresses, false))),
        ("asset_value", one("importance")),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The same with what is known of system and agent.
pub(super) fn full(brief: &Value, host: Option<&Value>) -> Map<String, Value> {
    let mut fields = short(brief, host);
    let status =
        Some(words::text(host.unwrap_or(brief), "status")).filter(|_| fields.contains_key("host_name"));
    let runs = status.and_then(|_| hosts::host_status(host.unwrap_or(brief)));
    let protected = host.map(hosts::open_or_closed);
    let (os_name, os_version) = host.map_or((None, None), |h| hosts::system(words::text(h, "os")));
    let more = [
        ("agent_id", fields.get("host_id").cloned().unwrap_or_default()),
        ("agent_status", json!(status)),
        ("host_status", json!(runs)),
        ("protect_status", json!(protected)),
        ("os_type", json!(status.map(|_| "Linux"))),
        ("os_name", json!(os_name)),
        ("os_version", json!(os_version)),
    ];
    fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_what_is_known_of_it() {
        let brief = json!({ "id": "h", "name": "db", "importance": "test", "status": "offline", "address": "10.0.0.1" });
        let alone = full(&brief, None);
        assert_eq!(alone["private_ip"], "10.0.0.1");
        assert_eq!((&alone["agent_id"], &alone["agent_status"]), (&json!("h"), &json!("offline")));
        assert!(
            alone["host_status"].is_null() && alone["os_name"].is_null() && alone["protect_status"].is_null()
        );
        let host = json!({ "id": "h", "name": "db-1", "importance": "test", "status": "online", "os": "Debian 13",
            "addresses": ["198.51.100.7"], "protection": { "state": "partial" }, "edition": { "edition": "basic" } });
        let known = full(&brief, Some(&host));
        assert_eq!((&known["host_name"], &known["public_ip"]), (&json!("db-1"), &json!("198.51.100.7")));
        assert!(known["private_ip"].is_null(), "the brief's address is the host's of another time");
        assert_eq!((&known["host_status"], &known["protect_status"]), (&json!("ACTIVE"), &json!("opened")));
        assert_eq!((&known["os_name"], &known["os_version"]), (&json!("Debian"), &json!("13")));
        let gone =
            full(&json!({ "id": "h", "name": "", "importance": "common", "status": "not_installed" }), None);
        assert_eq!(gone["agent_id"], "h");
        assert!(
            !gone.contains_key("asset_value") && gone["agent_status"].is_null() && gone["os_type"].is_null()
        );
        let mut free = host;
        free["edition"]["edition"] = json!("none");
        assert_eq!(full(&brief, Some(&free))["protect_status"], "closed");
    }

    #[test]
    fn parts_of_texts() {
        assert!(has(&json!({ "host": { "name": "Web-01" } }), "host.name", "web"));
        assert!(!has(&json!({}), "host.name", "web"));
    }
}
