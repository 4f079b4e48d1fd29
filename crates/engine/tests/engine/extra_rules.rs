// SPDX-License-Identifier: Apache-2.0
//! Rules that others wrote, also broken ones.

use crate::stand_ins::{BAD, content, ids, rule};
use lazaret_engine::{Engine, ExtraRules};
use lazaret_model::{EvidenceKind, FileType, MalwareClass, Rating, Thresholds};

fn extra(label: &str, source: &str) -> ExtraRules {
    ExtraRules { label: label.to_owned(), source: source.as_bytes().to_vec(), promoted: false }
}

const BROKEN: &str = r#"import "elf"
include "/etc/passwd"
rule first { strings: $a = "quokka" condition: $a }
rule second {
  strings:
    $a = "quokka
  condition:
    $a
}
rule third { strings: $a = "quokka" condition: $a and undeclared }
/*
rule commented_out { condition: true }
*/
rule fourth {
  strings: $a = "quokka"
  conditio: $a
}
rule fifth : tag {
  meta:
    malware_type = "Coin-Miner"
    family = "Quokka"
    score = 99
    description = "found a quokka"
  strings:
    $a = "quokka"
  condition:
    $a
}
"#;

#[test]
fn broken_rules_are_reported_and_all_others_stay_in_force() {
    let files = [
        extra("a/broken.yar", BROKEN),
        extra("b/fine.yar", "rule first { condition: filesize > 3 }"),
        ExtraRules {
            label: "c/latin1.yar".to_owned(),
            source: b"rule x { condition: true } // \xe9".to_vec(),
            promoted: false,
        },
        extra(
            "d/windows.yar",
            "import \"pe\"\nrule w { condition: pe.is_pe }\nrule v { condition: w }\nrule u { condition: filesize == 0 }",
        ),
    ];
    let (engine, info) = Engine::load(&content(Vec::new()), &files);
    let said: Vec<String> = info.problems.iter().map(ToString::to_string).collect();
    for expected in [
        "a/broken.yar:2:1: ",
        "a/broken.yar:6:10: ",
        "a/broken.yar:10:55: ",
        "a/broken.yar:16:3: ",
        "c/latin1.yar:1:31: ",
    ] {
        assert!(said.iter().any(|p| p.starts_with(expected)), "{expected} is not in {said:#?}");
    }
    let absent = said.iter().find(|p| p.starts_with("d/windows.yar:")).unwrap();
    assert!(absent.contains("2 rules need a YARA module that is not built in (pe)"), "{absent}");
    assert_eq!(info.rules, 4, "{said:#?}");
    let v = engine.scanner().scan_bytes(BAD, false).unwrap().verdict;
    assert_eq!(ids(&v), ["fifth", "first"]);
    assert!(v.evidence.iter().all(|e| e.kind == EvidenceKind::ThirdPartyRule && !e.decisive));
    assert_eq!((v.class, v.family.as_str()), (MalwareClass::Miner, "Quokka"));
    assert!(v.evidence[0].detail.contains("found a quokka ($a at 19) (from a/broken.yar)"), "{v:?}");
    assert_eq!(v.rating(Thresholds::default()), Some(Rating::Medium));
}

#[test]
fn medium_at_most_however_many() {
    let text: String =
        (0..50).map(|i| format!("rule r{i} {{ meta: score = 100 condition: filesize > 0 }}\n")).collect();
    let (engine, info) = Engine::load(&content(Vec::new()), &[extra("many.yar", &text)]);
    assert_eq!((info.rules, info.problems.len()), (50, 0));
    let v = engine.scanner().scan_bytes(b"x", false).unwrap().verdict;
    assert_eq!(v.confidence.value(), 79, "below whatever a policy calls high");
}

#[test]
fn scores_of_others_become_confidence() {
    let text = "rule low { meta: score = 40 condition: uint8(0) == 0x61 }\n\
                rule plain { condition: uint8(0) == 0x62 }";
    let (engine, _) = Engine::load(&content(Vec::new()), &[extra("s.yar", text)]);
    let mut scanner = engine.scanner();
    assert_eq!(scanner.scan_bytes(b"a", false).unwrap().verdict.confidence.value(), 40);
    assert_eq!(scanner.scan_bytes(b"b", false).unwrap().verdict.confidence.value(), 75);
}

