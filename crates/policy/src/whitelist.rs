// SPDX-License-Identifier: Apache-2.0
//! The alarm whitelist: matched after the verdict, over raw bytes.
//!
//! A path entry holds only for the content it was made for, unless it says `any_content`: a
//! whitelisted name must not vouch for whatever is later put there.

use lazaret_model::{MalwareClass, Sha256, WhitelistId};
use std::str::FromStr;

/// What an entry looks at; the words are those of the HSS API (`field_key`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhitelistField {
    /// SHA-256 of the file or of a member.
    Hash,
    /// Path of the file.
    FilePath,
    /// Path of the acting process's executable.
    ProcessPath,
    /// Arguments of the acting process, separated by single spaces.
    ProcessCmdline,
}

impl WhitelistField {
    /// All, for tables.
    pub const ALL: [Self; 4] = [Self::Hash, Self::FilePath, Self::ProcessPath, Self::ProcessCmdline];

    /// The word on the wire and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::FilePath => "file_path",
            Self::ProcessPath => "process_path",
            Self::ProcessCmdline => "process_cmdline",
        }
    }
}

impl FromStr for WhitelistField {
    type Err = WhitelistError;

    /// Takes the API's underscores and the command line's hyphens.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let word = s.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|f| f.word() == word)
            .ok_or_else(|| WhitelistError::UnknownField(s.to_owned()))
    }
}

/// How an entry compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judge {
    /// The whole field is the value.
    Equal,
    /// The value stands somewhere in the field.
    Contain,
    /// The field is there and is something else.
    NotEqual,
    /// The field is there and the value stands nowhere in it.
    NotContain,
}

impl Judge {
    /// All, for tables.
    pub const ALL: [Self; 4] = [Self::Equal, Self::Contain, Self::NotEqual, Self::NotContain];

    /// Whether it holds for what is *not* the value.
    #[must_use]
    pub const fn is_negation(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotContain)
    }

    /// The word on the wire and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Contain => "contain",
            Self::NotEqual => "not_equal",
            Self::NotContain => "not_contain",
        }
    }
}

impl FromStr for Judge {
    type Err = WhitelistError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|j| j.word() == s)
            .ok_or_else(|| WhitelistError::UnknownJudge(s.to_owned()))
    }
}

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhitelistError {
    /// No such field.
    #[error("unknown whitelist field \"{0}\"; known: hash, file_path, process_path, process_cmdline")]
    UnknownField(String),
    /// No such comparison.
    #[error("unknown whitelist comparison \"{0}\"; known: equal, contain, not_equal, not_contain")]
    UnknownJudge(String),
    /// Nothing to compare with.
    #[error("the whitelist value is empty: it would match nothing or everything")]
    EmptyValue,
    /// Would match nearly everything.
    #[error(
        "the whitelist value is {0} bytes long: \"contain\" needs at least 3, or it matches nearly everything"
    )]
    TooShort(usize),
    /// Bounds memory and matching time.
    #[error("the whitelist value is {0} bytes long, over the limit of 4096")]
    TooLong(usize),
    /// Not a digest.
    #[error("a hash entry needs a SHA-256 digest (64 hexadecimal digits) and the comparison \"equal\"")]
    NotAHash,
    /// Would vouch for whatever is put there later.
    #[error("a file_path entry needs the SHA-256 of the content it is for, or must say any_content")]
    UnboundPath,
    /// Would vouch for nearly everything.
    #[error(
        "a negation holds for nearly every file: it needs the SHA-256 of the content it is for, or must say any_content"
    )]
    UnboundNegation,
    /// A relative path never matches.
    #[error("the path must be absolute: the kernel names files by absolute paths")]
    RelativePath,
    /// Too many.
    #[error("the whitelist holds {0} entries, its limit; remove some first")]
    Full(usize),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhitelistEntry {
    /// Identity.
    pub id: WhitelistId,
    /// What it looks at.
    pub field: WhitelistField,
    /// How it compares.
    pub judge: Judge,
    /// What it compares with. For [`WhitelistField::Hash`] the 32 bytes or their 64 hexadecimal digits.
    pub value: Vec<u8>,
    /// The content that a path entry is bound to.
    pub sha256: Option<Sha256>,
    /// A path entry holds whatever the content.
    pub any_content: bool,
    /// What people wrote about it.
    pub description: String,
    /// Milliseconds UTC.
    pub added_ms: i64,
    /// Who: `uid N`, or a server's user.
    pub added_by: String,
    /// Only for this class; `None` for all.
    pub class: Option<MalwareClass>,
    /// Holds until then, milliseconds UTC; `None` for ever.
    pub expires_ms: Option<i64>,
}

