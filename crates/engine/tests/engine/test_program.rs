// SPDX-License-Identifier: Apache-2.0
//! The Lazaret test program gets exactly what it asks for, and nothing else can ask.

use crate::stand_ins::{BAD, content, engine, ids};
use lazaret_engine::Engine;
use lazaret_model::{
    EvidenceKind, MAX_TEST_PROGRAM_SIZE, MalwareClass, Sha256, TestRating, cloud_test_program_marker,
    test_program_marker, test_program_prefix,
};
use lazaret_pack::{KnownGood, KnownGoodSet, minimal_elf};
use sha2::Digest;

const CLASSES: [MalwareClass; 10] = [
    MalwareClass::Virus,
    MalwareClass::Worm,
    MalwareClass::Trojan,
    MalwareClass::Botnet,
    MalwareClass::Backdoor,
    MalwareClass::Rootkit,
    MalwareClass::Ransomware,
    MalwareClass::HackTool,
    MalwareClass::WebShell,
    MalwareClass::Miner,
];

fn script(marker: &str) -> Vec<u8> {
    format!("#!/bin/sh\n# {marker}\nexit 0\n").into_bytes()
}

#[test]
fn every_class_and_rating_in_scripts_and_programs() {
    let engine = engine();
    let mut scanner = engine.scanner();
    for class in CLASSES {
        for (rating, confidence) in [(TestRating::High, 99), (TestRating::Medium, 75), (TestRating::Low, 30)]
        {
            let marker = test_program_marker(class, rating);
            for object in [script(&marker), minimal_elf(marker.as_bytes())] {
                let v = scanner.scan_bytes(&object, false).unwrap().verdict;
                assert_eq!((v.class, v.confidence.value(), v.test), (class, confidence, true), "{marker}");
                let first = v.evidence.iter().find(|e| e.kind == EvidenceKind::TestProgram).unwrap();
                assert_eq!(first.decisive, rating == TestRating::High);
                assert!(!first.detail.contains(&test_program_prefix()), "a log of this would match");
            }
        }
    }
}

#[test]
fn those_of_the_cloud_are_found_by_the_deep_scan_only() {
    let host = engine();
    let deep = engine().with_cloud_test_programs();
    let (mut on_host, mut in_depth) = (host.scanner(), deep.scanner());
    for class in CLASSES {
        let marker = cloud_test_program_marker(class);
        for object in [script(&marker), minimal_elf(marker.as_bytes())] {
            // A program without sections looks odd in itself.
            let v = on_host.scan_bytes(&object, true).unwrap().verdict;
            assert!(!v.test && v.evidence.iter().all(|e| e.kind != EvidenceKind::TestProgram), "{marker}");
            let v = in_depth.scan_bytes(&object, true).unwrap().verdict;
            assert_eq!((v.class, v.confidence.value(), v.test), (class, 99, true), "{marker}");
        }
        // What hosts find, it finds as well.
        let known = script(&test_program_marker(class, TestRating::Low));
        assert_eq!(in_depth.scan_bytes(&known, false).unwrap().verdict.confidence.value(), 30);
        let text = marker.into_bytes();
        assert!(!in_depth.scan_bytes(&text, false).unwrap().verdict.is_found(), "neither script nor ELF");
    }
    let off = engine().with_test_programs(false).with_cloud_test_programs();
    let object = script(&cloud_test_program_marker(MalwareClass::Miner));
    assert!(!off.scanner().scan_bytes(&object, false).unwrap().verdict.is_found());
}

#[test]
fn the_first_valid_marker_counts() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let text = [
        test_program_prefix(),
        test_program_marker(MalwareClass::Unclassified, TestRating::High),
        test_program_marker(MalwareClass::Worm, TestRating::Low),
        test_program_marker(MalwareClass::Miner, TestRating::High),
    ]
    .join(" ");
    let v = scanner.scan_bytes(&script(&text), false).unwrap().verdict;
    assert_eq!((v.class, v.confidence.value()), (MalwareClass::Worm, 30));
}

#[test]
fn nothing_else_can_ask() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let marker = test_program_marker(MalwareClass::Miner, TestRating::High);
    let mut core = minimal_elf(marker.as_bytes());
    core[16] = 4;
    let mut object_file = minimal_elf(marker.as_bytes());
    object_file[16] = 1;
    let mut large = script(&marker);
    large.resize(MAX_TEST_PROGRAM_SIZE as usize + 1, b'\n');
    for (what, object) in [
        ("text", marker.clone().into_bytes()),
        ("php", format!("<?php // {marker}").into_bytes()),
        ("core dump", core),
        ("object file", object_file),
        ("over 4 MiB", large.clone()),
        ("prefix alone", script(&test_program_prefix())),
        ("unknown rating", script(&format!("{}miner/extreme/", test_program_prefix()))),
        ("no last slash", script(&format!("{}miner/high", test_program_prefix()))),
    ] {
        let v = scanner.scan_bytes(&object, false).unwrap().verdict;
        assert!(!v.test && v.confidence.value() < 30, "{what}: {v:?}");
    }
    large.truncate(MAX_TEST_PROGRAM_SIZE as usize);
    assert!(scanner.scan_bytes(&large, false).unwrap().verdict.test, "exactly 4 MiB");
    let off = crate::stand_ins::engine().with_test_programs(false);
    let v = off.scanner().scan_bytes(&script(&marker), false).unwrap().verdict;
    assert!(!v.is_found(), "switched off: {v:?}");
}

#[test]
fn good_evidence_does_not_lower_it() {
    let object = script(&test_program_marker(MalwareClass::Trojan, TestRating::Medium));
    let good = KnownGood {
        sha256: Sha256(sha2::Sha256::digest(&object).into()),
        name: "x".to_owned(),
        reference: "https://example.org/".to_owned(),
    };
    let mut content = content(Vec::new());
    content.known_good = KnownGoodSet::new(&[good]);
    let (engine, _) = Engine::load(&content, &[]);
    let v = engine.scanner().scan_bytes(&object, false).unwrap().verdict;
    assert_eq!((v.confidence.value(), v.evidence.len()), (75, 2));
}

#[test]
fn it_is_no_ticket_past_real_evidence() {
    let engine = engine();
    let marker = test_program_marker(MalwareClass::Trojan, TestRating::Low);
    let object = [script(&marker), BAD.to_vec()].concat();
    let v = engine.scanner().scan_bytes(&object, false).unwrap().verdict;
    assert!(v.confidence.value() >= 90 && !v.test, "{v:?}");
    assert_eq!(v.class, MalwareClass::Miner);
    assert!(ids(&v).contains(&"lazaret_test_program"));
}
