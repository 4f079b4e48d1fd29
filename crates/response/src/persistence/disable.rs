// SPDX-License-Identifier: Apache-2.0
//! Taking an entry out of force.

use super::edit::{Edit, FileImage, Standing, read, read_link};
use super::inverse::sha256;
use super::record::{DisabledRecord, Pristine, UnitState};
use super::{NotChanged, TURN, crontab, inverse, manager, place, unit};
use crate::config::Step;
use crate::journal::{Body, Intent, now_ms};
use crate::metadata;
use crate::plan::Report;
use crate::replay::Replayed;
use crate::responder::Responder;
use lazaret_model::{Action, AlarmId, Guard, JournalId, Outcome, PersistenceEntry, PersistenceKind};
use lazaret_vault::{RawBytes, RawPath};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whether policy lets an entry of this file (path, the open file) be changed.
pub type MayDisable = Arc<dyn Fn(&[u8], &File) -> Result<(), Guard> + Send + Sync>;

/// An entry to take out of force.
pub struct DisableTarget {
    /// Root folder of all paths.
    pub root: PathBuf,
    /// As it was found.
    pub entry: PersistenceEntry,
    /// Asked before anything is changed.
    pub may_disable: MayDisable,
}

/// Folders whose scripts cron runs as a whole.
const SCRIPTS: [&[u8]; 5] = [
    b"/etc/cron.hourly/",
    b"/etc/cron.daily/",
    b"/etc/cron.weekly/",
    b"/etc/cron.monthly/",
    b"/etc/cron.yearly/",
];

/// Whether cron runs the file as a whole, so that it can only be disabled as a whole.
#[must_use]
pub fn is_script(file: &[u8]) -> bool {
    SCRIPTS.iter().any(|folder| file.starts_with(folder))
}

impl Responder {
    /// What is disabled now, oldest first.
    #[must_use]
    pub fn disabled(&self) -> Vec<DisabledRecord> {
        self.records.all()
    }

    pub(crate) fn disable(&self, alarm: Option<AlarmId>, who: &str, target: &DisableTarget) -> Report {
        let mut report = Report::new(JournalId::new());
        let _turn = self.turns.take(TURN);
        let record = match self.prepare(alarm, who, target, report.journal) {
            Ok(record) => record,
            Err(why) => {
                let shown = String::from_utf8_lossy(&target.entry.file).into_owned();
                report.record(Action::Disable, outcome(&why), shown);
                return report;
            }
        };
        let intent = Body::Intent(Intent::Disable(record.clone()));
        if let Err(e) = self.journal.append(report.journal, intent, true) {
            let why = format!("the journal cannot be written: {e}");
            report.record(Action::Disable, Outcome::Refused(why), record.shown());
            return report;
        }
        self.step(Step::DisableIntentWritten);
        self.carry_out(&mut report, &record, false);
        report
    }

    /// Record first, then the changes: what is disabled can be enabled from its record alone.
    fn carry_out(&self, report: &mut Report, record: &DisabledRecord, replayed: bool) {
        let root = record.root();
        let mut shown = record.shown();
        let done = self
            .records
            .put(record)
            .map_err(|e| NotChanged::Refused(format!("its record cannot be written: {e}")))
            .and_then(|()| {
                self.step(Step::DisableRecorded);
                self.apply_all(&root, &record.edits, record.id)
            });
        let outcome = match &done {
            Ok(()) => match record.after_change(&root, true) {
                Ok(note) => {
                    shown.push_str(note);
                    Outcome::Done
                }
                Err(e) => Outcome::Partial(format!("it is disabled, but {e}")),
            },
            Err(why) => outcome(why),
        };
        report.record(Action::Disable, outcome, shown);
        let reason = report.records.last().map(|r| r.outcome.reason().to_owned()).unwrap_or_default();
        self.close(report, &reason, None, replayed);
        self.step(Step::DisableOutcomeWritten);
        if done.is_err() {
            self.forget_undone(record);
        }
    }

    /// Drops the record of what was not disabled, unless a part of it could not be taken back: then
    /// it can still be enabled.
    pub(super) fn forget_undone(&self, record: &DisabledRecord) {
        let root = record.root();
        if record.edits.iter().all(|e| e.standing(&root) != Standing::After) {
            let _ = self.records.remove(record.id);
        }
    }

    /// All of the changes, or none.
    pub(super) fn apply_all(&self, root: &Path, edits: &[Edit], id: JournalId) -> Result<(), NotChanged> {
        for (n, edit) in edits.iter().enumerate() {
            if let Err(why) = self.apply(root, edit, id) {
                for done in edits.iter().take(n).rev() {
                    if done.standing(root) == Standing::After {
                        let _ = self.apply(root, &inverse::backwards(done), id);
                    }
                }
                return Err(why);
            }
            self.step(Step::EditApplied);
        }
        Ok(())
    }

