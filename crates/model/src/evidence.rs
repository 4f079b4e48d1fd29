// SPDX-License-Identifier: Apache-2.0
//! Evidence: one reason to think a file or process is bad, or good.

/// Where an evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvidenceKind {
    /// A shipped rule matched.
    Rule,
    /// A rule that somebody else wrote matched; it alone never makes a verdict *high*.
    ThirdPartyRule,
    /// SHA-256 and size are on a known-bad list.
    KnownBad,
    /// SHA-256 is on a known-good list.
    KnownGood,
    /// A fact about the file itself (structure, entropy, links).
    Heuristic,
    /// The Lazaret test program marker.
    TestProgram,
    /// A member of this archive is bad.
    Member,
    /// The file belongs to an intact package of trusted origin.
    Package,
}

impl EvidenceKind {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::ThirdPartyRule => "third_party_rule",
            Self::KnownBad => "known_bad",
            Self::KnownGood => "known_good",
            Self::Heuristic => "heuristic",
            Self::TestProgram => "test_program",
            Self::Member => "member",
            Self::Package => "package",
        }
    }
}

/// One reason, with its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Where it comes from.
    pub kind: EvidenceKind,
    /// Which rule, list or fact.
    pub id: String,
    /// Log-odds: above zero speaks for malware, below zero against it.
    pub weight: f32,
    /// What was found, for people.
    pub detail: String,
    /// Whether it may carry a verdict over the *high* threshold by itself.
    pub decisive: bool,
}

impl Evidence {
    /// Whether it speaks for malware.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.weight > 0.0
    }
}
