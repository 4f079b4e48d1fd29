// SPDX-License-Identifier: Apache-2.0
//! What a request asks, held against what the SDK sends: types first, then words and ranges.

mod bounds;

use crate::error::HssError;
use crate::sdk::{Operation, Sdk, sdk};
use crate::sign;
use crate::words::quoted;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Characters of a text, in query and body.
pub(crate) const LONGEST: usize = 4096;
/// Entries of a list, in query and body; of some in bodies more.
pub(crate) const MOST: usize = 100;
/// A body's depth: no model comes near.
const DEEPEST: usize = 16;

/// A request, checked for its types.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) operation: &'static Operation,
    path: HashMap<&'static str, String>,
    query: BTreeMap<String, Vec<String>>,
    /// Null without a body.
    pub(crate) body: Value,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    /// 0 to 2,000,000.
    pub(crate) offset: u64,
    /// 10 to 200; of some operations to 1000.
    pub(crate) limit: u64,
}

impl Ask {
    /// Checks types, lengths and numbers of entries. Parameters that the SDK does not know are passed over, as HSS does.
    pub(crate) fn read(
        operation: &'static Operation,
        path: HashMap<&'static str, &str>,
        query: &str,
        body: &[u8],
    ) -> Result<Self, HssError> {
        let mut path_parts = HashMap::new();
        for (name, part) in path {
            let plain = percent_encoding::percent_decode_str(part)
                .decode_utf8()
                .map_err(|_| HssError::invalid(format!("{name}: not UTF-8")))?;
            text(name, &plain)?;
            path_parts.insert(name, plain.into_owned());
        }
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in sign::pairs(query) {
            let Some(kind) = operation.query.get(&name) else { continue };
            parameter(&name, kind, &value)?;
            found.entry(name).or_default().push(value);
        }
        for (name, values) in &found {
            let most = if operation.query[name].starts_with("list[") { MOST } else { 1 };
            if values.len() > most {
                return Err(HssError::invalid(format!("{name}: {} values, {most} at most", values.len())));
            }
        }
        let body = match &operation.body {
            None => Value::Null,
            // A list alone may be left out.
            Some(model) if body.is_empty() && model.starts_with("list[") => Value::Null,
            Some(_) if body.is_empty() => {
                return Err(HssError::invalid("the body is missing"));
            }
            Some(model) => {
                let value: Value = serde_json::from_slice(body)
                    .map_err(|e| HssError::invalid(format!("the body is not JSON: {e}")))?;
                field(sdk(), "body", model, MOST, &value, 0)?;
                value
            }
        };
        Ok(Self { operation, path: path_parts, query: found, body })
    }

    /// A named part of the path.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A parameter; empty ones count as absent, as the SDK sends them.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name)?.first().map(String::as_str).filter(|t| !t.is_empty())
    }

    /// A parameter of at most so many characters.
    pub(crate) fn short(&self, name: &str, most: usize) -> Result<Option<&str>, HssError> {
        match self.text(name) {
            Some(t) if t.chars().count() > most => {
                Err(HssError::invalid(format!("{name}: over {most} characters")))
            }
            found => Ok(found),
        }
    }

    /// A number.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A number within a range.
    pub(crate) fn between(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, HssError> {
        // Some numbers are texts to the SDK.
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(n) if range.contains(&n) => Ok(Some(n)),
            _ => Err(HssError::invalid(format!("{name}: a number of {} to {}", range.start(), range.end()))),
        }
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        Some(self.text(name)?.eq_ignore_ascii_case("true"))
    }

    /// All values of a parameter; those of a text that has commas too.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<&str>, HssError> {
        let values = self.query.get(name).into_iter().flatten();
        let all: Vec<&str> =
            values.flat_map(|v| v.split(',')).map(str::trim).filter(|v| !v.is_empty()).collect();
        if all.len() > MOST {
            return Err(HssError::invalid(format!("{name}: {} values, {MOST} at most", all.len())));
        }
        Ok(all)
    }

    /// One of these words, as what stands beside it.
    pub(crate) fn word<T: Clone>(&self, name: &str, known: &[(&str, T)]) -> Result<Option<T>, HssError> {
        self.text(name).map(|t| one_of(name, t, known)).transpose()
    }

    /// Each one of these words, as what stands beside it.
    pub(crate) fn words<T: Clone>(&self, name: &str, known: &[(&str, T)]) -> Result<Vec<T>, HssError> {
        self.list(name)?.into_iter().map(|t| one_of(name, t, known)).collect()
    }

    /// The part of a list that is asked for; ten from the beginning, as HSS.
    pub(crate) fn offset(&self) -> Result<Offset, HssError> {
        let offset = self.between("offset", 0..=2_000_000)?.unwrap_or(0);
        let limit = self.between("limit", bounds::rows(&self.operation.name))?.unwrap_or(10);
        Ok(Offset { offset: offset.unsigned_abs(), limit: limit.unsigned_abs() })
    }
}

