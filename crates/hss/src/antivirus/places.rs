// SPDX-License-Identifier: Apache-2.0
//! Hosts, as the answers about scans name them, and hosts by their addresses.

use crate::call::Call;
use crate::error::HssError;
use crate::page;
use crate::rest::Query;
use crate::words;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// Characters of a part of a text that the API looks for.
const LONGEST_PART: usize = 200;
/// Ids that the API takes in one list.
pub(super) const AT_ONCE: usize = 100;
/// Hosts that are looked through for those with an address.
const MOST: u64 = 10_000;

/// The beginning of a text, as far as the API takes it.
pub(super) fn part(text: &str) -> String {
    text.chars().take(LONGEST_PART).collect()
}

/// Whether a field has a text in it; case does not matter.
pub(super) fn has(value: &Value, path: &str, wanted: &str) -> bool {
    words::text(value, path).to_lowercase().contains(&wanted.to_lowercase())
}

/// Hosts by their ids, removed ones too.
pub(super) async fn by_id<'a>(
    call: &Call,
    ids: impl IntoIterator<Item = &'a str> + Send,
) -> Result<HashMap<String, Value>, HssError> {
    // Of a comma the API would make two.
    let ids: BTreeSet<&str> = ids.into_iter().filter(|id| !id.is_empty() && !id.contains(',')).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut found = HashMap::with_capacity(ids.len());
    for part in ids.chunks(AT_ONCE) {
        let query: Query = vec![("ids", part.join(",")), ("removed", "true".to_owned())];
        for host in page::all(&call.rest, "/hosts", &query, MOST).await? {
            found.insert(words::text(&host, "id").to_owned(), host);
        }
    }
    Ok(found)
}

/// Whether one of a host's addresses is this one.
pub(super) fn is_at(host: &Value, address: IpAddr) -> bool {
    let all = words::at(host, "addresses").as_array().into_iter().flatten();
    all.filter_map(Value::as_str).any(|a| a.parse() == Ok(address))
}

/// What `private_ip` and `public_ip` ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    /// Nothing.
    Any,
    /// What no host has.
    Never,
    One(IpAddr),
    Both(IpAddr, IpAddr),
}

impl Addresses {
    pub(super) fn of(call: &Call) -> Result<Self, HssError> {
        Ok(Self::read(call.ask.short("private_ip", 128)?, call.ask.short("public_ip", 39)?))
    }

    fn read(private: Option<&str>, public: Option<&str>) -> Self {
        let of = |text: Option<&str>, private: bool| {
            text.map(|t| t.parse().ok().filter(|ip| words::is_private(ip) == private))
        };
        match (of(private, true), of(public, false)) {
            (None, None) => Self::Any,
            (Some(None), _) | (_, Some(None)) => Self::Never,
            (Some(Some(one)), None) | (None, Some(Some(one))) => Self::One(one),
            (Some(Some(one)), Some(Some(other))) => Self::Both(one, other),
        }
    }

    /// One of them, for the API to look for.
    pub(super) fn first(self) -> Option<IpAddr> {
        match self {
            Self::Any | Self::Never => None,
            Self::One(ip) | Self::Both(ip, _) => Some(ip),
        }
    }

    /// Whether a host has what is asked for.
    pub(super) fn fit(self, host: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Never => false,
            Self::One(ip) => is_at(host, ip),
            Self::Both(one, other) => is_at(host, one) && is_at(host, other),
        }
    }

    /// The hosts that have it, removed ones too: what was found on them stays. `None`: nothing is asked for.
    pub(super) async fn hosts(self, call: &Call) -> Result<Option<BTreeSet<String>>, HssError> {
        let Some(ip) = self.first() else {
            return Ok(if self == Self::Any { None } else { Some(BTreeSet::new()) });
        };
        let mut query = call.scoped();
        query.extend([("text", ip.to_string()), ("removed", "true".to_owned())]);
        let found = page::all(&call.rest, "/hosts", &query, MOST).await?;
        Ok(Some(found.iter().filter(|h| self.fit(h)).map(|h| words::text(h, "id").to_owned()).collect()))
    }
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

/// `opened`: an edition is in force, and the agent is there and acts on some of what it is to protect.
fn protect_status(host: &Value) -> &'static str {
    let has_edition = !["", "none"].contains(&words::text(host, "edition.edition"));
    let acts = ["full", "partial"].contains(&words::text(host, "protection.state"));
    if has_edition && acts && words::text(host, "status") == "online" { "opened" } else { "closed" }
}

/// The same with what is known of system and agent.
pub(super) fn full(brief: &Value, host: Option<&Value>) -> Map<String, Value> {
    let mut fields = short(brief, host);
    let status =
        Some(words::text(host.unwrap_or(brief), "status")).filter(|_| fields.contains_key("host_name"));
    // That the agent is away does not tell whether the machine runs.
    let runs = (status == Some("online")).then_some("ACTIVE");
    let protected = host.map(protect_status);
    let os = host.map(|h| words::text(h, "os")).filter(|t| !t.is_empty());
    let more = [
        ("agent_id", fields.get("host_id").cloned().unwrap_or_default()),
        ("agent_status", json!(status)),
        ("host_status", json!(runs)),
        ("protect_status", json!(protected)),
        ("os_type", json!(status.map(|_| "Linux"))),
        ("os_name", json!(os)),
    ];
    fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_asked_for_by_kind() {
        let ip = |t: &str| t.parse::<IpAddr>().unwrap();
        assert_eq!(Addresses::read(None, None), Addresses::Any);
        assert_eq!(Addresses::read(Some("10.0.0.1"), None), Addresses::One(ip("10.0.0.1")));
        assert_eq!(
            Addresses::read(Some("198.51.100.7"), None),
            Addresses::Never,
            "public, asked for as private"
        );
        assert_eq!(Addresses::read(Some("10.0.0.1"), Some("10.0.0.1")), Addresses::Never);
        assert_eq!(Addresses::read(Some("db"), Some("198.51.100.7")), Addresses::Never);
        let host = json!({ "addresses": ["10.0.0.1", "198.51.100.7"] });
        assert!(Addresses::read(Some("10.0.0.1"), Some("198.51.100.7")).fit(&host));
        assert!(!Addresses::read(Some("10.0.0.1"), Some("198.51.100.70")).fit(&host));
        assert!(Addresses::Any.fit(&host) && !Addresses::Never.fit(&host));
    }

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
        assert_eq!(known["os_name"], "Debian 13");
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
        assert_eq!(part(&"ä".repeat(300)).chars().count(), 200);
    }
}
