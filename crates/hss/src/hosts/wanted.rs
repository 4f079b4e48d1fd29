// SPDX-License-Identifier: Apache-2.0
//! Which hosts are asked for: a query for `/hosts`, and what that does not know.

use super::risks::Risks;
use super::standing;
use crate::rest::Query;
use crate::words::{is_private, text};
use crate::{address, host};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// One of these addresses, of a kind or of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) any_of: Vec<IpAddr>,
    pub(super) private: Option<bool>,
}

impl Addresses {
    fn has(&self, host: &Value) -> bool {
        let mut all = address::of(host);
        all.any(|a| self.any_of.contains(&a) && self.private.is_none_or(|p| p == is_private(&a)))
    }
}

/// Groups, and projects whose hosts without one are meant too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Groups {
    pub(super) ids: BTreeSet<String>,
    pub(super) none_in: BTreeSet<String>,
}

impl Groups {
    fn has(&self, host: &Value) -> bool {
        match text(host, "group") {
            "" => self.none_in.contains(text(host, "project")),
            id => self.ids.contains(id),
        }
    }
}

/// What is asked for. `None` asks nothing.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// For `/hosts`.
    pub(super) query: Query,
    /// In lower case.
    pub(super) name_part: Option<String>,
    pub(super) names: Option<Vec<String>>,
    pub(super) addresses: Vec<Addresses>,
    pub(super) groups: Option<Groups>,
    pub(super) editions: Option<Vec<&'static str>>,
    /// Ids of quotas.
    pub(super) quotas: Option<BTreeSet<String>>,
    /// Any of these states.
    pub(super) statuses: Option<&'static [&'static str]>,
    pub(super) protect_status: Option<&'static str>,
    pub(super) is_interrupted: Option<bool>,
    pub(super) is_degraded: Option<bool>,
    pub(super) detect_result: Option<&'static str>,
    pub(super) has_intrusion: Option<bool>,
}

fn is_in(set: Option<&BTreeSet<String>>, word: &str) -> bool {
    set.is_none_or(|s| s.contains(word))
}

impl Wanted {
    /// Whether open alarms of all hosts must be known.
    pub(super) fn asks_for_risks(&self) -> bool {
        self.detect_result.is_some() || self.has_intrusion.is_some()
    }

    /// Whether the query says it all.
    pub(super) fn is_plain(&self) -> bool {
        self.name_part.is_none()
            && self.names.is_none()
            && self.addresses.is_empty()
            && self.groups.is_none()
            && self.editions.is_none()
            && self.quotas.is_none()
            && self.statuses.is_none()
            && self.protect_status.is_none()
            && self.is_interrupted.is_none()
            && self.is_degraded.is_none()
            && !self.asks_for_risks()
    }

