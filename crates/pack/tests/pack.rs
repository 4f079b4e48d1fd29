// SPDX-License-Identifier: Apache-2.0
//! Source folder to pack and back, and what damaged forms do.

use lazaret_model::{FileType, MalwareClass};
use lazaret_pack::{Content, PackError, pack_bytes, read_source, rot47, write_pack};
use std::path::Path;

const RULES: &str = r#"# a comment
[[rule]]
id = "first_rule"
class = "miner"
family = "first"
weight = 4.0
decisive = true
types = ["elf", "script"]
max_size = 1000
description = "d"
reference = "https://example.org/"
yara = '''
strings:
  $a = "pattern one"
condition:
  $a
'''
[rule.match]
type = "elf"
body = "pattern one"
[rule.no_match]
type = "script"
body_base64 = "IyEvYmlu"

[[rule]]
id = "broken_rule"
class = "miner"
family = "first"
weight = "four"
types = ["elf"]
description = "an open quote
[[rule]]
id = "last_rule"
class = "webshell"
family = "last"
weight = 2.0
correlate = "word"
types = ["php"]
description = "d"
reference = "https://example.org/"
yara = "condition: filesize > 3"
"#;

fn folder(rules: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("VERSION"), "2026.11.1\n").unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    std::fs::create_dir(dir.path().join("hashes")).unwrap();
    std::fs::write(dir.path().join("rules/a.toml.rot47"), rot47(rules.as_bytes())).unwrap();
    let bad = format!(
        "sha256,size,class,family,test,reference\n{},5,virus,v,true,https://e.org/\n",
        "ab".repeat(32)
    );
    std::fs::write(dir.path().join("hashes/known_bad.csv.rot47"), rot47(bad.as_bytes())).unwrap();
    let good = format!("sha256,name,reference\n{},empty,https://e.org/\n", "cd".repeat(32));
    std::fs::write(dir.path().join("hashes/known_good.csv.rot47"), rot47(good.as_bytes())).unwrap();
    dir
}

#[test]
fn source_is_read_and_a_broken_rule_loses_only_itself() {
    let dir = folder(RULES);
    let content = read_source(dir.path()).unwrap();
    assert_eq!(content.version, "2026.11.1");
    let ids: Vec<&str> = content.rules.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["first_rule", "last_rule"]);
    let first = &content.rules[0];
    assert_eq!((first.line, first.yara_line), (2, 13));
    assert_eq!(RULES.lines().nth(first.yara_line as usize - 1), first.yara.lines().next());
    assert_eq!(first.types, [FileType::Elf, FileType::Script]);
    assert_eq!((first.class, first.correlate.as_str()), (MalwareClass::Miner, "first"));
    assert_eq!(first.other.as_ref().unwrap().object(), b"#!/bin");
    assert_eq!(content.rules[1].correlate, "word");
    assert_eq!(content.rules[1].yara_line, content.rules[1].line + 9);
    assert_eq!(content.problems.len(), 1, "{:?}", content.problems);
    let problem = content.problems[0].to_string();
    assert!(problem.starts_with("rules/a.toml.rot47:"), "{problem}");
    assert!((26..=32).contains(&content.problems[0].line), "{problem}");
}

#[test]
fn faults_are_named() {
    let good = RULES.split("[[rule]]").nth(1).unwrap();
    for (from, to, said) in [
        ("weight = 4.0", "weight = 9.0", "weight 9"),
        ("weight = 4.0", "weight = nan", "weight NaN"),
        ("[\"elf\", \"script\"]", "[]", "types is empty"),
        ("\"script\"", "\"exe\"", "unknown file type \"exe\""),
        ("\"miner\"", "\"spam\"", "unknown malware class \"spam\""),
        ("first_rule", "First", "rule id \"First\""),
        ("https://example.org/", "none", "reference"),
        ("condition:", "x:", "no condition"),
        ("body = \"pattern one\"", "", "match: needs either"),
        ("max_size", "maxsize", "unknown field `maxsize`"),
    ] {
        let dir = folder(&format!("[[rule]]{}", good.replacen(from, to, 1)));
        let content = read_source(dir.path()).unwrap();
        assert_eq!((content.rules.len(), content.problems.len()), (0, 1), "{from} -> {to}");
        assert!(content.problems[0].message.contains(said), "{from} -> {to}: {}", content.problems[0]);
        assert!(content.problems[0].line >= 1);
    }
    let dir = folder(&format!("stray = 1\n[[rule]]{good}[[rule]]{good}"));
    let content = read_source(dir.path()).unwrap();
    assert_eq!(content.rules.len(), 1);
    assert_eq!(content.problems.len(), 2, "{:?}", content.problems);
    assert!(content.problems[0].message.contains("not part of a [[rule]]"));
    assert!(content.problems[1].message.contains("its id is taken by rules/a.toml.rot47:2"));
}

