// SPDX-License-Identifier: Apache-2.0
//! The engine's answer on one object.

use crate::{Confidence, Evidence, MalwareClass, Rating, Sha256, Thresholds};

/// What a file is, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileType {
    /// Nothing in it.
    Empty,
    /// ELF program or shared object.
    Elf,
    /// ELF core dump.
    CoreDump,
    /// Begins with `#!`.
    Script,
    /// PHP.
    Php,
    /// JSP.
    Jsp,
    /// Other text.
    Text,
    /// Windows executable.
    Pe,
    /// zip, also jar and office documents.
    Zip,
    /// tar.
    Tar,
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// Zstandard.
    Zstd,
    /// Anything else.
    Other,
}

impl FileType {
    /// All, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::Empty,
        Self::Elf,
        Self::CoreDump,
        Self::Script,
        Self::Php,
        Self::Jsp,
        Self::Text,
        Self::Pe,
        Self::Zip,
        Self::Tar,
        Self::Gzip,
        Self::Xz,
        Self::Bzip2,
        Self::Zstd,
        Self::Other,
    ];

    /// The word in JSON and in rules.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Elf => "elf",
            Self::CoreDump => "core",
            Self::Script => "script",
            Self::Php => "php",
            Self::Jsp => "jsp",
            Self::Text => "text",
            Self::Pe => "pe",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "zstd",
            Self::Other => "other",
        }
    }

    /// The type of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.word() == word)
    }
}

/// The engine's answer on one object. An engine error is a [`crate::ScanError`], never a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Digest of the object.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// By content.
    pub file_type: FileType,
    /// Path inside the archive (`outer.tar/inner`), raw bytes; `None` for the file itself.
    pub member: Option<Vec<u8>>,
    /// Of the heaviest bad evidence; meaningless without one.
    pub class: MalwareClass,
    /// Same; empty without one.
    pub family: String,
    /// 0 without bad evidence.
    pub confidence: Confidence,
    /// Heaviest first; empty for a clean object.
    pub evidence: Vec<Evidence>,
    /// Version of the content that judged.
    pub content_version: String,
    /// The Lazaret test program or EICAR: harmless, made to prove an installation.
    pub test: bool,
}

impl Verdict {
    /// Whether anything speaks for malware.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.evidence.iter().any(Evidence::is_bad)
    }

    /// The rating under these thresholds; `None` when nothing speaks for malware.
    #[must_use]
    pub fn rating(&self, thresholds: Thresholds) -> Option<Rating> {
        self.is_found().then(|| thresholds.rate(self.confidence))
    }
}
