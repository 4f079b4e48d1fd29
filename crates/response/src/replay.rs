// SPDX-License-Identifier: Apache-2.0
//! After a crash: every intent without outcome is carried on or taken back, and gets its outcome.

use crate::filesystem;
use crate::found::{self, Found};
use crate::interrupted::Interrupted;
use crate::journal::{Body, Closing, Entry, HeldProcess, Intent, IsolateIntent, Progress};
use crate::layers;
use crate::links;
use crate::members;
use crate::metadata;
use crate::open::{self, Inode};
use crate::plan::Report;
use crate::responder::Responder;
use crate::stage::{self, Place};
use lazaret_model::{
    Action, AlarmId, IsolatedId, IsolatedStatus, JournalId, KilledProcess, Outcome, ProcessRef, Sha256,
};
use lazaret_sys::cgroup::Cgroup;
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs;
use lazaret_vault::{Manifest, RawPath};
use rustix::fs::{fstat, fsync};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

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
    /// Nothing could be done yet (its filesystem is not mounted, or cannot be read): the intent stays
    /// open and is tried again at the next start.
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
                        Some(Intent::Disable(record)) => {
                            self.after_disable(&closing, &record);
                            None
                        }
                        Some(Intent::Enable(intent)) => {
                            self.after_enable(&closing, &intent);
                            None
                        }
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
                Intent::Window(i) => {
                    self.keep_interrupted(Interrupted::new(id, i, progress));
                    continue;
                }
                Intent::Restore(i) => self.replay_restore(id, &i),
                Intent::Delete { id: object, .. } => self.replay_delete(id, object),
                Intent::Disable(record) => self.replay_disable(id, &record),
                Intent::Enable(intent) => self.replay_enable(id, &intent),
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
                    let _ = self.vault.update(id, |m| {
                        m.status = status;
                        m.reason.clone_from(&closing.reason);
                        if status == IsolatedStatus::IsolatedInPlace {
                            m.staged.clone_from(&closing.staged);
                        }
                    });
                }
                (Err(_), Some(mut m))
                    if status == IsolatedStatus::IsolatedInPlace && !self.vault.has_manifest(id) =>
                {
                    m.status = status;
                    m.reason = closing.reason;
                    m.staged = closing.staged;
                    m.killed = closing.killed;
                    let _ = self.vault.write_manifest(&m);
                }
                _ => {}
            }
            if matches!(status, IsolatedStatus::Restored | IsolatedStatus::Deleted)
                && self.vault.has_content(id)
            {
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
                let _ = group_of(group).freeze(false);
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
        let m = &with_links(intent, progress);
        // Not there and not readable are two things: what cannot be read now stays open.
        let original = match intent.parent.as_ref().map(|p| found::place(&open::join(&p.0, &intent.name.0))) {
            Some(Err(why)) => return Carried::Later(found::later(&why)),
            looked => looked.and_then(Result::unwrap_or_default),
        };
        self.relock_parent(intent, original.as_ref());
        let mut staged = match found::staged(intent, progress) {
            Ok(all) => all.into_iter(),
            Err(why) => return Carried::Later(found::later(&why)),
        };
        let held = self.vault.has_content(m.id);
        let compared = if held { self.vault.compare(m.id, m.sha256, m.size) } else { Ok(()) };
        let sealed = held && compared.is_ok();
        let Some(Found { place, file, sha256 }) = staged.next() else {
            return match compared {
                Ok(()) if sealed => self.sealed_already(report, m, original, shown),
                Ok(()) => self.nothing_staged(report, intent, original, shown),
                // It may be all that there is.
                Err(e) => Carried::Later(found::later(&e.to_string())),
            };
        };
        if sha256 == m.sha256 {
            // Further names, cut off between being moved and being removed.
            for other in staged {
                let _ = fstat(&other.file).map(|s| stage::discard(&other.place, Inode::from(&s)));
            }
        }
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
        if !sealed || !self.vault.has_manifest(m.id) {
            // Sealed anew where only the manifest is missing: it knows where the holes are.
            let _ = self.vault.purge(m.id);
            let whole = match found::whole(intent, m, &file, original.as_ref()) {
                Ok(whole) => whole,
                Err(why) => return self.in_place(report, m, place, &why, shown),
            };
            if let Err(e) = self.vault.put(m.id, file.as_fd(), whole) {
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
        let inode = Inode { dev: now.inode.dev, ino: manifest.ino };
        let names = self.take_links(report.journal, &manifest, (file, inode), Some(place), original);
        let removed = stage::now(file).and_then(|inode| stage::discard(place, inode));
        for p in [Some(place), original].into_iter().flatten() {
            let _ = fsync(&p.dir);
        }
        report.isolated = Some(manifest.id);
        if let Err(e) = removed {
            let left = match place.try_clone() {
                Ok(left) => left,
                Err(e) => return Carried::Later(e.to_string()),
            };
            return self.in_place(
                report,
                &manifest,
                left,
                &format!("the staged name cannot be removed: {e}"),
                shown,
            );
        }
        self.all_names(report, &manifest, names.left(file), original, shown)
    }

    /// Isolated, if no name is left, nor an image layer that still holds the content.
    fn all_names(
        &self,
        report: &mut Report,
        manifest: &Manifest,
        left: u64,
        original: Option<&Place>,
        shown: &str,
    ) -> Carried {
        let held = original.and_then(layers::Behind::of).map(|b| b.held(manifest.sha256, manifest.size));
        let held = held.unwrap_or_default();
        if held.is_empty() && left == 0 {
            return self.isolated(report, manifest, Outcome::Done, shown);
        }
        let why = if held.is_empty() {
            self.config.deny.deny(&manifest.file_ref());
            format!("{left} names are not movable; execution stays denied")
        } else {
            layers::said(&held)
        };
        layers::refs(&held).for_each(|layer| self.config.deny.deny(&layer));
        let _ = self.vault.update(manifest.id, |m| m.around.layers = held);
        let (why, left) = self.leave_in_place(report, manifest.clone(), None, why, shown);
        Carried::Closed(why, left)
    }

    fn isolated(&self, report: &mut Report, manifest: &Manifest, outcome: Outcome, shown: &str) -> Carried {
        if !self.vault.has_manifest(manifest.id) {
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
        let folder = original.as_ref().and_then(|p| p.try_clone().ok());
        let same = match original.map(|p| found::at(p, manifest)) {
            Some(Err(why)) => return Carried::Later(found::later(&why)),
            looked => looked.and_then(Result::unwrap_or_default).filter(|f| f.sha256 == manifest.sha256),
        };
        let Some(Found { place, file, .. }) = same else {
            return self.other_names(report, manifest, folder, shown);
        };
        // The name could not be moved then; try again, it is the same file.
        let staging = self.staging.of(&place.dir);
        let name = stage::staged_name(manifest.id);
        match stage::stage(&place, staging.as_ref(), &name, &file, metadata::flags(&place.dir)) {
            Ok(staged) => self.complete(report, manifest, &file, &staged, Some(&place), shown),
            Err(kept) => {
                self.config.deny.deny(&manifest.file_ref());
                let (why, left) = self.leave_in_place(report, manifest.clone(), None, kept.reason(), shown);
                Carried::Closed(why, left)
            }
        }
    }

    /// Sealed, and its first name gone: further names may not have been taken yet.
    fn other_names(&self, report: &mut Report, m: &Manifest, folder: Option<Place>, shown: &str) -> Carried {
        let dev = folder.as_ref().and_then(|p| fstat(&p.dir).ok()).map(|s| s.st_dev);
        let (Some(folder), Some(dev)) = (folder, dev) else {
            return self.isolated(report, m, Outcome::Done, shown);
        };
        // After a reboot the device may have another number.
        let m = &Manifest { dev, ..m.clone() };
        let file = if m.nlink > 1 { self.any_name(m, &folder) } else { None };
        let left = file.map_or(0, |file| {
            let inode = Inode { dev, ino: m.ino };
            self.take_links(report.journal, m, (&file, inode), None, Some(&folder)).left(&file)
        });
        self.all_names(report, m, left, Some(&folder), shown)
    }

    /// The inode under whatever name it still has.
    fn any_name(&self, m: &Manifest, folder: &Place) -> Option<OwnedFd> {
        let inode = Inode { dev: m.dev, ino: m.ino };
        let until = Instant::now() + self.config.link_search;
        let near = links::in_folder(&folder.dir, &folder.dir_path, inode);
        let mount = if near.is_empty() { filesystem::mount_of(&folder.dir) } else { None };
        let roots = mount.map(|m| m.point.as_os_str().as_bytes().to_vec());
        let far = roots.map(|r| links::below(&r, inode, 1, until)).unwrap_or_default();
        near.into_iter().chain(far).find_map(|p| {
            let found = found::at(p, m).ok()??;
            (found.sha256 == m.sha256).then_some(found.file)
        })
    }

    fn nothing_staged(
        &self,
        report: &mut Report,
        intent: &IsolateIntent,
        original: Option<Place>,
        shown: &str,
    ) -> Carried {
        let m = &intent.manifest;
        match original.map(|p| found::at(p, m)) {
            Some(Err(why)) => return Carried::Later(found::later(&why)),
            Some(Ok(Some(f))) => {
                relock(&f.file, m);
                return Carried::Back("interrupted before the file was moved; it is where it was".to_owned());
            }
            _ => {}
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
        let (m, why) = match open::file(&place.dir, &place.name) {
            Ok(file) => self.hide_names(report.journal, m.clone(), &file, &place, None, why),
            Err(_) => (m.clone(), why.to_owned()),
        };
        let (why, left) = self.leave_in_place(report, m, Some(place), why, shown);
        Carried::Closed(why, left)
    }

    fn relock_parent(&self, intent: &IsolateIntent, original: Option<&Place>) {
        if let (Some(flags), Some(p)) = (intent.parent_flags, original)
            && metadata::locks(Some(flags))
        {
            let _ = metadata::set_flags(&p.dir, flags);
        }
    }
}

/// A control group that was written down.
pub(crate) fn group_of(dir: &RawPath) -> Cgroup {
    Cgroup::at(std::ffi::OsStr::from_bytes(&dir.0).into())
}

enum Carried {
    /// Done; with the reason and the staged name that remains.
    Closed(String, Option<Place>),
    /// The file is where it was.
    Back(String),
    /// Not possible now.
    Later(String),
}

pub(crate) fn same_process(held: &HeldProcess) -> Option<(ProcessHandle, ProcessRef)> {
    if held.boot_id.0 != procfs::boot_id() {
        return None;
    }
    let handle = ProcessHandle::open(held.pid).ok()?;
    let process = handle.process();
    (process.start_time == held.start_time).then_some((handle, process))
}

/// The manifest with the further names that were moved: it may not have been written any more.
fn with_links(intent: &IsolateIntent, progress: &[Progress]) -> Manifest {
    let mut manifest = intent.manifest.clone();
    for p in progress {
        if let Progress::Link { path, .. } = p
            && *path != manifest.path
            && !manifest.links.contains(path)
        {
            manifest.links.push(path.clone());
        }
    }
    manifest
}

fn relock(file: &OwnedFd, manifest: &Manifest) {
    if metadata::locks(manifest.flags) {
        let _ = metadata::set_flags(file, manifest.flags.unwrap_or(0));
    }
}
