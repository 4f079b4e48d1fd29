// SPDX-License-Identifier: Apache-2.0
//! Taking a file away: intent, deny, name, kill, seal, unlink, in this order (ARCHITECTURE.md).

use crate::config::Step;
use crate::filesystem;
use crate::folders;
use crate::intent::{intent, manifest};
use crate::journal::{Body, Intent};
use crate::layers;
use crate::links;
use crate::metadata::{self, Metadata};
use crate::names::{self, Found};
use crate::open::Inode;
use crate::plan::{Report, Target};
use crate::record;
use crate::responder::Responder;
use crate::stage::{self, Kept, Place, Staging};
use lazaret_model::{Action, AlarmId, IsolatedId, IsolatedStatus, JournalId, Outcome, Sha256};
use lazaret_vault::{Manifest, RawPath, VaultError};
use rustix::fs::{FileType, fsync};
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::sync::PoisonError;
use std::time::Instant;

/// What became of the name.
enum Name {
    /// Moved to the staging folder (first), from where it was (second).
    Staged(Place, Found),
    /// The inode has no name any more.
    Unlinked,
    /// It has names, and this one (if any) stays.
    Kept(String),
    /// It stays for as long as something is mounted on it; other names of it can go.
    Busy(String),
    /// It stays where it is, and no other name of it can be taken either.
    Stays(String),
}

impl Responder {
    pub(crate) fn isolate_and_kill(
        &self,
        alarm: Option<AlarmId>,
        who: &str,
        mut target: Target,
        start: Instant,
    ) -> Report {
        let mut report = Report::new(JournalId::new());
        let shown = String::from_utf8_lossy(&target.path).into_owned();
        let inode = Inode { dev: target.identity.dev, ino: target.identity.ino };
        let _turn = self.turns.take((inode.dev, inode.ino));
        let meta = match judged(&target, inode) {
            Ok(m) => m,
            Err(outcome) => {
                report.record(Action::Isolate, outcome, shown);
                return report;
            }
        };
        let object = IsolatedId::new();
        let (mut found, stays) = if target.isolate { self.find(&target, inode) } else { (None, None) };
        let place = found.as_ref().map(|f| &f.place);
        let staging = place.and_then(|p| self.staging.of(&p.dir));
        let manifest = manifest(&target, &meta, alarm, who, object, report.journal, place);
        let intent = intent(&target, &manifest, &meta, place, staging.as_ref());
        let parent_flags = intent.parent_flags;
        let staged_name = intent.staged_name.0.clone();
        let journaled = self.journal.append(report.journal, Body::Intent(Intent::Isolate(intent)), false);
        self.step(Step::IntentWritten);

        self.config.deny.deny(&target.identity);
        report.record(Action::Deny, Outcome::Done, shown.clone());
        self.step(Step::Denied);

        // The disk's answer takes longer than all else until the name is gone: the name goes first
        // where a record on its own filesystem says where it came from. Lifted flags are in no
        // record, so a locked file waits.
        let locked = metadata::locks(meta.flags) || metadata::locks(parent_flags);
        let recorded = journaled.is_ok()
            && target.isolate
            && !locked
            && self.write_record(place, staging.as_ref(), &staged_name);
        let mut take = || match stays.clone() {
            Some(why) => Name::Stays(why),
            None => {
                self.take_name(&target, &meta, found.take(), staging.as_ref(), &staged_name, parent_flags)
            }
        };
        let early = recorded.then(&mut take);
        if let (Some(Name::Unlinked | Name::Kept(_) | Name::Busy(_) | Name::Stays(_)), Some(s)) =
            (&early, &staging)
        {
            // Nothing was staged that the record could be of.
            record::remove(&s.dir, &staged_name, &self.owner);
        }
        if let Some(Name::Staged(..)) = &early {
            report.timings.name_gone = Some(start.elapsed());
            self.step(Step::NameGone);
        }
        let journaled = journaled.and_then(|_| self.journal.sync());
        report.timings.journaled = Some(start.elapsed());
        self.step(Step::IntentSynced);
        let name = match (&journaled, early) {
            (Ok(()), None) if target.isolate => Some(take()),
            (Ok(()), early) => early,
            (Err(_), early) => early.and_then(|name| self.give_back(name)),
        };
        if let Some(Name::Staged(..) | Name::Unlinked) = &name
            && report.timings.name_gone.is_none()
        {
            report.timings.name_gone = Some(start.elapsed());
            self.step(Step::NameGone);
        }
        if target.kill {
            let named = std::mem::replace(&mut target.processes, Box::new(Vec::new))();
            self.kill(&mut report, &target, named, &manifest.path.0, start);
            report.timings.killed = Some(start.elapsed());
        }
        let (reason, staged) = match (name, journaled) {
            (Some(name), _) => self.put_away(&mut report, &target, manifest, name, &shown, start),
            (None, Err(e)) => {
                // Nothing may be moved that replay would not know of.
                let why = format!("the journal cannot be written ({e}): the file stays, execution is denied");
                report.record(Action::Isolate, Outcome::Refused(why.clone()), shown);
                (why, None)
            }
            (None, Ok(_)) => (String::new(), None),
        };
        self.close(&mut report, &reason, staged.map(|p| RawPath(p.path())), false);
        self.step(Step::OutcomeWritten);
        report
    }