    /// Whether a host that the query found is asked for.
    pub(super) fn keeps(&self, host: &Value, risks: &Risks) -> bool {
        let name = text(host, "name");
        let unhandled = || risks.unhandled(host);
        let result = || standing::detect_result(host, unhandled(), risks.is_scanned(host));
        self.name_part.as_ref().is_none_or(|p| name.to_lowercase().contains(p.as_str()))
            && self.names.as_ref().is_none_or(|all| all.iter().any(|n| n == name))
            && self.addresses.iter().all(|a| a.has(host))
            && self.groups.as_ref().is_none_or(|g| g.has(host))
            && is_in(self.quotas.as_ref(), text(host, "edition.quota"))
            && self.editions.as_ref().is_none_or(|all| all.contains(&text(host, "edition.edition")))
            && self.statuses.is_none_or(|all| all.contains(&text(host, "status")))
            && self.protect_status.is_none_or(|s| s == host::protect_status(host))
            && self.is_interrupted.is_none_or(|i| i == standing::interruption(host).is_some())
            && self.is_degraded.is_none_or(|d| d == standing::is_degraded(host))
            && self.has_intrusion.is_none_or(|i| i == (unhandled() > 0))
            && self.detect_result.is_none_or(|r| r == result())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one() -> Value {
        json!({
            "id": "h", "name": "Web-1", "status": "online", "group": "g", "seen_at": "2024-02-29T12:34:56.789Z",
            "addresses": ["10.0.0.5", "192.0.2.7"], "protection": { "state": "partial" },
            "edition": { "edition": "basic", "quota": "q" },
        })
    }

    fn kept(wanted: Wanted) -> bool {
        let mut risks = Risks::default();
        risks.unhandled.insert("h".to_owned(), 1);
        wanted.keeps(&one(), &risks)
    }

    #[test]
    fn addresses_are_compared_whole_and_by_kind() {
        let of = |address: &str, private| Addresses { any_of: vec![address.parse().unwrap()], private };
        for (address, private, found) in [
            ("10.0.0.5", Some(true), true),
            ("10.0.0.5", Some(false), false),
            ("192.0.2.7", Some(false), true),
            ("192.0.2.7", None, true),
            ("10.0.0.50", None, false),
        ] {
            let wanted = Wanted { addresses: vec![of(address, private)], ..Wanted::default() };
            assert!(!wanted.is_plain());
            assert_eq!(kept(wanted), found, "{address} {private:?}");
        }
    }

    #[test]
    fn hosts_without_a_group() {
        let groups = Groups { ids: BTreeSet::new(), none_in: BTreeSet::from(["0".to_owned()]) };
        assert!(groups.has(&json!({ "group": null, "project": "0" })));
        assert!(!groups.has(&json!({ "group": null, "project": "1" })));
        assert!(!groups.has(&json!({ "group": "g", "project": "0" })));
    }

    #[test]
    fn every_condition_can_fail() {
        let set = |id: &str| Some(BTreeSet::from([id.to_owned()]));
        let groups = |id: &str| Some(Groups { ids: BTreeSet::from([id.to_owned()]), ..Groups::default() });
        assert!(Wanted::default().is_plain() && kept(Wanted::default()));
        for (good, bad) in [
            (
                Wanted { name_part: Some("web".into()), ..Wanted::default() },
                Wanted { name_part: Some("db".into()), ..Wanted::default() },
            ),
            (
                Wanted { names: Some(vec!["Web-1".into()]), ..Wanted::default() },
                Wanted { names: Some(vec!["web".into()]), ..Wanted::default() },
            ),
            (
                Wanted { groups: groups("g"), ..Wanted::default() },
                Wanted { groups: groups("x"), ..Wanted::default() },
            ),
            (
                Wanted { quotas: set("q"), ..Wanted::default() },
                Wanted { quotas: set("x"), ..Wanted::default() },
            ),
            (
                Wanted { editions: Some(vec!["basic"]), ..Wanted::default() },
                Wanted { editions: Some(vec!["wtp"]), ..Wanted::default() },
            ),
            (
                Wanted { statuses: Some(&["online"]), ..Wanted::default() },
                Wanted { statuses: Some(&["offline"]), ..Wanted::default() },
            ),
            (
                Wanted { protect_status: Some("opened"), ..Wanted::default() },
                Wanted { protect_status: Some("closed"), ..Wanted::default() },
            ),
            (
                Wanted { is_degraded: Some(true), ..Wanted::default() },
                Wanted { is_degraded: Some(false), ..Wanted::default() },
            ),
            (
                Wanted { is_interrupted: Some(false), ..Wanted::default() },
                Wanted { is_interrupted: Some(true), ..Wanted::default() },
            ),
            (
                Wanted { has_intrusion: Some(true), ..Wanted::default() },
                Wanted { has_intrusion: Some(false), ..Wanted::default() },
            ),
            (
                Wanted { detect_result: Some("risk"), ..Wanted::default() },
                Wanted { detect_result: Some("clean"), ..Wanted::default() },
            ),
        ] {
            assert!(!good.is_plain() && !bad.is_plain());
            let shown = format!("{good:?} {bad:?}");
            assert!(kept(good) && !kept(bad), "{shown}");
        }
    }
}
