// SPDX-License-Identifier: Apache-2.0
//! When the content does not go into the vault: the inode is kept, out of reach or denied, and said so.

use crate::names::Found;
use crate::open::Inode;
use crate::plan::Report;
use crate::responder::Responder;
use crate::stage::Place;
use lazaret_model::{Action, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::{Manifest, RawPath, VaultError};
use rustix::fs::{fstat, fsync};
use std::os::fd::OwnedFd;

impl Responder {
    /// The name is staged (first; second is where it was) and stays so: its other names go as well.
    pub(crate) fn keep_staged(
        &self,
        report: &mut Report,
        manifest: Manifest,
        (staged, found): (Place, Found),
        why: &str,
        shown: &str,
    ) -> (String, Option<Place>) {
        let (manifest, why) =
            self.hide_names(report.journal, manifest, &found.file, &staged, Some(&found.place), why);
        self.leave_in_place(report, manifest, Some(staged), why, shown)
    }

    /// Takes the other names of a staged inode off, to come back as links; what stays is added to `why`.
    pub(crate) fn hide_names(
        &self,
        journal: JournalId,
        mut manifest: Manifest,
        file: &OwnedFd,
        staged: &Place,
        place: Option<&Place>,
        why: &str,
    ) -> (Manifest, String) {
        let others = || fstat(file).map_or(0, |s| s.st_nlink).saturating_sub(1);
        if others() == 0 {
            return (manifest, why.to_owned());
        }
        manifest.status = IsolatedStatus::IsolatedInPlace;
        manifest.staged = Some(RawPath(staged.path()));
        // A name is noted before it goes: without a manifest none goes.
        if self.save_in_place(&manifest).is_ok() {
            let dev = fstat(file).map_or(manifest.dev, |s| s.st_dev);
            let inode = Inode { dev, ino: manifest.ino };
            let names = self.take_links(journal, &manifest, (file, inode), Some(staged), place);
            manifest.links.extend(names.taken);
        }
        let why = match others() {
            0 => why.to_owned(),
            n => format!("{why}; {n} other names could not be taken off, and are denied"),
        };
        (manifest, why)
    }

    /// Name gone or execution denied, but the content is not in the vault. Never lost, never live.
    pub(crate) fn leave_in_place(
        &self,
        report: &mut Report,
        mut manifest: Manifest,
        staged: Option<Place>,
        why: String,
        shown: &str,
    ) -> (String, Option<Place>) {
        if let Some(s) = &staged {
            let _ = fsync(&s.dir);
        }
        manifest.status = IsolatedStatus::IsolatedInPlace;
        manifest.reason.clone_from(&why);
        manifest.staged = staged.as_ref().map(|s| RawPath(s.path()));
        manifest.killed = report.killed.iter().map(Into::into).collect();
        manifest.left_alone = report.left_alone.iter().map(Into::into).collect();
        (report.isolated, report.status) = (Some(manifest.id), Some(IsolatedStatus::IsolatedInPlace));
        let saved = self.save_in_place(&manifest);
        let outcome = match (&staged, saved) {
            (Some(_), Ok(())) => Outcome::Partial(why.clone()),
            (None, Ok(())) => Outcome::Failed(why.clone()),
            // Replay writes it from the journal once there is room.
            (_, Err(e)) => Outcome::Failed(format!("{why}; and its manifest could not be written: {e}")),
        };
        report.record(Action::Isolate, outcome, shown);
        (why, staged)
    }

    /// Writes the manifest of what is kept in place. What the vault knows already (further names, where the
    /// holes are) stays known.
    fn save_in_place(&self, manifest: &Manifest) -> Result<(), VaultError> {
        if !self.vault.has_manifest(manifest.id) {
            return self.vault.write_manifest(manifest);
        }
        let update = self.vault.update(manifest.id, |m| {
            m.status = manifest.status;
            m.reason.clone_from(&manifest.reason);
            m.staged.clone_from(&manifest.staged);
            m.killed.clone_from(&manifest.killed);
            for link in &manifest.links {
                if !m.links.contains(link) {
                    m.links.push(link.clone());
                }
            }
        });
        update.map(drop)
    }
}
