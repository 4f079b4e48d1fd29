// SPDX-License-Identifier: Apache-2.0
//! The table of votes: who may make what.

use super::*;

const SHA: Sha256 = Sha256([7; 32]);

fn vote(source: &str, opinion: Opinion, weight: f32) -> Vote {
    Vote {
        connector: format!("{source}-1"),
        kind: "clamd".into(),
        source: source.into(),
        opinion,
        weight,
        family: if opinion == Opinion::Bad { "Unix.Miner.X".into() } else { String::new() },
        detail: "said".into(),
        version: String::new(),
        again_ms: None,
    }
}

fn bad(source: &str) -> Vote {
    vote(source, Opinion::Bad, 5.1)
}

fn good(source: &str) -> Vote {
    vote(source, Opinion::Good, 5.1)
}

/// What the engine says: this confidence, decisive or not.
fn engine(confidence: u8, decisive: bool) -> ScanReport {
    let mut verdict = nothing((SHA, 10));
    verdict.content_version = "deep 1".into();
    if confidence > 0 {
        verdict.class = MalwareClass::Worm;
        verdict.family = "own".into();
        verdict.confidence = Confidence::new(confidence);
        verdict.evidence = vec![Evidence {
            kind: EvidenceKind::Rule,
            id: "worm_x".into(),
            weight: 4.4,
            detail: "a rule".into(),
            decisive,
        }];
    }
    ScanReport {
        verdict,
        members: Vec::new(),
        objects: 1,
        bytes: 10,
        unscanned: Vec::new(),
        elf: None,
        tlsh: String::new(),
    }
}

fn weighed(report: &ScanReport, votes: &[Vote]) -> Weighed {
    weigh(Some(report), (SHA, 10), votes)
}

fn confidence(report: &ScanReport, votes: &[Vote]) -> u8 {
    weighed(report, votes).verdict.confidence.value()
}

#[test]
fn the_engine_alone_counts_as_it_says() {
    for (own, decisive) in [(0, false), (30, false), (75, false), (89, false), (90, true), (99, true)] {
        assert_eq!(confidence(&engine(own, decisive), &[]), own);
    }
}

#[test]
fn one_vote_of_another_alone_reaches_medium_at_most() {
    for weight in [4.4, 5.1, 8.0] {
        let got = confidence(&engine(0, false), &[vote("clamd", Opinion::Bad, weight)]);
        assert!((60..80).contains(&got), "{weight}: {got}");
    }
    assert_eq!(confidence(&engine(0, false), &[bad("clamd")]), 75);
    assert!(confidence(&engine(0, false), &[vote("clamd", Opinion::Bad, 0.5)]) < 60);
}

#[test]
fn two_votes_of_one_source_are_one() {
    let mut again = bad("clamd");
    again.connector = "clamd-2".into();
    assert_eq!(confidence(&engine(0, false), &[bad("clamd"), again]), 75);
}

#[test]
fn two_independent_votes_make_high() {
    let votes = [bad("clamd"), bad("virustotal")];
    let weighed = weighed(&engine(0, false), &votes);
    assert!(weighed.is_high(), "{:?}", weighed.verdict);
    assert_eq!(weighed.standing, Standing::Bad);
    assert_eq!(weighed.verdict.class, MalwareClass::Miner, "as they call it");
    assert_eq!(weighed.verdict.family, "Unix.Miner.X");
    let first = &weighed.verdict.evidence[0];
    assert!(first.decisive && first.id == format!("cloud:{SHA}"), "{first:?}");
    assert_eq!(weighed.verdict.evidence.iter().filter(|e| e.decisive).count(), 1);
    // Light votes are light, however many.
    let light = [vote("a", Opinion::Bad, 0.5), vote("b", Opinion::Bad, 0.5), vote("c", Opinion::Bad, 0.5)];
    assert!(confidence(&engine(0, false), &light) < 60);
}

#[test]
fn a_vote_and_undecided_evidence_are_not_high() {
    for own in [30, 60, 79, 85, 89] {
        let got = confidence(&engine(own, false), &[vote("clamd", Opinion::Bad, 8.0)]);
        assert!(got >= own && got <= own.max(79) && got < 90, "{own}: {got}");
    }
    assert!(confidence(&engine(75, false), &[bad("a"), bad("b")]) >= 90);
}

