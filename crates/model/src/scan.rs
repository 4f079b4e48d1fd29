// SPDX-License-Identifier: Apache-2.0
//! What a scan answers: a report, or an error that is never a verdict in either direction.

use crate::Verdict;
use std::fmt;

/// Everything one scanned file answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanReport {
    /// The file itself.
    pub verdict: Verdict,
    /// Members with bad evidence (at most 64), when members were asked for.
    pub members: Vec<Verdict>,
    /// Objects looked at: the file and all its members.
    pub objects: u32,
    /// Bytes looked at, members included.
    pub bytes: u64,
    /// Parts that could not be scanned, for people: the rest was.
    pub unscanned: Vec<String>,
    /// Facts, when the file is ELF.
    pub elf: Option<ElfFacts>,
    /// TLSH, `T1` and 70 hex digits: contents that are alike have hashes that are alike. Empty where nobody had the
    /// time (an execution waits for no more than a verdict), and for what is too short, too even, or no program.
    pub tlsh: String,
}

impl ScanReport {
    /// The file's own verdict and those of its members.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        std::iter::once(&self.verdict).chain(&self.members)
    }
}

/// First facts about an ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElfFacts {
    /// `PT_INTERP`.
    pub interpreter: Option<String>,
    /// `DT_NEEDED`, at most 256.
    pub needed: Vec<String>,
    /// `DT_RUNPATH` or `DT_RPATH`.
    pub runpath: Option<String>,
    /// Has a section table.
    pub sections: bool,
    /// Statically linked.
    pub is_static: bool,
}

/// Why something could not be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanError {
    /// Could not be opened or read.
    Unreadable(String),
    /// A FIFO, socket, device or directory.
    NotAFile(String),
    /// Became shorter or changed while it was read.
    Changed,
    /// Took longer than the deadline, milliseconds.
    Deadline(u64),
    /// The worker died while it scanned this.
    Crashed(String),
    /// The worker's answer could not be understood.
    BadAnswer(String),
    /// The file is over a limit and was not judged.
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// The pool is stopping, or its queue is full.
    Unavailable(String),
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "could not be read: {why}"),
            Self::NotAFile(what) => write!(f, "is not a regular file but {what}"),
            Self::Changed => f.write_str("changed while it was read"),
            Self::Deadline(ms) => write!(f, "took longer than the deadline of {ms} ms"),
            Self::Crashed(how) => write!(f, "the scanner died on it: {how}"),
            Self::BadAnswer(why) => write!(f, "the scanner's answer could not be understood: {why}"),
            Self::TooLarge { size, limit } => write!(f, "is {size} bytes long, over the limit of {limit}"),
            Self::Unavailable(why) => write!(f, "no scanner was available: {why}"),
        }
    }
}

impl std::error::Error for ScanError {}

/// What content is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentInfo {
    /// Version of the pack, and of added rules.
    pub version: String,
    /// Rules in force.
    pub rules: u32,
    /// Known-bad digests.
    pub known_bad: u64,
    /// Known-good digests.
    pub known_good: u64,
    /// What did not load; the rest is in force.
    pub problems: Vec<ContentProblem>,
}

/// A part of the content that did not load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentProblem {
    /// File.
    pub file: String,
    /// From 1; 0 when unknown.
    pub line: u32,
    /// From 1; 0 when unknown.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ContentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}
