// SPDX-License-Identifier: Apache-2.0
//! Words of HSS's event operations, and what Lazaret has of each.

use crate::ask::Ask;
use crate::error::HssError;
use crate::words;
use serde_json::Value;

/// Severities; Lazaret has no alarm about what is safe.
pub(super) const SEVERITIES: [(&str, Option<&str>); 5] = [
    ("Security", None),
    ("Low", Some("low")),
    ("Medium", Some("medium")),
    ("High", Some("high")),
    ("Critical", Some("critical")),
];

/// Tags of an attack; Lazaret has those that are the same words.
pub(super) const ATTACK_TAGS: [(&str, Option<&str>); 6] = [
    ("attack_success", Some("attack_success")),
    ("attack_attempt", Some("attack_attempt")),
    ("attack_blocked", Some("attack_blocked")),
    ("abnormal_behavior", Some("abnormal_behavior")),
    ("collapsible_host", None),
    ("system_vulnerability", None),
];

/// Tactics of ATT&CK, and the classes whose alarms the server puts there.
pub(super) const TACTICS: [(&str, &[&str]); 9] = [
    ("Reconnaissance", &[]),
    ("Initial Access", &[]),
    ("Execution", &["malware", "trojan", "worm"]),
    ("Persistence", &["virus", "backdoor", "webshell"]),
    ("Privilege Escalation", &["hacktool"]),
    ("Defense Evasion", &["rootkit"]),
    ("Credential Access", &[]),
    ("Command and Control", &["botnet", "reverseshell"]),
    ("Impact", &["ransomware", "miner"]),
];

/// Where something runs; Lazaret has nothing that is serverless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Host,
    Container,
    Serverless,
}

/// All three; the last is not for every operation.
const CATEGORIES: [(&str, Category); 3] =
    [("host", Category::Host), ("container", Category::Container), ("serverless", Category::Serverless)];

/// Operations whose `category` has no `serverless`.
const WITHOUT_SERVERLESS: [&str; 4] =
    ["list_security_events", "list_event_top_risk", "export_event_request", "list_related_events"];

impl Category {
    /// Of a query.
    pub(super) fn of(ask: &Ask) -> Result<Option<Self>, HssError> {
        let [host, container, _] = CATEGORIES;
        if WITHOUT_SERVERLESS.contains(&ask.operation.name.as_str()) {
            return ask.word("category", &[host, container]);
        }
        ask.word("category", &CATEGORIES)
    }

    /// What the API's filter `in_container` is to be; `None`: no alarm is of this kind.
    pub(super) fn in_container(self) -> Option<bool> {
        match self {
            Self::Host => Some(false),
            Self::Container => Some(true),
            Self::Serverless => None,
        }
    }

    /// Whether an alarm, as lists have it, is of this kind.
    pub(super) fn has(self, alarm: &Value) -> bool {
        self.in_container() == Some(!words::text(alarm, "container").is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::CLASSES;
    use serde_json::json;

    #[test]
    fn every_class_has_one_tactic() {
        for row in &CLASSES {
            let n = TACTICS.iter().filter(|(_, classes)| classes.contains(&row.word)).count();
            assert_eq!(n, 1, "{}", row.word);
        }
        let named: usize = TACTICS.iter().map(|(_, classes)| classes.len()).sum();
        assert_eq!(named, CLASSES.len());
    }

    #[test]
    fn containers_are_told_from_hosts() {
        let (host, inside) = (json!({ "container": null }), json!({ "container": "web" }));
        assert!(Category::Host.has(&host) && !Category::Host.has(&inside));
        assert!(Category::Container.has(&inside) && !Category::Container.has(&host));
        assert!(!Category::Serverless.has(&host) && !Category::Serverless.has(&inside));
    }
}
