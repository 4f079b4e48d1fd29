// SPDX-License-Identifier: Apache-2.0
//! Looks at one object, a file or a member, and collects what is found on it.

use crate::confidence::weight_for;
use crate::engine::{Engine, Patterns};
use crate::file_type::{Also, Detected, detect};
use crate::finding::{Finding, Findings};
use crate::gate::SetGate;
use crate::pattern::{Hit, PatternCompiler, PatternScanner, PatternSet};
use crate::{elf, script};
use lazaret_model::{ElfFacts, Evidence, EvidenceKind, FileType, MalwareClass, ScanError, Sha256, Verdict};
use lazaret_pack::Rule;

type Set = <Patterns as PatternCompiler>::Set;
type Scanner<'e> = <Set as PatternSet>::Scanner<'e>;

/// Weight of a known-bad digest with the same size: beyond doubt, 99 alone.
const KNOWN_BAD_WEIGHT: f32 = 9.0;
/// Of a digest that others listed: 75 of 100.
const LISTED_WEIGHT: f32 = 5.1;
/// Weight of a known-good digest: outweighs any rule.
const KNOWN_GOOD_WEIGHT: f32 = -9.0;

/// The bytes of one object.
pub(crate) struct Object<'o> {
    /// All of it, or its beginning.
    pub(crate) head: &'o [u8],
    /// Its end, where the beginning is not all.
    pub(crate) tail: &'o [u8],
    pub(crate) size: u64,
    pub(crate) sha256: Sha256,
}

/// What an object is and what was found on it.
pub(crate) struct Judged {
    pub(crate) file_type: FileType,
    pub(crate) findings: Findings,
    pub(crate) elf: Option<ElfFacts>,
}

/// Scanners of all sets, made once and used for one object after the other.
pub(crate) struct Judge<'e> {
    pub(crate) engine: &'e Engine,
    sets: Vec<Scanner<'e>>,
    extra: Option<Scanner<'e>>,
}

impl<'e> Judge<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            sets: engine.shipped.sets.iter().map(PatternSet::scanner).collect(),
            extra: engine.extra.as_ref().map(|e| e.set.scanner()),
        }
    }

    /// Collects everything that speaks for or against an object.
    pub(crate) fn judge(&mut self, object: &Object<'_>) -> Result<Judged, ScanError> {
        let Detected { main, also } = detect(object.head);
        let mut findings = Findings::default();
        self.digests(object, &mut findings.list);
        self.shipped(object, main, also, &mut findings.list)?;
        self.others(object, &mut findings.list)?;
        let elf = (main == FileType::Elf).then(|| elf::examine(object.head, object.size, &mut findings.list));
        if main == FileType::Script {
            script::examine(object.head, &mut findings.list);
        }
        if let Some(marker) = &self.engine.marker
            && let Some(fixed) = marker.find(object.head, object.size)
        {
            findings.list.push(Finding {
                evidence: Evidence {
                    kind: EvidenceKind::TestProgram,
                    id: "lazaret_test_program".to_owned(),
                    weight: weight_for(fixed.confidence.value()),
                    detail: "the harmless Lazaret test program, made to prove an installation".to_owned(),
                    decisive: fixed.confidence > lazaret_model::Confidence::MAX_UNDECIDED,
                },
                correlate: "lazaret_test_program".to_owned(),
                class: fixed.class,
                family: String::new(),
                test: true,
            });
            findings.fixed = Some(fixed);
        }
        Ok(Judged { file_type: main, findings, elf })
    }

    fn digests(&self, object: &Object<'_>, findings: &mut Vec<Finding>) {
        if let Some(bad) = self.engine.hashes.bad(&object.sha256, object.size) {
            findings.push(Finding {
                evidence: Evidence {
                    kind: EvidenceKind::KnownBad,
                    id: object.sha256.to_string(),
                    weight: KNOWN_BAD_WEIGHT,
                    detail: format!("known bad: {} ({})", bad.family, bad.reference),
                    decisive: true,
                },
                correlate: bad.family.clone(),
                class: bad.class,
                family: bad.family,
                test: bad.test,
            });
        }
        if let Some((list, entry)) = self.engine.listed.get(&object.sha256) {
            findings.push(Finding {
                evidence: Evidence {
                    kind: EvidenceKind::KnownBad,
                    id: object.sha256.to_string(),
                    weight: if list.promoted { KNOWN_BAD_WEIGHT } else { LISTED_WEIGHT },
                    detail: format!("listed{}{} (from {})", space(&entry.family), entry.family, list.label),
                    decisive: list.promoted,
                },
                correlate: if entry.family.is_empty() { "listed".to_owned() } else { entry.family.clone() },
                class: entry.class,
                family: entry.family.clone(),
                test: false,
            });
        }
        if let Some(good) = self.engine.hashes.good(&object.sha256) {
            findings.push(Finding {
                evidence: Evidence {
                    kind: EvidenceKind::KnownGood,
                    id: object.sha256.to_string(),
                    weight: KNOWN_GOOD_WEIGHT,
                    detail: format!("known good: {} ({})", good.name, good.reference),
                    decisive: false,
                },
                correlate: "known good".to_owned(),
                class: MalwareClass::Unclassified,
                family: String::new(),
                test: false,
            });
        }
    }

    fn shipped(
        &mut self,
        object: &Object<'_>,
        main: FileType,
        also: Option<Also>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), ScanError> {
        let first = self.engine.shipped.set_for(main);
        if let Some(set) = first {
            self.search(set, object, main, true, findings)?;
        }
        if let Some(also) = also
            && let Some(set) = self.engine.shipped.set_for(also.file_type)
            && first != Some(set)
        {
            self.search(set, object, also.file_type, also.certain, findings)?;
        }
        Ok(())
    }

    fn search(
        &mut self,
        set: usize,
        object: &Object<'_>,
        as_type: FileType,
        certain: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<(), ScanError> {
        let rules = &self.engine.shipped;
        let Some(scanner) = self.sets.get_mut(set) else { return Ok(()) };
        let mut each = |hit: Hit<'_>, offset: u64| {
            let Some(rule) = rules.rule(hit.name) else { return };
            let known =
                findings.iter().any(|f| f.evidence.kind == EvidenceKind::Rule && f.evidence.id == rule.id);
            if !known && rule.max_size.is_none_or(|max| object.size <= max) {
                findings.push(of_rule(rule, &hit, offset, as_type, certain));
            }
        };
        let gate = rules.gate(set).filter(|_| self.engine.gates);
        search(scanner, gate, object, &mut each)
    }

    fn others(&mut self, object: &Object<'_>, findings: &mut Vec<Finding>) -> Result<(), ScanError> {
        let (Some(scanner), Some(rules)) = (&mut self.extra, &self.engine.extra) else { return Ok(()) };
        let mut each = |hit: Hit<'_>, offset: u64| {
            let Some(rule) = rules.rule(hit.unit, hit.name) else { return };
            let known = findings
                .iter()
                .any(|f| f.evidence.kind == EvidenceKind::ThirdPartyRule && f.evidence.id == hit.name);
            if known {
                return;
            }
            let place = places(&hit, offset);
            let family = rule.family.clone();
            findings.push(Finding {
                evidence: Evidence {
                    kind: EvidenceKind::ThirdPartyRule,
                    id: hit.name.to_owned(),
                    weight: rule.weight,
                    detail: format!(
                        "{}{}{} (from {})",
                        rule.description,
                        space(&rule.description),
                        place,
                        rule.label
                    ),
                    decisive: rule.decisive,
                },
                correlate: if family.is_empty() { hit.name.to_owned() } else { family.clone() },
                class: rule.class,
                family,
                test: false,
            });
        };
        search(scanner, None, object, &mut each)
    }

    /// The verdict of findings.
    pub(crate) fn verdict(&self, judged: Judged, object: &Object<'_>, member: Option<Vec<u8>>) -> Verdict {
        let subject = crate::finding::Subject {
            sha256: object.sha256,
            size: object.size,
            file_type: judged.file_type,
            member,
        };
        judged.findings.into_verdict(subject, &self.engine.version)
    }
}

