// SPDX-License-Identifier: Apache-2.0
//! Names of an object's two files.

use crate::VaultError;
use lazaret_model::IsolatedId;
use std::path::{Path, PathBuf};

/// `<id>.age`.
pub(crate) fn blob(dir: &Path, id: IsolatedId) -> PathBuf {
    dir.join(format!("{id}.age"))
}

/// `<id>.json`.
pub(crate) fn manifest(dir: &Path, id: IsolatedId) -> PathBuf {
    dir.join(format!("{id}.json"))
}

/// The id and the ending of a file name, when it is one of ours.
pub(crate) fn parse(name: &str) -> Option<(IsolatedId, &str)> {
    let (id, ending) = name.split_once('.')?;
    Some((id.parse().ok()?, ending))
}

/// What stands in a folder; entries that cannot be read are left out.
pub(crate) fn read_dir(dir: &Path) -> Result<impl Iterator<Item = std::fs::DirEntry>, VaultError> {
    Ok(std::fs::read_dir(dir).map_err(VaultError::io(format!("reading {}", dir.display())))?.flatten())
}
