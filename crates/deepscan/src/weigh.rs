// SPDX-License-Identifier: Apache-2.0
//! Votes become evidence with weights, and evidence a verdict (docs/adr/0016).
//!
//! Only the engine's own decisive evidence, or the votes of two independent sources, make *high*. One vote of
//! another scanner alone reaches medium at most, and one good vote alone does not acquit what the engine is sure
//! of. The sum is the engine's: log-odds, over the same prior.

use crate::named;
use crate::vote::{Opinion, Vote};
use lazaret_model::{
    Confidence, Evidence, EvidenceKind, FileType, MalwareClass, ScanReport, Sha256, Verdict,
};

/// Log-odds before any evidence (docs/confidence.md).
const PRIOR: f64 = -4.0;
/// From here on a policy may call it high, the lowest threshold that one may set.
const NEVER_HIGH: u8 = 79;
/// What is not decided is at most that.
const UNDECIDED: u8 = Confidence::MAX_UNDECIDED.value();
/// Where the default policy's medium begins.
const MEDIUM: u8 = 60;
/// Where its high begins.
const HIGH: u8 = 90;

/// What a file turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks for malware that a person should look at.
    Clean,
    /// Something does.
    Bad,
    /// Not known yet: it could not be scanned, or somebody is to be asked again.
    Pending,
}

/// What came of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The engine's verdict, with the votes as further evidence.
    pub verdict: Verdict,
    /// What the file is.
    pub standing: Standing,
}

impl Weighed {
    /// Whether it is decided: nothing that is still to come makes it worse.
    #[must_use]
    pub fn is_high(&self) -> bool {
        self.verdict.confidence.value() >= HIGH
    }
}

/// Weighs what the engine found and what others said. `report` is `None` where the engine gave no verdict: then
/// the votes stand for themselves.
#[must_use]
pub fn weigh(report: Option<&ScanReport>, sample: (Sha256, u64), votes: &[Vote]) -> Weighed {
    let mut verdict = report.map_or_else(|| nothing(sample), |r| r.verdict.clone());
    let own = Own::of(&verdict);
    let bad = by_source(votes, Opinion::Bad);
    let good = by_source(votes, Opinion::Good);
    let sum = |votes: &[&Vote]| votes.iter().map(|v| weight(v)).sum::<f64>();
    let odds = own.odds + sum(&bad) - sum(&good);
    let percent = 100.0 / (1.0 + (-odds).exp());
    // From 0 to 100 by construction.
    let mut confidence = if own.is_found || !bad.is_empty() { percent.round() as u8 } else { 0 };
    let two = bad.len() >= 2;
    if !own.is_decided && !two {
        confidence = confidence.min(UNDECIDED).min(own.confidence.max(NEVER_HIGH));
    }
    if own.is_decided && good.len() == 1 {
        confidence = confidence.max(MEDIUM);
    }
    if verdict.test && own.is_decided {
        confidence = own.confidence;
    }
    if !own.is_found
        && let Some(heaviest) = bad.first()
    {
        verdict.class = named::class(&heaviest.family);
        verdict.family.clone_from(&heaviest.family);
    }
    verdict.confidence = Confidence::new(confidence);
    verdict.evidence.extend(bad.iter().chain(&good).map(|v| evidence(v)));
    summed_up(&mut verdict);
    let standing = match confidence {
        MEDIUM.. => Standing::Bad,
        _ if report.is_none() => Standing::Pending,
        _ => Standing::Clean,
    };
    Weighed { verdict, standing }
}

/// What the engine says by itself.
struct Own {
    odds: f64,
    confidence: u8,
    is_found: bool,
    is_decided: bool,
}

impl Own {
    fn of(verdict: &Verdict) -> Self {
        let confidence = verdict.confidence.value();
        let is_found = verdict.is_found();
        let odds = if is_found {
            let p = f64::from(confidence.clamp(1, 99)) / 100.0;
            (p / (1.0 - p)).ln()
        } else {
            // What it knows to be good counts against the votes of others.
            PRIOR + verdict.evidence.iter().map(|e| f64::from(e.weight)).filter(|w| *w < 0.0).sum::<f64>()
        };
        let decisive = verdict.evidence.iter().any(|e| e.decisive && e.is_bad());
        Self { odds, confidence, is_found, is_decided: is_found && decisive && confidence >= HIGH }
    }
}

/// The heaviest vote of each source, heaviest first; equal ones by name, so that the order never counts.
fn by_source(votes: &[Vote], opinion: Opinion) -> Vec<&Vote> {
    let mut list: Vec<&Vote> = votes.iter().filter(|v| v.opinion == opinion && weight(v) > 0.0).collect();
    list.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.connector.cmp(&b.connector)));
    let mut seen = Vec::new();
    list.retain(|v| {
        let new = !seen.contains(&v.source.as_str());
        seen.push(v.source.as_str());
        new
    });
    list
}

/// Within the bounds of the configuration, whatever is kept.
fn weight(vote: &Vote) -> f64 {
    let weight = f64::from(vote.weight);
    if weight.is_nan() { 0.0 } else { weight.clamp(0.0, f64::from(crate::connectors::MAX_WEIGHT)) }
}

fn evidence(vote: &Vote) -> Evidence {
    let (kind, sign) = match vote.opinion {
        Opinion::Good => (EvidenceKind::KnownGood, -1.0),
        _ => (EvidenceKind::ThirdPartyRule, 1.0),
    };
    let family = if vote.family.is_empty() { String::new() } else { format!("{}: ", vote.family) };
    Evidence {
        kind,
        id: format!("connector:{}", vote.connector),
        weight: sign * weight(vote) as f32,
        detail: format!("{family}{} ({})", vote.detail, vote.kind),
        decisive: false,
    }
}

/// A host counts what acted by the file, not by the rules of a server: one decisive evidence with the file's own
/// name takes the place of those that decided here.
fn summed_up(verdict: &mut Verdict) {
    for evidence in &mut verdict.evidence {
        evidence.decisive = false;
    }
    verdict.evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.id.cmp(&b.id)));
    let confidence = verdict.confidence.value();
    if confidence >= HIGH {
        let p = f64::from(confidence.min(99)) / 100.0;
        verdict.evidence.insert(
            0,
            Evidence {
                kind: EvidenceKind::KnownBad,
                id: format!("cloud:{}", verdict.sha256),
                weight: ((p / (1.0 - p)).ln() - PRIOR) as f32,
                detail: "the deep scan of the server".to_owned(),
                decisive: true,
            },
        );
    }
}

fn nothing((sha256, size): (Sha256, u64)) -> Verdict {
    Verdict {
        sha256,
        size,
        file_type: FileType::Other,
        member: None,
        class: MalwareClass::Unclassified,
        family: String::new(),
        confidence: Confidence::new(0),
        evidence: Vec::new(),
        content_version: String::new(),
        test: false,
    }
}

#[cfg(test)]
mod tests;
