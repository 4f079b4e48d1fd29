// SPDX-License-Identifier: Apache-2.0
//! What may leave this host.

use lazaret_model::FileType;
use std::time::Duration;

/// What a program is, for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Executable,
    Script,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::Script => "script",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Executable, Self::Script].into_iter().find(|k| k.word() == word)
    }

    /// What a scanned file counts as; `None` for data. Text counts where somebody has made it executable.
    pub(crate) fn of(file_type: FileType, executable: bool) -> Option<Self> {
        match file_type {
            FileType::Elf | FileType::Pe => Some(Self::Executable),
            FileType::Script | FileType::Php | FileType::Jsp => Some(Self::Script),
            FileType::Text if executable => Some(Self::Script),
            FileType::Other if executable => Some(Self::Executable),
            _ => None,
        }
    }
}

/// What a project has consented to. Nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Consent {
    /// Hashes, sizes, kinds and paths of programs.
    pub(crate) hashes: bool,
    /// Contents of unknown programs that the server wants.
    pub(crate) samples: bool,
    pub(crate) max_sample_bytes: u64,
    /// Folders from which no content leaves.
    pub(crate) exclude: Vec<Vec<u8>>,
    /// Kinds whose contents may leave.
    pub(crate) kinds: Vec<Kind>,
    /// An execution waits so long for an answer, at most.
    pub(crate) wait: Duration,
    /// Without an answer, what no package owns does not run.
    pub(crate) fail_closed: bool,
    /// Bytes of contents a second; 0: no bound.
    pub(crate) bytes_per_second: u64,
}

impl Consent {
    /// Whether a content may leave the host.
    pub(crate) fn can_send(&self, kind: Kind, size: u64, path: &[u8]) -> bool {
        let is_below = |folder: &Vec<u8>| {
            path.strip_prefix(folder.strip_suffix(b"/").unwrap_or(folder))
                .is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
        };
        self.hashes
            && self.samples
            && size <= self.max_sample_bytes
            && self.kinds.contains(&kind)
            && !self.exclude.iter().any(is_below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_by_default_and_only_what_is_allowed_after_that() {
        assert!(!Consent::default().can_send(Kind::Script, 1, b"/srv/x"));
        let consent = Consent {
            hashes: true,
            samples: true,
            max_sample_bytes: 100,
            exclude: vec![b"/home".to_vec(), b"/srv/secret/".to_vec()],
            kinds: vec![Kind::Executable],
            ..Consent::default()
        };
        assert!(consent.can_send(Kind::Executable, 100, b"/srv/x"));
        assert!(consent.can_send(Kind::Executable, 1, b"/homes/x"));
        for (kind, size, path) in [
            (Kind::Script, 1, &b"/srv/x"[..]),
            (Kind::Executable, 101, b"/srv/x"),
            (Kind::Executable, 1, b"/home/ann/x"),
            (Kind::Executable, 1, b"/srv/secret/x"),
        ] {
            assert!(!consent.can_send(kind, size, path), "{}", path.escape_ascii());
        }
        let without = Consent { samples: false, ..consent };
        assert!(!without.can_send(Kind::Executable, 1, b"/srv/x"));
    }

    #[test]
    fn kinds_by_type() {
        assert_eq!(Kind::of(FileType::Elf, false), Some(Kind::Executable));
        assert_eq!(Kind::of(FileType::Script, false), Some(Kind::Script));
        assert_eq!(Kind::of(FileType::Text, false), None);
        assert_eq!(Kind::of(FileType::Text, true), Some(Kind::Script));
        assert_eq!(Kind::of(FileType::Zip, true), None);
        for kind in [Kind::Executable, Kind::Script] {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(Kind::from_word("document"), None);
    }
}