    /// Everything that can be known before anything is touched.
    fn prepare(
        &self,
        alarm: Option<AlarmId>,
        who: &str,
        target: &DisableTarget,
        id: JournalId,
    ) -> Result<DisabledRecord, NotChanged> {
        let DisableTarget { root, entry, may_disable } = target;
        let refused = NotChanged::Refused;
        if !entry.can_be_disabled() {
            return Err(refused(entry.only_shown.clone()));
        }
        let mut record = DisabledRecord {
            schema: DisabledRecord::schema(),
            id,
            alarm,
            number: entry.number,
            who: who.to_owned(),
            at_ms: now_ms(),
            root: RawPath(root.as_os_str().as_bytes().to_vec()),
            kind: entry.kind.word().to_owned(),
            file: RawPath(entry.file.clone()),
            line: entry.line,
            text: RawBytes(entry.text.clone()),
            edits: Vec::new(),
            unit: None,
            pristine: None,
        };
        let place = place(root, &record.file).map_err(refused)?;
        match entry.kind {
            PersistenceKind::Cron if entry.line == 0 => {
                let link = read_link(&place).ok_or(NotChanged::Gone)?;
                if [b"-> ", link.target.0.as_slice()].concat() != entry.text {
                    return Err(refused(format!("{} leads elsewhere by now", record.file.lossy())));
                }
                record.edits.push(Edit::RemoveLink { path: record.file.clone(), link });
            }
            PersistenceKind::Cron => {
                let (file, meta, content) = read(&place).map_err(refused)?.ok_or(NotChanged::Gone)?;
                may_disable(&entry.file, &file).map_err(|g| refused(g.to_string()))?;
                if is_script(&entry.file) {
                    if !content.split(|b| *b == b'\n').any(|l| l == entry.text) {
                        return Err(NotChanged::Gone);
                    }
                    let before = meta.mode & 0o7777;
                    record.edits.push(Edit::SetMode {
                        path: record.file.clone(),
                        ino: meta.inode.ino,
                        before,
                        after: before & !0o111,
                        flags: meta.flags,
                    });
                } else {
                    let after = crontab::disable(&content, &entry.text, entry.line, alarm, id);
                    let after = after.ok_or(NotChanged::Gone)?;
                    record.pristine = Some(self.pristine(&record.file, &meta, &content));
                    let before = FileImage::of(&place, &meta, content);
                    let (path, after) = (record.file.clone(), RawBytes(after));
                    record.edits.push(Edit::Rewrite { path, before, after, times: None });
                }
            }
            PersistenceKind::SystemdUnit | PersistenceKind::SystemdTimer => {
                // A unit file may be a link out of systemd's folders; its name is what counts.
                if let Some((file, _, _)) = read(&place).unwrap_or(None) {
                    may_disable(&entry.file, &file).map_err(|g| refused(g.to_string()))?;
                } else if read_link(&place).is_none() {
                    return Err(NotChanged::Gone);
                }
                let home = unit::home(&entry.file).ok_or_else(|| refused("it is no unit file".to_owned()))?;
                record.edits = unit::edits(root, &home, &entry.file, alarm, id).map_err(refused)?;
                let name = String::from_utf8_lossy(&place.name).into_owned();
                let was_active = home.system && manager::is_active(root, &manager::stopped_as(&name));
                record.unit = Some(UnitState { name, was_active, system: home.system });
            }
            _ => return Err(refused("entries of this kind are only shown".to_owned())),
        }
        Ok(record)
    }

    /// What a crontab is without any line of ours: as an earlier record has it, while nobody else
    /// changed it.
    fn pristine(&self, path: &RawPath, meta: &metadata::Metadata, content: &[u8]) -> Pristine {
        let sha256 = sha256(&crontab::pristine(content));
        let known = self
            .records
            .all()
            .into_iter()
            .filter(|r| r.file == *path)
            .find_map(|r| r.pristine.filter(|p| p.sha256 == sha256));
        known.unwrap_or(Pristine { sha256, atime: meta.atime, mtime: meta.mtime })
    }

    pub(crate) fn replay_disable(&self, id: JournalId, record: &DisabledRecord) -> Replayed {
        let mut report = Report::new(id);
        self.carry_out(&mut report, record, true);
        record.replayed(report)
    }
}

pub(super) fn outcome(why: &NotChanged) -> Outcome {
    match why {
        NotChanged::Refused(why) => Outcome::Refused(why.clone()),
        NotChanged::Gone => Outcome::AlreadyGone,
        NotChanged::Failed(why) => Outcome::Failed(why.clone()),
    }
}

impl DisabledRecord {
    pub(super) fn root(&self) -> PathBuf {
        PathBuf::from(std::ffi::OsStr::from_bytes(&self.root.0))
    }

    /// Tells whoever reads the files that they have changed.
    pub(super) fn after_change(&self, root: &Path, disabled: bool) -> Result<&'static str, String> {
        match &self.unit {
            Some(unit) => manager::reload(root, unit, disabled),
            None => {
                manager::poke_cron(root);
                Ok("")
            }
        }
    }

    pub(super) fn replayed(&self, report: Report) -> Replayed {
        Replayed {
            alarm: self.alarm,
            path: self.file.0.clone(),
            sha256: None,
            report,
            rescan: false,
            open: false,
        }
    }
}
