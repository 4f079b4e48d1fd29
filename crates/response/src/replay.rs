// SPDX-License-Identifier: Apache-2.0
//! After a crash: every intent without outcome is carried on or taken back, and gets its outcome.

use crate::journal::{Body, Closing, Entry, HeldProcess, Intent, IsolateIntent, Progress, RestoreIntent};
use crate::members;
use crate::metadata;
use crate::names;
use crate::open::{self, Inode};
use crate::plan::Report;
use crate::receipt;
use crate::responder::Responder;
use crate::restore::{self, NotRestored};
use crate::stage::{self, Place};
use lazaret_model::{
    Action, AlarmId, IsolatedId, IsolatedStatus, JournalId, KilledProcess, Outcome, ProcessRef, Sha256,
};
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs;
use lazaret_vault::{Manifest, RawPath};
use rustix::fs::{AtFlags, fsync, unlinkat};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// An intent that a crash left open, and what became of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The alarm it belongs to.
    pub alarm: Option<AlarmId>,
    /// Where the file was, or was to go; raw bytes, empty for a deletion.
    pub path: Vec<u8>,
    /// Of the content that was judged, where it was an isolation.
    pub sha256: Option<Sha256>,
    /// What was done now; `journal` is the old intent.
    pub report: Report,
    /// The file is, or may be, where it was: scan it again.
    pub rescan: bool,
    /// Nothing could be done yet (its filesystem is not mounted): the intent stays open and is
    /// tried again at the next start.
    pub open: bool,
}

struct Open {
    intent: Intent,
    progress: Vec<Progress>,
}

impl Responder {
    pub(crate) fn replay(&self, entries: Vec<Entry>) -> Vec<Replayed> {
        let mut open: HashMap<JournalId, Open> = HashMap::new();
        let mut order: Vec<JournalId> = Vec::new();
        let mut closed: HashMap<IsolatedId, (Closing, Option<Manifest>)> = HashMap::new();
        for Entry { id, body, .. } in entries {
            match body {
                Body::Intent(intent) => {
                    order.push(id);
                    open.insert(id, Open { intent, progress: Vec::new() });
                }
                Body::Progress(p) => {
                    if let Some(o) = open.get_mut(&id) {
                        o.progress.push(p);
                    }
                }
                Body::Outcome(closing) => {
                    let manifest = match open.remove(&id).map(|o| o.intent) {
                        Some(Intent::Isolate(i)) => Some(i.manifest),
                        _ => None,
                    };
                    if let Some(object) = closing.isolated {
                        closed.insert(object, (closing, manifest));
                    }
                }
                Body::Note(_) => {}
            }
        }
        self.reconcile(closed);
        let mut out = Vec::new();
        for id in order {
            let Some(Open { intent, progress }) = open.remove(&id) else { continue };
            out.push(match intent {
                Intent::Isolate(i) => self.replay_isolate(id, i, &progress),
                Intent::Restore(i) => self.replay_restore(id, &i),
                Intent::Delete { id: object, .. } => self.replay_delete(id, object),
                Intent::Restart { id: object, units, .. } => self.replay_restart(id, object, &units),
            });
        }
        out
    }

    /// The outcome was written and the crash came before the vault followed.
    fn reconcile(&self, closed: HashMap<IsolatedId, (Closing, Option<Manifest>)>) {
        for (id, (closing, intended)) in closed {
            let Some(status) = closing.status() else { continue };
            match (self.vault.manifest(id), intended) {
                (Ok(m), _) if m.status != status => {
                    let _ = self.vault.set_status(id, status, &closing.reason);
                }
                (Err(lazaret_vault::VaultError::NotFound(_)), Some(mut m))
                    if status == IsolatedStatus::IsolatedInPlace =>
                {
                    m.status = status;
                    m.reason = closing.reason;
                    m.staged = closing.staged;
                    m.killed = closing.killed;
                    let _ = self.vault.write_manifest(&m);
                }
                _ => {}
            }
            if matches!(status, IsolatedStatus::Restored | IsolatedStatus::Deleted) {
                let _ = self.vault.purge(id);
            }
        }
    }