    fn write_record(&self, place: Option<&Place>, staging: Option<&Staging>, staged_name: &[u8]) -> bool {
        let (Some(place), Some(staging)) = (place, staging.filter(|s| s.at_mount)) else { return false };
        record::write(staging, staged_name, &self.owner, &place.path()).is_ok()
    }

    /// The record of a staged name that is gone.
    pub(crate) fn forget_record(&self, staged: &Place) {
        record::remove(&staged.dir, &staged.name, &self.owner);
    }

    /// Nothing may stay moved that replay would not know of; `Some` when it must stay all the same.
    fn give_back(&self, name: Name) -> Option<Name> {
        if let Name::Staged(staged, found) = &name {
            if stage::unstage(staged, &found.place).is_err() {
                return Some(name);
            }
            self.forget_record(staged);
        }
        None
    }

    /// A name of the judged inode that may be moved, and why there is none where that is so.
    fn find(&self, target: &Target, inode: Inode) -> (Option<Found>, Option<String>) {
        if let Some(why) = filesystem::remote(&target.file) {
            return (None, Some(why));
        }
        let direct = names::find(&target.file, inode, &target.path);
        let overlays = self.overlays.now();
        if overlays.is_empty() {
            return (direct, None);
        }
        let paths = match &direct {
            Some(f) => vec![f.place.path()],
            None => {
                [Some(target.path.clone()), names::label_now(&target.file)].into_iter().flatten().collect()
            }
        };
        let inside = direct.is_none();
        match paths.iter().find_map(|path| layers::owner(&overlays, path, inside, inode)) {
            Some(layers::Owner::Merged(found)) => (Some(found), None),
            Some(layers::Owner::Shared(why)) => (None, Some(why)),
            None => (direct, None),
        }
    }

    fn take_name(
        &self,
        target: &Target,
        meta: &Metadata,
        found: Option<Found>,
        staging: Option<&Staging>,
        staged_name: &[u8],
        parent_flags: Option<u32>,
    ) -> Name {
        let Some(found) = found else {
            return if meta.nlink == 0 {
                Name::Unlinked
            } else {
                Name::Kept("none of its names was found".to_owned())
            };
        };
        if metadata::locks(meta.flags) {
            // When this fails the rename does too, and says why.
            let _ = metadata::unlock(&target.file, meta.flags.unwrap_or(0));
            self.step(Step::FlagsLifted);
        }
        match stage::stage(&found.place, staging, staged_name, &found.file, parent_flags) {
            Ok(staged) => Name::Staged(staged, found),
            Err(Kept::NotThere) if names::has_no_name(&target.file) => Name::Unlinked,
            Err(kept) => {
                if metadata::locks(meta.flags) {
                    let _ = metadata::set_flags(&target.file, meta.flags.unwrap_or(0));
                }
                match kept {
                    Kept::Error(Errno::ROFS) => Name::Stays(kept.reason()),
                    Kept::Error(Errno::BUSY) => Name::Busy(kept.reason()),
                    kept => Name::Kept(kept.reason()),
                }
            }
        }
    }

