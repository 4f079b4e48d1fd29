// SPDX-License-Identifier: Apache-2.0
//! How a host of the API stands, in HSS's words.

use crate::host::protect_status;
use crate::words::text;
use serde_json::Value;

/// HSS's states of an agent; ours have the same words.
pub(super) const AGENT_STATUSES: [(&str, &str); 5] = [
    ("not_installed", "not_installed"),
    ("online", "online"),
    ("offline", "offline"),
    ("install_failed", "install_failed"),
    ("installing", "installing"),
];

/// Why a host with an edition is not known to be protected; 32 characters at most.
pub(super) fn interruption(host: &Value) -> Option<&'static str> {
    if protect_status(host) != "protection_exception" {
        return None;
    }
    Some(match text(host, "status") {
        "online" if text(host, "protection.state") == "unknown" => "protection_not_told",
        "online" => "nothing_protected",
        "offline" if host.get("stopped").and_then(Value::as_bool) == Some(true) => "agent_stopped",
        "offline" => "agent_offline",
        _ => "agent_not_connected",
    })
}

/// Whether a host protects less than it is to.
pub(super) fn is_degraded(host: &Value) -> bool {
    protect_status(host) == "opened" && text(host, "protection.state") == "partial"
}

/// Why; HSS has 32 characters for it.
pub(super) fn degradation(host: &Value) -> Option<String> {
    let reason = text(host, "protection.reason");
    (is_degraded(host) && !reason.is_empty()).then(|| reason.chars().take(32).collect())
}

/// HSS's five words: who enrolled and never came is still on the way.
pub(super) fn agent_status(host: &Value) -> Option<&'static str> {
    let ours = match text(host, "status") {
        "installed" => "installing",
        other => other,
    };
    AGENT_STATUSES.iter().find(|(_, s)| *s == ours).map(|(word, _)| *word)
}

/// What came of its installation, as far as the server knows.
pub(super) fn install_result(host: &Value) -> Option<&'static str> {
    match text(host, "status") {
        "installed" | "online" | "offline" => Some("install_succeed"),
        "install_failed" => Some("install_failed"),
        _ => None,
    }
}

/// Alarms that nobody dealt with go before a scan that runs; what nothing looks at is not clean: who never
/// came, and who is not protected now.
pub(super) fn detect_result(host: &Value, unhandled: u64, is_scanned: bool) -> &'static str {
    if unhandled > 0 {
        "risk"
    } else if is_scanned {
        "scanning"
    } else if text(host, "seen_at").is_empty() || protect_status(host) != "opened" {
        "undetected"
    } else {
        "clean"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn host(status: &str, protection: &str, edition: &str) -> Value {
        json!({
            "status": status, "stopped": false, "edition": { "edition": edition },
            "protection": { "state": protection, "reason": "/srv: open+write the kernel has no fanotify" },
        })
    }

    #[test]
    fn protection_in_three_words() {
        for (status, state, edition, word, why) in [
            ("online", "full", "enterprise", "opened", None),
            ("online", "partial", "basic", "opened", None),
            ("online", "none", "enterprise", "protection_exception", Some("nothing_protected")),
            ("online", "unknown", "enterprise", "protection_exception", Some("protection_not_told")),
            ("offline", "full", "enterprise", "protection_exception", Some("agent_offline")),
            ("installed", "unknown", "enterprise", "protection_exception", Some("agent_not_connected")),
            ("online", "full", "none", "closed", None),
            ("offline", "full", "", "closed", None),
        ] {
            let h = host(status, state, edition);
            assert_eq!((protect_status(&h), interruption(&h)), (word, why), "{status} {state} {edition}");
        }
    }

    #[test]
    fn reasons_are_short() {
        let h = host("online", "partial", "basic");
        assert_eq!(degradation(&h).as_deref(), Some("/srv: open+write the kernel has "));
        assert_eq!(degradation(&host("offline", "partial", "basic")), None);
    }

    #[test]
    fn results_of_detection() {
        let mut h = host("online", "full", "basic");
        assert_eq!(detect_result(&h, 0, false), "undetected");
        h["seen_at"] = json!("2024-02-29T12:34:56.789Z");
        assert_eq!(detect_result(&h, 0, false), "clean");
        assert_eq!(detect_result(&h, 0, true), "scanning");
        assert_eq!(detect_result(&h, 2, true), "risk");
        for (status, protection, edition) in
            [("online", "full", "none"), ("online", "none", "basic"), ("offline", "full", "basic")]
        {
            let mut idle = host(status, protection, edition);
            idle["seen_at"] = h["seen_at"].clone();
            assert_eq!(detect_result(&idle, 0, false), "undetected", "{status} {protection} {edition}");
            assert_eq!(detect_result(&idle, 1, false), "risk");
        }
    }

    #[test]
    fn agents_in_five_words() {
        assert_eq!(agent_status(&host("installed", "unknown", "none")), Some("installing"));
        assert_eq!(agent_status(&host("offline", "unknown", "none")), Some("offline"));
    }
}
