// SPDX-License-Identifier: Apache-2.0
//! What the public SDK knows, as `cargo xtask hss-table` read it out of the installed package: every operation, and of
//! those that Lazaret answers what they take.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// One operation.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    /// The call of the SDK, in snake case.
    pub(crate) name: String,
    pub(crate) method: String,
    path: String,
    /// Parameters behind `?` with their types.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    /// The model of the body.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// The model of the answer; absent: the operation is none of this product.
    #[serde(default)]
    pub(crate) answer: Option<String>,
}

/// Everything that was read.
#[derive(Debug, Deserialize)]
pub(crate) struct Sdk {
    operations: Vec<Operation>,
    /// Fields of models with their types, by the names on the wire.
    pub(crate) models: HashMap<String, BTreeMap<String, String>>,
}

/// What a path is.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// An operation, with the parts of the path that have names.
    Operation(&'static Operation, HashMap<&'static str, &'a str>),
    /// Other methods have this path.
    OtherMethod,
    Nothing,
}

static SDK: LazyLock<Sdk> = LazyLock::new(|| {
    // A test reads it too: what is shipped is readable.
    serde_json::from_str(include_str!("../sdk.json"))
        .unwrap_or_else(|_| Sdk { operations: Vec::new(), models: HashMap::new() })
});

/// What the SDK knows.
pub(crate) fn sdk() -> &'static Sdk {
    &SDK
}

impl Sdk {
    /// The operation of a request. Parts of a path that are words go before those that have names.
    pub(crate) fn find<'a>(&'static self, method: &str, path: &'a str) -> Found<'a> {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let mut best: Option<(&Operation, usize, HashMap<&'static str, &'a str>)> = None;
        let mut other = false;
        for operation in &self.operations {
            let Some(named) = matches(&operation.path, &parts) else { continue };
            if operation.method != method {
                other = true;
                continue;
            }
            if best.as_ref().is_none_or(|(_, least, _)| named.len() < *least) {
                best = Some((operation, named.len(), named));
            }
        }
        match best {
            Some((operation, _, named)) => Found::Operation(operation, named),
            None if other => Found::OtherMethod,
            None => Found::Nothing,
        }
    }
}

fn matches<'a>(pattern: &'static str, parts: &[&'a str]) -> Option<HashMap<&'static str, &'a str>> {
    let mut named = HashMap::new();
    let mut wanted = pattern.split('/');
    for part in parts {
        let want = wanted.next()?;
        match want.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) if !part.is_empty() => {
                named.insert(name, *part);
            }
            _ if want == *part => {}
            _ => return None,
        }
    }
    wanted.next().is_none().then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_own_path() {
        assert!(sdk().operations.len() > 500);
        for o in &sdk().operations {
            let path = o.path.replace(['{', '}'], "");
            let path: &'static str = path.leak();
            match sdk().find(&o.method, path) {
                Found::Operation(found, named) => {
                    assert_eq!((&found.path, &found.method), (&o.path, &o.method));
                    // Whose path has none is none of the list.
                    assert!(named.contains_key("project_id") || o.answer.is_none(), "{}", o.path);
                }
                other => panic!("{} {}: {other:?}", o.method, o.path),
            }
        }
    }

    #[test]
    fn words_go_before_names() {
        let Found::Operation(o, named) = sdk().find("GET", "/v5/0/setting/switches/auto") else { panic!() };
        assert_eq!((o.name.as_str(), named["code"]), ("show_switches_status", "auto"));
        assert!(matches!(sdk().find("PATCH", "/v5/0/event/events"), Found::OtherMethod));
        assert!(matches!(sdk().find("GET", "/v5/0/nonsense"), Found::Nothing));
        assert!(matches!(sdk().find("GET", "/v5//event/events"), Found::Nothing));
    }

    #[test]
    fn what_is_answered_has_models() {
        let answered: Vec<_> = sdk().operations.iter().filter(|o| o.answer.is_some()).collect();
        assert_eq!(answered.len(), 79);
        for o in answered {
            // One takes a list of lists of texts.
            if let Some(body) = o.body.as_ref().filter(|b| !b.starts_with("list[")) {
                assert!(sdk().models.contains_key(body), "{body}");
            }
        }
    }
}