    fn replay_isolate(&self, id: JournalId, intent: IsolateIntent, progress: &[Progress]) -> Replayed {
        let mut report = Report::new(id);
        let shown = intent.manifest.path.lossy();
        self.release_processes(&mut report, &intent, progress, &shown);
        let (mut rescan, mut open) = (false, false);
        let (mut reason, mut staged) = (String::new(), None);
        if intent.isolate {
            match self.carry_on(&mut report, &intent, progress, &shown) {
                Carried::Closed(why, left) => (reason, staged) = (why, left),
                Carried::Back(why) => {
                    rescan = true;
                    report.status = Some(IsolatedStatus::IsolateFailed);
                    report.record(Action::Isolate, Outcome::Failed(why.clone()), shown);
                    reason = why;
                }
                Carried::Later(why) => {
                    (rescan, open) = (true, true);
                    report.record(Action::Isolate, Outcome::Partial(why), shown);
                }
            }
        }
        if !open {
            self.close(&mut report, &reason, staged.map(|p| RawPath(p.path())), true);
        }
        let m = intent.manifest;
        Replayed { alarm: m.alarm, path: m.path.0, sha256: Some(m.sha256), report, rescan, open }
    }

    /// Nothing may stay stopped: what was to be killed is killed now, by identity.
    fn release_processes(
        &self,
        report: &mut Report,
        intent: &IsolateIntent,
        progress: &[Progress],
        shown: &str,
    ) {
        for p in progress {
            let Progress::Freezing { processes, groups } = p else { continue };
            for held in processes {
                let Some((handle, process)) = same_process(held) else { continue };
                let facts = procfs::facts(process.pid).ok();
                let unit = facts.as_ref().and_then(members::service);
                let signal = if intent.kill { Signal::KILL } else { Signal::CONT };
                let sent = handle.signal(signal);
                let outcome = match sent {
                    Ok(()) if !intent.kill => continue,
                    Ok(()) if handle.wait_gone(self.config.kill_wait) => Outcome::Done,
                    Ok(()) => Outcome::Partial("signalled, still there".to_owned()),
                    Err(_) => Outcome::AlreadyGone,
                };
                let (exe, cmdline, container) =
                    facts.map_or_else(Default::default, |f| (f.exe, f.cmdline, f.container));
                report.killed.push(KilledProcess { process, exe, cmdline, outcome, unit, container });
            }
            for group in groups {
                let path = std::path::Path::new(std::ffi::OsStr::from_bytes(&group.0));
                let _ = std::fs::write(path.join("cgroup.freeze"), "0");
            }
        }
        if !report.killed.is_empty() {
            report.record(Action::Kill, Outcome::Done, shown);
        }
    }

    fn carry_on(
        &self,
        report: &mut Report,
        intent: &IsolateIntent,
        progress: &[Progress],
        shown: &str,
    ) -> Carried {
        let m = &intent.manifest;
        let original = intent.parent.as_ref().and_then(|p| names::place(&open::join(&p.0, &intent.name.0)));
        self.relock_parent(intent, original.as_ref());
        let sealed = self.vault.has_content(m.id) && self.vault.compare(m.id, m.sha256, m.size).is_ok();
        if self.vault.has_content(m.id) && !sealed {
            // Half of it: the file itself is still staged, see below.
            let _ = self.vault.purge(m.id);
        }
        let staged = staged_places(intent, progress);
        let found = staged.into_iter().find_map(|place| Some((open_staged(&place, m)?, place)));
        let Some(((file, sha256), place)) = found else {
            return if sealed {
                self.sealed_already(report, m, original, shown)
            } else {
                self.nothing_staged(report, intent, original, shown)
            };
        };
        if sha256 != m.sha256 {
            let why = "interrupted, and the content changed meanwhile; it is where it was";
            let Some(to) = &original else {
                return self.in_place(report, m, place, "interrupted, and its folder is gone", shown);
            };
            return match stage::unstage(&place, to) {
                Ok(()) => {
                    relock(&file, m);
                    Carried::Back(why.to_owned())
                }
                Err(e) => {
                    let why = format!("interrupted, its content changed and its name is taken: {e}");
                    self.in_place(report, m, place, &why, shown)
                }
            };
        }
        if !sealed || self.vault.manifest(m.id).is_err() {
            // Sealed anew where only the manifest is missing: it knows where the holes are.
            let _ = self.vault.purge(m.id);
            if let Err(e) = self.vault.put(m.id, file.as_fd(), m.clone()) {
                return self.in_place(report, m, place, &e.to_string(), shown);
            }
        }
        self.complete(report, m, &file, &place, original.as_ref(), shown)
    }