/// Searches both parts of an object, each only where its gate opens; offsets are those in the object.
fn search(
    scanner: &mut impl PatternScanner,
    gate: Option<&SetGate>,
    object: &Object<'_>,
    each: &mut dyn FnMut(Hit<'_>, u64),
) -> Result<(), ScanError> {
    let failed = |e: String| ScanError::Crashed(format!("the pattern engine gave up: {e}"));
    let opens = |part: &[u8]| gate.is_none_or(|g| g.may_match(part, object.size));
    if opens(object.head) {
        scanner.scan(object.head, &mut |hit| each(hit, 0)).map_err(failed)?;
    }
    if !object.tail.is_empty() && opens(object.tail) {
        let offset = object.size.saturating_sub(object.tail.len() as u64);
        scanner.scan(object.tail, &mut |hit| each(hit, offset)).map_err(failed)?;
    }
    Ok(())
}

fn of_rule(rule: &Rule, hit: &Hit<'_>, offset: u64, as_type: FileType, certain: bool) -> Finding {
    let doubt = if certain { String::new() } else { format!("; it may be text about {}", as_type.word()) };
    Finding {
        evidence: Evidence {
            kind: EvidenceKind::Rule,
            id: rule.id.clone(),
            weight: rule.weight,
            detail: format!("{} {}{doubt}", rule.description, places(hit, offset)),
            decisive: rule.decisive && certain,
        },
        correlate: rule.correlate.clone(),
        class: rule.class,
        family: rule.family.clone(),
        test: rule.test,
    }
}

fn space(text: &str) -> &'static str {
    if text.is_empty() { "" } else { " " }
}

fn places(hit: &Hit<'_>, offset: u64) -> String {
    if hit.places.is_empty() {
        return "(by its condition)".to_owned();
    }
    let list: Vec<String> = hit
        .places
        .iter()
        .map(|(name, at)| format!("{name} at {}", offset.saturating_add(*at as u64)))
        .collect();
    format!("({})", list.join(", "))
}
