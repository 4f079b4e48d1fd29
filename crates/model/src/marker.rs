// SPDX-License-Identifier: Apache-2.0
//! The Lazaret test program: a harmless file that proves an installation.
//!
//! The marker is put together at run time, so that neither Lazaret's sources nor its binaries
//! contain it: both would isolate themselves otherwise.

use crate::{Confidence, MalwareClass};

/// A marker counts only in files up to this size, bytes.
pub const MAX_TEST_PROGRAM_SIZE: u64 = 4 * 1024 * 1024;

/// What a test program asks to be rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TestRating {
    /// Confidence 99.
    High,
    /// Confidence 75.
    Medium,
    /// Confidence 30.
    Low,
}

impl TestRating {
    /// All three.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The word in the marker.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// The fixed confidence; good evidence does not lower it.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::High => Confidence::new(99),
            Self::Medium => Confidence::new(75),
            Self::Low => Confidence::new(30),
        }
    }
}

/// What every marker begins with, its closing slash included.
#[must_use]
pub fn test_program_prefix() -> String {
    let mut prefix = String::with_capacity(40);
    for part in std::hint::black_box(["LAZARET", "TEST", "PROGRAM", "DO", "NOT", "DEPLOY"]) {
        if !prefix.is_empty() {
            prefix.push('-');
        }
        prefix.push_str(part);
    }
    prefix.push('/');
    prefix
}

/// The whole marker.
#[must_use]
pub fn test_program_marker(class: MalwareClass, rating: TestRating) -> String {
    format!("{}{}/{}/", test_program_prefix(), class.word(), rating.word())
}

/// The word in place of the rating of what only the deep scan of a server finds (docs/adr/0016).
pub const CLOUD_TEST_WORD: &str = "cloud";

/// The marker of a test program that hosts do not find by themselves: only the deep scan does, with
/// confidence 99.
#[must_use]
pub fn cloud_test_program_marker(class: MalwareClass) -> String {
    format!("{}{}/{CLOUD_TEST_WORD}/", test_program_prefix(), class.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_has_its_published_form() {
        let m = test_program_marker(MalwareClass::Miner, TestRating::High);
        assert_eq!(m.split('/').collect::<Vec<_>>()[1..], ["miner", "high", ""]);
        assert_eq!(m.split('/').next().map(|p| p.split('-').count()), Some(6));
        let cloud = cloud_test_program_marker(MalwareClass::Miner);
        assert_eq!(cloud, m.replace("/high/", "/cloud/"));
    }
}
