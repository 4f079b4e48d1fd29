// SPDX-License-Identifier: Apache-2.0
//! The gates of literals change nothing but time: with and without them every object gets the same
//! report. They are put to the test with what is nearest to a rule's border: its own cases, cut, joined,
//! shifted and in other case.

use crate::stand_ins::{content, ids, rule, shipped};
use lazaret_engine::{Engine, FileScanner, WINDOW};
use lazaret_model::FileType;
use proptest::prelude::*;
use std::cell::RefCell;
use std::io::{Seek, SeekFrom, Write};
use std::sync::OnceLock;

struct Both {
    gated: Engine,
    ungated: Engine,
    /// Objects of all cases.
    cases: Vec<Vec<u8>>,
    /// What stands between quotes in the rules, without what they are escaped by.
    texts: Vec<Vec<u8>>,
}

fn both() -> &'static Both {
    static BOTH: OnceLock<Both> = OnceLock::new();
    BOTH.get_or_init(|| {
        let content = shipped();
        let cases = content
            .rules
            .iter()
            .flat_map(|r| [&r.matching, &r.other])
            .flatten()
            .map(lazaret_pack::Case::object)
            .collect();
        let texts = content
            .rules
            .iter()
            .flat_map(|r| r.yara.lines().filter_map(|l| l.split_once("= \"")))
            .filter_map(|(_, text)| text.rsplit_once('"').map(|(t, _)| t.replace("\\\"", "\"").into_bytes()))
            .collect();
        let gated = Engine::load(&content, &[]).0;
        let ungated = Engine::load(&content, &[]).0.with_gates(false);
        Both { gated, ungated, cases, texts }
    })
}

/// Whether anything was found; panics where the two reports differ.
fn same(bytes: &[u8]) -> bool {
    // Scanners take longer to make than to use.
    thread_local! {
        static SCANNERS: RefCell<(FileScanner<'static>, FileScanner<'static>)> =
            RefCell::new((both().gated.scanner(), both().ungated.scanner()));
    }
    SCANNERS.with_borrow_mut(|(gated, ungated)| {
        let report = ungated.scan_bytes(bytes, true).unwrap();
        assert_eq!(gated.scan_bytes(bytes, true).unwrap(), report, "{}", bytes.escape_ascii());
        report.verdict.is_found()
    })
}

#[test]
fn cases_are_judged_the_same_wherever_they_stand_and_however_they_end() {
    let both = both();
    let mut found = 0;
    for case in &both.cases {
        let cut = case.len() * 3 / 4;
        // An ELF header is 120 bytes, `#!` a line: behind them a shift changes no type.
        let head = if case.starts_with(b"\x7fELF") {
            120
        } else {
            case.iter().position(|&b| b == b'\n').unwrap_or(0)
        };
        let mut objects = vec![case.clone(), case[..cut].to_vec(), case.to_ascii_uppercase()];
        for shift in 1..8 {
            objects.push([&case[..head], &vec![b'\n'; shift], &case[head..]].concat());
        }
        for object in objects {
            found += usize::from(same(&object));
        }
    }
    assert!(found > both.cases.len() * 3, "{found} found of {} cases", both.cases.len());
}

#[test]
fn a_rule_without_a_gate_is_asked_about_everything() {
    let open = rule("always", 3.0, false, &[FileType::Text], "condition:\n  filesize > 3");
    let other =
        rule("never", 3.0, false, &[FileType::Text], "strings:\n  $a = \"quokka-4711\"\ncondition:\n  $a");
    let (engine, _) = Engine::load(&content(vec![other, open]), &[]);
    let report = engine.scanner().scan_bytes(b"nothing that a rule names", false).unwrap();
    assert_eq!(ids(&report.verdict), ["always"]);
}

#[test]
fn the_end_of_a_large_file_has_its_own_gate() {
    let yara = "strings:\n  $a = \"quokka-4711\"\ncondition:\n  $a";
    let (engine, _) = Engine::load(&content(vec![rule("tail", 7.0, true, &[FileType::Text], yara)]), &[]);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[b'x'; 8192]).unwrap();
    file.set_len(WINDOW + (32 << 20)).unwrap();
    file.seek(SeekFrom::End(-100)).unwrap();
    file.write_all(b"quokka-4711").unwrap();
    let report = engine.scanner().scan_file(&file, false).unwrap();
    assert_eq!(ids(&report.verdict), ["tail"]);
}

/// How an object is changed.
#[derive(Debug, Clone)]
enum Change {
    Cut(usize, usize),
    Case(usize),
    Insert(usize, Vec<u8>),
    Turn(u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 0..40usize).prop_map(|(at, n)| Change::Cut(at, n)),
        any::<usize>().prop_map(Change::Case),
        (any::<usize>(), proptest::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, b)| Change::Insert(at, b)),
        (1..=255u8).prop_map(Change::Turn),
    ]
}

fn changed(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    let place = |at: &usize, bytes: &[u8]| if bytes.is_empty() { 0 } else { at % bytes.len() };
    match change {
        Change::Cut(at, n) => {
            let at = place(at, &bytes);
            bytes.drain(at..(at + n).min(bytes.len()));
        }
        Change::Case(at) => {
            let at = place(at, &bytes);
            for b in bytes.iter_mut().skip(at).take(12) {
                *b = if b.is_ascii_lowercase() { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() };
            }
        }
        Change::Insert(at, more) => {
            let at = place(at, &bytes);
            bytes.splice(at..at, more.iter().copied());
        }
        // Behind an ELF header, as a program hides its words.
        Change::Turn(key) => bytes.iter_mut().skip(120).for_each(|b| *b ^= key),
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn changed_cases_are_judged_the_same(
        first in any::<prop::sample::Index>(),
        second in any::<prop::sample::Index>(),
        join in any::<bool>(),
        changes in proptest::collection::vec(change(), 0..4),
    ) {
        let cases = &both().cases;
        let mut object = cases[first.index(cases.len())].clone();
        if join {
            object.extend_from_slice(&cases[second.index(cases.len())]);
        }
        let object = changes.iter().fold(object, changed);
        same(&object);
    }

    #[test]
    fn mixed_words_of_rules_are_judged_the_same(
        start in 0..5usize,
        words in proptest::collection::vec((any::<prop::sample::Index>(), "[ \n\"'(;]{1,3}"), 1..60),
    ) {
        let texts = &both().texts;
        let elf = lazaret_pack::minimal_elf(b"");
        let start = [&b"#!/bin/sh\n"[..], b"<?php ", b"<%@ page import=\"java.io.*\" %>", b"words: ", &elf][start];
        let mut object = start.to_vec();
        for (text, between) in words {
            object.extend_from_slice(&texts[text.index(texts.len())]);
            object.extend_from_slice(between.as_bytes());
        }
        same(&object);
    }
}