    /// Sealed and staged: the rest of the way.
    fn complete(
        &self,
        report: &mut Report,
        manifest: &Manifest,
        file: &OwnedFd,
        place: &Place,
        original: Option<&Place>,
        shown: &str,
    ) -> Carried {
        let Ok(now) = metadata::capture(file) else {
            return Carried::Later("the staged file cannot be asked".to_owned());
        };
        // After a reboot the device may have another number.
        let manifest = Manifest { dev: now.inode.dev, ..manifest.clone() };
        self.take_links(report.journal, &manifest, file, Some(place), original);
        let removed = stage::discard(place, now.inode);
        for p in [Some(place), original].into_iter().flatten() {
            let _ = fsync(&p.dir);
        }
        report.isolated = Some(manifest.id);
        if let Err(e) = removed {
            let left = Place {
                dir: match place.dir.try_clone() {
                    Ok(d) => d,
                    Err(e) => return Carried::Later(e.to_string()),
                },
                dir_path: place.dir_path.clone(),
                name: place.name.clone(),
            };
            return self.in_place(
                report,
                &manifest,
                left,
                &format!("the staged name cannot be removed: {e}"),
                shown,
            );
        }
        self.isolated(report, &manifest, Outcome::Done, shown)
    }

    fn isolated(&self, report: &mut Report, manifest: &Manifest, outcome: Outcome, shown: &str) -> Carried {
        if self.vault.manifest(manifest.id).is_err() {
            let _ = self.vault.write_manifest(manifest);
        }
        let killed: Vec<_> = report.killed.iter().map(Into::into).collect();
        let _ = self.vault.update(manifest.id, |m| {
            m.status = IsolatedStatus::Isolated;
            outcome.reason().clone_into(&mut m.reason);
            m.killed.extend(killed);
        });
        (report.isolated, report.status) = (Some(manifest.id), Some(IsolatedStatus::Isolated));
        let reason = outcome.reason().to_owned();
        report.record(Action::Isolate, outcome, shown);
        Carried::Closed(reason, None)
    }

    /// In the vault, and no staged name: only the last steps are missing, or it had no name.
    fn sealed_already(
        &self,
        report: &mut Report,
        manifest: &Manifest,
        original: Option<Place>,
        shown: &str,
    ) -> Carried {
        let same = original.and_then(|p| {
            let (file, sha256) = open_staged(&p, manifest)?;
            (sha256 == manifest.sha256).then_some((p, file))
        });
        let Some((place, file)) = same else {
            return self.isolated(report, manifest, Outcome::Done, shown);
        };
        // The name could not be moved then; try again, it is the same file.
        let Ok(now) = metadata::capture(&file) else {
            return Carried::Later("the file cannot be asked".to_owned());
        };
        let staging = self.staging.of(&place.dir);
        let name = format!(".lazaret-{}", manifest.id).into_bytes();
        match stage::stage(&place, staging.as_ref(), &name, now.inode, metadata::flags(&place.dir)) {
            Ok(staged) => self.complete(report, manifest, &file, &staged, Some(&place), shown),
            Err(kept) => {
                self.config.deny.deny(&manifest.file_ref());
                let (why, left) = self.leave_in_place(report, manifest.clone(), None, kept.reason(), shown);
                Carried::Closed(why, left)
            }
        }
    }

    fn nothing_staged(
        &self,
        report: &mut Report,
        intent: &IsolateIntent,
        original: Option<Place>,
        shown: &str,
    ) -> Carried {
        let m = &intent.manifest;
        if let Some(p) = &original
            && let Some((file, _)) = open_staged(p, m)
        {
            relock(&file, m);
            return Carried::Back("interrupted before the file was moved; it is where it was".to_owned());
        }
        let reachable = |folder: &RawPath| open::folder(&folder.0).is_ok();
        let parent = intent.parent.as_ref();
        if parent.is_some_and(|p| !reachable(p)) || intent.staging.as_ref().is_some_and(|s| !reachable(s)) {
            return Carried::Later(
                "interrupted, and its folder cannot be opened: is its filesystem mounted? It is tried again at the next start"
                    .to_owned(),
            );
        }
        report.status = Some(IsolatedStatus::IsolateFailed);
        report.record(Action::Isolate, Outcome::AlreadyGone, shown);
        Carried::Closed(String::new(), None)
    }

    fn in_place(&self, report: &mut Report, m: &Manifest, place: Place, why: &str, shown: &str) -> Carried {
        self.config.deny.deny(&m.file_ref());
        let (why, left) = self.leave_in_place(report, m.clone(), Some(place), why.to_owned(), shown);
        Carried::Closed(why, left)
    }

    fn relock_parent(&self, intent: &IsolateIntent, original: Option<&Place>) {
        if let (Some(flags), Some(p)) = (intent.parent_flags, original)
            && metadata::locks(Some(flags))
        {
            let _ = metadata::set_flags(&p.dir, flags);
        }
    }

