// SPDX-License-Identifier: Apache-2.0
//! After a crash, continued: restores and deletions that were cut off.

use crate::found;
use crate::journal::RestoreIntent;
use crate::metadata;
use crate::open;
use crate::parents;
use crate::plan::Report;
use crate::receipt;
use crate::replay::Replayed;
use crate::responder::Responder;
use crate::restore::{self, NotRestored};
use crate::stage::Place;
use lazaret_model::{Action, IsolatedId, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::{Manifest, VaultError};
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};

impl Responder {
    pub(crate) fn replay_restore(&self, id: JournalId, intent: &RestoreIntent) -> Replayed {
        let mut report = Report::new(id);
        report.isolated = Some(intent.id);
        let shown = intent.to.lossy();
        let result = |report, open| Replayed {
            alarm: intent.alarm,
            path: intent.to.0.clone(),
            sha256: None,
            report,
            rescan: false,
            open,
        };
        let later = |mut report: Report, why: &str| {
            report.record(Action::Restore, Outcome::Partial(found::later(why)), shown.clone());
            result(report, true)
        };
        let manifest = match self.vault.manifest(intent.id) {
            Ok(m) => m,
            Err(e @ VaultError::NotFound(_)) => {
                report.record(Action::Restore, Outcome::Failed(e.to_string()), shown);
                self.close(&mut report, "its manifest cannot be read", None, true);
                return result(report, false);
            }
            Err(e) => return later(report, &e.to_string()),
        };
        let place = match found::place(&intent.to.0) {
            Ok(p) => p,
            Err(why) => return later(report, &why),
        };
        if let Some(p) = &place {
            let _ = unlinkat(&p.dir, restore::temp_name(intent.id).as_slice(), AtFlags::empty());
        }
        let named = match place.map(|p| named(p, &manifest)) {
            Some(Err(why)) => return later(report, &why),
            looked => looked.and_then(Result::unwrap_or_default),
        };
        let held = self.vault.has_content(intent.id);
        let done = match named {
            Some((place, file)) => self.settle(&manifest, &place, &file).map_err(|e| match e {
                e if held => restore::take_back(&manifest, &place, &file, e),
                NotRestored::Failed(why) => NotRestored::Unsettled(why),
                e => e,
            }),
            None if manifest.staged.is_some() && !held => Err(NotRestored::Refused(
                "interrupted before the file was moved; it is still isolated".to_owned(),
            )),
            None => Err(NotRestored::Refused(
                "interrupted before the file was complete; the vault still holds it".to_owned(),
            )),
        };
        if done.is_err() {
            parents::remove(&intent.folders);
        }
        let was = if held { manifest.status } else { IsolatedStatus::IsolatedInPlace };
        self.conclude(&mut report, &Manifest { status: was, ..manifest }, done, &shown, true);
        result(report, false)
    }

    pub(crate) fn replay_delete(&self, id: JournalId, object: IsolatedId) -> Replayed {
        let mut report = Report::new(id);
        report.isolated = Some(object);
        let manifest = self.vault.manifest(object).ok();
        self.destroy(&mut report, object, manifest.as_ref(), true);
        let alarm = manifest.and_then(|m| m.alarm);
        Replayed { alarm, path: Vec::new(), sha256: None, report, rescan: false, open: false }
    }
}

/// The restored file, where it got its name. It got that only complete; whether the name is ours the
/// recorded properties say.
fn named(place: Place, manifest: &Manifest) -> Result<Option<(Place, OwnedFd)>, String> {
    let error = |e: &dyn std::fmt::Display| format!("{}: {e}", String::from_utf8_lossy(&place.path()));
    let file = match open::file(&place.dir, &place.name) {
        Ok(f) => f,
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => return Ok(None),
        Err(e) => return Err(error(&e)),
    };
    let now = metadata::capture(&file).map_err(|e| error(&e))?;
    let ours = now.uid == manifest.uid && now.mode == manifest.mode && now.mtime == manifest.mtime;
    if !ours {
        return Ok(None);
    }
    let (sha256, _) = receipt::digest(file.as_fd()).map_err(|e| error(&e))?;
    Ok((sha256 == manifest.sha256).then_some((place, file)))
}