    /// Seals the content and removes the names, or undoes, or leaves it in place. Gives the reason
    /// of a failure and the staged name, where one remains.
    fn put_away(
        &self,
        report: &mut Report,
        target: &Target,
        mut manifest: Manifest,
        name: Name,
        shown: &str,
        start: Instant,
    ) -> (String, Option<Place>) {
        let object = manifest.id;
        let before = self.already(target);
        if let (Name::Unlinked | Name::Stays(_), Some((earlier, status))) = (&name, before) {
            (report.isolated, report.status) = (Some(earlier), Some(status));
            report.record(Action::Isolate, Outcome::AlreadyGone, shown);
            if status == IsolatedStatus::Isolated {
                self.config.deny.release(&target.identity);
            }
            return (String::new(), None);
        }
        let name = match name {
            Name::Stays(reason) => {
                let why = format!("{reason}: execution stays denied");
                return self.leave_in_place(report, manifest, None, why, shown);
            }
            Name::Staged(staged, found) => {
                manifest.around = folders::around(&found.place);
                // What cannot be read cannot be brought back by a copy: then the inode itself is kept.
                if !manifest.reason.is_empty() {
                    let why =
                        format!("the file itself is kept in the staging folder, because {}", manifest.reason);
                    return self.keep_staged(report, manifest, (staged, found), &why, shown);
                }
                Name::Staged(staged, found)
            }
            name => name,
        };
        let sealed = self.vault.put(object, target.file.as_fd(), manifest.clone());
        match (sealed, name) {
            (Ok(_), name) => {
                report.timings.sealed = Some(start.elapsed());
                self.step(Step::Sealed);
                report.isolated = Some(object);
                self.finish(report, target, &manifest, name, shown)
            }
            (Err(VaultError::Changed { .. }), name) => self.undo(report, target, manifest, name, shown),
            (Err(e), Name::Staged(staged, found)) => {
                let why = format!("its name is gone and execution denied, but: {e}");
                self.keep_staged(report, manifest, (staged, found), &why, shown)
            }
            (Err(e), Name::Kept(reason) | Name::Busy(reason) | Name::Stays(reason)) => {
                let why = format!("{reason}: execution stays denied; and {e}");
                self.leave_in_place(report, manifest, None, why, shown)
            }
            (Err(e), Name::Unlinked) => {
                report.status = Some(IsolatedStatus::IsolateFailed);
                let why = format!("it had no name any more, and {e}");
                self.config.deny.release(&target.identity);
                report.record(Action::Isolate, Outcome::Failed(why.clone()), shown);
                (why, None)
            }
        }
    }

