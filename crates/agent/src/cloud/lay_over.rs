// SPDX-License-Identifier: Apache-2.0
//! Lays the server's verdict over the report of this host's own scan. What follows is decided as for any
//! other report: policy, guards, whitelist, exceptions, breaker and limits.

use super::Cloud;
use crate::core::Core;
use crate::log::log;
use lazaret_model::{Confidence, Evidence, EvidenceKind, FileType, Rating, ScanReport, Sha256, Verdict};
use lazaret_policy::{Policy, rate};
use lazaret_proto::{Message, v1};

/// The decisive evidence of a server has an id that begins so: the breaker counts by file.
const PREFIX: &str = "cloud:";
/// Evidence of one verdict of the server.
const MAX_EVIDENCE: usize = 32;
/// Characters of its texts.
const MAX_TEXT: usize = 256;
/// Log-odds of one evidence, either way.
const MAX_WEIGHT: f32 = 20.0;
/// Where the server gives no weight of its own.
const WEIGHT: f32 = 8.0;

/// How far what was laid over a report reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Laid {
    /// Nothing was.
    Nothing,
    /// The file may be refused and no more until this host's ring is reached.
    RefuseOnly,
    /// All that policy says.
    Act,
}

/// Whether an evidence is a server's verdict on a hash.
pub(crate) fn is_of_server(evidence: &str) -> bool {
    evidence.starts_with(PREFIX)
}

/// The id of the server's evidence about a content.
pub(super) fn id(sha256: &Sha256) -> String {
    format!("{PREFIX}{sha256}")
}

/// What the server says of a content, within bounds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    class: lazaret_model::MalwareClass,
    family: String,
    confidence: Confidence,
    test: bool,
    /// Its own evidence, the decisive one first.
    evidence: Vec<Evidence>,
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Reads a verdict on a content.
pub(super) fn word(sha256: Sha256, told: &v1::HashVerdict) -> Result<Word, String> {
    let mut verdict = told.verdict.clone().ok_or("it says nothing")?;
    // A person's verdict is about a hash: nobody there need have seen the file.
    if verdict.file_type.is_empty() {
        FileType::Other.word().clone_into(&mut verdict.file_type);
    }
    if verdict.sha256.is_empty() {
        verdict.sha256 = sha256.0.to_vec();
    }
    let verdict = Verdict::try_from(verdict).map_err(|e| e.to_string())?;
    if verdict.sha256 != sha256 {
        return Err("it is about another content".into());
    }
    let bad = || verdict.evidence.iter().filter(|e| e.is_bad());
    // A person's word needs no evidence beside it.
    let decisive = told.origin == "person" || bad().any(|e| e.decisive);
    let weight = bad().map(|e| e.weight).fold(0.0, f32::max);
    let names: Vec<String> = bad().take(8).map(|e| short(&e.id)).collect();
    let mut evidence = vec![Evidence {
        kind: EvidenceKind::KnownBad,
        id: id(&sha256),
        weight: if weight > 0.0 { weight.min(MAX_WEIGHT) } else { WEIGHT },
        detail: match names.as_slice() {
            [] => format!("the server's verdict ({})", short(&told.origin)),
            names => format!("the server's verdict ({}): {}", short(&told.origin), names.join(", ")),
        },
        decisive,
    }];
    evidence.extend(verdict.evidence.into_iter().take(MAX_EVIDENCE).map(|e| Evidence {
        kind: e.kind,
        id: short(&e.id),
        weight: e.weight.clamp(-MAX_WEIGHT, MAX_WEIGHT),
        detail: short(&e.detail),
        // The one above stands for all: no name of the server's may pass for a rule of this host.
        decisive: false,
    }));
    Ok(Word {
        class: verdict.class,
        family: short(&verdict.family),
        confidence: verdict.confidence,
        test: verdict.test,
        evidence,
    })
}

/// The heavier of the two gives class and family; the evidence of both stays.
pub(super) fn lay_over(verdict: &mut Verdict, mut word: Word) {
    // What this host's own content knows as good is not refused for a server's word: people look at it.
    if verdict.evidence.iter().any(|e| e.kind == EvidenceKind::KnownGood)
        && let Some(first) = word.evidence.first_mut()
    {
        first.decisive = false;
    }
    let own_is_heavier = verdict.is_found() && verdict.confidence > word.confidence;
    if !own_is_heavier {
        verdict.class = word.class;
        verdict.family = word.family;
        verdict.confidence = word.confidence;
    }
    verdict.test |= word.test;
    verdict.evidence.retain(|e| !is_of_server(&e.id));
    verdict.evidence.extend(word.evidence);
    verdict.evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight));
}

/// Whether this host would act on its own scan alone.
fn is_high(report: &ScanReport, policy: &Policy) -> bool {
    report.verdicts().any(|v| rate(v, policy) == Some(Rating::High))
}

impl Cloud {
    /// Lays what the server says of the file's content over its report. Costs nothing without consent, and
    /// one look into memory where the server says nothing.
    pub(crate) fn lay_over(&self, core: &Core, report: &mut ScanReport) -> Laid {
        if !self.is_on() {
            return Laid::Nothing;
        }
        let sha256 = report.verdict.sha256;
        let Some(known) = self.verdicts.bad(&sha256) else { return Laid::Nothing };
        let Some(word) = self.word(core, sha256) else { return Laid::Nothing };
        let own = is_high(report, &core.live().policy);
        lay_over(&mut report.verdict, word);
        if known.act || own { Laid::Act } else { Laid::RefuseOnly }
    }

    /// What the server says, from the disk. What cannot be read is no verdict.
    pub(super) fn word(&self, core: &Core, sha256: Sha256) -> Option<Word> {
        let row = match core.database.cloud_verdict(sha256) {
            Ok(row) => row?,
            Err(e) => {
                log!("{e}");
                return None;
            }
        };
        let told = v1::HashVerdict::decode(row.verdict.as_slice()).map_err(|e| e.to_string());
        match told.and_then(|told| word(sha256, &told)) {
            Ok(word) => Some(word),
            Err(why) => {
                log!("the server's verdict on {sha256} is left out: {why}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
