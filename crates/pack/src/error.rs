// SPDX-License-Identifier: Apache-2.0
//! Why content could not be read or written at all.

use std::io;
use std::path::PathBuf;

/// A pack or source folder that is not usable as a whole. Parts that are merely wrong are
/// [`lazaret_model::ContentProblem`]s instead.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The pack could not be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Not a pack, truncated, or changed after it was written.
    #[error("{file} is not a usable content pack: {reason}; get or build it again")]
    Damaged {
        /// The pack.
        file: String,
        /// What is wrong, with the member where one is concerned.
        reason: String,
    },
    /// Written by a newer Lazaret.
    #[error("{file} is a content pack of schema {found}; this Lazaret reads schema {known}: update Lazaret")]
    Schema {
        /// The pack.
        file: String,
        /// Its schema number.
        found: u32,
        /// The one that is understood.
        known: u32,
    },
    /// A source folder without what every content needs.
    #[error("{} is not a content folder: {reason}", path.display())]
    Source {
        /// The folder.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// The content does not fit the pack form.
    #[error("the content does not fit into a pack: {0}")]
    TooLarge(String),
}
