// SPDX-License-Identifier: Apache-2.0
//! The OpenAPI document: its snapshot in the repository, and that it is whole.

use crate::kit::Server;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[tokio::test]
async fn the_snapshot_in_the_repository_is_the_document_that_is_served() {
    let s = Server::start().await;
    let served = s.get("/api/v1/openapi.json", "").await.text;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if served != kept {
        // Beside it, not in its place: whoever changed the API looks at the difference.
        let fresh = path.with_extension("json.new");
        std::fs::write(&fresh, &served).unwrap();
        panic!("docs/openapi.json is stale; compare it with docs/openapi.json.new and move that over it");
    }
    s.stop().await;
}

fn references(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(r)) = map.get("$ref") {
                out.insert(r.clone());
            }
            map.values().for_each(|v| references(v, out));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, out)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_id_is_used_once() {
    let s = Server::start().await;
    let document: Value = serde_json::from_str(&s.running().document).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let names = document["components"]["schemas"].as_object().unwrap().keys();
    let clashes: Vec<&String> = names.filter(|n| n.ends_with(".clash")).collect();
    assert!(clashes.is_empty(), "two things of one name: {clashes:?}");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for r in found {
        let pointer = r.strip_prefix('#').unwrap_or_else(|| panic!("{r}"));
        assert!(document.pointer(pointer).is_some(), "{r} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}: {operation}"));
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(
                operation["responses"].as_object().unwrap().keys().any(|k| k.starts_with(['2', '3'])),
                "{id}"
            );
        }
    }
    assert_eq!(ids.len(), s.running().routes.len());
    s.stop().await;
}

/// The derive once showed the names of Rust instead of the words that are taken.
#[tokio::test]
async fn words_are_described_as_they_are_taken() {
    let s = Server::start().await;
    let document: Value = serde_json::from_str(&s.running().document).unwrap();
    let parameters = document["paths"]["/api/v1/alarms"]["get"]["parameters"].as_array().unwrap();
    let of = |name: &str| parameters.iter().find(|p| p["name"] == name).unwrap()["schema"].clone();
    assert_eq!(of("severity")["items"]["enum"], serde_json::json!(["low", "medium", "high", "critical"]));
    assert_eq!(of("importance")["enum"], serde_json::json!(["important", "common", "test"]));
    assert_eq!(of("since"), serde_json::json!({ "type": "string", "format": "date-time" }));
    let mut enums = Vec::new();
    fn walk(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Array(words)) = map.get("enum") {
                    out.extend(words.iter().filter_map(|w| w.as_str().map(str::to_owned)));
                }
                map.values().for_each(|v| walk(v, out));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, out)),
            _ => {}
        }
    }
    walk(&document, &mut enums);
    let odd: Vec<&String> = enums.iter().filter(|w| w.chars().any(char::is_uppercase)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    s.stop().await;
}
