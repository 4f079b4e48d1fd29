// SPDX-License-Identifier: Apache-2.0
//! Taking a file away: intent, deny, name, kill, seal, unlink, in this order (ARCHITECTURE.md).

use crate::config::Step;
use crate::intent::{intent, manifest};
use crate::journal::{Body, Intent, Progress};
use crate::metadata::{self, Metadata};
use crate::open::Inode;
use crate::plan::{Report, Target};
use crate::responder::Responder;
use crate::stage::{self, Kept, Place, Staging};
use crate::{links, names, record};
use lazaret_model::{Action, AlarmId, IsolatedId, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::{Manifest, RawPath, VaultError};
use rustix::fs::{FileType, fstat, fsync};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::PoisonError;
use std::time::Instant;

/// What became of the name.
enum Name {
    /// Moved to the staging folder (first), from where it was (second).
    Staged(Place, Place),
    /// The inode has no name any more.
    Unlinked,
    /// It has names, and this one (if any) stays.
    Kept(String),
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
        let mut place = if target.isolate { names::locate(&target.file, inode, &target.path) } else { None };
        let staging = place.as_ref().and_then(|p| self.staging.of(&p.dir));
        let manifest = manifest(&target, &meta, alarm, who, object, report.journal, place.as_ref());
        let intent = intent(&target, &manifest, place.as_ref(), staging.as_ref());
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
            && self.write_record(place.as_ref(), staging.as_ref(), &staged_name);
        let mut take =
            || self.take_name(&target, &meta, place.take(), staging.as_ref(), &staged_name, parent_flags);
        let early = recorded.then(&mut take);
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
        let (Some(place), Some(staging)) = (place, staging) else { return false };
        record::write(staging, staged_name, &self.owner, &place.path()).is_ok()
    }

    /// The record of a staged name that is gone.
    pub(crate) fn forget_record(&self, staged: &Place) {
        record::remove(&staged.dir, &staged.name, &self.owner);
    }

    /// Nothing may stay moved that replay would not know of; `Some` when it must stay all the same.
    fn give_back(&self, name: Name) -> Option<Name> {
        if let Name::Staged(staged, place) = &name {
            if stage::unstage(staged, place).is_err() {
                return Some(name);
            }
            self.forget_record(staged);
        }
        None
    }

    fn take_name(
        &self,
        target: &Target,
        meta: &Metadata,
        place: Option<Place>,
        staging: Option<&Staging>,
        staged_name: &[u8],
        parent_flags: Option<u32>,
    ) -> Name {
        let Some(place) = place else {
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
        match stage::stage(&place, staging, staged_name, meta.inode, parent_flags) {
            Ok(staged) => Name::Staged(staged, place),
            Err(Kept::NotThere) if fstat(&target.file).is_ok_and(|s| s.st_nlink == 0) => Name::Unlinked,
            Err(kept) => {
                if metadata::locks(meta.flags) {
                    let _ = metadata::set_flags(&target.file, meta.flags.unwrap_or(0));
                }
                Name::Kept(kept.reason())
            }
        }
    }

    /// Seals the content and removes the names, or undoes, or leaves it in place. Gives the reason
    /// of a failure and the staged name, where one remains.
    fn put_away(
        &self,
        report: &mut Report,
        target: &Target,
        manifest: Manifest,
        name: Name,
        shown: &str,
        start: Instant,
    ) -> (String, Option<Place>) {
        let object = manifest.id;
        if let Name::Kept(reason) = &name
            && reason.contains("read-only")
        {
            let why = format!("{reason}: execution stays denied");
            return self.leave_in_place(report, manifest, None, why, shown);
        }
        let before = self.already(target);
        if let (Name::Unlinked, Some(earlier)) = (&name, before) {
            (report.isolated, report.status) = (Some(earlier), Some(IsolatedStatus::Isolated));
            report.record(Action::Isolate, Outcome::AlreadyGone, shown);
            self.config.deny.release(&target.identity);
            return (String::new(), None);
        }
        let sealed = self.vault.put(object, target.file.as_fd(), manifest.clone());
        match (sealed, name) {
            (Ok(_), name) => {
                report.timings.sealed = Some(start.elapsed());
                self.step(Step::Sealed);
                report.isolated = Some(object);
                self.finish(report, target, &manifest, name, shown)
            }
            (Err(VaultError::Changed { .. }), name) => self.undo(report, target, manifest, name, shown),
            (Err(e), Name::Staged(staged, _)) => {
                let why = format!("its name is gone and execution denied, but: {e}");
                self.leave_in_place(report, manifest, Some(staged), why, shown)
            }
            (Err(e), Name::Kept(reason)) => {
                let why = format!("{reason}: execution stays denied; and {e}");
                self.leave_in_place(report, manifest, None, why, shown)
            }
            (Err(e), Name::Unlinked) => {
                report.status = Some(IsolatedStatus::IsolateFailed);
                let why = format!("it had no name any more, and {e}");
                report.record(Action::Isolate, Outcome::Failed(why.clone()), shown);
                (why, None)
            }
        }
    }

    fn already(&self, target: &Target) -> Option<IsolatedId> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (target.identity.dev, target.identity.ino);
        done.get(&key).filter(|(sha256, _)| *sha256 == target.sha256).map(|(_, id)| *id)
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
        let (staged, place, kept) = match name {
            Name::Staged(s, p) => (Some(s), Some(p), None),
            Name::Unlinked => (None, None, None),
            Name::Kept(why) => (None, None, Some(why)),
        };
        let had_no_name = staged.is_none() && manifest.nlink == 0;
        let inode = Inode { dev: manifest.dev, ino: manifest.ino };
        self.take_links(report.journal, manifest, &target.file, staged.as_ref(), place.as_ref());
        self.step(Step::LinksGone);
        let removed = staged.as_ref().map_or(Ok(()), |s| stage::discard(s, inode));
        self.step(Step::Unlinked);
        if let (Some(s), Ok(())) = (&staged, &removed) {
            self.forget_record(s);
        }
        for dir in [place.as_ref(), staged.as_ref()].into_iter().flatten() {
            let _ = fsync(&dir.dir);
        }
        self.step(Step::FoldersSynced);
        let left = fstat(&target.file).map_or(0, |s| s.st_nlink);
        let (status, outcome) = match removed {
            Err(e) => {
                let why = format!("the staged name could not be removed: {e}");
                (IsolatedStatus::IsolatedInPlace, Outcome::Partial(why))
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
        let reason = outcome.reason().to_owned();
        let killed = report.killed.iter().map(Into::into).collect();
        let left_alone = report.left_alone.iter().map(Into::into).collect();
        let saved = self.vault.update(manifest.id, |m| {
            m.status = status;
            m.reason.clone_from(&reason);
            m.killed = killed;
            m.left_alone = left_alone;
        });
        self.step(Step::ManifestFinal);
        if left == 0 {
            // The number may be given to another file as soon as the descriptor is closed.
            self.config.deny.release(&target.identity);
            let key = (target.identity.dev, target.identity.ino);
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            if done.len() >= 4096 {
                done.clear();
            }
            done.insert(key, (target.sha256, manifest.id));
        }
        report.status = Some(status);
        let outcome = match saved {
            Ok(_) => outcome,
            Err(e) => Outcome::Partial(format!("isolated, but its manifest could not be updated: {e}")),
        };
        report.record(Action::Isolate, outcome, shown);
        (reason, staged.filter(|_| removed.is_err()))
    }

    /// Takes the inode's other names off, as far as they are found in the time allowed.
    pub(crate) fn take_links(
        &self,
        journal: JournalId,
        manifest: &Manifest,
        file: &OwnedFd,
        staged: Option<&Place>,
        place: Option<&Place>,
    ) {
        let inode = Inode { dev: manifest.dev, ino: manifest.ino };
        let own = u64::from(staged.is_some());
        let left = || fstat(file).map_or(0, |s| s.st_nlink).saturating_sub(own);
        let until = Instant::now() + self.config.link_search;
        let staged_path = staged.map(Place::path);
        let take = |found: Vec<Place>| {
            for other in found {
                if Some(other.path()) != staged_path {
                    self.take_link(journal, manifest, &other, inode);
                }
            }
        };
        if left() > 0
            && let Some(p) = place
        {
            take(links::in_folder(&p.dir, &p.dir_path, inode));
        }
        if left() > 0 {
            for root in search_roots(place, inode) {
                let want = left();
                if want == 0 || Instant::now() >= until {
                    break;
                }
                take(links::below(&root, inode, want + own, until));
            }
        }
    }

    fn take_link(&self, journal: JournalId, manifest: &Manifest, other: &Place, inode: Inode) {
        let path = RawPath(other.path());
        let staging = self.staging.of(&other.dir);
        let staged_name = format!("{}.{}", manifest.id, JournalId::new()).into_bytes();
        // First the manifest, then the name: a crash in between leaves a name too many, not too few.
        let main = path == manifest.path;
        let known = main
            || self
                .vault
                .update(manifest.id, |m| {
                    if !m.links.contains(&path) {
                        m.links.push(path.clone());
                    }
                })
                .is_ok();
        let progress = Progress::Link {
            path,
            staging: RawPath(staging.as_ref().map_or_else(|| other.dir_path.clone(), |s| s.path.clone())),
            staged_name: RawPath(staged_name.clone()),
        };
        if !known || self.journal.append(journal, Body::Progress(progress), true).is_err() {
            return;
        }
        let flags = metadata::flags(&other.dir);
        let Ok(staged) = stage::stage(other, staging.as_ref(), &staged_name, inode, flags) else {
            return;
        };
        let _ = stage::discard(&staged, inode);
        let _ = fsync(&other.dir);
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
        if let Name::Staged(staged, place) = name {
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
        let saved = self.vault.write_manifest(&manifest);
        let outcome = match (&staged, saved) {
            (Some(_), Ok(())) => Outcome::Partial(why.clone()),
            (None, Ok(())) => Outcome::Failed(why.clone()),
            // Replay writes it from the journal once there is room.
            (_, Err(e)) => Outcome::Failed(format!("{why}; and its manifest could not be written: {e}")),
        };
        report.record(Action::Isolate, outcome, shown);
        (why, staged)
    }
}

/// Folders below which other names may be: the mount of the name first, then every mount of that
/// filesystem.
fn search_roots(place: Option<&Place>, inode: Inode) -> Vec<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let mut roots: Vec<Vec<u8>> = place.and_then(|p| stage::mount_point(&p.dir)).into_iter().collect();
    for m in lazaret_sys::mounts::mounts().unwrap_or_default() {
        let point = m.point.as_os_str().as_bytes().to_vec();
        if m.dev == inode.dev && !roots.contains(&point) {
            roots.push(point);
        }
    }
    roots
}

/// The descriptor must be the inode that was judged, and a regular file.
fn judged(target: &Target, inode: Inode) -> Result<Metadata, Outcome> {
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
