// SPDX-License-Identifier: Apache-2.0
//! What an alarm says of itself as a result of a virus scan.

use crate::words;
use serde_json::Value;

/// What an alarm's title says was done, after what was found.
const DONE: [&str; 6] = [
    "would have been isolated and killed",
    "would have been refused",
    "isolated and killed",
    "frozen",
    "refused",
    "found",
];

/// Whether a scan brought an alarm about a file.
pub(super) fn is_result(alarm: &Value) -> bool {
    words::text(alarm, "origin") == "scan" && !words::text(alarm, "path").is_empty()
}

/// The family, or where there is none the class: an alarm's title begins with both.
pub(super) fn malware_name(alarm: &Value) -> &str {
    let class = words::text(alarm, "class_title");
    let head = words::text(alarm, "title").split(": ").next().unwrap_or_default();
    let what = DONE.iter().find_map(|d| head.strip_suffix(d)).unwrap_or(head).trim();
    let family = what.strip_prefix(class).unwrap_or(what).trim();
    if family.is_empty() { class } else { family }
}

/// Whether somebody, not policy, had the file isolated.
pub(super) fn is_by_hand(alarm: &Value) -> bool {
    words::text(alarm, "handled.by") == "isolate_and_kill" && words::text(alarm, "handled.who") != "policy"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_from_titles() {
        let of = |class: &str, title: &str| {
            malware_name(&json!({ "class_title": class, "title": title })).to_owned()
        };
        assert_eq!(of("Miner", "Miner XMRig found: /tmp/X: y (confidence 97)"), "XMRig");
        assert_eq!(of("Web shell", "Web shell isolated and killed: /a (confidence 9)"), "Web shell");
        assert_eq!(of("Web shell", "Web shell c99 would have been isolated and killed: /a"), "c99");
        assert_eq!(of("Web shell", "Web shell c99 frozen: /found: x"), "c99");
        assert_eq!(malware_name(&json!({})), "");
    }

    #[test]
    fn isolation_by_people_and_by_policy() {
        let of = |by: &str, who: &str| is_by_hand(&json!({ "handled": { "by": by, "who": who } }));
        assert!(of("isolate_and_kill", "ann") && !of("isolate_and_kill", "policy") && !of("ignore", "ann"));
    }

    #[test]
    fn a_result_is_a_file_that_a_scan_found() {
        let of = |origin: &str, path: Option<&str>| is_result(&json!({ "origin": origin, "path": path }));
        assert!(of("scan", Some("/a")) && !of("scan", None) && !of("exec", Some("/a")));
    }
}
