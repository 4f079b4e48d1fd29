// SPDX-License-Identifier: Apache-2.0
//! The wire changes by addition only: every field and value of `descriptor.snapshot` keeps its
//! number, type and label. `UPDATE_SNAPSHOTS=1` records additions; nothing records a removal.

#![forbid(unsafe_code)]

use lazaret_proto::{DESCRIPTOR, Message};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The part of google/protobuf/descriptor.proto that says what is on the wire.
#[derive(Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    file: Vec<File>,
}

#[derive(Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "4")]
    message_type: Vec<Struct>,
    #[prost(message, repeated, tag = "5")]
    enum_type: Vec<Enum>,
}

#[derive(Message)]
struct Struct {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    field: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    nested_type: Vec<Struct>,
    #[prost(message, repeated, tag = "4")]
    enum_type: Vec<Enum>,
    #[prost(message, repeated, tag = "8")]
    oneof: Vec<Named>,
}

#[derive(Message)]
struct Field {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    number: i32,
    #[prost(int32, tag = "4")]
    label: i32,
    #[prost(int32, tag = "5")]
    kind: i32,
    #[prost(string, tag = "6")]
    type_name: String,
    #[prost(int32, optional, tag = "9")]
    oneof_index: Option<i32>,
}

#[derive(Message)]
struct Enum {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    value: Vec<Value>,
}

#[derive(Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "2")]
    number: i32,
}

#[derive(Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// `FieldDescriptorProto.Type` by number.
const KINDS: [&str; 19] = [
    "?", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group",
    "message", "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64",
];

/// One line for each field and enum value, sorted.
fn listing(set: &FileSet) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in &set.file {
        file.message_type.iter().for_each(|message| list_message(&file.package, message, &mut lines));
        file.enum_type.iter().for_each(|values| list_enum(&file.package, values, &mut lines));
    }
    lines
}

fn list_message(scope: &str, message: &Struct, lines: &mut BTreeSet<String>) {
    let name = format!("{scope}.{}", message.name);
    for field in &message.field {
        let kind = usize::try_from(field.kind).ok().and_then(|kind| KINDS.get(kind)).unwrap_or(&"?");
        let kind = if field.type_name.is_empty() {
            (*kind).to_owned()
        } else {
            format!("{kind} {}", field.type_name)
        };
        let label = if field.label == 3 { "repeated" } else { "singular" };
        let oneof = field.oneof_index.and_then(|at| message.oneof.get(usize::try_from(at).ok()?));
        let oneof = oneof.map(|oneof| format!(" in {}", oneof.name)).unwrap_or_default();
        lines.insert(format!("{name}.{} = {} {label} {kind}{oneof}", field.name, field.number));
    }
    message.nested_type.iter().for_each(|inner| list_message(&name, inner, lines));
    message.enum_type.iter().for_each(|values| list_enum(&name, values, lines));
}

fn list_enum(scope: &str, values: &Enum, lines: &mut BTreeSet<String>) {
    for value in &values.value {
        lines.insert(format!("{scope}.{}.{} = {} value", values.name, value.name, value.number));
    }
}

/// What stood in the snapshot and does not stand in the descriptor.
fn gone(snapshot: &BTreeSet<String>, now: &BTreeSet<String>) -> Vec<String> {
    snapshot.difference(now).cloned().collect()
}

fn snapshot_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("descriptor.snapshot")
}

#[test]
fn the_wire_changes_by_addition_only() {
    let now = listing(&FileSet::decode(DESCRIPTOR).unwrap());
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|v| v == "1");
    let recorded = match std::fs::read_to_string(snapshot_path()) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(e) if update && e.kind() == std::io::ErrorKind::NotFound => BTreeSet::new(),
        Err(e) => panic!("{}: {e}; UPDATE_SNAPSHOTS=1 writes a first one", snapshot_path().display()),
    };
    let gone = gone(&recorded, &now);
    assert!(
        gone.is_empty(),
        "removed, renamed, renumbered or of another type; old agents and journals still send these:\n{}",
        gone.join("\n")
    );
    let added: Vec<String> = now.difference(&recorded).cloned().collect();
    if update {
        let text: String = now.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        std::fs::write(snapshot_path(), text).unwrap();
    } else {
        assert!(
            added.is_empty(),
            "additions are fine; record them with UPDATE_SNAPSHOTS=1 cargo test -p lazaret-proto:\n{}",
            added.join("\n")
        );
    }
}

#[test]
fn sees_what_would_break_old_peers() {
    let field = |name: &str, number: i32, kind: i32| Field {
        name: name.to_owned(),
        number,
        label: 1,
        kind,
        type_name: String::new(),
        oneof_index: None,
    };
    let of = |fields: Vec<Field>| {
        let message = Struct {
            name: "M".to_owned(),
            field: fields,
            nested_type: Vec::new(),
            enum_type: Vec::new(),
            oneof: Vec::new(),
        };
        listing(&FileSet {
            file: vec![File { package: "p".to_owned(), message_type: vec![message], enum_type: Vec::new() }],
        })
    };
    let before = of(vec![field("a", 1, 9)]);
    assert_eq!(before.iter().next().map(String::as_str), Some("p.M.a = 1 singular string"));
    assert!(gone(&before, &of(vec![field("a", 1, 9), field("b", 2, 9)])).is_empty(), "an addition");
    for breaking in [vec![], vec![field("a", 2, 9)], vec![field("b", 1, 9)], vec![field("a", 1, 12)]] {
        assert_eq!(gone(&before, &of(breaking)).len(), 1);
    }
}