/// A word that a field of query or body may have, as what stands beside it.
pub(crate) fn one_of<T: Clone>(name: &str, word: &str, known: &[(&str, T)]) -> Result<T, HssError> {
    known.iter().find(|(k, _)| *k == word).map(|(_, v)| v.clone()).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(k, _)| *k).collect();
        HssError::invalid(format!("{name}: \"{}\" is none of {}", quoted(word, 80), words.join(", ")))
    })
}

fn text(name: &str, value: &str) -> Result<(), HssError> {
    if value.chars().count() > LONGEST {
        return Err(HssError::invalid(format!("{name}: over {LONGEST} characters")));
    }
    if value.contains('\0') {
        return Err(HssError::invalid(format!("{name}: has a NUL character")));
    }
    Ok(())
}

fn parameter(name: &str, kind: &str, value: &str) -> Result<(), HssError> {
    let kind = kind.strip_prefix("list[").and_then(|k| k.strip_suffix(']')).unwrap_or(kind);
    text(name, value)?;
    let good = match kind {
        _ if value.is_empty() => true,
        "int" => value.parse::<i64>().is_ok(),
        "float" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "bool" => ["true", "false"].iter().any(|w| value.eq_ignore_ascii_case(w)),
        _ => true,
    };
    if good {
        Ok(())
    } else {
        Err(HssError::invalid(format!("{name}: \"{}\" is no {kind}", quoted(value, 80))))
    }
}

/// Whether a value is of a type of the SDK, a list of `most` entries at most. Null is absent. Fields that the SDK does not
/// know are passed over.
fn field(
    sdk: &Sdk,
    name: &str,
    kind: &str,
    most: usize,
    value: &Value,
    depth: usize,
) -> Result<(), HssError> {
    let wrong = |what: &str| Err(HssError::invalid(format!("{name}: must be {what}")));
    if value.is_null() && depth > 0 {
        return Ok(());
    }
    if depth > DEEPEST {
        return Err(HssError::invalid(format!("{name}: over {DEEPEST} levels deep")));
    }
    if let Some(inner) = kind.strip_prefix("list[").and_then(|k| k.strip_suffix(']')) {
        let Some(list) = value.as_array() else { return wrong("a list") };
        if list.len() > most {
            return Err(HssError::invalid(format!("{name}: {} entries, {most} at most", list.len())));
        }
        return list.iter().try_for_each(|v| field(sdk, name, inner, MOST, v, depth + 1));
    }
    match kind {
        "str" | "date" | "datetime" => match value.as_str() {
            Some(t) => text(name, t),
            None => wrong("a text"),
        },
        "int" if !value.is_i64() => wrong("a whole number"),
        "float" if !value.is_number() => wrong("a number"),
        "bool" if !value.is_boolean() => wrong("true or false"),
        "int" | "float" | "bool" | "object" => Ok(()),
        _ => match (sdk.models.get(kind), value.as_object()) {
            (Some(_), None) => wrong("an object"),
            (None, _) => Ok(()),
            (Some(fields), Some(object)) => object.iter().try_for_each(|(key, v)| match fields.get(key) {
                Some(inner) => {
                    let most = bounds::entries(kind, key);
                    field(sdk, &format!("{name}.{}", quoted(key, 80)), inner, most, v, depth + 1)
                }
                None => Ok(()),
            }),
        },
    }
}

#[cfg(test)]
mod tests;
