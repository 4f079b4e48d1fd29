// SPDX-License-Identifier: Apache-2.0
//! A whitelist entry of the API as HSS has it, and its names.

use crate::rule::FIELDS;
use crate::words::{self, at, ms, said, text};
use serde_json::{Value, json};

/// Characters of a description; ours are longer.
pub(super) const DESCRIPTION: usize = 64;

/// `hash` of an entry: the content that it is of, else its id, which is its `rule_id` too.
fn name(entry: &Value) -> &str {
    if text(entry, "field") == "hash" { text(entry, "value") } else { text(entry, "id") }
}

/// Whether an entry is meant by a `hash`: its name, or in any case its id.
pub(super) fn is_named(entry: &Value, hash: &str) -> bool {
    name(entry).eq_ignore_ascii_case(hash) || text(entry, "id").eq_ignore_ascii_case(hash)
}

/// As much of a description as HSS has.
pub(super) fn short(description: &str) -> String {
    description.chars().take(DESCRIPTION).collect()
}

/// HSS's word for a field of ours.
pub(super) fn white_field(ours: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(_, field)| *field == Some(ours)).map(|(word, _)| *word)
}

/// As `AlarmWhiteListResponseInfo`.
pub(super) fn shown(entry: &Value, project: Option<&str>) -> Value {
    let judge = text(entry, "judge");
    let description = text(entry, "description");
    let short = short(description);
    json!({
        "enterprise_project_name": project,
        "hash": name(entry),
        "description": short,
        "event_type": words::event_type(text(entry, "class")),
        "white_field": white_field(text(entry, "field")),
        "field_value": at(entry, "value"),
        // HSS lists no others.
        "judge_type": Some(judge).filter(|j| ["equal", "contain"].contains(j)),
        // What an entry is for never changes: it is as old as it was made.
        "update_time": ms(at(entry, "added_at")),
        "lazaret_rule_id": at(entry, "id"),
        "lazaret_project": at(entry, "project"),
        "lazaret_judge": judge,
        "lazaret_description": Some(description).filter(|d| *d != short),
        "lazaret_scope": at(entry, "scope"),
        "lazaret_scope_id": at(entry, "scope_id"),
        "lazaret_sha256": at(entry, "sha256"),
        "lazaret_any_content": at(entry, "any_content"),
        "lazaret_value_b64": at(entry, "value_b64"),
        "lazaret_owner": said(at(entry, "owner")),
        "lazaret_added_by": said(at(entry, "added_by")),
        "lazaret_expires_time": ms(at(entry, "expires_at")),
        "lazaret_event_id": at(entry, "alarm"),
        "lazaret_hits_total": at(entry, "hits_total"),
        "lazaret_hits_today": at(entry, "hits_today"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn a_hash_and_a_path() {
        let hash = json!({ "id": "i", "field": "hash", "judge": "equal", "value": "ab", "class": "miner",
            "description": "ours", "added_at": "2026-01-01T00:00:00.000Z" });
        let seen = without_nulls(shown(&hash, Some("default")));
        assert_eq!((text(&seen, "hash"), text(&seen, "white_field")), ("ab", "file/process hash"));
        assert_eq!((at(&seen, "event_type"), text(&seen, "description")), (&json!(1016), "ours"));
        assert_eq!(at(&seen, "update_time"), &json!(1_767_225_600_000_i64));
        assert!(is_named(&hash, "AB") && is_named(&hash, "i") && !is_named(&hash, "x"));
        let long = "x".repeat(70);
        let path = json!({ "id": "i", "field": "file_path", "judge": "not_equal", "value": "/x", "class": null,
            "description": long });
        let seen = without_nulls(shown(&path, None));
        assert_eq!((text(&seen, "hash"), text(&seen, "lazaret_judge")), ("i", "not_equal"));
        assert_eq!((text(&seen, "description").len(), text(&seen, "lazaret_description").len()), (64, 70));
        assert!(at(&seen, "judge_type").is_null() && at(&seen, "event_type").is_null());
    }

    #[test]
    fn fields_have_words() {
        assert_eq!(white_field("process_cmdline"), Some("process_cmdline"));
        assert_eq!(white_field("x"), None);
    }
}