impl WhitelistEntry {
    /// Whether the entry may be put in force.
    ///
    /// # Errors
    /// Says what is wrong with it; see [`WhitelistError`].
    pub fn validate(&self) -> Result<(), WhitelistError> {
        if self.value.is_empty() {
            return Err(WhitelistError::EmptyValue);
        }
        if self.value.len() > 4096 {
            return Err(WhitelistError::TooLong(self.value.len()));
        }
        if self.field == WhitelistField::Hash {
            let known = self.hash_value().is_some() && self.judge == Judge::Equal;
            return if known { Ok(()) } else { Err(WhitelistError::NotAHash) };
        }
        if matches!(self.judge, Judge::Contain | Judge::NotContain) && self.value.len() < 3 {
            return Err(WhitelistError::TooShort(self.value.len()));
        }
        let is_path = matches!(self.field, WhitelistField::FilePath | WhitelistField::ProcessPath);
        if is_path && matches!(self.judge, Judge::Equal | Judge::NotEqual) && !self.value.starts_with(b"/") {
            return Err(WhitelistError::RelativePath);
        }
        if self.field == WhitelistField::FilePath && self.sha256.is_none() && !self.any_content {
            return Err(WhitelistError::UnboundPath);
        }
        if self.judge.is_negation() && self.sha256.is_none() && !self.any_content {
            return Err(WhitelistError::UnboundNegation);
        }
        Ok(())
    }

    /// The digest of a hash entry, in either spelling.
    #[must_use]
    pub fn hash_value(&self) -> Option<Sha256> {
        Sha256::from_slice(&self.value)
            .or_else(|| std::str::from_utf8(&self.value).ok().and_then(|s| s.parse().ok()))
    }

    /// Whether the entry holds for the candidate. An entry that would not validate never does.
    #[must_use]
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let expired = self.expires_ms.is_some_and(|until| candidate.now_ms >= until);
        let other_class = self.class.is_some_and(|c| candidate.class != c);
        let other_content =
            self.judge.is_negation() && !self.any_content && self.sha256 != Some(candidate.file);
        if expired || other_class || other_content || self.validate().is_err() {
            return false;
        }
        match self.field {
            WhitelistField::Hash => {
                self.hash_value().is_some_and(|h| h == candidate.file || h == candidate.object)
            }
            WhitelistField::FilePath => {
                (self.any_content || self.sha256 == Some(candidate.file)) && self.compares(candidate.path)
            }
            WhitelistField::ProcessPath => candidate.process_path.is_some_and(|p| self.compares(p)),
            WhitelistField::ProcessCmdline => {
                candidate.process_cmdline.is_some_and(|c| match self.judge.is_negation() {
                    true => self.compares(c) && self.compares(&spaced(c)),
                    false => self.compares(c) || self.compares(&spaced(c)),
                })
            }
        }
    }

    fn compares(&self, field: &[u8]) -> bool {
        match self.judge {
            Judge::Equal => field == self.value,
            Judge::NotEqual => field != self.value,
            Judge::Contain => self.stands_in(field),
            Judge::NotContain => !self.stands_in(field),
        }
    }

    /// validate() keeps the value from being empty, which windows() would panic on.
    fn stands_in(&self, field: &[u8]) -> bool {
        field.windows(self.value.len()).any(|w| w == self.value)
    }
}

/// The kernel separates and ends arguments with NUL; people write spaces.
fn spaced(cmdline: &[u8]) -> Vec<u8> {
    let end = cmdline.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    cmdline.iter().take(end).map(|b| if *b == 0 { b' ' } else { *b }).collect()
}

/// What entries are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Digest of the file itself.
    pub file: Sha256,
    /// Digest of the judged object: the file, or a member of it.
    pub object: Sha256,
    /// Path of the file.
    pub path: &'a [u8],
    /// Executable of the acting process.
    pub process_path: Option<&'a [u8]>,
    /// Its arguments, NUL-separated.
    pub process_cmdline: Option<&'a [u8]>,
    /// What the object is judged to be.
    pub class: MalwareClass,
    /// Milliseconds UTC.
    pub now_ms: i64,
}

/// The entries in force.
#[derive(Debug, Clone, Default)]
pub struct Whitelist {
    entries: Vec<WhitelistEntry>,
}

impl Whitelist {
    /// The most entries one host holds (the limit that HSS documents).
    pub const LIMIT: usize = 10_000;

    /// Puts an entry in force; one with the same id is replaced.
    ///
    /// # Errors
    /// When the entry does not validate, or the list is full.
    pub fn add(&mut self, entry: WhitelistEntry) -> Result<(), WhitelistError> {
        entry.validate()?;
        if let Some(old) = self.entries.iter_mut().find(|e| e.id == entry.id) {
            *old = entry;
            return Ok(());
        }
        if self.entries.len() >= Self::LIMIT {
            return Err(WhitelistError::Full(Self::LIMIT));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Takes an entry out of force and gives it back.
    pub fn remove(&mut self, id: WhitelistId) -> Option<WhitelistEntry> {
        let at = self.entries.iter().position(|e| e.id == id)?;
        Some(self.entries.remove(at))
    }

    /// In the order they were added.
    #[must_use]
    pub fn entries(&self) -> &[WhitelistEntry] {
        &self.entries
    }

    /// The first entry that holds.
    #[must_use]
    pub fn hit(&self, candidate: &Candidate<'_>) -> Option<&WhitelistEntry> {
        self.entries.iter().find(|e| e.matches(candidate))
    }
}
