// SPDX-License-Identifier: Apache-2.0
//! The judgement over arbitrary inputs: it never acts without leave, is never silent without a
//! reason, and every hold-back only holds back.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_model::{
    CLASSES, Confidence, Decision, Evidence, EvidenceKind, FileType, MalwareClass, Rating, ScanReport,
    Severity, Sha256, Thresholds, Verdict, WhitelistId,
};
use lazaret_policy::{
    Brakes, BreakerHit, CircuitBreaker, ClassSet, Decided, Judge, PackageStanding, Policy, ProtectMode,
    RateLimit, Subject, Whitelist, WhitelistEntry, WhitelistField, carrier, critical_role, decide,
    merged_path, severity,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct World {
    report: ScanReport,
    policy: Policy,
    package: PackageStanding,
    critical: bool,
    exception: bool,
    path: Vec<u8>,
    whitelisted: bool,
    breaker_open: bool,
    rate_spent: bool,
}

impl World {
    fn decide(&self) -> Decided {
        let mut w = Whitelist::default();
        if self.whitelisted {
            w.add(WhitelistEntry {
                id: WhitelistId::new(),
                field: WhitelistField::Hash,
                judge: Judge::Equal,
                value: self.report.verdict.sha256.0.to_vec(),
                sha256: None,
                any_content: false,
                description: String::new(),
                added_ms: 0,
                added_by: "uid 0".into(),
                class: None,
                expires_ms: None,
            })
            .unwrap();
        }
        let mut b = CircuitBreaker::default();
        if self.breaker_open {
            for e in self.report.verdicts().flat_map(|v| &v.evidence) {
                for key in [b"1", b"2", b"3", b"4"] {
                    b.record(&e.id, BreakerHit::PackageFile, key, 0);
                }
            }
        }
        let mut isolations = RateLimit::new(1, 600_000);
        if self.rate_spent {
            isolations.record(0);
        }
        let kills = RateLimit::default();
        let s = Subject {
            package: self.package.clone(),
            critical: self.critical.then_some("needed to log in"),
            exception: self.exception,
            ..Subject::new(&self.path)
        };
        let brakes = Brakes { breaker: &b, isolations: &isolations, kills: &kills, now_ms: 0 };
        decide(&self.report, &self.policy, &s, &w, &brakes)
    }
}

fn owned(intact: bool, trusted: bool) -> PackageStanding {
    PackageStanding::Owned { package: "tool 1.0".into(), intact, trusted }
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    let evidence = (any::<bool>(), -5.0_f32..9.0, 0..3_usize, any::<bool>()).prop_map(
        |(member, weight, id, decisive)| Evidence {
            kind: if member { EvidenceKind::Member } else { EvidenceKind::Rule },
            id: ["a", "b", "c"][id].into(),
            weight,
            detail: String::new(),
            decisive,
        },
    );
    let confidence = prop_oneof![0..=100_u8, 90..=100_u8];
    (
        0..CLASSES.len(),
        confidence,
        prop::collection::vec(evidence, 0..4),
        0..4_u8,
        prop::bool::weighted(0.2),
        0..FileType::ALL.len(),
    )
        .prop_map(|(class, confidence, evidence, hash, test, file_type)| Verdict {
            sha256: Sha256([hash; 32]),
            size: 10,
            file_type: FileType::ALL[file_type],
            member: None,
            class: CLASSES[class].class,
            family: "x".into(),
            confidence: Confidence::new(confidence),
            evidence,
            content_version: "1".into(),
            test,
        })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (prop::bool::weighted(0.8), 80..=100_u8, 30..=79_u8, any::<u16>(), any::<[bool; 3]>()).prop_map(
        |(isolate_and_kill, high, medium, classes, [detect, test_programs, condemn_archives])| Policy {
            isolate_and_kill,
            thresholds: Thresholds::new(high, medium).unwrap(),
            automatic: MalwareClass::all().filter(|c| classes & (1 << *c as u16) != 0).collect(),
            protect_mode: if detect { ProtectMode::HighDetection } else { ProtectMode::Equalization },
            test_programs,
            condemn_archives,
        },
    )
}

fn any_world() -> impl Strategy<Value = World> {
    let package = prop_oneof![
        4 => Just(PackageStanding::Unowned),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(i, t)| owned(i, t)),
        1 => Just(PackageStanding::Unknown("locked".into())),
    ];
    let path = prop_oneof![
        3 => Just(b"/tmp/x".to_vec()),
        1 => Just(b"/usr/bin/x".to_vec()),
        1 => Just(b"/var/mail/root".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    // Rare guards, or hardly any world would act.
    let seldom = || prop::bool::weighted(0.1);
    (
        (any_verdict(), prop::collection::vec(any_verdict(), 0..3)),
        any_policy(),
        package,
        path,
        (seldom(), seldom(), seldom(), seldom(), seldom()),
    )
        .prop_map(
            |(
                (verdict, members),
                policy,
                package,
                path,
                (critical, exception, whitelisted, breaker_open, rate_spent),
            )| World {
                report: ScanReport {
                    verdict,
                    members,
                    objects: 1,
                    bytes: 10,
                    unscanned: Vec::new(),
                    elf: None,
                    tlsh: String::new(),
                },
                policy,
                package,
                critical,
                exception,
                path,
                whitelisted,
                breaker_open,
                rate_spent,
            },
        )
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn acts_only_when_everything_allows_it(w in any_world()) {
        let d = w.decide();
        let v = d.verdict(&w.report);
        if d.decision >= Decision::Deny {
            prop_assert!(w.policy.isolate_and_kill && !w.exception && !w.whitelisted && !w.critical);
            prop_assert!(w.policy.automatic.contains(v.class));
            prop_assert_eq!(d.rating, Some(Rating::High));
            prop_assert!(v.evidence.iter().any(|e| e.decisive && e.is_bad()));
            prop_assert!(!v.test || w.policy.test_programs);
            prop_assert!(w.package != owned(true, true));
            prop_assert!(d.member.is_none() || w.policy.condemn_archives);
            prop_assert!(carrier(&w.path, w.report.verdict.file_type).is_none());
        }
        if d.decision == Decision::IsolateAndKill {
            prop_assert!(d.guard.is_none() && !w.breaker_open && !w.rate_spent);
        }
        if d.decision == Decision::Deny {
            prop_assert!(d.guard.is_some());
        }
    }

    #[test]
    fn never_silent_without_a_reason(w in any_world()) {
        let d = w.decide();
        let found = w.report.verdicts().any(Verdict::is_found);
        prop_assert_eq!(d.rating.is_none(), d.decision == Decision::Allow);
        prop_assert!(!found || !d.reasons.is_empty());
        if !found || w.exception || w.whitelisted {
            prop_assert_eq!(d.decision, Decision::Allow);
        } else if d.decision == Decision::Allow {
            prop_assert!(w.report.verdicts().filter(|v| v.is_found()).all(|v| v.test && !w.policy.test_programs));
        }
        // Total, also over what follows.
        prop_assert!(d.rating.is_some() || severity(d.verdict(&w.report), &d) == Severity::Low);
        prop_assert_eq!(critical_role(&w.path), critical_role(&merged_path(&w.path)));
    }

    #[test]
    fn same_inputs_same_judgement(w in any_world()) {
        let (a, b) = (w.decide(), w.decide());
        prop_assert_eq!((a.decision, a.rating, a.guard, a.member), (b.decision, b.rating, b.guard, b.member));
        // A whitelisted world names a new entry each time.
        prop_assert!(w.whitelisted || a.reasons == b.reasons);
    }

    #[test]
    fn more_confidence_never_does_less(w in any_world(), more in 0..=100_u8) {
        let mut surer = w.clone();
        let c = surer.report.verdict.confidence;
        surer.report.verdict.confidence = Confidence::new(c.value().saturating_add(more));
        let (a, b) = (w.decide(), surer.decide());
        prop_assert!(b.decision >= a.decision && b.rating >= a.rating);
    }

    #[test]
    fn every_hold_back_only_holds_back(w in any_world(), which in 0..8_usize) {
        let mut held = w.clone();
        match which {
            0 => held.policy.isolate_and_kill = false,
            1 => held.critical = true,
            2 => held.exception = true,
            3 => held.whitelisted = true,
            4 => held.breaker_open = true,
            5 => held.rate_spent = true,
            6 => held.package = owned(true, true),
            _ => held.policy.automatic = ClassSet::EMPTY,
        }
        prop_assert!(held.decide().decision <= w.decide().decision);
    }
}

/// What an unprivileged user can make: new files of nobody's, wherever and however many, and
/// processes of services of his own.
fn any_decoy() -> impl Strategy<Value = (Vec<u8>, String, i64)> {
    (prop::collection::vec(any::<u8>(), 1..20), "[a-z]{1,6}\\.(service|scope)", 0..7_200_000_i64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..config() })]

    #[test]
    fn decoys_never_open_a_breaker(
        v in any_verdict(), decoys in prop::collection::vec(any_decoy(), 0..60)
    ) {
        let mut b = CircuitBreaker::default();
        for (path, unit, at) in decoys {
            let process = lazaret_model::ProcessFacts {
                process: lazaret_model::ProcessRef { pid: 7, start_time: 1, boot_id: [0; 16] },
                ppid: 1,
                exe: path.clone(),
                cmdline: Vec::new(),
                uid: 1000,
                euid: 1000,
                gid: 1000,
                started_ms: 0,
                sha256: None,
                container: None,
                unit: Some(unit),
            };
            // Nobody sets an inode's change time: a new file is never older than the rule.
            let s = Subject { process: Some(&process), changed_ms: Some(10 + at), ..Subject::new(&path) };
            prop_assert!(b.observe(&v, &s, |_| Some(10), at).is_empty());
        }
        prop_assert!(b.open().is_empty());
    }

    #[test]
    fn an_open_breaker_still_refuses(w in any_world()) {
        let mut open = w.clone();
        open.breaker_open = true;
        let (a, b) = (w.decide(), open.decide());
        // Refused before stays refused; nothing is allowed by it, and nobody is less told.
        prop_assert_eq!(b.decision >= Decision::Deny, a.decision >= Decision::Deny);
        prop_assert_eq!(b.rating.is_some(), a.rating.is_some());
    }
}

/// The properties above would hold for a judge that never acts: this one does act.
#[test]
fn arbitrary_worlds_reach_every_decision() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = [0; 4];
    for _ in 0..4096 {
        let w = any_world().new_tree(&mut runner).unwrap().current();
        seen[w.decide().decision as usize] += 1;
    }
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
}
