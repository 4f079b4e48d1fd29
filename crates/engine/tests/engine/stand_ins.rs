// SPDX-License-Identifier: Apache-2.0
//! Harmless objects, and small content that recognises them.

use lazaret_engine::Engine;
use lazaret_model::{FileType, MalwareClass, Verdict};
use lazaret_pack::{Content, Rule};
use std::path::Path;

/// What the small content takes for malware.
pub(crate) const BAD: &[u8] = b"harmless stand-in: quokka quokka quokka\n";

/// A rule of the small content.
pub(crate) fn rule(id: &str, weight: f32, decisive: bool, types: &[FileType], yara: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        class: MalwareClass::Miner,
        family: id.to_owned(),
        weight,
        decisive,
        test: false,
        types: types.to_vec(),
        max_size: None,
        correlate: id.to_owned(),
        description: "a stand-in".to_owned(),
        reference: "https://example.org/".to_owned(),
        yara: yara.to_owned(),
        file: "rules/stand_in.toml".to_owned(),
        line: 10,
        yara_line: 20,
        matching: None,
        other: None,
    }
}

/// Content of some rules.
pub(crate) fn content(rules: Vec<Rule>) -> Content {
    Content { version: "1".to_owned(), rules, ..Content::default() }
}

/// An engine with one decisive rule that recognises [`BAD`] in every type of file.
pub(crate) fn engine() -> Engine {
    let yara = "strings:\n  $a = \"quokka quokka\"\ncondition:\n  $a";
    let (engine, info) = Engine::load(&content(vec![rule("quokka", 7.0, true, &FileType::ALL, yara)]), &[]);
    assert_eq!(info.problems, []);
    assert_eq!(info.rules, 1);
    engine
}

/// The content of this repository.
pub(crate) fn shipped() -> Content {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let content = Content::load(&dir).unwrap();
    assert_eq!(content.problems, [], "problems in the shipped content");
    content
}

/// The same with what only the deep scan of a server knows.
pub(crate) fn deep() -> Content {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let content = lazaret_pack::read_sources(&[&dir, &dir.join("deep")]).unwrap();
    assert_eq!(content.problems, [], "problems in the content of the deep scan");
    content
}

/// The test file of EICAR, put together at run time.
pub(crate) fn eicar() -> Vec<u8> {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "STANDARD", "ANTIVIRUS", "TEST", "FILE!$H+H*"]
        .join("-")
        .into_bytes()
}

/// The ids of a verdict's evidence.
pub(crate) fn ids(verdict: &Verdict) -> Vec<&str> {
    verdict.evidence.iter().map(|e| e.id.as_str()).collect()
}
