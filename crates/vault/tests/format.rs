// SPDX-License-Identifier: Apache-2.0
//! docs/vault-format.md is true and complete: what it says is enough to read a vault with nothing
//! but `age`, `sha256sum` and a JSON parser.

mod support;

use lazaret_vault::{Manifest, Vault};
use serde_json::Value;
use std::process::Command;
use support::{age, manifest, put};

const DOCUMENT: &str = include_str!("../../../docs/vault-format.md");

fn keys(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push(key.clone());
                keys(value, out);
            }
        }
        Value::Array(all) => all.iter().for_each(|v| keys(v, out)),
        _ => {}
    }
}

#[test]
fn every_field_is_documented_and_the_example_is_a_manifest() {
    let (_dir, v) = support::new();
    let id = put(&v, b"x");
    v.update(id, |m| m.staged = Some(m.path.clone())).unwrap();
    let json: Value = serde_json::to_value(v.manifest(id).unwrap()).unwrap();
    let mut all = Vec::new();
    keys(&json, &mut all);
    assert!(all.len() > 40, "{all:?}");
    for key in all {
        let named = [format!("`{key}`"), format!("\"{key}\"")].iter().any(|k| DOCUMENT.contains(k));
        assert!(named, "docs/vault-format.md does not tell of \"{key}\"");
    }
    let example = DOCUMENT.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let m = Manifest::from_json(example.as_bytes()).unwrap();
    assert!(m.later.is_empty(), "fields that this version does not know: {:?}", m.later);
    assert_eq!((m.path.lossy().as_str(), m.uid), ("/tmp/x", 1000));
    // What may be absent may be absent.
    let mut short: Value = serde_json::from_str(example).unwrap();
    for key in
        ["alarm", "who", "links", "extents", "xattrs", "flags", "test", "reason", "staged", "killed", "blob"]
    {
        assert!(short.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    Manifest::from_json(short.to_string().as_bytes()).unwrap();
}

#[test]
fn another_reader_needs_only_the_document() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("v");
    let (v, _) = Vault::init(&root).unwrap();
    let contents: [&[u8]; 4] = [b"one", b"same", b"same", &[7; 200_000]];
    for content in contents {
        put(&v, content);
    }
    let in_place = manifest(lazaret_model::IsolatedId::new(), b"elsewhere");
    v.write_manifest(&in_place).unwrap();
    drop(v);
    let mut names: Vec<_> = std::fs::read_dir(root.join("objects"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    names.sort();
    let mut read = Vec::new();
    for path in names {
        let m: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(m["schema"], "lazaret.isolated/1");
        let blob = path.with_extension("age");
        if !blob.exists() {
            assert!(m.get("blob").is_none());
            continue;
        }
        assert_eq!(m["blob"]["file"], blob.file_name().unwrap().to_str().unwrap());
        assert_eq!(m["blob"]["bytes"], std::fs::metadata(&blob).unwrap().len());
        let head = std::fs::read(&blob).unwrap();
        let head = String::from_utf8_lossy(&head[..300]).into_owned();
        assert!(head.starts_with(&format!("{}\n", m["blob"]["format"].as_str().unwrap())), "{head}");
        assert_eq!(head.matches("-> X25519 ").count(), 2, "for both keys");
        let plain = age(&root.join("host.key"), &blob);
        let out = dir.path().join("plain");
        std::fs::write(&out, &plain).unwrap();
        let sum = Command::new("sha256sum").arg(&out).output().unwrap().stdout;
        assert!(String::from_utf8(sum).unwrap().starts_with(m["sha256"].as_str().unwrap()));
        assert_eq!(m["size"], plain.len());
        read.push(plain);
    }
    assert_eq!(read, contents, "in the order of time");
}
