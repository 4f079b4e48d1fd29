// SPDX-License-Identifier: Apache-2.0
//! Fields of bodies. Their types are checked when they come here: what is left is whether they are there, their lengths and
//! their ranges.

use crate::ask::{one_of, short_in};
use crate::error::HssError;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Characters of an id.
pub(super) const ID: usize = 64;

/// A text; one that is empty counts as absent.
pub(super) fn text<'a>(body: &'a Value, name: &str, most: usize) -> Result<Option<&'a str>, HssError> {
    short_in(body, "", name, most)
}

/// The refusal of a body without a field.
pub(super) fn lacking(name: &str, what: &str) -> HssError {
    HssError::invalid(format!("{name}: is missing; {what}"))
}

/// A text that must be there; `what` says what belongs into it.
pub(super) fn needed<'a>(body: &'a Value, name: &str, most: usize, what: &str) -> Result<&'a str, HssError> {
    text(body, name, most)?.ok_or_else(|| lacking(name, what))
}

/// One of these words, as what stands beside it.
pub(super) fn word<T: Clone>(body: &Value, name: &str, known: &[(&str, T)]) -> Result<Option<T>, HssError> {
    text(body, name, usize::MAX)?.map(|t| one_of(name, t, known)).transpose()
}

/// One of these words, which must be there.
pub(super) fn needed_word<T: Clone>(body: &Value, name: &str, known: &[(&str, T)]) -> Result<T, HssError> {
    word(body, name, known)?.ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(k, _)| *k).collect();
        lacking(name, &format!("it must be one of {}", words.join(", ")))
    })
}

/// A number within a range.
pub(super) fn number(body: &Value, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, HssError> {
    match body.get(name).and_then(Value::as_i64) {
        Some(n) if !range.contains(&n) => {
            Err(HssError::invalid(format!("{name}: {} to {}", range.start(), range.end())))
        }
        found => Ok(found),
    }
}

/// Ids, each once, in their order; `None` without the list.
pub(super) fn ids<'a>(body: &'a Value, name: &str) -> Result<Option<Vec<&'a str>>, HssError> {
    let Some(list) = body.get(name).and_then(Value::as_array) else { return Ok(None) };
    let mut out: Vec<&str> = Vec::with_capacity(list.len());
    for id in list.iter().map(|v| v.as_str().unwrap_or_default()) {
        if !(1..=ID).contains(&id.chars().count()) {
            return Err(HssError::invalid(format!("{name}: ids have 1 to {ID} characters")));
        }
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(Some(out))
}

/// Ids that must be there, one at least.
pub(super) fn needed_ids<'a>(body: &'a Value, name: &str) -> Result<Vec<&'a str>, HssError> {
    ids(body, name)?.filter(|l| !l.is_empty()).ok_or_else(|| lacking(name, "it must name at least one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_or_too_long_is_named() {
        let body = json!({ "a": "", "b": "abc", "n": 5, "ids": ["x", "y", "x"], "none": [] });
        assert_eq!(text(&body, "a", 1).unwrap(), None);
        assert!(text(&body, "b", 2).unwrap_err().message().contains("b: over 2"));
        assert!(needed(&body, "a", 9, "say it").unwrap_err().message().contains("a: is missing; say it"));
        assert_eq!(needed(&body, "b", 3, "").unwrap(), "abc");
        assert_eq!(number(&body, "n", 1..=5).unwrap(), Some(5));
        assert!(number(&body, "n", 1..=4).is_err());
        assert_eq!(needed_ids(&body, "ids").unwrap(), ["x", "y"]);
        assert!(needed_ids(&body, "none").is_err() && needed_ids(&body, "absent").is_err());
        assert!(ids(&json!({ "ids": ["x".repeat(65)] }), "ids").is_err());
    }

    #[test]
    fn words_stand_for_what_is_beside_them() {
        let known = [("auto", true), ("manual", false)];
        assert!(needed_word(&json!({ "action": "auto" }), "action", &known).unwrap());
        assert!(needed_word(&json!({}), "action", &known).unwrap_err().message().contains("auto, manual"));
        assert!(word(&json!({ "action": "Auto" }), "action", &known).is_err());
        assert_eq!(word(&json!({ "action": null }), "action", &known).unwrap(), None);
    }
}
