// SPDX-License-Identifier: Apache-2.0
//! After a power cut: staged files whose intent did not reach the disk.
//!
//! Their records say where they came from (see [`crate::record`]). They go back there and are
//! judged again; where that is impossible they stay staged, and the vault lists them.

use crate::durable;
use crate::intent;
use crate::journal::{Body, Entry, Intent, JournalError, Note};
use crate::metadata;
use crate::names;
use crate::open;
use crate::plan::{Report, Target};
use crate::receipt;
use crate::record::{self, Owner};
use crate::replay::Replayed;
use crate::responder::Responder;
use crate::stage::{self, Place, Staging};
use lazaret_model::{
    Action, Confidence, FileRef, IsolatedId, IsolatedStatus, JournalId, MalwareClass, Outcome,
};
use lazaret_vault::{Manifest, RawPath};
use rustix::fs::{Dir, fsync};
use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

/// Holds the word that marks the records of this journal.
const INSTANCE: &str = "instance";

/// The mark of this journal's records, made once: two daemons side by side leave each other's
/// staged files alone.
pub(crate) fn owner(journal_dir: &Path) -> Result<Owner, JournalError> {
    let path = journal_dir.join(INSTANCE);
    let error = |source| JournalError::Io { what: format!("writing {}", path.display()), source };
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().parse::<JournalId>().is_ok() => return Ok(Owner(text.trim().to_owned())),
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            // A new mark would disown the records that lie about.
            return Err(JournalError::Io { what: format!("reading {}", path.display()), source: e });
        }
        _ => {}
    }
    let fresh = JournalId::new().to_string();
    durable::replace(&path, fresh.as_bytes()).map_err(error)?;
    Ok(Owner(fresh))
}

/// The objects that the journal knows an intent of.
pub(crate) fn known(entries: &[Entry]) -> HashSet<IsolatedId> {
    let id = |e: &Entry| match &e.body {
        Body::Intent(Intent::Isolate(i)) => Some(i.manifest.id),
        _ => None,
    };
    entries.iter().filter_map(id).collect()
}

impl Responder {
    /// Puts back what lies in the staging folders without an intent.
    pub(crate) fn orphans(&self, all: &[Staging], known: &HashSet<IsolatedId>) -> Vec<Replayed> {
        all.iter().flat_map(|s| self.orphans_of(s, known)).collect()
    }

    fn orphans_of(&self, staging: &Staging, known: &HashSet<IsolatedId>) -> Vec<Replayed> {
        let mut out = Vec::new();
        let Ok(listing) = Dir::read_from(&staging.dir) else { return out };
        for entry in listing.flatten() {
            let Some(staged) = record::staged_of(entry.file_name().to_bytes(), &self.owner) else { continue };
            let there = open::look(&staging.dir, staged).ok().flatten().is_some();
            if !there {
                record::remove(&staging.dir, staged, &self.owner);
                continue;
            }
            let id =
                stage::id_of(staged).filter(|id| !known.contains(id) && self.vault.manifest(*id).is_err());
            out.extend(id.and_then(|id| self.orphan(staging, staged, id)));
        }
        out
    }

    fn orphan(&self, staging: &Staging, staged: &[u8], id: IsolatedId) -> Option<Replayed> {
        let path = record::read(&staging.dir, staged, &self.owner).ok()?;
        let from = staging.place(staged).ok()?;
        let mut report = Report::new(JournalId::new());
        let shown = String::from_utf8_lossy(&path).into_owned();
        let data = serde_json::json!({ "path": RawPath(path.clone()), "staged": RawPath(from.path()) });
        let note = Body::Note(Note { kind: "orphan_put_back".to_owned(), data });
        // Without a word in the journal nothing is moved: the next start tries again.
        self.journal.append(report.journal, note, true).ok()?;
        let result = |report, rescan| Replayed {
            alarm: None,
            path: path.clone(),
            sha256: None,
            report,
            rescan,
            open: false,
        };
        let back = names::place(&path).ok_or_else(|| "its folder is gone".to_owned()).and_then(|to| {
            stage::unstage(&from, &to).map_err(|e| format!("its name cannot be given back: {e}"))?;
            let _ = fsync(&to.dir);
            Ok(())
        });
        let why = match back {
            Ok(()) => {
                self.forget_record(&from);
                let _ = fsync(&from.dir);
                let why = "interrupted before its intent was durable; it is where it was";
                report.status = Some(IsolatedStatus::IsolateFailed);
                report.record(Action::Isolate, Outcome::Failed(why.to_owned()), shown);
                self.close(&mut report, why, None, true);
                return Some(result(report, true));
            }
            Err(why) => format!("interrupted before its intent was durable, and {why}; it stays staged"),
        };
        let manifest = manifest(&from, &path, id, report.journal)?;
        self.config.deny.deny(&manifest.file_ref());
        let (why, left) = self.leave_in_place(&mut report, manifest, Some(from), why, &shown);
        self.close(&mut report, &why, left.map(|p| RawPath(p.path())), true);
        Some(result(report, false))
    }
}

/// What can still be told about it. Class and confidence went with the intent.
fn manifest(from: &Place, path: &[u8], id: IsolatedId, journal: JournalId) -> Option<Manifest> {
    let file = open::file(&from.dir, &from.name).ok()?;
    let meta = metadata::capture(&file).ok()?;
    let (sha256, _) = receipt::digest(file.as_fd()).ok()?;
    let target = Target {
        identity: FileRef {
            dev: meta.inode.dev,
            ino: meta.inode.ino,
            ctime: meta.ctime.into(),
            size: meta.size,
        },
        file,
        sha256,
        path: path.to_vec(),
        class: MalwareClass::Unclassified,
        family: String::new(),
        confidence: Confidence::new(0),
        content_version: String::new(),
        test: false,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        kill: false,
    };
    Some(intent::manifest(&target, &meta, None, "replay", id, journal, None))
}
