// SPDX-License-Identifier: Apache-2.0
//! Hosts that a scan will not reach, said when it is ordered; the API says it of each host when its turn comes.

use crate::call::Call;
use crate::error::HssError;
use crate::host::by_id;
use crate::words;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Editions that include quick scans alone.
const QUICK_ALONE: [&str; 2] = ["none", "basic"];
/// Characters of a reason.
const LONGEST: usize = 100;

/// Why a scan of this kind does not reach a host.
pub(super) fn why(host: Option<&Value>, kind: &str) -> Option<String> {
    let Some(host) = host else { return Some("the host is not there".to_owned()) };
    let is = |field: &str| host.get(field).and_then(Value::as_bool).unwrap_or(false);
    if is("removed") {
        return Some("the host was removed from the fleet".to_owned());
    }
    if is("revoked") {
        return Some("the host's certificate is revoked".to_owned());
    }
    let edition = words::text(host, "edition.edition");
    if kind == "quick" || !QUICK_ALONE.contains(&edition) {
        return None;
    }
    let reason = words::text(host, "edition.reason");
    let text = if reason.is_empty() {
        format!("a {kind} scan is off: the edition {edition} does not include it")
    } else {
        format!("a {kind} scan is off: {reason}")
    };
    Some(text.chars().take(LONGEST).collect())
}

fn listed(hosts: &[&str], known: &HashMap<String, Value>, kind: &str) -> Vec<Value> {
    let one = |id: &&str| Some(json!({ "host_id": id, "reason": why(known.get(*id), kind)? }));
    hosts.iter().filter_map(one).collect()
}

/// Of these hosts each that is not reached, and why.
pub(super) async fn reasons(call: &Call, hosts: &[&str], kind: &str) -> Result<Vec<Value>, HssError> {
    let known = by_id(call, hosts.iter().copied()).await?;
    Ok(listed(hosts, &known, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_not_reached() {
        let host = |edition: &str| json!({ "edition": { "edition": edition, "reason": null } });
        assert_eq!(why(Some(&host("enterprise")), "full"), None);
        assert_eq!(why(Some(&host("basic")), "quick"), None);
        assert!(why(Some(&host("basic")), "full").unwrap().contains("the edition basic"));
        let without = json!({ "edition": { "edition": "none", "reason": "no quota is bound to the host" } });
        assert_eq!(
            why(Some(&without), "custom").unwrap(),
            "a custom scan is off: no quota is bound to the host"
        );
        assert!(why(Some(&json!({ "removed": true })), "quick").unwrap().contains("removed"));
        assert!(why(Some(&json!({ "revoked": true })), "quick").unwrap().contains("revoked"));
        assert!(why(None, "quick").is_some());
        let known = HashMap::from([("a".to_owned(), host("premium"))]);
        assert_eq!(
            listed(&["a", "b"], &known, "full"),
            [json!({ "host_id": "b", "reason": "the host is not there" })]
        );
    }
}
