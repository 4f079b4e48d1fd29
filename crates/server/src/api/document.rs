// SPDX-License-Identifier: Apache-2.0
//! The OpenAPI document, made of the routes themselves.

use super::route::Routes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The document as text, with a newline at its end, keys in order: the snapshot in the repository.
pub(crate) fn write(routes: &Routes) -> String {
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    for (name, schema) in &routes.schemas {
        let schema = serde_json::to_value(schema).unwrap_or_default();
        // Two things of one name: the document's test finds what is left of the second.
        let clash = schemas.get(name).is_some_and(|there| *there != schema);
        let name = if clash { format!("{name}.clash") } else { name.clone() };
        schemas.insert(name, schema);
    }
    for schema in schemas.values_mut() {
        close(schema);
    }
    let mut paths = serde_json::to_value(&routes.paths).unwrap_or_default();
    for operation in operations(&mut paths) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for schema in parameters.into_iter().flatten().filter_map(|p| p.get_mut("schema")) {
            present(schema);
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lazaret",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Alarms, isolated files, hosts and settings of a fleet.",
            "description": "Sign in with POST /api/v1/login and send the token as `Authorization: Bearer`, or use an API key the same way. With the cookie instead, what writes needs the header `X-Lazaret-CSRF: 1`. Errors are `application/problem+json` (RFC 9457).",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A sign-in's token or an API key." },
                "cookie": { "type": "apiKey", "in": "cookie", "name": crate::people::caller::COOKIE },
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Every operation of every path.
fn operations(paths: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = paths.as_object_mut().into_iter().flat_map(|m| m.values_mut());
    items.filter_map(Value::as_object_mut).flat_map(|m| m.values_mut())
}

/// A parameter is there or not; there is no way to write null behind `?`.
fn present(schema: &mut Value) {
    let is_null = |v: &Value| v == "null" || v.get("type").is_some_and(|t| t == "null");
    for key in ["type", "oneOf"] {
        let Some(list) = schema.get_mut(key).and_then(Value::as_array_mut) else { continue };
        list.retain(|v| !is_null(v));
        if let [one] = list.as_slice() {
            let one = one.clone();
            if key == "oneOf" {
                *schema = one;
            } else {
                schema[key] = one;
            }
        }
    }
}

/// What is not described is not there: `additionalProperties: false` wherever properties are named.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let named = map.contains_key("properties");
            let open = map.contains_key("additionalProperties");
            for value in map.values_mut() {
                close(value);
            }
            if named && !open {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            // Parts of one object each forbid what the others have.
            if let Some(Value::Array(parts)) = map.get_mut("allOf") {
                for part in parts.iter_mut().filter_map(Value::as_object_mut) {
                    part.remove("additionalProperties");
                }
                map.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_never_null() {
        let mut one = json!({ "type": ["string", "null"], "maxLength": 3 });
        present(&mut one);
        assert_eq!(one, json!({ "type": "string", "maxLength": 3 }));
        let mut of = json!({ "oneOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] });
        present(&mut of);
        assert_eq!(of, json!({ "type": "string", "enum": ["a"] }));
    }

    #[test]
    fn named_properties_are_all_there_are() {
        let mut schema = json!({
            "type": "object",
            "properties": { "a": { "type": "object", "properties": {} }, "b": { "type": "object" } },
        });
        close(&mut schema);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["a"]["additionalProperties"], false);
        assert!(schema["properties"]["b"].get("additionalProperties").is_none());
    }
}