    fn already(&self, target: &Target) -> Option<(IsolatedId, IsolatedStatus)> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.identity.dev, target.identity.ino);
        let (_, id) = *done.get(&key).filter(|(sha256, _)| *sha256 == target.sha256)?;
        drop(done);
        // It may have been deleted or given back since.
        let status = self.vault.manifest(id).ok()?.status;
        matches!(status, IsolatedStatus::Isolated | IsolatedStatus::IsolatedInPlace).then_some((id, status))
    }

    fn remember(&self, inodes: impl IntoIterator<Item = Inode>, sha256: Sha256, id: IsolatedId) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= 4096 {
            done.clear();
        }
        done.extend(inodes.into_iter().map(|i| ((i.dev, i.ino), (sha256, id))));
    }

    /// After sealing: all names off, folders durable, manifest final.
    fn finish(
        &self,
        report: &mut Report,
        target: &Target,
        manifest: &Manifest,
        name: Name,
        shown: &str,
    ) -> (String, Option<Place>) {
        let others_go = !matches!(name, Name::Kept(_));
        let (staged, found, kept) = match name {
            Name::Staged(s, f) => (Some(s), Some(f), None),
            Name::Unlinked => (None, None, None),
            Name::Kept(why) | Name::Busy(why) | Name::Stays(why) => (None, None, Some(why)),
        };
        let had_no_name = staged.is_none() && manifest.nlink == 0;
        let place = found.as_ref().map(|f| &f.place);
        let file = found.as_ref().map_or(&target.file, |f| &f.file);
        // The same file has another number below an overlay: an event of its layer may be on its way.
        let real = staged.as_ref().and_then(layers::Behind::of).and_then(|b| b.upper()).map(|r| r.inode());
        let inode = found.as_ref().map_or(Inode { dev: manifest.dev, ino: manifest.ino }, |f| f.inode);
        // A name that is known and cannot be taken keeps the others company: a restore would make a
        // second file of them.
        let names = if others_go || names::at(&manifest.path.0, inode).is_none() {
            self.take_links(report.journal, manifest, (file, inode), staged.as_ref(), place)
        } else {
            links::Names::all_stay(manifest.nlink)
        };
        self.step(Step::LinksGone);
        let removed =
            staged.as_ref().map_or(Ok(()), |s| stage::now(file).and_then(|inode| stage::discard(s, inode)));
        self.step(Step::Unlinked);
        if let (Some(s), Ok(())) = (&staged, &removed) {
            self.forget_record(s);
        }
        for dir in [place, staged.as_ref()].into_iter().flatten() {
            let _ = fsync(&dir.dir);
        }
        self.step(Step::FoldersSynced);
        let left = names.left(file);
        let held = place.and_then(layers::Behind::of).map(|b| b.held(manifest.sha256, manifest.size));
        let held = held.unwrap_or_default();
        let removed_failed = removed.is_err();
        let (status, outcome) = match removed {
            Err(e) => {
                let why = format!("the staged name could not be removed: {e}");
                (IsolatedStatus::IsolatedInPlace, Outcome::Partial(why))
            }
            Ok(()) if !held.is_empty() => {
                (IsolatedStatus::IsolatedInPlace, Outcome::Partial(layers::said(&held)))
            }
            Ok(()) if left > 0 => {
                let first = kept.map(|why| format!("{why}; ")).unwrap_or_default();
                let why =
                    format!("{first}{left} names were not found or not movable; execution stays denied");
                // Not merely isolated: at the next start it must be denied again.
                (IsolatedStatus::IsolatedInPlace, Outcome::Partial(why))
            }
            Ok(()) if had_no_name => (IsolatedStatus::Isolated, Outcome::AlreadyGone),
            Ok(()) => (IsolatedStatus::Isolated, Outcome::Done),
        };
        let outcome = match outcome {
            Outcome::Done | Outcome::AlreadyGone if !manifest.reason.is_empty() => Outcome::Partial(format!(
                "isolated, but what cannot be read will not come back: {}",
                manifest.reason
            )),
            other => other,
        };
        let reason = outcome.reason().to_owned();
        let killed = report.killed.iter().map(Into::into).collect();
        let left_staged = staged.as_ref().filter(|_| removed_failed).map(|s| RawPath(s.path()));
        let left_alone = report.left_alone.iter().map(Into::into).collect();
        let saved = self.vault.update(manifest.id, |m| {
            m.status = status;
            m.reason.clone_from(&reason);
            m.killed = killed;
            m.around.layers.clone_from(&held);
            // The next start takes it away.
            m.staged = left_staged;
            m.left_alone = left_alone;
        });
        self.step(Step::ManifestFinal);
        layers::refs(&held).for_each(|layer| self.config.deny.deny(&layer));
        if left == 0 {
            if !layers::refs(&held).any(|layer| layer.same_inode(&target.identity)) {
                // The number may be given to another file as soon as the descriptor is closed.
                self.config.deny.release(&target.identity);
            }
            let own = Inode { dev: manifest.dev, ino: manifest.ino };
            let below = layers::refs(&held).map(|l| Inode { dev: l.dev, ino: l.ino });
            self.remember([own].into_iter().chain(real).chain(below), target.sha256, manifest.id);
        }
        report.status = Some(status);
        let outcome = match saved {
            Ok(_) => outcome,
            Err(e) => Outcome::Partial(format!("isolated, but its manifest could not be updated: {e}")),
        };
        report.record(Action::Isolate, outcome, shown);
        (reason, staged.filter(|_| removed_failed))
    }

    /// The content is not what was judged: the name goes back, and the next scan decides.
    fn undo(
        &self,
        report: &mut Report,
        target: &Target,
        manifest: Manifest,
        name: Name,
        shown: &str,
    ) -> (String, Option<Place>) {
        let why = "content changed while it was being isolated";
        if let Name::Staged(staged, Found { place, .. }) = name {
            let back = stage::unstage(&staged, &place);
            if back.is_ok() {
                self.forget_record(&staged);
            }
            if metadata::locks(manifest.flags) {
                let _ = metadata::set_flags(&target.file, manifest.flags.unwrap_or(0));
            }
            let _ = fsync(&place.dir);
            let _ = fsync(&staged.dir);
            if let Err(e) = back {
                let why = format!("{why}, and its name could not be given back: {e}");
                return self.leave_in_place(report, manifest, Some(staged), why, shown);
            }
        }
        // It runs only after a new verdict: the changed content is judged when it is opened.
        self.config.deny.release(&target.identity);
        report.status = Some(IsolatedStatus::IsolateFailed);
        let why = format!("{why}; it is where it was and must be scanned again");
        report.record(Action::Isolate, Outcome::Failed(why.clone()), shown);
        (why, None)
    }
}

/// The descriptor must be the inode that was judged, and a regular file.
pub(crate) fn judged(target: &Target, inode: Inode) -> Result<Metadata, Outcome> {
    let meta =
        metadata::capture(&target.file).map_err(|e| metadata::failed("the file cannot be asked", e))?;
    if meta.inode != inode {
        return Err(Outcome::Refused("the open file is not the one that was judged".to_owned()));
    }
    if FileType::from_raw_mode(meta.mode) != FileType::RegularFile {
        return Err(Outcome::Refused("it is not a regular file".to_owned()));
    }
    Ok(meta)
}
