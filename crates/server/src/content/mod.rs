// SPDX-License-Identifier: Apache-2.0
//! Content for hosts: packs of a project, built from the server's content folder and what people added,
//! signed, and put where every gateway finds them (docs/adr/0014).

pub(crate) mod check;
mod key;
mod publish;

pub(crate) use check::{Checker, Rejected};
pub use key::{ContentKey, KEY_FILE};
pub(crate) use publish::{Publisher, offer};

use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why content cannot be built, signed or checked.
#[derive(Debug, Error)]
pub enum ContentError {
    /// The server's own files.
    #[error("{0}")]
    Own(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] lazaret_store::StoreError),
}

/// Of a project: bytes of all that people added.
pub(crate) const MAX_TOTAL: usize = 8 << 20;
/// Of one file.
pub(crate) const MAX_ITEM: usize = 512 << 10;
/// Files of a project.
pub(crate) const MAX_ITEMS: usize = 100;

/// What is named, or what lies beside our own program, or what is installed.
pub(crate) fn find(
    what: &str,
    given: Option<&Path>,
    beside: &str,
    installed: &str,
) -> Result<PathBuf, ContentError> {
    let own = std::env::current_exe().ok().and_then(|p| Some(p.parent()?.join(beside)));
    let places: Vec<PathBuf> = match given {
        Some(path) => vec![path.to_owned()],
        None => own.into_iter().chain([PathBuf::from(installed)]).collect(),
    };
    if let Some(found) = places.iter().find(|p| p.exists()) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
    Err(ContentError::Own(format!(
        "no {what} at {}: install it on the server, or name it under [content]",
        looked.join(" or ")
    )))
}
