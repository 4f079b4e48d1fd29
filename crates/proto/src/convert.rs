// SPDX-License-Identifier: Apache-2.0
//! Conversions of what a scan answers. What comes from a jailed scanner is checked here.

use crate::v1;
use lazaret_model as model;
use model::{Confidence, EvidenceKind, FileType, MalwareClass, Sha256};
use std::fmt;

/// A message that does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvertError(pub String);

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message is not valid: {}", self.0)
    }
}

impl std::error::Error for ConvertError {}

pub(crate) fn bad(what: impl Into<String>) -> ConvertError {
    ConvertError(what.into())
}

/// Bytes of a TLSH as text.
const TLSH: usize = 128;

const KINDS: [EvidenceKind; 8] = [
    EvidenceKind::Rule,
    EvidenceKind::ThirdPartyRule,
    EvidenceKind::KnownBad,
    EvidenceKind::KnownGood,
    EvidenceKind::Heuristic,
    EvidenceKind::TestProgram,
    EvidenceKind::Member,
    EvidenceKind::Package,
];

impl From<&model::Evidence> for v1::Evidence {
    fn from(e: &model::Evidence) -> Self {
        Self {
            kind: e.kind.word().into(),
            id: e.id.clone(),
            weight: e.weight,
            detail: e.detail.clone(),
            decisive: e.decisive,
        }
    }
}

impl TryFrom<v1::Evidence> for model::Evidence {
    type Error = ConvertError;

    fn try_from(e: v1::Evidence) -> Result<Self, ConvertError> {
        let kind = KINDS
            .into_iter()
            .find(|k| k.word() == e.kind)
            .ok_or_else(|| bad(format!("evidence kind \"{}\"", e.kind)))?;
        if !e.weight.is_finite() {
            return Err(bad("evidence weight is not a number"));
        }
        Ok(Self { kind, id: e.id, weight: e.weight, detail: e.detail, decisive: e.decisive })
    }
}

impl From<&model::Verdict> for v1::Verdict {
    fn from(v: &model::Verdict) -> Self {
        Self {
            sha256: v.sha256.0.to_vec(),
            size: v.size,
            file_type: v.file_type.word().into(),
            member: v.member.clone(),
            class: v.class.word().into(),
            family: v.family.clone(),
            confidence: u32::from(v.confidence.value()),
            evidence: v.evidence.iter().map(Into::into).collect(),
            content_version: v.content_version.clone(),
            test: v.test,
        }
    }
}

impl TryFrom<v1::Verdict> for model::Verdict {
    type Error = ConvertError;

    fn try_from(v: v1::Verdict) -> Result<Self, ConvertError> {
        Ok(Self {
            sha256: Sha256::from_slice(&v.sha256).ok_or_else(|| bad("sha256 is not 32 bytes"))?,
            size: v.size,
            file_type: FileType::from_word(&v.file_type)
                .ok_or_else(|| bad(format!("file type \"{}\"", v.file_type)))?,
            member: v.member,
            class: v.class.parse::<MalwareClass>().map_err(|e| bad(e.to_string()))?,
            family: v.family,
            confidence: u8::try_from(v.confidence)
                .ok()
                .filter(|c| *c <= 100)
                .map(Confidence::new)
                .ok_or_else(|| bad(format!("confidence {}", v.confidence)))?,
            evidence: v.evidence.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            content_version: v.content_version,
            test: v.test,
        })
    }
}

impl From<&model::ScanReport> for v1::ScanReport {
    fn from(r: &model::ScanReport) -> Self {
        Self {
            verdict: Some((&r.verdict).into()),
            members: r.members.iter().map(Into::into).collect(),
            objects: r.objects,
            bytes: r.bytes,
            unscanned: r.unscanned.clone(),
            elf: r.elf.as_ref().map(|e| v1::ElfFacts {
                interpreter: e.interpreter.clone(),
                needed: e.needed.clone(),
                runpath: e.runpath.clone(),
                sections: e.sections,
                is_static: e.is_static,
            }),
            tlsh: r.tlsh.clone(),
        }
    }
}

impl TryFrom<v1::ScanReport> for model::ScanReport {
    type Error = ConvertError;

    fn try_from(r: v1::ScanReport) -> Result<Self, ConvertError> {
        Ok(Self {
            verdict: r.verdict.ok_or_else(|| bad("report without a verdict"))?.try_into()?,
            members: r.members.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            objects: r.objects,
            bytes: r.bytes,
            unscanned: r.unscanned,
            elf: r.elf.map(|e| model::ElfFacts {
                interpreter: e.interpreter,
                needed: e.needed,
                runpath: e.runpath,
                sections: e.sections,
                is_static: e.is_static,
            }),
            // It travels on to the server, which takes no more.
            tlsh: if r.tlsh.len() <= TLSH { r.tlsh } else { return Err(bad("a TLSH that is none")) },
        })
    }
}

impl From<&model::ScanError> for v1::ScanError {
    fn from(e: &model::ScanError) -> Self {
        use model::ScanError as E;
        use v1::scan_error::Kind;
        let (kind, detail, size, limit) = match e {
            E::Unreadable(d) => (Kind::Unreadable, d.clone(), 0, 0),
            E::NotAFile(d) => (Kind::NotAFile, d.clone(), 0, 0),
            E::Changed => (Kind::Changed, String::new(), 0, 0),
            E::Deadline(ms) => (Kind::Deadline, String::new(), 0, *ms),
            E::Crashed(d) => (Kind::Crashed, d.clone(), 0, 0),
            E::BadAnswer(d) => (Kind::BadAnswer, d.clone(), 0, 0),
            E::TooLarge { size, limit } => (Kind::TooLarge, String::new(), *size, *limit),
            E::Unavailable(d) => (Kind::Unavailable, d.clone(), 0, 0),
        };
        Self { kind: kind.into(), detail, size, limit }
    }
}

impl From<v1::ScanError> for model::ScanError {
    fn from(e: v1::ScanError) -> Self {
        use v1::scan_error::Kind;
        match e.kind() {
            Kind::Unreadable => Self::Unreadable(e.detail),
            Kind::NotAFile => Self::NotAFile(e.detail),
            Kind::Changed => Self::Changed,
            Kind::Deadline => Self::Deadline(e.limit),
            Kind::Crashed => Self::Crashed(e.detail),
            Kind::TooLarge => Self::TooLarge { size: e.size, limit: e.limit },
            Kind::Unavailable => Self::Unavailable(e.detail),
            Kind::BadAnswer | Kind::Unspecified => Self::BadAnswer(e.detail),
        }
    }
}

impl From<&model::ContentInfo> for v1::ContentInfo {
    fn from(c: &model::ContentInfo) -> Self {
        Self {
            version: c.version.clone(),
            rules: c.rules,
            known_bad: c.known_bad,
            known_good: c.known_good,
            problems: c
                .problems
                .iter()
                .map(|p| v1::ContentProblem {
                    file: p.file.clone(),
                    line: p.line,
                    column: p.column,
                    message: p.message.clone(),
                })
                .collect(),
        }
    }
}

impl From<v1::ContentInfo> for model::ContentInfo {
    fn from(c: v1::ContentInfo) -> Self {
        Self {
            version: c.version,
            rules: c.rules,
            known_bad: c.known_bad,
            known_good: c.known_good,
            problems: c
                .problems
                .into_iter()
                .map(|p| model::ContentProblem {
                    file: p.file,
                    line: p.line,
                    column: p.column,
                    message: p.message,
                })
                .collect(),
        }
    }
}