#[test]
fn pack_holds_the_same_without_cases() {
    let dir = folder(RULES);
    let source = Content::load(dir.path()).unwrap();
    let out = dir.path().join("content.pack");
    write_pack(&source, &out).unwrap();
    let pack = Content::load(&out).unwrap();
    assert_eq!(pack.version, source.version);
    let mut without = source.rules.clone();
    for rule in &mut without {
        rule.matching = None;
        rule.other = None;
    }
    assert_eq!(pack.rules, without);
    assert_eq!(pack.known_bad, source.known_bad);
    assert_eq!(pack.known_good, source.known_good);
    assert!(pack.problems.is_empty());
    let bytes = std::fs::read(&out).unwrap();
    assert!(!bytes.windows(7).any(|w| w == b"pattern"), "a pattern is in plain sight");
    assert_eq!(bytes, pack_bytes(&source).unwrap(), "not reproducible");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4, "something was left behind");
}

#[test]
fn damaged_packs_are_refused_at_every_byte() {
    let dir = folder(RULES);
    let bytes = pack_bytes(&read_source(dir.path()).unwrap()).unwrap();
    for n in 0..bytes.len() {
        let e = Content::from_bytes("p.pack", &bytes[..n]).unwrap_err();
        assert!(matches!(e, PackError::Damaged { .. }), "{n}: {e}");
        let mut changed = bytes.clone();
        changed[n] ^= 0x41;
        assert!(Content::from_bytes("p.pack", &changed).is_err(), "byte {n} was changed unnoticed");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let e = Content::from_bytes("p.pack", &longer).unwrap_err().to_string();
    assert!(e.contains("p.pack") && e.contains("1 bytes follow"), "{e}");
}

#[test]
fn missing_things_are_named() {
    let e = Content::load(Path::new("/nonexistent/x.pack")).unwrap_err().to_string();
    assert!(e.contains("/nonexistent/x.pack"), "{e}");
    let dir = tempfile::tempdir().unwrap();
    let e = Content::load(dir.path()).unwrap_err().to_string();
    assert!(e.contains("VERSION"), "{e}");
    let e = Content::load(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(e.contains("neither a regular file"), "{e}");
}

#[test]
fn what_a_project_added_travels_in_the_pack() {
    use lazaret_pack::{DigestList, ThirdPartyRules, read_digest_list};
    let plain = Content { version: "v".to_owned(), ..Content::default() };
    let list = read_digest_list("l", &format!("{},worm,x", "c".repeat(64))).unwrap();
    let content = Content {
        third_party: vec![ThirdPartyRules {
            label: "a.yar".to_owned(),
            source: "rule a { condition: true }".to_owned(),
            promoted: true,
        }],
        listed: vec![DigestList { label: "l".to_owned(), promoted: false, entries: list }],
        ..plain.clone()
    };
    let bytes = pack_bytes(&content).unwrap();
    let back = Content::from_bytes("x", &bytes).unwrap();
    assert_eq!((&back.third_party, &back.listed), (&content.third_party, &content.listed));
    assert!(!bytes.windows(6).any(|w| w == b"rule a"), "never in plain form");
    assert!(pack_bytes(&plain).unwrap().len() < bytes.len());
    for length in 0..bytes.len() {
        assert!(Content::from_bytes("x", &bytes[..length]).is_err(), "{length}");
    }
}
