// SPDX-License-Identifier: Apache-2.0
//! How the document describes a policy group's settings; a test holds it to what they take.

use crate::settings::PolicySettings;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

fn or_null(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

fn number(least: u32, most: u32, text: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(or_null(Type::Integer))
        .minimum(Some(least))
        .maximum(Some(most))
        .description(Some(text))
        .build()
}

fn switch(text: &str) -> Object {
    ObjectBuilder::new().schema_type(or_null(Type::Boolean)).description(Some(text)).build()
}

fn folders(text: &str) -> Array {
    let folder = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^/")).max_length(Some(4095));
    ArrayBuilder::new().items(folder).max_items(Some(200)).description(Some(text)).build()
}

impl ToSchema for PolicySettings {}

impl PartialSchema for PolicySettings {
    fn schema() -> RefOr<Schema> {
        let classes = lazaret_model::MalwareClass::all().map(lazaret_model::MalwareClass::word);
        let class =
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(classes.collect::<Vec<_>>()));
        let classes = ArrayBuilder::new()
            .schema_type(or_null(Type::Array))
            .items(class)
            .max_items(Some(12))
            .unique_items(true)
            .description(Some("Classes that act by themselves at high confidence; empty: none."));
        let mode = ObjectBuilder::new()
            .schema_type(or_null(Type::String))
            .enum_values(Some([
                serde_json::Value::from("equalization"),
                serde_json::Value::from("high_detection"),
                serde_json::Value::Null,
            ]))
            .description(Some("Absent: by the project's switch."));
        let object = ObjectBuilder::new()
            .description(Some("What is absent leaves the host's own configuration in force."))
            .property("automatic_classes", classes)
            .property("protect_mode", mode)
            .property("high_threshold", number(80, 100, "From this confidence on the rating is high."))
            .property("medium_threshold", number(30, 79, "From this confidence on the rating is medium."))
            .property("dry_run", switch("Everything is decided and nothing is done."))
            .property("freeze_seconds", number(0, 15, "Freeze so long before the kill."))
            .property("web_roots", folders("Folders of web servers."))
            .property("exclude", folders("Paths that are not scanned."))
            .property("test_programs", switch("Take test programs for malware."))
            .property("condemn_archives", switch("A malicious member condemns its archive."))
            .property("max_isolations_per_hour", number(1, 100_000, "Of every origin."))
            .property("max_kills_per_hour", number(1, 100_000, "Of every origin."))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        RefOr::T(Schema::Object(object.build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_described_is_taken_and_no_other() {
        let full = PolicySettings {
            automatic_classes: Some(vec![]),
            protect_mode: Some("equalization".into()),
            high_threshold: Some(90),
            medium_threshold: Some(50),
            dry_run: Some(true),
            freeze_seconds: Some(1),
            web_roots: vec!["/srv".into()],
            exclude: vec!["/tmp".into()],
            test_programs: Some(true),
            condemn_archives: Some(true),
            max_isolations_per_hour: Some(1),
            max_kills_per_hour: Some(1),
        };
        let RefOr::T(Schema::Object(object)) = PolicySettings::schema() else { panic!("an object") };
        let described: std::collections::BTreeSet<String> = object.properties.keys().cloned().collect();
        let serde_json::Value::Object(taken) = serde_json::to_value(&full).unwrap() else { panic!() };
        assert_eq!(described, taken.keys().cloned().collect());
    }
}