#[test]
fn the_version_says_that_rules_were_added() {
    let of = |files: &[ExtraRules]| Engine::load(&content(Vec::new()), files).1.version;
    let one = of(&[extra("a", "rule a { condition: true }")]);
    let other = of(&[extra("a", "rule b { condition: true }")]);
    assert_eq!(of(&[]), "1");
    assert!(one.starts_with("1+extra.") && one != other, "{one} {other}");
}

#[test]
fn a_broken_shipped_rule_is_reported_where_it_stands() {
    let rules = vec![
        rule(
            "fine",
            3.0,
            false,
            &[FileType::Text, FileType::Elf],
            "strings:\n $a = \"quokka\"\ncondition:\n $a",
        ),
        rule(
            "broken",
            3.0,
            false,
            &[FileType::Text, FileType::Elf, FileType::Php],
            "strings:\n  $a = \"x\"\ncondition:\n  $b",
        ),
    ];
    let (engine, info) = Engine::load(&content(rules), &[]);
    let said: Vec<String> = info.problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    // Its own text begins on line 20, and `$b` is on its fourth line.
    assert!(said[0].starts_with("rules/stand_in.toml:23:3: rule broken: "), "{said:?}");
    assert_eq!(info.rules, 1);
    assert_eq!(ids(&engine.scanner().scan_bytes(BAD, false).unwrap().verdict), ["fine"]);
}

fn project(promoted: bool) -> lazaret_pack::Content {
    let text = "rule quokka { meta: class = \"miner\" strings: $a = \"quokka\" condition: $a }\n\
                rule doubt { meta: score = 65 condition: filesize == 3 }";
    let mut content = content(Vec::new());
    content.third_party = vec![lazaret_pack::ThirdPartyRules {
        label: "project/q.yar".to_owned(),
        source: text.to_owned(),
        promoted,
    }];
    content
}

#[test]
fn what_a_project_added_is_high_only_once_it_is_promoted() {
    for (promoted, rating) in [(false, Rating::Medium), (true, Rating::High)] {
        let (engine, info) = Engine::load(&project(promoted), &[]);
        assert_eq!((info.rules, info.problems.len(), info.version.as_str()), (2, 0, "1"));
        let v = engine.scanner().scan_bytes(BAD, false).unwrap().verdict;
        assert_eq!((v.class, v.rating(Thresholds::default())), (MalwareClass::Miner, Some(rating)));
        assert_eq!(v.evidence[0].decisive, promoted);
        assert!(v.evidence[0].detail.contains("project/q.yar"), "{v:?}");
        // Its author's own doubt stays one.
        let v = engine.scanner().scan_bytes(b"abc", false).unwrap().verdict;
        assert_eq!(v.confidence.value(), 65);
    }
}

#[test]
fn a_listed_digest_is_high_only_once_its_list_is_promoted() {
    use sha2::Digest as _;
    let sha256 = lazaret_model::Sha256(sha2::Sha256::digest(BAD).into());
    let entries = lazaret_pack::read_digest_list("l", &format!("{sha256},worm,fam")).unwrap();
    for (promoted, value) in [(false, 75), (true, 99)] {
        let mut content = content(Vec::new());
        let list = lazaret_pack::DigestList { label: "project/l".into(), promoted, entries: entries.clone() };
        content.listed = vec![list];
        let (engine, info) = Engine::load(&content, &[]);
        assert_eq!(info.known_bad, 1);
        let v = engine.scanner().scan_bytes(BAD, false).unwrap().verdict;
        assert_eq!((v.class, v.family.as_str(), v.confidence.value()), (MalwareClass::Worm, "fam", value));
        assert!(!engine.scanner().scan_bytes(b"other", false).unwrap().verdict.is_found());
    }
}