#[test]
fn the_engines_decisive_evidence_makes_high_and_is_named_by_the_file() {
    let weighed = weighed(&engine(94, true), &[]);
    assert!(weighed.is_high());
    let decisive: Vec<&str> =
        weighed.verdict.evidence.iter().filter(|e| e.decisive).map(|e| e.id.as_str()).collect();
    assert_eq!(decisive, [format!("cloud:{SHA}")]);
    assert!(weighed.verdict.evidence.iter().any(|e| e.id == "worm_x"), "why it is bad is still said");
    assert_eq!((weighed.verdict.class, weighed.verdict.family.as_str()), (MalwareClass::Worm, "own"));
}

#[test]
fn good_votes_count_against() {
    assert!(confidence(&engine(0, false), &[bad("clamd"), good("virustotal")]) < 60);
    assert!(confidence(&engine(75, false), &[good("virustotal")]) < 60);
    // One word of another alone does not acquit what the engine is sure of; two do.
    assert_eq!(confidence(&engine(94, true), &[good("a")]), 60);
    assert!(confidence(&engine(94, true), &[good("a"), good("b")]) < 60);
    let weighed = weighed(&engine(94, true), &[good("a")]);
    assert!(weighed.verdict.evidence.iter().all(|e| !e.decisive), "{:?}", weighed.verdict);
    // Nothing speaks for malware: nothing is found, whatever is known to be good.
    assert_eq!(confidence(&engine(0, false), &[good("a")]), 0);
}

#[test]
fn what_the_engine_knows_to_be_good_outweighs_others() {
    let mut report = engine(0, false);
    report.verdict.evidence = vec![Evidence {
        kind: EvidenceKind::KnownGood,
        id: "digest".into(),
        weight: -9.0,
        detail: "known good".into(),
        decisive: false,
    }];
    assert!(confidence(&report, &[bad("a"), bad("b")]) < 60);
}

#[test]
fn a_test_program_stays_what_it_asks_to_be() {
    let mut report = engine(99, true);
    report.verdict.test = true;
    assert_eq!(confidence(&report, &[good("a"), good("b")]), 99);
    let weighed = weighed(&report, &[bad("a")]);
    assert!(weighed.verdict.test && weighed.verdict.confidence.value() == 99);
}

#[test]
fn no_votes_of_any_kind_change_nothing() {
    let mut down = vote("a", Opinion::None, 8.0);
    down.again_ms = Some(0);
    let silent = [vote("a", Opinion::Nothing, 8.0), vote("b", Opinion::Unknown, 8.0), down];
    let report = engine(75, false);
    let got = weighed(&report, &silent);
    assert_eq!(got.verdict.confidence.value(), 75);
    assert_eq!(got.verdict.evidence, report.verdict.evidence);
    assert!(silent[2].is_open() && !silent[0].is_open());
}

#[test]
fn standings() {
    assert_eq!(weighed(&engine(0, false), &[]).standing, Standing::Clean);
    assert_eq!(weighed(&engine(59, false), &[]).standing, Standing::Clean);
    assert_eq!(weighed(&engine(60, false), &[]).standing, Standing::Bad);
    // Without a word of the engine a file is never clean.
    assert_eq!(weigh(None, (SHA, 10), &[]).standing, Standing::Pending);
    assert_eq!(weigh(None, (SHA, 10), &[good("a")]).standing, Standing::Pending);
    assert_eq!(weigh(None, (SHA, 10), &[bad("a"), bad("b")]).standing, Standing::Bad);
}

#[test]
fn votes_that_make_no_sense_break_nothing() {
    let odd = [vote("a", Opinion::Bad, f32::NAN), vote("b", Opinion::Bad, f32::INFINITY)];
    let got = weighed(&engine(0, false), &odd);
    assert!(got.verdict.confidence.value() <= 100);
    assert!(got.verdict.evidence.iter().all(|e| e.weight.is_finite()));
    assert_eq!(weighed(&engine(0, false), &[odd[1].clone(), odd[0].clone()]), got, "in any order");
}