    fn replay_restore(&self, id: JournalId, intent: &RestoreIntent) -> Replayed {
        let mut report = Report::new(id);
        report.isolated = Some(intent.id);
        let shown = intent.to.lossy();
        let result = |report, rescan, open| Replayed {
            alarm: intent.alarm,
            path: intent.to.0.clone(),
            sha256: None,
            report,
            rescan,
            open,
        };
        let manifest = match self.vault.manifest(intent.id) {
            Ok(m) => m,
            Err(e) => {
                report.record(Action::Restore, Outcome::Failed(e.to_string()), shown);
                self.close(&mut report, "its manifest cannot be read", None, true);
                return result(report, false, false);
            }
        };
        let place = names::place(&intent.to.0);
        if let Some(p) = &place {
            let _ = unlinkat(&p.dir, restore::temp_name(intent.id).as_slice(), AtFlags::empty());
        }
        // It got its name only complete; whether that name is ours the recorded properties say.
        let named = place.and_then(|p| {
            let file = open::file(&p.dir, &p.name).ok()?;
            let now = metadata::capture(&file).ok()?;
            let ours = now.uid == manifest.uid && now.mode == manifest.mode && now.mtime == manifest.mtime;
            let (sha256, _) = receipt::digest(file.as_fd()).ok()?;
            (ours && sha256 == manifest.sha256).then_some((p, file))
        });
        let done = match named {
            Some((place, file)) => self.settle(&manifest, &place, &file),
            None if manifest.staged.is_some() && !self.vault.has_content(intent.id) => {
                Err(NotRestored::Refused(
                    "interrupted before the file was moved; it is still isolated".to_owned(),
                ))
            }
            None => Err(NotRestored::Refused(
                "interrupted before the file was complete; the vault still holds it".to_owned(),
            )),
        };
        let in_place = !self.vault.has_content(intent.id);
        let was = if in_place { IsolatedStatus::IsolatedInPlace } else { manifest.status };
        self.conclude(&mut report, &Manifest { status: was, ..manifest }, done, &shown, true);
        result(report, false, false)
    }

    fn replay_delete(&self, id: JournalId, object: IsolatedId) -> Replayed {
        let mut report = Report::new(id);
        report.isolated = Some(object);
        let manifest = self.vault.manifest(object).ok();
        self.destroy(&mut report, object, manifest.as_ref(), true);
        let alarm = manifest.and_then(|m| m.alarm);
        Replayed { alarm, path: Vec::new(), sha256: None, report, rescan: false, open: false }
    }
}

enum Carried {
    /// Done; with the reason and the staged name that remains.
    Closed(String, Option<Place>),
    /// The file is where it was.
    Back(String),
    /// Not possible now.
    Later(String),
}

fn same_process(held: &HeldProcess) -> Option<(ProcessHandle, ProcessRef)> {
    if held.boot_id.0 != procfs::boot_id() {
        return None;
    }
    let handle = ProcessHandle::open(held.pid).ok()?;
    let process = handle.process();
    (process.start_time == held.start_time).then_some((handle, process))
}

/// Where the file may have been moved to.
fn staged_places(intent: &IsolateIntent, progress: &[Progress]) -> Vec<Place> {
    let mut paths = Vec::new();
    for folder in [&intent.staging, &intent.parent].into_iter().flatten() {
        paths.push(open::join(&folder.0, &intent.staged_name.0));
    }
    for p in progress {
        if let Progress::Link { staging, staged_name, .. } = p {
            paths.push(open::join(&staging.0, &staged_name.0));
        }
    }
    paths.into_iter().filter_map(|p| names::place(&p)).collect()
}

/// Opens what lies at a place if it has the intent's inode number (the device may have another
/// number after a reboot; the digest decides).
fn open_staged(place: &Place, manifest: &Manifest) -> Option<(OwnedFd, Sha256)> {
    let seen = open::look(&place.dir, &place.name).ok().flatten()?;
    if Inode::from(&seen).ino != manifest.ino {
        return None;
    }
    let file = open::file(&place.dir, &place.name).ok()?;
    let (sha256, _) = receipt::digest(file.as_fd()).ok()?;
    Some((file, sha256))
}

fn relock(file: &OwnedFd, manifest: &Manifest) {
    if metadata::locks(manifest.flags) {
        let _ = metadata::set_flags(file, manifest.flags.unwrap_or(0));
    }
}
