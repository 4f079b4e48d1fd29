// SPDX-License-Identifier: Apache-2.0
//! At the start: staged names that could not be removed when their content was sealed are removed now.

use crate::open::{self, Inode};
use crate::plan::Report;
use crate::receipt;
use crate::replay::Replayed;
use crate::responder::Responder;
use crate::stage::{self, Staging};
use lazaret_model::{Action, IsolatedId, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::Manifest;
use rustix::fs::{Dir, fstat, fsync};
use std::collections::BTreeMap;
use std::os::fd::AsFd;

impl Responder {
    /// Removes what the vault holds already, and tells where that made an isolation complete.
    pub(crate) fn sweep(&self, all: &[Staging]) -> Vec<Replayed> {
        let mut left: BTreeMap<IsolatedId, (Manifest, u64)> = BTreeMap::new();
        for staging in all {
            let Ok(listing) = Dir::read_from(&staging.dir) else { continue };
            for entry in listing.flatten() {
                let name = entry.file_name().to_bytes();
                let Some(id) = id_of(name) else { continue };
                if let Some((manifest, names)) = self.remove_staged(staging, name, id) {
                    left.insert(id, (manifest, names));
                }
            }
        }
        left.into_iter()
            .filter_map(|(id, (manifest, names))| self.complete_late(id, manifest, names))
            .collect()
    }

    /// Gives the names that the inode still has.
    fn remove_staged(&self, staging: &Staging, name: &[u8], id: IsolatedId) -> Option<(Manifest, u64)> {
        let manifest = self.vault.manifest(id).ok()?;
        let further = stage::id_of(name).is_none();
        let ended = matches!(manifest.status, IsolatedStatus::Restored | IsolatedStatus::Deleted);
        // The first name of a file that the vault does not hold may be all that there is.
        if !(self.vault.has_content(id) || further && ended) {
            return None;
        }
        let place = staging.place(name).ok()?;
        let file = open::file(&place.dir, &place.name).ok()?;
        let (sha256, _) = receipt::digest(file.as_fd()).ok()?;
        let held = ended || self.vault.compare(id, manifest.sha256, manifest.size).is_ok();
        if sha256 != manifest.sha256 || !held {
            return None;
        }
        stage::discard(&place, Inode::from(&fstat(&file).ok()?)).ok()?;
        self.forget_record(&place);
        let _ = fsync(&place.dir);
        Some((manifest, fstat(&file).ok()?.st_nlink))
    }

    fn complete_late(&self, id: IsolatedId, manifest: Manifest, names: u64) -> Option<Replayed> {
        if manifest.status != IsolatedStatus::IsolatedInPlace || names > 0 {
            return None;
        }
        // The number is given to another file from now on.
        self.config.deny.release(&manifest.file_ref());
        let mut report = Report::new(JournalId::new());
        (report.isolated, report.status) = (Some(id), Some(IsolatedStatus::Isolated));
        report.record(Action::Isolate, Outcome::Done, manifest.path.lossy());
        self.close(&mut report, "", None, true);
        let _ = self.vault.update(id, |m| {
            m.status = IsolatedStatus::Isolated;
            m.reason.clear();
            m.staged = None;
        });
        Some(Replayed {
            alarm: manifest.alarm,
            path: manifest.path.0,
            sha256: Some(manifest.sha256),
            report,
            rescan: false,
            open: false,
        })
    }

    /// After a restore from the vault: the staged name that was left beside it.
    pub(crate) fn discard_staged(&self, manifest: &Manifest) {
        let Some(place) = manifest.staged.as_ref().and_then(|s| crate::names::place(&s.0)) else { return };
        let inode = Inode { dev: manifest.dev, ino: manifest.ino };
        if self.vault.has_content(manifest.id) && stage::discard(&place, inode).is_ok() {
            self.forget_record(&place);
        }
    }
}

/// Of `.lazaret-<id>`, a first name, or `<id>.<word>`, a further one.
fn id_of(name: &[u8]) -> Option<IsolatedId> {
    stage::id_of(name).or_else(|| std::str::from_utf8(name).ok()?.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_object() {
        let id = IsolatedId::new();
        assert_eq!(id_of(format!(".lazaret-{id}").as_bytes()), Some(id));
        assert_eq!(id_of(format!("{id}.{}", JournalId::new()).as_bytes()), Some(id));
        assert_eq!(id_of(format!(".lazaret-{id}.from-x").as_bytes()), None);
        assert_eq!(id_of(b"other"), None);
    }
}
