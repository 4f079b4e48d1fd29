// SPDX-License-Identifier: Apache-2.0
//! Known-bad and known-good digests.

use crate::stand_ins::{BAD, content, ids, rule};
use lazaret_engine::Engine;
use lazaret_model::{EvidenceKind, FileType, MalwareClass, Sha256};
use lazaret_pack::{KnownBad, KnownBadSet, KnownGood, KnownGoodSet};
use sha2::Digest;

fn digest(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

fn bad(sha256: Sha256, size: u64) -> KnownBad {
    KnownBad {
        sha256,
        size,
        class: MalwareClass::Worm,
        family: "digest family".to_owned(),
        test: false,
        reference: "https://example.org/".to_owned(),
    }
}

#[test]
fn known_bad_needs_digest_and_size() {
    let mut content = content(Vec::new());
    let wrong_size = b"wrong size";
    content.known_bad = KnownBadSet::new(&[bad(digest(BAD), BAD.len() as u64), bad(digest(wrong_size), 11)]);
    let (engine, info) = Engine::load(&content, &[]);
    assert_eq!(info.known_bad, 2);
    let mut scanner = engine.scanner();
    let v = scanner.scan_bytes(BAD, false).unwrap().verdict;
    assert_eq!((v.class, v.family.as_str()), (MalwareClass::Worm, "digest family"));
    assert_eq!((v.confidence.value(), v.content_version.as_str()), (99, "1"));
    assert!(v.evidence[0].decisive && v.evidence[0].kind == EvidenceKind::KnownBad);
    assert!(!scanner.scan_bytes(wrong_size, false).unwrap().verdict.is_found());
    assert!(!scanner.scan_bytes(b"other", false).unwrap().verdict.is_found());
}

#[test]
fn known_good_outweighs_a_rule_and_is_listed() {
    let yara = "strings:\n $a = \"quokka\"\ncondition:\n $a";
    let mut content = content(vec![rule("quokka", 8.0, true, &[FileType::Text], yara)]);
    content.known_good = KnownGoodSet::new(&[KnownGood {
        sha256: digest(BAD),
        name: "a manual about quokkas".to_owned(),
        reference: "https://example.org/".to_owned(),
    }]);
    let (engine, info) = Engine::load(&content, &[]);
    assert_eq!(info.known_good, 1);
    let mut scanner = engine.scanner();
    let v = scanner.scan_bytes(BAD, false).unwrap().verdict;
    assert!(v.confidence.value() < 30, "{v:?}");
    assert_eq!(v.evidence.len(), 2);
    assert_eq!(v.evidence[1].kind, EvidenceKind::KnownGood);
    let other = [BAD, b"."].concat();
    let v = scanner.scan_bytes(&other, false).unwrap().verdict;
    assert!(v.confidence.value() >= 90, "{v:?}");
    assert_eq!(ids(&v), ["quokka"]);
    // Good evidence alone is no finding.
    let mut only_good = content.clone();
    only_good.rules.clear();
    let (engine, _) = Engine::load(&only_good, &[]);
    let v = engine.scanner().scan_bytes(BAD, false).unwrap().verdict;
    assert!(!v.is_found() && v.confidence.value() == 0 && v.evidence.len() == 1);
}
