// SPDX-License-Identifier: Apache-2.0
//! What a verdict makes of its evidence.

use crate::stand_ins::{BAD, content, ids, rule};
use lazaret_engine::Engine;
use lazaret_model::{FileType, Rating, Thresholds};

const QUOKKA: &str = "strings:\n $a = \"quokka\"\ncondition:\n $a";

#[test]
fn evidence_is_sorted_and_correlated_evidence_counts_once() {
    let types = [FileType::Text];
    let mut rules = vec![
        rule("light", 2.0, false, &types, QUOKKA),
        rule("heavy", 4.4, false, &types, QUOKKA),
        rule("same_as_heavy", 4.0, false, &types, QUOKKA),
    ];
    rules[0].correlate = "x".to_owned();
    rules[1].correlate = "x".to_owned();
    rules[2].correlate = "x".to_owned();
    let (engine, _) = Engine::load(&content(rules), &[]);
    let v = engine.scanner().scan_bytes(BAD, false).unwrap().verdict;
    assert_eq!(ids(&v), ["heavy", "same_as_heavy", "light"]);
    assert_eq!((v.family.as_str(), v.confidence.value()), ("heavy", 60));
}

#[test]
fn high_needs_a_decisive_evidence() {
    for (decisive, rating) in [(false, Rating::Medium), (true, Rating::High)] {
        let rules = vec![
            rule("one", 8.0, false, &[FileType::Text], QUOKKA),
            rule("two", 8.0, decisive, &[FileType::Text], QUOKKA),
        ];
        let (engine, _) = Engine::load(&content(rules), &[]);
        let v = engine.scanner().scan_bytes(BAD, false).unwrap().verdict;
        assert_eq!(v.rating(Thresholds::default()), Some(rating), "{v:?}");
    }
}

#[test]
fn rules_are_for_their_types_and_sizes_only() {
    let mut rules = vec![
        rule("text_only", 3.0, false, &[FileType::Text], QUOKKA),
        rule("small_only", 3.0, false, &[FileType::Text, FileType::Script], QUOKKA),
    ];
    rules[1].max_size = Some(100);
    let (engine, _) = Engine::load(&content(rules), &[]);
    let mut scanner = engine.scanner();
    let mut found = |bytes: &[u8]| {
        ids(&scanner.scan_bytes(bytes, false).unwrap().verdict)
            .iter()
            .map(|s| (*s).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found(BAD), ["small_only", "text_only"]);
    assert_eq!(found(&[b"#!/bin/sh\n", BAD].concat()), ["small_only"]);
    assert_eq!(found(&[BAD, &[b' '; 100]].concat()), ["text_only"]);
    assert_eq!(found(&[b"\0\0", BAD].concat()), [""; 0]);
}

#[test]
fn evidence_from_what_a_file_may_only_talk_about_is_not_decisive() {
    let (engine, _) = Engine::load(&content(vec![rule("shell", 7.0, true, &[FileType::Php], QUOKKA)]), &[]);
    let mut scanner = engine.scanner();
    let mut rate =
        |text: &str| scanner.scan_bytes(text.as_bytes(), false).unwrap().verdict.confidence.value();
    assert!(rate("<?php quokka();") >= 90);
    assert!(rate("#!/usr/bin/php\n<?php quokka();") >= 90);
    let manual = format!("# Manual\n{}\n<?php quokka();", "words and words\n".repeat(40));
    assert_eq!(rate(&manual), 89);
    assert_eq!(rate("quokka without PHP"), 0);
}
