// SPDX-License-Identifier: Apache-2.0
//! One shipped rule.

use crate::Case;
use lazaret_model::{FileType, MalwareClass};

/// The lightest weight a rule may carry, log-odds.
pub const MIN_WEIGHT: f32 = 0.5;
/// The heaviest weight a rule may carry, log-odds.
pub const MAX_WEIGHT: f32 = 8.0;

/// One shipped rule: a YARA body with what Lazaret needs to weigh it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// `[a-z0-9_]+`, unique in the content; also the YARA rule's name.
    pub id: String,
    /// What a match speaks for.
    pub class: MalwareClass,
    /// Family name.
    pub family: String,
    /// Log-odds, [`MIN_WEIGHT`]..=[`MAX_WEIGHT`].
    pub weight: f32,
    /// Reviewed as decisive: may carry a verdict over the *high* threshold.
    pub decisive: bool,
    /// Matches a harmless test object (EICAR).
    pub test: bool,
    /// File types that the rule is for; never empty.
    pub types: Vec<FileType>,
    /// Largest file that the rule is for, bytes.
    pub max_size: Option<u64>,
    /// Evidence with the same word counts once, the heaviest; the family unless the rule says otherwise.
    pub correlate: String,
    /// For people.
    pub description: String,
    /// Public reference, an URL.
    pub reference: String,
    /// `strings:` and `condition:` of a YARA rule, without the rule's head and braces.
    pub yara: String,
    /// The file it was written in.
    pub file: String,
    /// Line of its `[[rule]]`, from 1.
    pub line: u32,
    /// Line on which `yara` begins, from 1.
    pub yara_line: u32,
    /// The object that must match; only the source form has it.
    pub matching: Option<Case>,
    /// The object that must not match; only the source form has it.
    pub other: Option<Case>,
}

impl Rule {
    /// What is wrong with it, for people; `None` when it is sound.
    pub(crate) fn fault(&self) -> Option<String> {
        let id_ok = |s: &str| {
            !s.is_empty()
                && s.len() <= 100
                && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !id_ok(&self.id) || self.id.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(format!(
                "rule id \"{}\": must be lower-case letters, digits and _, begin with a letter, at most 100",
                self.id
            ));
        }
        let fault = if !(MIN_WEIGHT..=MAX_WEIGHT).contains(&self.weight) {
            format!("weight {} is outside {MIN_WEIGHT} to {MAX_WEIGHT}", self.weight)
        } else if self.family.is_empty() || self.family.chars().any(char::is_control) {
            "family must be a name".to_owned()
        } else if self.correlate.is_empty() {
            "correlate must be a word, or be left out".to_owned()
        } else if self.types.is_empty() {
            "types is empty: every rule needs a file-type guard".to_owned()
        } else if self.description.trim().is_empty() {
            "description is empty".to_owned()
        } else if !self.reference.starts_with("https://") && !self.reference.starts_with("http://") {
            "reference must be an http(s) address".to_owned()
        } else if !self.yara.contains("condition:") {
            "yara has no condition".to_owned()
        } else {
            return None;
        };
        Some(format!("rule {}: {fault}", self.id))
    }
}
