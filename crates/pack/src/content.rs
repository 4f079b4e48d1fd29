// SPDX-License-Identifier: Apache-2.0
//! Content as the engine takes it, whichever form it came in.

use crate::{DigestList, KnownBadSet, KnownGoodSet, PackError, Rule, ThirdPartyRules, decode, read_source};
use lazaret_model::ContentProblem;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Rules and hash sets of one version.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Version, one line.
    pub version: String,
    /// Rules, in the order of their files.
    pub rules: Vec<Rule>,
    /// Known-bad digests.
    pub known_bad: KnownBadSet,
    /// Known-good digests.
    pub known_good: KnownGoodSet,
    /// YARA files that people added to their project's content.
    pub third_party: Vec<ThirdPartyRules>,
    /// Lists of digests that they added.
    pub listed: Vec<DigestList>,
    /// What could not be understood; the rest is in force.
    pub problems: Vec<ContentProblem>,
}

/// A pack larger than this is refused, bytes.
pub(crate) const MAX_PACK: u64 = 1 << 30;

impl Content {
    /// Reads a pack, or a source folder when `path` is a folder.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged, truncated or of a newer schema.
    pub fn load(path: &Path) -> Result<Self, PackError> {
        let read = |error| PackError::Read { path: path.to_owned(), error };
        let meta = std::fs::metadata(path).map_err(read)?;
        if meta.is_dir() {
            return read_source(path);
        }
        if !meta.is_file() {
            return Err(read(std::io::Error::other("it is neither a regular file nor a folder")));
        }
        Self::from_reader(&path.display().to_string(), File::open(path).map_err(read)?)
    }

    /// Reads a pack from an open file or any other source; `label` names it in errors.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged, truncated, over 1 GiB or of a newer schema.
    pub fn from_reader(label: &str, reader: impl Read) -> Result<Self, PackError> {
        let mut bytes = Vec::new();
        reader
            .take(MAX_PACK + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| PackError::Read { path: label.into(), error })?;
        Self::from_bytes(label, &bytes)
    }

    /// Reads a pack from memory; `label` names it in errors.
    ///
    /// # Errors
    /// When it is damaged, truncated, over 1 GiB or of a newer schema.
    pub fn from_bytes(label: &str, bytes: &[u8]) -> Result<Self, PackError> {
        decode::decode(label, bytes)
    }
}
