// SPDX-License-Identifier: Apache-2.0
//! What is disabled now, with everything that takes it back: one file each, until it is enabled.
//!
//! The journal holds the same, but is shortened after a month; what is disabled may stay so longer.

use super::edit::Edit;
use crate::durable;
use lazaret_model::{AlarmId, JournalId, PersistenceKind};
use lazaret_vault::{RawBytes, RawPath, Stamp, encoding};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The value of `schema`.
const SCHEMA: &str = "lazaret.disabled/1";

/// A unit and whether it was active when it was disabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// As `evil.timer`.
    pub name: String,
    /// The system's service manager was asked to stop it, and it ran then.
    pub was_active: bool,
    /// Belongs to the system's service manager, not to a user's.
    pub system: bool,
}

/// One entry that is disabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisabledRecord {
    /// `lazaret.disabled/1`.
    pub schema: String,
    /// The journal's intent.
    #[serde(with = "encoding::text")]
    pub id: JournalId,
    /// The alarm that it belongs to.
    #[serde(with = "encoding::optional_text", default)]
    pub alarm: Option<AlarmId>,
    /// The entry's number in that alarm.
    pub number: u32,
    /// Who asked.
    pub who: String,
    /// Milliseconds UTC.
    pub at_ms: i64,
    /// Root folder of all paths.
    pub root: RawPath,
    /// The kind's word.
    pub kind: String,
    /// The entry's file.
    pub file: RawPath,
    /// Its line, from 1; 0: the file as a whole.
    pub line: u32,
    /// The line.
    pub text: RawBytes,
    /// What was done, in order.
    pub edits: Vec<Edit>,
    /// The unit, where it is one.
    #[serde(default)]
    pub unit: Option<UnitState>,
    /// Of a changed crontab: SHA-256 of what it is with every line of ours back, as hexadecimal
    /// digits, and its access and modification time then.
    #[serde(default)]
    pub pristine: Option<Pristine>,
}

/// A crontab without any line of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pristine {
    /// Of the content.
    pub sha256: String,
    /// Access time.
    pub atime: Stamp,
    /// Modification time.
    pub mtime: Stamp,
}

impl DisabledRecord {
    /// The kind, where this version knows it.
    #[must_use]
    pub fn kind(&self) -> Option<PersistenceKind> {
        PersistenceKind::from_word(&self.kind)
    }

    pub(crate) fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// On what, for people.
    pub(crate) fn shown(&self) -> String {
        if self.line > 0 && self.unit.is_none() {
            format!("{} line {}", self.file.lossy(), self.line)
        } else {
            self.file.lossy()
        }
    }
}

/// The folder of the records.
pub(crate) struct Records {
    dir: PathBuf,
}

impl Records {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn path(&self, id: JournalId) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }

    /// Durable on return.
    pub(crate) fn put(&self, record: &DisabledRecord) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        durable::replace(&self.path(record.id), &serde_json::to_vec_pretty(record)?)
    }

    pub(crate) fn get(&self, id: JournalId) -> Result<DisabledRecord, String> {
        let path = self.path(id);
        let bytes = fs::read(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => format!("nothing is disabled as {id}"),
            _ => format!("{} cannot be read: {e}", path.display()),
        })?;
        let record: DisabledRecord =
            serde_json::from_slice(&bytes).map_err(|e| format!("{} is damaged: {e}", path.display()))?;
        if record.schema == SCHEMA && record.id == id {
            Ok(record)
        } else {
            Err(format!("{} is of a kind that this version does not know", path.display()))
        }
    }

    pub(crate) fn remove(&self, id: JournalId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => sync(&self.dir),
        }
    }

    /// Every one that can be read, oldest first.
    pub(crate) fn all(&self) -> Vec<DisabledRecord> {
        let names = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut ids: Vec<JournalId> =
            names.filter_map(|e| e.file_name().to_str()?.strip_suffix(".json")?.parse().ok()).collect();
        ids.sort();
        ids.into_iter().filter_map(|id| self.get(id).ok()).collect()
    }
}

fn sync(dir: &Path) -> io::Result<()> {
    match File::open(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => opened?.sync_all(),
    }
}
