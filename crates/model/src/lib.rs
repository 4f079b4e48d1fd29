// SPDX-License-Identifier: Apache-2.0
//! The words of Lazaret as types (ARCHITECTURE.md, "Words").
//!
//! No I/O, no clock, no serialisation: a type here says what a thing *is*. Wire and storage forms
//! live in the crates that own the wire (`proto`) and the storage (`state`, `vault`, `response`).

#![forbid(unsafe_code)]

mod action;
mod alarm;
mod class;
mod decision;
mod evidence;
mod file;
mod hash;
mod id;
mod isolated;
mod marker;
mod persistence;
mod process;
mod rating;
mod scan;
mod verdict;

pub use action::{Action, ActionRecord, Outcome};
pub use alarm::{Alarm, Forensics, HandleStatus, Handling, Origin, Severity, UnknownHandling};
pub use class::{CLASSES, ClassRow, MalwareClass, UnknownClass};
pub use decision::{Decision, Guard};
pub use evidence::{Evidence, EvidenceKind};
pub use file::{FileFacts, FileRef, FileTime};
pub use hash::{ParseHashError, Sha256};
pub use id::{AlarmId, IsolatedId, JournalId, WhitelistId};
pub use isolated::{IsolatedStatus, KilledProcess};
pub use marker::{
    CLOUD_TEST_WORD, MAX_TEST_PROGRAM_SIZE, TestRating, cloud_test_program_marker, test_program_marker,
    test_program_prefix,
};
pub use persistence::{
    Persistence, PersistenceEntry, PersistenceKind, PersistenceLink, PersistenceState, Return,
};
pub use process::{ProcessFacts, ProcessRef};
pub use rating::{Confidence, Rating, Thresholds, ThresholdsError};
pub use scan::{ContentInfo, ContentProblem, ElfFacts, ScanError, ScanReport};
pub use verdict::{FileType, Verdict};
