// SPDX-License-Identifier: Apache-2.0
//! One evidence with what the verdict takes from it, and how findings become a verdict.

use crate::confidence::{Reason, confidence};
use lazaret_model::{Confidence, Evidence, EvidenceKind, FileType, MalwareClass, Sha256, Verdict};

/// An evidence, and what it says the object is.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) evidence: Evidence,
    pub(crate) correlate: String,
    pub(crate) class: MalwareClass,
    pub(crate) family: String,
    /// Speaks of a harmless test object.
    pub(crate) test: bool,
}

/// One below the lowest threshold of *high* that a policy may set.
const OTHERS_AT_MOST: Confidence = Confidence::new(79);

impl Finding {
    fn reason(&self) -> Reason<'_> {
        Reason { weight: self.evidence.weight, correlate: &self.correlate, decisive: self.evidence.decisive }
    }

    /// A rule or a list that others wrote, and that no administrator promoted.
    fn is_of_others(&self) -> bool {
        matches!(self.evidence.kind, EvidenceKind::ThirdPartyRule | EvidenceKind::KnownBad)
            && !self.evidence.decisive
    }
}

/// What the Lazaret test program marker asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fixed {
    pub(crate) class: MalwareClass,
    pub(crate) confidence: Confidence,
}

/// The object that findings are about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    pub(crate) file_type: FileType,
    pub(crate) member: Option<Vec<u8>>,
}

/// Everything found on one object.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) list: Vec<Finding>,
    pub(crate) fixed: Option<Fixed>,
}

impl Findings {
    /// The verdict: confidence by the formula, or fixed by a test program marker. A marker never
    /// *lowers* what real evidence says: it would be a ticket past the scanner.
    pub(crate) fn into_verdict(mut self, subject: Subject, content_version: &str) -> Verdict {
        self.list.sort_by(|a, b| {
            b.evidence.weight.total_cmp(&a.evidence.weight).then_with(|| a.evidence.id.cmp(&b.evidence.id))
        });
        let weighed = || self.list.iter().filter(|f| f.evidence.kind != EvidenceKind::TestProgram);
        let all: Vec<Reason<'_>> = weighed().map(Finding::reason).collect();
        let own: Vec<Reason<'_>> = weighed().filter(|f| !f.is_of_others()).map(Finding::reason).collect();
        // Evidence of others lifts nothing over what every policy calls medium at most.
        let judged = confidence(&all).min(confidence(&own).max(OTHERS_AT_MOST));
        let marked = self.fixed.filter(|fixed| fixed.confidence >= judged);
        // The heaviest bad evidence names the object; the marker's is not weighed against the others.
        let heaviest =
            self.list.iter().find(|f| f.evidence.is_bad() && f.evidence.kind != EvidenceKind::TestProgram);
        let (class, family, confidence, test) = match (marked, heaviest) {
            (Some(fixed), _) => (fixed.class, "test program".to_owned(), fixed.confidence, true),
            (None, None) => (MalwareClass::Unclassified, String::new(), judged, false),
            (None, Some(f)) => {
                // A test finding does not make a test object of what other evidence condemns.
                let real = self.list.iter().any(|o| !o.test && o.evidence.is_bad() && o.evidence.decisive);
                (f.class, f.family.clone(), judged, f.test && !real)
            }
        };
        Verdict {
            sha256: subject.sha256,
            size: subject.size,
            file_type: subject.file_type,
            member: subject.member,
            class,
            family,
            confidence,
            evidence: self.list.into_iter().map(|f| f.evidence).collect(),
            content_version: content_version.to_owned(),
            test,
        }
    }
}
