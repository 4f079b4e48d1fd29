// SPDX-License-Identifier: Apache-2.0
//! Where a sample is taken from: a program as the inventory knows it, or what an alarm is about that a person
//! wants to have, which may be isolated by now.

use super::copy::{Copy, NoCopy};
use crate::cloud::lock;
use lazaret_model::{IsolatedId, Sha256};
use lazaret_state::ProgramRow;
use lazaret_vault::Reader;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

/// One place of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where it is or was: consent looks at that.
    pub(crate) path: Vec<u8>,
    pub(crate) size: u64,
    /// `executable`, `script`.
    pub(crate) kind: String,
    /// Its content lies in the vault.
    pub(crate) isolated: Option<IsolatedId>,
}

impl From<ProgramRow> for Place {
    fn from(row: ProgramRow) -> Self {
        Self { path: row.path, size: row.file.size, kind: row.kind, isolated: None }
    }
}

impl Place {
    /// What is sent from here, if it is still what was asked for.
    pub(super) fn copy(&self, wanted: Sha256, folder: &Path, vault: Option<&Reader>) -> Result<Copy, NoCopy> {
        match (self.isolated, vault) {
            (None, _) => Copy::of(&self.path, wanted, self.size, folder),
            (Some(id), Some(vault)) => Copy::of_isolated(vault, id, wanted, self.size, folder),
            (Some(_), None) => Err(NoCopy::Other("it is isolated".into())),
        }
    }
}

/// What people asked for, while their orders are under way.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<HashMap<Sha256, Place>>);

impl Asked {
    pub(crate) fn put(&self, sha256: Sha256, place: Place) {
        lock(&self.0).insert(sha256, place);
    }

    pub(crate) fn remove(&self, sha256: &Sha256) {
        lock(&self.0).remove(sha256);
    }

    pub(super) fn get(&self, sha256: &Sha256) -> Option<Place> {
        lock(&self.0).get(sha256).cloned()
    }
}
