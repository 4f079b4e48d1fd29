// SPDX-License-Identifier: Apache-2.0
//! Destroying an isolated file. Its manifest stays, as deleted.

use crate::config::Step;
use crate::journal::{Body, Intent};
use crate::names;
use crate::open::{self, Inode};
use crate::plan::Report;
use crate::responder::Responder;
use crate::restore::object_key;
use crate::stage;
use lazaret_model::{Action, IsolatedId, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::Manifest;

impl Responder {
    pub(crate) fn delete(&self, who: &str, id: IsolatedId) -> Report {
        let mut report = Report::new(JournalId::new());
        report.isolated = Some(id);
        let shown = id.to_string();
        let _turn = self.turns.take(object_key(id));
        let manifest = self.vault.manifest(id);
        report.status = manifest.as_ref().ok().map(|m| m.status);
        let refusal = match &manifest {
            // A blob without a readable manifest can still be destroyed.
            Err(_) if self.vault.has_content(id) => None,
            Err(e) => Some(Outcome::Failed(e.to_string())),
            Ok(m) => match m.status {
                IsolatedStatus::Deleted => Some(Outcome::AlreadyGone),
                IsolatedStatus::Restored => Some(Outcome::Refused(format!("{id} was restored already"))),
                IsolatedStatus::IsolatedInPlace if m.staged.is_none() && !self.vault.has_content(id) => {
                    Some(Outcome::Refused(format!(
                        "{} could not be moved away ({}); remove the file itself",
                        m.path.lossy(),
                        m.reason
                    )))
                }
                _ => None,
            },
        };
        if let Some(outcome) = refusal {
            report.record(Action::Delete, outcome, shown);
            return report;
        }
        let intent = Body::Intent(Intent::Delete { id, who: who.to_owned() });
        if let Err(e) = self.journal.append(report.journal, intent, true) {
            let why = format!("the journal cannot be written: {e}");
            report.record(Action::Delete, Outcome::Refused(why), shown);
            return report;
        }
        self.step(Step::DeleteIntentWritten);
        self.destroy(&mut report, id, manifest.ok().as_ref(), false);
        report
    }

    /// Blob, staged name, journal, manifest. Every part may be done already.
    pub(crate) fn destroy(
        &self,
        report: &mut Report,
        id: IsolatedId,
        manifest: Option<&Manifest>,
        replayed: bool,
    ) {
        let denied = manifest.map(|m| self.denied_of(m)).unwrap_or_default();
        let _ = self.vault.set_status(id, IsolatedStatus::Deleting, "");
        let purged = self.vault.purge(id).map_err(|e| e.to_string()).and_then(|()| {
            let Some(m) = manifest else { return Ok(()) };
            let Some(staged) = &m.staged else { return Ok(()) };
            let place =
                names::place(&staged.0).ok_or_else(|| format!("{} cannot be opened", staged.lossy()))?;
            // After a reboot the device may have another number; the name is ours alone.
            let now = open::look(&place.dir, &place.name).ok().flatten().map(|s| Inode::from(&s));
            let inode = now.filter(|i| i.ino == m.ino).unwrap_or(Inode { dev: m.dev, ino: m.ino });
            stage::discard(&place, inode).map_err(|e| format!("{}: {e}", staged.lossy()))?;
            self.forget_record(&place);
            Ok(())
        });
        self.step(Step::DeletePurged);
        let (status, outcome) = match purged {
            Ok(()) => (IsolatedStatus::Deleted, Outcome::Done),
            Err(e) => (IsolatedStatus::DeleteFailed, Outcome::Failed(e)),
        };
        let reason = outcome.reason().to_owned();
        if status == IsolatedStatus::Deleted {
            self.release_all(&denied);
        }
        report.status = Some(status);
        report.record(Action::Delete, outcome, id.to_string());
        self.close(report, &reason, None, replayed);
        self.step(Step::DeleteOutcomeWritten);
        let _ = self.vault.set_status(id, status, &reason);
    }
}
