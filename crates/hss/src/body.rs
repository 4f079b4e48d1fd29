// SPDX-License-Identifier: Apache-2.0
//! Fields of bodies. Their types are checked when they come here: what is left is whether they are there, their lengths,
//! their words and their ranges.

use crate::ask::one_of;
use crate::error::HssError;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Characters of an id.
pub(crate) const ID: usize = 64;

/// The refusal of a body without a field.
pub(crate) fn lacking(name: &str, what: &str) -> HssError {
    HssError::invalid(format!("{name}: is missing; {what}"))
}

/// A text of an object in a body, of at most so many characters; empty ones count as absent. `place` is what stands
/// before the name in errors, such as `data_list[0].`.
pub(crate) fn short_in<'a>(
    object: &'a Value,
    place: &str,
    name: &str,
    most: usize,
) -> Result<Option<&'a str>, HssError> {
    match object.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()) {
        Some(t) if t.chars().count() > most => {
            Err(HssError::invalid(format!("{place}{name}: over {most} characters")))
        }
        found => Ok(found),
    }
}

/// The same of a text that must be there.
pub(crate) fn needed_in<'a>(
    object: &'a Value,
    place: &str,
    name: &str,
    most: usize,
) -> Result<&'a str, HssError> {
    short_in(object, place, name, most)?
        .ok_or_else(|| HssError::invalid(format!("{place}{name}: is missing: give 1 to {most} characters")))
}

/// One of these words, as what stands beside it.
pub(crate) fn word_in<T: Clone>(
    object: &Value,
    place: &str,
    name: &str,
    known: &[(&str, T)],
) -> Result<Option<T>, HssError> {
    let word = short_in(object, place, name, usize::MAX)?;
    word.map(|w| one_of(&format!("{place}{name}"), w, known)).transpose()
}

/// One of these words, which must be there.
pub(crate) fn needed_word_in<T: Clone>(
    object: &Value,
    place: &str,
    name: &str,
    known: &[(&str, T)],
) -> Result<T, HssError> {
    word_in(object, place, name, known)?.ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(k, _)| *k).collect();
        lacking(&format!("{place}{name}"), &format!("it must be one of {}", words.join(", ")))
    })
}

/// A field without which nothing can be done: a setting is never guessed.
pub(crate) fn flag(body: &Value, name: &str) -> Result<bool, HssError> {
    body.get(name).and_then(Value::as_bool).ok_or_else(|| lacking(name, "say true or false"))
}

/// A number within a range.
pub(crate) fn number(body: &Value, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, HssError> {
    match body.get(name).and_then(Value::as_i64) {
        Some(n) if !range.contains(&n) => {
            Err(HssError::invalid(format!("{name}: {} to {}", range.start(), range.end())))
        }
        found => Ok(found),
    }
}

/// Ids of at most so many characters, each once, in their order; `None` without the list.
pub(crate) fn ids<'a>(body: &'a Value, name: &str, most: usize) -> Result<Option<Vec<&'a str>>, HssError> {
    let Some(list) = body.get(name).and_then(Value::as_array) else { return Ok(None) };
    let mut out: Vec<&str> = Vec::with_capacity(list.len());
    for (i, id) in list.iter().map(|v| v.as_str().unwrap_or_default()).enumerate() {
        if !(1..=most).contains(&id.chars().count()) {
            return Err(HssError::invalid(format!("{name}[{i}]: ids have 1 to {most} characters")));
        }
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(Some(out))
}

/// Ids that must be there, one at least.
pub(crate) fn needed_ids<'a>(body: &'a Value, name: &str, most: usize) -> Result<Vec<&'a str>, HssError> {
    ids(body, name, most)?.filter(|l| !l.is_empty()).ok_or_else(|| lacking(name, "it must name at least one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_of_a_body() {
        let body = json!({ "a": "xyz", "b": "" });
        assert_eq!(short_in(&body, "", "a", 3).unwrap(), Some("xyz"));
        assert!(
            short_in(&body, "list[1].", "a", 2).is_err_and(|e| e.message().starts_with("list[1].a: over 2"))
        );
        assert_eq!(short_in(&body, "", "b", 3).unwrap(), None);
        assert!(needed_in(&body, "", "b", 3).is_err_and(|e| e.message().contains("b: is missing")));
    }

    #[test]
    fn numbers_and_ids() {
        let body = json!({ "n": 5, "ids": ["x", "y", "x"], "none": [] });
        assert_eq!(number(&body, "n", 1..=5).unwrap(), Some(5));
        assert!(number(&body, "n", 1..=4).is_err());
        assert_eq!(needed_ids(&body, "ids", ID).unwrap(), ["x", "y"]);
        assert!(needed_ids(&body, "none", ID).is_err() && needed_ids(&body, "absent", ID).is_err());
        let long = json!({ "ids": ["x", "x".repeat(65)] });
        assert!(ids(&long, "ids", ID).is_err_and(|e| e.message().starts_with("ids[1]: ")));
    }

    #[test]
    fn words_stand_for_what_is_beside_them() {
        let known = [("auto", true), ("manual", false)];
        let needed = |body: Value| needed_word_in(&body, "r.", "action", &known);
        assert!(needed(json!({ "action": "auto" })).unwrap());
        assert!(
            needed(json!({}))
                .unwrap_err()
                .message()
                .contains("r.action: is missing; it must be one of auto, manual")
        );
        assert!(needed(json!({ "action": "Auto" })).unwrap_err().message().starts_with("r.action: "));
        assert_eq!(word_in(&json!({ "action": null }), "", "action", &known).unwrap(), None);
    }

    #[test]
    fn flags_are_said() {
        assert!(flag(&json!({ "enabled": true }), "enabled").unwrap());
        assert!(!flag(&json!({ "enabled": false }), "enabled").unwrap());
        for body in [json!({}), json!({ "enabled": null }), Value::Null] {
            assert!(
                flag(&body, "enabled").unwrap_err().message().starts_with("enabled: is missing"),
                "{body}"
            );
        }
    }
}
