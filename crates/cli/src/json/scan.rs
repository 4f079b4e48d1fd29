// SPDX-License-Identifier: Apache-2.0
//! The lines of `scan --json`.

use super::{exact, lossy};
use lazaret_model::{self as model, Thresholds};
use serde::Serialize;

/// Something found: a file, or a member of an archive.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictLine<'a> {
    r#type: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_b64: Option<String>,
    sha256: String,
    class: &'static str,
    family: &'a str,
    confidence: u8,
    rating: &'static str,
    evidence: Vec<EvidenceItem<'a>>,
    content_version: &'a str,
    test: bool,
}

#[derive(Debug, Serialize)]
struct EvidenceItem<'a> {
    kind: &'static str,
    id: &'a str,
    weight: f32,
    detail: &'a str,
}

impl<'a> VerdictLine<'a> {
    /// `None` when nothing speaks for malware.
    pub(crate) fn new(path: &[u8], verdict: &'a model::Verdict, thresholds: Thresholds) -> Option<Self> {
        let rating = verdict.rating(thresholds)?;
        Some(Self {
            r#type: "verdict",
            path: lossy(path),
            path_b64: exact(path),
            member: verdict.member.as_deref().map(lossy),
            member_b64: verdict.member.as_deref().and_then(exact),
            sha256: verdict.sha256.to_string(),
            class: verdict.class.word(),
            family: &verdict.family,
            confidence: verdict.confidence.value(),
            rating: rating.word(),
            evidence: verdict
                .evidence
                .iter()
                .map(|e| EvidenceItem { kind: e.kind.word(), id: &e.id, weight: e.weight, detail: &e.detail })
                .collect(),
            content_version: &verdict.content_version,
            test: verdict.test,
        })
    }
}

/// Something that could not be scanned.
#[derive(Debug, Serialize)]
pub(crate) struct ScanFault<'a> {
    r#type: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    reason: &'a str,
}

impl<'a> ScanFault<'a> {
    pub(crate) fn new(path: &[u8], reason: &'a str) -> Self {
        Self { r#type: "error", path: lossy(path), path_b64: exact(path), reason }
    }
}

/// A part of the content that did not load; the rest is in force.
#[derive(Debug, Serialize)]
pub(crate) struct ContentProblem<'a> {
    r#type: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

impl<'a> From<&'a model::ContentProblem> for ContentProblem<'a> {
    fn from(p: &'a model::ContentProblem) -> Self {
        Self { r#type: "content_problem", file: &p.file, line: p.line, column: p.column, message: &p.message }
    }
}

/// The last line of a scan.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Summary {
    r#type: &'static str,
    /// Files and members looked at.
    pub(crate) objects: u64,
    /// Bytes looked at, members included.
    pub(crate) bytes: u64,
    pub(crate) high: u64,
    pub(crate) medium: u64,
    pub(crate) low: u64,
    /// What could not be scanned.
    pub(crate) errors: u64,
    pub(crate) seconds: f64,
}

impl Default for Summary {
    fn default() -> Self {
        Self { r#type: "summary", objects: 0, bytes: 0, high: 0, medium: 0, low: 0, errors: 0, seconds: 0.0 }
    }
}

impl Summary {
    /// Counts a finding.
    pub(crate) fn count(&mut self, rating: model::Rating) {
        match rating {
            model::Rating::High => self.high += 1,
            model::Rating::Medium => self.medium += 1,
            model::Rating::Low => self.low += 1,
        }
    }

    /// How many findings.
    pub(crate) const fn found(&self) -> u64 {
        self.high + self.medium + self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::line;
    use lazaret_model::{
        Confidence, Evidence, EvidenceKind, FileType, MalwareClass, Rating, Sha256, Verdict,
    };

    fn verdict() -> Verdict {
        Verdict {
            sha256: Sha256([0xab; 32]),
            size: 68,
            file_type: FileType::Script,
            member: None,
            class: MalwareClass::Miner,
            family: "xmrig".into(),
            confidence: Confidence::new(97),
            evidence: vec![Evidence {
                kind: EvidenceKind::Rule,
                id: "linux_miner_xmrig".into(),
                weight: 4.5,
                detail: "pool address".into(),
                decisive: true,
            }],
            content_version: "2026.11.1".into(),
            test: false,
        }
    }

    #[test]
    fn lines_of_a_scan() {
        let v = verdict();
        let found = VerdictLine::new(b"/srv/a b.sh", &v, Thresholds::default()).unwrap();
        insta::assert_snapshot!(line(&found).unwrap().trim_end(), @r#"{"type":"verdict","path":"/srv/a b.sh","member":null,"sha256":"abababababababababababababababababababababababababababababababab","class":"miner","family":"xmrig","confidence":97,"rating":"high","evidence":[{"kind":"rule","id":"linux_miner_xmrig","weight":4.5,"detail":"pool address"}],"content_version":"2026.11.1","test":false}"#);
        let inner = Verdict { member: Some(b"dir/\xff.sh".to_vec()), test: true, ..verdict() };
        let found = VerdictLine::new(b"/srv/\xfe.tar", &inner, Thresholds::default()).unwrap();
        insta::assert_snapshot!(line(&found).unwrap().trim_end(), @r#"{"type":"verdict","path":"/srv/�.tar","path_b64":"L3Nydi/+LnRhcg==","member":"dir/�.sh","member_b64":"ZGlyL/8uc2g=","sha256":"abababababababababababababababababababababababababababababababab","class":"miner","family":"xmrig","confidence":97,"rating":"high","evidence":[{"kind":"rule","id":"linux_miner_xmrig","weight":4.5,"detail":"pool address"}],"content_version":"2026.11.1","test":true}"#);
        insta::assert_snapshot!(line(&ScanFault::new(b"/x\ny", "could not be read: gone")).unwrap().trim_end(), @r#"{"type":"error","path":"/x\ny","reason":"could not be read: gone"}"#);
        let problem = model::ContentProblem {
            file: "/etc/r.yar".into(),
            line: 3,
            column: 7,
            message: "unknown identifier".into(),
        };
        insta::assert_snapshot!(line(&ContentProblem::from(&problem)).unwrap().trim_end(), @r#"{"type":"content_problem","file":"/etc/r.yar","line":3,"column":7,"message":"unknown identifier"}"#);
        let mut summary = Summary { objects: 3, bytes: 1000, errors: 1, seconds: 0.25, ..Summary::default() };
        summary.count(Rating::High);
        summary.count(Rating::Low);
        insta::assert_snapshot!(line(&summary).unwrap().trim_end(), @r#"{"type":"summary","objects":3,"bytes":1000,"high":1,"medium":0,"low":1,"errors":1,"seconds":0.25}"#);
        assert_eq!(summary.found(), 2);
    }

    #[test]
    fn good_evidence_alone_is_no_line() {
        let mut clean = verdict();
        clean.evidence[0].weight = -3.0;
        assert!(VerdictLine::new(b"/x", &clean, Thresholds::default()).is_none());
    }
}
