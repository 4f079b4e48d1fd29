// SPDX-License-Identifier: Apache-2.0
//! What a server may say, and what becomes of it.

use super::*;
use lazaret_model::{Decision, FileType, MalwareClass};
use lazaret_policy::{Brakes, CircuitBreaker, RateLimit, Subject, Whitelist, decide};

const SHA: Sha256 = Sha256([9; 32]);

fn clean() -> Verdict {
    Verdict {
        sha256: SHA,
        size: 10,
        file_type: FileType::Elf,
        member: None,
        class: MalwareClass::Trojan,
        family: String::new(),
        confidence: Confidence::new(0),
        evidence: Vec::new(),
        content_version: "1".into(),
        test: false,
    }
}

fn evidence(id: &str, weight: f32, decisive: bool) -> Evidence {
    Evidence { kind: EvidenceKind::Rule, id: id.into(), weight, detail: "why".into(), decisive }
}

fn told(confidence: u8, evidence: Vec<Evidence>) -> v1::HashVerdict {
    let verdict = Verdict {
        class: MalwareClass::Miner,
        family: "Digger".into(),
        confidence: Confidence::new(confidence),
        evidence,
        ..clean()
    };
    v1::HashVerdict {
        sha256: SHA.0.to_vec(),
        number: 4,
        verdict: Some((&verdict).into()),
        origin: "deep_scan".into(),
        ..v1::HashVerdict::default()
    }
}

fn laid(own: Verdict, told: &v1::HashVerdict) -> Verdict {
    let mut verdict = own;
    lay_over(&mut verdict, word(SHA, told).unwrap());
    verdict
}

fn rated(verdict: &Verdict) -> Option<Rating> {
    rate(verdict, &Policy::default())
}

#[test]
fn a_decisive_verdict_makes_a_clean_report_high_under_one_id() {
    let verdict = laid(clean(), &told(97, vec![evidence("deep_rule", 9.0, true), evidence("x", 1.0, false)]));
    assert_eq!(rated(&verdict), Some(Rating::High));
    assert_eq!((verdict.class, verdict.family.as_str()), (MalwareClass::Miner, "Digger"));
    let decisive: Vec<&str> = verdict.evidence.iter().filter(|e| e.decisive).map(|e| e.id.as_str()).collect();
    assert_eq!(decisive, [format!("cloud:{SHA}")], "the breaker counts by file, not by the server's names");
    assert!(is_of_server(decisive[0]) && decisive[0] == id(&SHA));
    // Once more: it does not pile up.
    let twice = laid(verdict.clone(), &told(97, vec![evidence("deep_rule", 9.0, true)]));
    assert_eq!(twice.evidence.iter().filter(|e| is_of_server(&e.id)).count(), 1);
}

#[test]
fn what_is_not_decisive_never_reaches_high() {
    let verdict = laid(clean(), &told(99, vec![evidence("clamd", 9.0, false)]));
    assert_eq!(rated(&verdict), Some(Rating::Medium));
    let verdict = laid(clean(), &told(99, Vec::new()));
    assert_eq!(rated(&verdict), Some(Rating::Medium), "a verdict without evidence");
    let person = v1::HashVerdict { origin: "person".into(), ..told(99, Vec::new()) };
    assert_eq!(rated(&laid(clean(), &person)), Some(Rating::High));
}

#[test]
fn what_this_host_knows_stays() {
    let good = Evidence { kind: EvidenceKind::KnownGood, ..evidence("nsrl", -9.0, false) };
    let verdict =
        laid(Verdict { evidence: vec![good], ..clean() }, &told(99, vec![evidence("r", 9.0, true)]));
    assert_eq!(rated(&verdict), Some(Rating::Medium), "known as good here: a person looks at it");
    let own = Verdict {
        class: MalwareClass::Rootkit,
        family: "Own".into(),
        confidence: Confidence::new(99),
        evidence: vec![evidence("own_rule", 9.0, true)],
        ..clean()
    };
    let verdict = laid(own, &told(50, vec![evidence("r", 1.0, false)]));
    assert_eq!((verdict.class, verdict.family.as_str()), (MalwareClass::Rootkit, "Own"));
    assert_eq!(verdict.confidence, Confidence::new(99));
    assert!(verdict.evidence.iter().any(|e| e.id == "own_rule" && e.decisive));
}

#[test]
fn texts_and_numbers_are_bounded() {
    let many = (0..500).map(|i| evidence(&format!("{i}\n{}", "x".repeat(10_000)), 1e30, true)).collect();
    let verdict = laid(clean(), &told(99, many));
    assert!(verdict.evidence.len() <= MAX_EVIDENCE + 1);
    for e in &verdict.evidence {
        assert!(e.weight <= MAX_WEIGHT && e.id.chars().count() <= MAX_TEXT + 64, "{}", e.weight);
        assert!(!e.id.contains('\n'));
    }
    assert!(word(SHA, &v1::HashVerdict::default()).is_err());
    assert!(word(Sha256([1; 32]), &told(99, Vec::new())).is_err(), "of another content");
}

#[test]
fn a_name_of_the_servers_is_no_rule_of_this_host() {
    // A server cannot borrow the breaker, or the re-arming, of another file.
    let other = id(&Sha256([1; 32]));
    let verdict = laid(clean(), &told(99, vec![evidence(&other, 9.0, true)]));
    assert!(verdict.evidence.iter().filter(|e| e.decisive).all(|e| e.id == id(&SHA)));
}

#[test]
fn guards_hold_for_what_is_laid_over() {
    let report = ScanReport {
        verdict: laid(clean(), &told(99, vec![evidence("r", 9.0, true)])),
        members: Vec::new(),
        objects: 1,
        bytes: 10,
        unscanned: Vec::new(),
        elf: None,
        tlsh: String::new(),
    };
    let policy = Policy { isolate_and_kill: true, ..Policy::default() };
    let limit = RateLimit::per_hour(100);
    let breaker = CircuitBreaker::new(10, 60_000);
    let brakes = Brakes { breaker: &breaker, isolations: &limit, kills: &limit, now_ms: 0 };
    let decision =
        |subject: Subject<'_>| decide(&report, &policy, &subject, &Whitelist::default(), &brakes).decision;
    assert_eq!(decision(Subject::new(b"/srv/x")), Decision::IsolateAndKill);
    let critical = Subject { critical: Some("needed to log in"), ..Subject::new(b"/usr/sbin/sshd") };
    assert_eq!(decision(critical), Decision::Alarm);
    let excepted = Subject { exception: true, ..Subject::new(b"/srv/x") };
    assert_eq!(decision(excepted), Decision::Allow);
}
