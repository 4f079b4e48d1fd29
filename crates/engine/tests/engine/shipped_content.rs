// SPDX-License-Identifier: Apache-2.0
//! Every shipped rule matches what it must, and does not match what it must not.

use crate::stand_ins::{deep, eicar, ids, shipped};
use lazaret_engine::Engine;
use lazaret_model::{MalwareClass, Rating, Thresholds};
use lazaret_pack::{Content, pack_bytes};
use std::collections::HashSet;

#[test]
fn every_rule_does_what_its_cases_say() {
    // The content of the deep scan holds that of hosts, and more.
    let content = deep();
    let (engine, info) = Engine::load(&content, &[]);
    assert_eq!(info.problems, [], "shipped rules that do not compile");
    assert_eq!(info.rules as usize, content.rules.len());
    let mut scanner = engine.scanner();
    let mut failures = Vec::new();
    for rule in &content.rules {
        for (case, must_match) in [(&rule.matching, true), (&rule.other, false)] {
            let word = if must_match { "match" } else { "no_match" };
            let Some(case) = case else {
                failures.push(format!("{}: has no case {word}", rule.id));
                continue;
            };
            let report = scanner.scan_bytes(&case.object(), false).unwrap();
            let matched = report.verdict.evidence.iter().any(|e| e.id == rule.id);
            if matched != must_match {
                failures.push(format!(
                    "{} ({}:{}): its case {word}, which is {} by its bytes, gives {:?}; the rule is for {:?}",
                    rule.id,
                    rule.file,
                    rule.line,
                    report.verdict.file_type.word(),
                    ids(&report.verdict),
                    rule.types.iter().map(|t| t.word()).collect::<Vec<_>>(),
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_deep_scan_knows_more_than_hosts_and_decides_nothing_by_it() {
    let (hosts, all) = (shipped(), deep());
    let known: HashSet<&str> = hosts.rules.iter().map(|r| r.id.as_str()).collect();
    let more: Vec<_> = all.rules.iter().filter(|r| !known.contains(r.id.as_str())).collect();
    assert_eq!(all.rules.len(), hosts.rules.len() + more.len());
    assert!(more.len() >= 5, "{} rules", more.len());
    assert_eq!(all.known_bad.len(), hosts.known_bad.len());
    for rule in more {
        assert!(rule.id.starts_with(&format!("{}_deep_", rule.class)), "{}", rule.id);
        assert!(
            !rule.decisive && !rule.test,
            "{}: medium at most, until people have seen what it hits",
            rule.id
        );
    }
    assert!(all.version.contains('+'), "{}", all.version);
}

#[test]
fn there_are_enough_rules_and_each_says_what_it_is() {
    let content = shipped();
    assert!(content.rules.len() >= 60, "{} rules", content.rules.len());
    let ids: HashSet<&str> = content.rules.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids.len(), content.rules.len());
    let classes: HashSet<MalwareClass> = content.rules.iter().map(|r| r.class).collect();
    for class in [
        MalwareClass::Miner,
        MalwareClass::Botnet,
        MalwareClass::Backdoor,
        MalwareClass::WebShell,
        MalwareClass::ReverseShell,
        MalwareClass::Ransomware,
        MalwareClass::HackTool,
        MalwareClass::Virus,
    ] {
        assert!(classes.contains(&class), "no rule for {class}");
    }
}

#[test]
fn eicar_is_a_test_virus_and_high_only_where_it_is_the_file() {
    let (engine, _) = Engine::load(&shipped(), &[]);
    let mut scanner = engine.scanner();
    let plain = eicar();
    assert_eq!(plain.len(), 68);
    for tail in ["", "\n", "\r\n \t\x1a"] {
        let object = [&plain[..], tail.as_bytes()].concat();
        let v = scanner.scan_bytes(&object, true).unwrap().verdict;
        assert_eq!(v.rating(Thresholds::default()), Some(Rating::High), "{tail:?}: {v:?}");
        assert_eq!((v.class, v.test), (MalwareClass::Virus, true));
    }
    for object in [
        [b" ", &plain[..]].concat(),
        [&plain[..], b"x"].concat(),
        [&plain[..], &[b' '; 61]].concat(),
        plain[..67].to_vec(),
    ] {
        let v = scanner.scan_bytes(&object, true).unwrap().verdict;
        assert_ne!(v.rating(Thresholds::default()), Some(Rating::High), "{v:?}");
    }
}

#[test]
fn the_pack_gives_the_same_verdicts_and_does_not_match_itself() {
    let source = shipped();
    let bytes = pack_bytes(&source).unwrap();
    let pack = Content::from_bytes("content.pack", &bytes).unwrap();
    let (engine, info) = Engine::load(&pack, &[]);
    assert_eq!(info.problems, []);
    let mut scanner = engine.scanner();
    for rule in &source.rules {
        if let Some(case) = &rule.matching {
            let v = scanner.scan_bytes(&case.object(), false).unwrap().verdict;
            assert!(ids(&v).contains(&rule.id.as_str()), "{}", rule.id);
        }
    }
    let report = scanner.scan_bytes(&bytes, true).unwrap();
    assert!(!report.verdict.is_found(), "{:?}", report.verdict);
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    for folder in ["rules", "hashes"] {
        for entry in std::fs::read_dir(dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let report = scanner.scan_bytes(&std::fs::read(&path).unwrap(), true).unwrap();
            assert!(!report.verdict.is_found(), "{}: {:?}", path.display(), report.verdict);
        }
    }
}

#[test]
fn programs_of_this_system_are_not_found() {
    let (engine, _) = Engine::load(&deep(), &[]);
    let mut scanner = engine.scanner();
    let mut seen = 0;
    let mut paths: Vec<_> = std::fs::read_dir("/usr/bin").unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths.into_iter().take(300) {
        let Ok(file) = std::fs::File::open(&path) else { continue };
        let Ok(report) = scanner.scan_file(&file, true) else { continue };
        seen += 1;
        for v in report.verdicts() {
            assert!(
                v.rating(Thresholds::default()).is_none_or(|r| r == Rating::Low),
                "{}: {v:?}",
                path.display()
            );
        }
    }
    assert!(seen > 50, "only {seen} programs could be looked at");
}
