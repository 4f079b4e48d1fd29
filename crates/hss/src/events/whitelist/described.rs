// SPDX-License-Identifier: Apache-2.0
//! How a request describes the entries that it wants removed.

use super::entry::{is_named, short, white_field};
use crate::body::{short_in, word_in};
use crate::error::HssError;
use crate::kinds;
use crate::rule::FIELDS;
use crate::words::{self, text};
use serde_json::Value;

const JUDGES: [(&str, ()); 4] = [("equal", ()), ("not_equal", ()), ("contain", ()), ("not_contain", ())];

/// How one entry of `data_list` describes what it means. What it does not say may be anything.
#[derive(Debug)]
pub(super) struct Described<'a> {
    hash: Option<&'a str>,
    description: Option<&'a str>,
    class: Option<&'static str>,
    field: Option<&'a str>,
    judge: Option<&'a str>,
    value: Option<&'a str>,
    file_hash: Option<&'a str>,
    file_path: Option<&'a str>,
    /// Rules, too, and not only hashes.
    rules: bool,
    /// Nothing of Lazaret can be so.
    never: bool,
}

impl<'a> Described<'a> {
    pub(super) fn of(place: &str, entry: &'a Value) -> Result<Self, HssError> {
        let classes = match entry.get("event_type").and_then(Value::as_i64) {
            Some(n) => Some(words::classes_of_type(kinds::event_type(&format!("{place}event_type"), n)?)),
            None => None,
        };
        let ours = word_in(entry, place, "white_field", &FIELDS)?;
        word_in(entry, place, "judge_type", &JUDGES)?;
        let described = Self {
            hash: short_in(entry, place, "hash", 64)?,
            description: short_in(entry, place, "description", 64)?,
            class: classes.as_ref().and_then(|c| c.first().copied()),
            field: short_in(entry, place, "white_field", 64)?,
            judge: short_in(entry, place, "judge_type", 64)?,
            value: short_in(entry, place, "field_value", 512)?,
            file_hash: short_in(entry, place, "file_hash", 512)?,
            file_path: short_in(entry, place, "file_path", 512)?,
            rules: entry.get("delete_white_rule").and_then(Value::as_bool).unwrap_or(false),
            never: classes.is_some_and(|c| c.is_empty()) || ours == Some(None),
        };
        let names = [described.hash, described.value, described.file_hash, described.file_path];
        if names.iter().all(Option::is_none) {
            return Err(HssError::invalid(format!(
                "{place}hash: is missing: send the hash that the list gives, or field_value, file_hash or file_path"
            )));
        }
        Ok(described)
    }

    /// Whether an entry is as described.
    pub(super) fn means(&self, entry: &Value) -> bool {
        let is_hash = text(entry, "field") == "hash";
        let content = if is_hash { text(entry, "value") } else { text(entry, "sha256") };
        !self.never
            && self.hash.is_none_or(|h| is_named(entry, h))
            && self.description.is_none_or(|d| d == short(text(entry, "description")))
            && self.class.is_none_or(|c| c == text(entry, "class"))
            && self.field.is_none_or(|f| white_field(text(entry, "field")) == Some(f))
            && self.judge.is_none_or(|j| j == text(entry, "judge"))
            && self.value.is_none_or(|v| v == text(entry, "value"))
            && self.file_hash.is_none_or(|h| h.eq_ignore_ascii_case(content))
            && self.file_path.is_none_or(|p| text(entry, "field") == "file_path" && p == text(entry, "value"))
    }

    /// Whether it names something that it may not remove so.
    fn spares(&self, entry: &Value) -> bool {
        !self.rules && text(entry, "field") != "hash"
    }

    fn name(&self) -> &str {
        self.hash.or(self.value).or(self.file_hash).or(self.file_path).unwrap_or_default()
    }
}

/// Ids of what is described; nothing is removed unless all can be.
pub(super) fn to_remove(all: &[Described<'_>], entries: &[Value]) -> Result<Vec<String>, HssError> {
    for (i, described) in all.iter().enumerate() {
        let mut meant = entries.iter().filter(|e| described.means(e)).peekable();
        if meant.peek().is_none() {
            return Err(HssError::missing("whitelist entry", described.name()));
        }
        if let Some(rule) = meant.find(|e| described.spares(e)) {
            return Err(HssError::invalid(format!(
                "data_list[{i}].delete_white_rule: must be true: the entry {} is a rule, not a hash; nothing was \
                 removed",
                text(rule, "id")
            )));
        }
    }
    Ok(entries.iter().map(|e| text(e, "id").to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entries() -> [Value; 2] {
        [
            json!({ "id": "1", "field": "hash", "judge": "equal", "value": "ab", "class": "miner", "description": "d" }),
            json!({ "id": "2", "field": "file_path", "judge": "contain", "value": "/x", "class": null,
                "sha256": "cd", "description": "e" }),
        ]
    }

    fn of(list: &[Value]) -> Result<Vec<String>, String> {
        let read = |e| Described::of("data_list[0].", e);
        let all = list.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(|e| e.message().to_owned())?;
        let meant = entries().into_iter().filter(|e| all.iter().any(|d| d.means(e))).collect::<Vec<_>>();
        to_remove(&all, &meant).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn what_a_description_means() {
        let hash = json!({ "hash": "AB", "description": "d", "event_type": 1016 });
        assert_eq!(of(&[hash]).unwrap(), ["1"]);
        let rule = json!({ "hash": "2", "white_field": "file_path", "judge_type": "contain", "field_value": "/x",
            "delete_white_rule": true });
        assert_eq!(of(&[rule]).unwrap(), ["2"]);
        assert_eq!(of(&[json!({ "file_hash": "CD", "delete_white_rule": true })]).unwrap(), ["2"]);
        assert_eq!(of(&[json!({ "file_path": "/x", "delete_white_rule": true })]).unwrap(), ["2"]);
    }

    #[test]
    fn what_it_does_not_mean() {
        for other in [
            json!({ "hash": "ab", "description": "e" }),
            json!({ "hash": "ab", "event_type": 1002 }),
            json!({ "hash": "ab", "event_type": 4002 }),
            json!({ "hash": "ab", "white_field": "username" }),
            json!({ "hash": "ab", "judge_type": "contain" }),
        ] {
            assert!(
                of(std::slice::from_ref(&other)).unwrap_err().contains("no whitelist entry \"ab\""),
                "{other}"
            );
        }
        assert!(of(&[json!({ "hash": "2" })]).unwrap_err().contains("the entry 2 is a rule"));
        assert!(of(&[json!({ "description": "d" })]).unwrap_err().contains("hash: is missing"));
        assert!(of(&[json!({ "hash": "ab", "white_field": "x" })]).unwrap_err().contains("white_field"));
        assert!(of(&[json!({ "hash": "ab", "event_type": 7 })]).unwrap_err().contains("event_type"));
    }
}
