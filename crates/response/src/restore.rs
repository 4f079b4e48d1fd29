// SPDX-License-Identifier: Apache-2.0
//! Putting a file back: complete and verified before it has a name, never over anything.

use crate::config::Step;
use crate::journal::{Body, Intent, RestoreIntent};
use crate::metadata;
use crate::open::{self, Inode};
use crate::plan::{Receipt, Report};
use crate::responder::Responder;
use crate::stage::Place;
use crate::{names, parents, receipt};
use lazaret_model::{Action, AlarmId, IsolatedId, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::{Extent, Manifest, RawPath};
use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, Uid, XattrFlags, fchmod,
    fchown, fremovexattr, fsetxattr, fstat, fsync, futimens, linkat, openat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Why a restore did not happen.
pub(crate) enum NotRestored {
    /// Nothing was tried: the object is as it was.
    Refused(String),
    /// It was tried.
    Failed(String),
    /// The inode itself is back under its name; not all that follows worked.
    Unsettled(String),
}

/// Key of the turn for work on one object.
pub(crate) fn object_key(id: IsolatedId) -> (u64, u64) {
    let (high, low) = id.0.as_u64_pair();
    (high, low)
}

impl Responder {
    pub(crate) fn restore(
        &self,
        alarm: Option<AlarmId>,
        who: &str,
        id: IsolatedId,
        to: Option<&Path>,
        parents: bool,
    ) -> Report {
        let mut report = Report::new(JournalId::new());
        report.isolated = Some(id);
        let _turn = self.turns.take(object_key(id));
        let manifest = match self.vault.manifest(id) {
            Ok(m) => m,
            Err(e) => {
                report.record(Action::Restore, Outcome::Failed(e.to_string()), id.to_string());
                return report;
            }
        };
        report.status = Some(manifest.status);
        let path = to.map_or_else(|| manifest.path.0.clone(), |p| p.as_os_str().as_bytes().to_vec());
        let shown = String::from_utf8_lossy(&path).into_owned();
        let mounted = if to.is_none() { is_mounted(&manifest) } else { Ok(()) };
        let recorded = if to.is_none() { manifest.around.folders.as_slice() } else { &[] };
        let missing = match parents.then(|| open::split(&path)).flatten() {
            Some((folder, _)) => parents::missing(folder, recorded).unwrap_or_default(),
            None => Vec::new(),
        };
        let checked = mounted.and_then(|()| self.check(&manifest, &path, !missing.is_empty()));
        let place = match checked {
            Ok(p) => p,
            Err(why) => {
                report.record(Action::Restore, Outcome::Refused(why), shown);
                return report;
            }
        };
        let folders = parents::paths(&missing);
        let intent = RestoreIntent { id, to: RawPath(path.clone()), folders, who: who.to_owned(), alarm };
        let intent = Body::Intent(Intent::Restore(intent));
        if let Err(e) = self.journal.append(report.journal, intent, true) {
            let why = format!("the journal cannot be written: {e}");
            report.record(Action::Restore, Outcome::Refused(why), shown);
            return report;
        }
        self.step(Step::RestoreIntentWritten);
        let _ = self.vault.set_status(id, IsolatedStatus::Restoring, "");
        let denied = self.denied_of(&manifest);
        let place = match place {
            Some(place) => Ok(Some(place)),
            None => parents::make(&missing).and_then(|()| self.check(&manifest, &path, false)),
        };
        let done = match place {
            Ok(Some(place)) => self.give(&manifest, &place),
            Ok(None) => Err(NotRestored::Failed("its folder is gone again".to_owned())),
            Err(why) => Err(NotRestored::Failed(why)),
        };
        let done = match done {
            Ok(mut receipt) => {
                receipt.lines.extend(parents::lines(&missing));
                Ok(receipt)
            }
            Err(why) => {
                parents::remove(&parents::paths(&missing));
                Err(why)
            }
        };
        self.conclude(&mut report, &manifest, done, &shown, false);
        if report.status == Some(IsolatedStatus::Restored) {
            self.release_all(&denied);
        }
        report
    }

    fn give(&self, manifest: &Manifest, place: &Place) -> Result<Receipt, NotRestored> {
        let in_place = manifest.status == IsolatedStatus::IsolatedInPlace
            && (!self.vault.has_content(manifest.id) || is_it(place, manifest));
        if in_place { self.move_back(manifest, place) } else { self.put_back(manifest, place) }
    }

    /// Everything that can be known before anything is touched. `None` where folders are missing and
    /// `make` says that they will be made.
    fn check(&self, manifest: &Manifest, path: &[u8], make: bool) -> Result<Option<Place>, String> {
        let id = manifest.id;
        match manifest.status {
            IsolatedStatus::Restored => return Err(format!("{id} was restored already")),
            IsolatedStatus::Deleted => return Err(format!("{id} was deleted")),
            IsolatedStatus::IsolatedInPlace if !self.vault.has_content(id) => {}
            _ if !self.vault.has_content(id) => {
                return Err(format!("the vault does not hold the content of {id}"));
            }
            _ => {}
        }
        let text = |p: &[u8]| String::from_utf8_lossy(p).into_owned();
        let Some((folder, name)) = open::split(path) else {
            return Err(format!(
                "\"{}\" is not an absolute path of a file; name another one (--to)",
                text(path)
            ));
        };
        let dir = open::folder(folder);
        if make && dir.as_ref().err() == Some(&Errno::NOENT) {
            return Ok(None);
        }
        let dir = dir.map_err(|e| match e {
            Errno::NOENT => {
                format!(
                    "the folder {} does not exist any more; have it made again (--parents) or name another \
                     path (--to)",
                    text(folder)
                )
            }
            Errno::LOOP | Errno::NOTDIR => format!(
                "{} leads through a symbolic link, which is never followed; name the path it leads to (--to)",
                text(folder)
            ),
            e => format!("the folder {} cannot be opened: {e}; name another path (--to)", text(folder)),
        })?;
        let place = Place { dir, dir_path: folder.to_vec(), name: name.to_vec() };
        let own = manifest.staged.is_none() && manifest.status == IsolatedStatus::IsolatedInPlace;
        match open::look(&place.dir, &place.name) {
            Ok(None) => Ok(Some(place)),
            // Denied in place only: it is still there, and is what is to be let go.
            Ok(Some(_)) if own && is_it(&place, manifest) => Ok(Some(place)),
            Ok(Some(_)) => Err(occupied(path)),
            Err(e) => Err(format!("{} cannot be looked at: {e}", text(path))),
        }
    }

    /// From the vault: a file without a name gets everything, then the name.
    fn put_back(&self, manifest: &Manifest, place: &Place) -> Result<Receipt, NotRestored> {
        let failed = |what: &str, e: &dyn std::fmt::Display| NotRestored::Failed(format!("{what}: {e}"));
        let (file, temp) =
            nameless(place, manifest.id).map_err(|e| failed("no file can be made there", &e))?;
        let result = (|| {
            metadata::set_early_flags(&file, manifest.flags);
            // Before the content: a filesystem that expects a growing file to go on growing allocates
            // ahead, where holes are to be.
            file.set_len(manifest.size).map_err(|e| failed("the size", &e))?;
            let mut out = SparseWriter { file: &file, extents: &manifest.extents, at: 0, refused: None };
            let taken = self.vault.take(manifest.id, &mut out);
            if let Some(e) = out.refused {
                return Err(failed("the content cannot be written there", &e));
            }
            taken.map_err(|e| failed("the content", &e))?;
            apply(&file, manifest).map_err(|e| failed("owner and mode", &e))?;
            file.sync_all().map_err(|e| failed("syncing", &e))?;
            self.step(Step::RestoreContentWritten);
            name(&file, temp.as_deref(), place).map_err(|e| match e {
                Errno::EXIST => NotRestored::Refused(occupied(&place.path())),
                e => failed("giving it its name", &e),
            })
        })();
        if let Some(temp) = temp {
            let _ = unlinkat(&place.dir, temp.as_slice(), AtFlags::empty());
        }
        result?;
        self.step(Step::RestoreLinked);
        let file: OwnedFd = file.into();
        self.settle(manifest, place, &file).map_err(|e| take_back(manifest, place, &file, e))
    }

    /// After it has its name: further names, locking flags, durability, comparison. Replay does
    /// this again for a file that was named before a crash.
    pub(crate) fn settle(
        &self,
        manifest: &Manifest,
        place: &Place,
        file: &OwnedFd,
    ) -> Result<Receipt, NotRestored> {
        let links: Vec<receipt::LinkBack> =
            manifest.links.iter().map(|l| (l.clone(), link_back(file, place, &l.0))).collect();
        self.step(Step::RestoreLinksMade);
        // Now, since making names changes nothing of it: and flags last, since they lock.
        let _ = set_times(file, manifest);
        if let Some(flags) = manifest.flags {
            let _ = metadata::set_flags(file, flags);
        }
        self.step(Step::RestoreFlagsSet);
        let failed = |what: &str, e: Errno| NotRestored::Failed(format!("{what}: {e}"));
        fsync(file).map_err(|e| failed("syncing the file", e))?;
        fsync(&place.dir).map_err(|e| failed("syncing its folder", e))?;
        self.step(Step::RestoreSynced);
        let receipt = receipt::compare(manifest, place, file, &links).map_err(NotRestored::Failed)?;
        self.step(Step::RestoreCompared);
        Ok(receipt)
    }

    /// Journal, manifest, vault, in this order: the object stays until everything else is durable.
    pub(crate) fn conclude(
        &self,
        report: &mut Report,
        manifest: &Manifest,
        done: Result<Receipt, NotRestored>,
        shown: &str,
        replayed: bool,
    ) {
        let id = manifest.id;
        let was = match manifest.status {
            IsolatedStatus::Restoring | IsolatedStatus::RestoreFailed => IsolatedStatus::Isolated,
            s => s,
        };
        let (status, outcome) = match done {
            Ok(receipt) => {
                let missing: Vec<&str> = receipt.differences().map(|l| l.attribute.as_str()).collect();
                let outcome = if missing.is_empty() {
                    Outcome::Done
                } else {
                    Outcome::Partial(format!("the content is back; not as it was: {}", missing.join(", ")))
                };
                report.receipt = Some(receipt);
                (IsolatedStatus::Restored, outcome)
            }
            Err(NotRestored::Unsettled(why)) => {
                let why = format!("the file is back where it was, but {why}");
                (IsolatedStatus::Restored, Outcome::Partial(why))
            }
            Err(NotRestored::Refused(why)) => (was, Outcome::Refused(why)),
            Err(NotRestored::Failed(why)) if self.vault.has_content(id) => {
                (IsolatedStatus::RestoreFailed, Outcome::Failed(why))
            }
            Err(NotRestored::Failed(why)) => (was, Outcome::Failed(why)),
        };
        let reason = if status == was && !manifest.reason.is_empty() {
            manifest.reason.clone()
        } else {
            outcome.reason().to_owned()
        };
        report.status = Some(status);
        report.record(Action::Restore, outcome, shown);
        if status == IsolatedStatus::Restored {
            self.release_all(&self.denied_of(manifest));
        }
        self.close(report, &reason, None, replayed);
        self.step(Step::RestoreOutcomeWritten);
        let _ = self.vault.set_status(id, status, &reason);
        if status == IsolatedStatus::Restored {
            self.discard_staged(manifest);
            let _ = self.vault.purge(id);
            self.step(Step::RestorePurged);
        }
    }
}

/// Whether what has the name is what was isolated in place: the inode, or after a reboot, or where a
/// server numbers its files, the content.
pub(crate) fn is_it(place: &Place, manifest: &Manifest) -> bool {
    let Ok(Some(s)) = open::look(&place.dir, &place.name) else { return false };
    if Inode::from(&s) == (Inode { dev: manifest.dev, ino: manifest.ino }) {
        return true;
    }
    let regular = FileType::from_raw_mode(s.st_mode) == FileType::RegularFile;
    let file = || open::file(&place.dir, &place.name).ok();
    regular
        && u64::try_from(s.st_size) == Ok(manifest.size)
        && file().and_then(|f| receipt::digest(f.as_fd()).ok()).is_some_and(|d| d.0 == manifest.sha256)
}

/// A mount point without its mount is another filesystem: nothing is restored there by accident.
fn is_mounted(manifest: &Manifest) -> Result<(), String> {
    let Some(point) = &manifest.around.mount else { return Ok(()) };
    let table = lazaret_sys::mounts::mounts().map_err(|e| format!("the mount table cannot be read: {e}"))?;
    if table.iter().any(|m| m.point.as_os_str().as_bytes() == point.0) {
        return Ok(());
    }
    Err(format!(
        "its filesystem ({}) was mounted at {} and is not mounted now; mount it or name another path (--to)",
        manifest.around.filesystem,
        point.lossy()
    ))
}

/// Removes the names that were just made, as far as they still are this inode: what is not verified does
/// not stay, the vault still holds it. Gives the reason back, with what could not be removed.
pub(crate) fn take_back(manifest: &Manifest, place: &Place, file: &OwnedFd, e: NotRestored) -> NotRestored {
    let NotRestored::Failed(why) = e else { return e };
    let Ok(inode) = fstat(file).map(|s| Inode::from(&s)) else {
        return NotRestored::Failed(format!("{why}; and {} cannot be taken away", lossy(place)));
    };
    if let Some(flags) = metadata::flags(file) {
        let _ = metadata::unlock(file, flags);
    }
    for other in manifest.links.iter().filter_map(|l| names::place(&l.0)) {
        let _ = (other.is(inode)).then(|| unlinkat(&other.dir, other.name.as_slice(), AtFlags::empty()));
    }
    if place.is(inode) {
        let _ = unlinkat(&place.dir, place.name.as_slice(), AtFlags::empty());
    }
    let _ = fsync(&place.dir);
    if fstat(file).is_ok_and(|s| s.st_nlink == 0) {
        return NotRestored::Failed(why);
    }
    // Somebody moved or linked it meanwhile: it is a copy that we made, and it becomes an empty one.
    let emptied = File::options()
        .write(true)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .and_then(|f| f.set_len(0).and_then(|()| f.sync_all()));
    NotRestored::Failed(match emptied {
        Ok(()) => format!("{why}; a name that could not be taken away leads to an empty file now"),
        Err(e) => format!("{why}; and {} could not be taken away again: {e}", lossy(place)),
    })
}

fn lossy(place: &Place) -> String {
    String::from_utf8_lossy(&place.path()).into_owned()
}

fn occupied(path: &[u8]) -> String {
    format!(
        "{} exists and is never overwritten; move it away or name another path (--to)",
        String::from_utf8_lossy(path)
    )
}

/// The name of a half-written file where the filesystem cannot make nameless ones.
pub(crate) fn temp_name(id: IsolatedId) -> Vec<u8> {
    format!(".lazaret-restore-{id}").into_bytes()
}

fn nameless(place: &Place, id: IsolatedId) -> Result<(File, Option<Vec<u8>>), Errno> {
    let mode = Mode::RUSR | Mode::WUSR;
    match openat(&place.dir, c".", OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, mode) {
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {
            let temp = temp_name(id);
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok((openat(&place.dir, temp.as_slice(), flags, mode)?.into(), Some(temp)))
        }
        opened => Ok((opened?.into(), None)),
    }
}

/// Gives the file its name; `EEXIST` when it is taken, whatever by.
fn name(file: &File, temp: Option<&[u8]>, place: &Place) -> Result<(), Errno> {
    let linked = link_fd(file.as_raw_fd(), &place.dir, &place.name);
    match (linked, temp) {
        // A filesystem without hard links.
        (Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOENT), Some(temp)) => {
            renameat_with(&place.dir, temp, &place.dir, place.name.as_slice(), RenameFlags::NOREPLACE)
        }
        (linked, _) => linked,
    }
}

fn link_fd(fd: i32, dir: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    linkat(CWD, format!("/proc/self/fd/{fd}"), dir, name, AtFlags::SYMLINK_FOLLOW)
}

/// One of the further names; an existing name of this very inode is as good.
fn link_back(file: &OwnedFd, place: &Place, path: &[u8]) -> Result<(), String> {
    let other = names::place(path).ok_or("its folder is gone or leads through a link")?;
    let inode = fstat(file).map(|s| Inode::from(&s)).map_err(|e| e.to_string())?;
    if other.is(inode) {
        return Ok(());
    }
    linkat(&place.dir, place.name.as_slice(), &other.dir, other.name.as_slice(), AtFlags::empty())
        .map_err(|e| if e == Errno::EXIST { "the name is taken".to_owned() } else { e.to_string() })?;
    if !other.is(inode) {
        // The first name was exchanged at that moment: what was linked is not ours to spread.
        let _ = unlinkat(&other.dir, other.name.as_slice(), AtFlags::empty());
        return Err("the restored file was moved meanwhile".to_owned());
    }
    let _ = fsync(&other.dir);
    Ok(())
}

/// Owner, attributes, mode, times; in the order in which none undoes another. What a filesystem
/// refuses shows on the receipt.
pub(crate) fn apply(file: &File, manifest: &Manifest) -> Result<(), Errno> {
    fchown(file, Some(Uid::from_raw(manifest.uid)), Some(Gid::from_raw(manifest.gid)))?;
    if let Ok(now) = metadata::capture(file) {
        // Inherited from the folder (a default ACL); labels of a security module cannot be absent.
        for x in now.xattrs {
            if !manifest.xattrs.iter().any(|m| m.name == x.name) && x.name.0 != b"security.selinux" {
                let _ = fremovexattr(file, x.name.0.as_slice());
            }
        }
    }
    for x in &manifest.xattrs {
        let _ = fsetxattr(file, x.name.0.as_slice(), &x.value.0, XattrFlags::empty());
    }
    fchmod(file, Mode::from_raw_mode(manifest.mode & 0o7777))?;
    set_times(file, manifest)
}

fn set_times(file: impl AsFd, manifest: &Manifest) -> Result<(), Errno> {
    let at =
        |t: lazaret_vault::Stamp| Timespec { tv_sec: t.sec, tv_nsec: i64::from(t.nsec.min(999_999_999)) };
    futimens(file, &Timestamps { last_access: at(manifest.atime), last_modification: at(manifest.mtime) })
}

/// Writes data where data was and leaves holes where holes were.
struct SparseWriter<'a> {
    file: &'a File,
    extents: &'a [Extent],
    at: u64,
    /// What the filesystem said.
    refused: Option<io::Error>,
}

impl SparseWriter<'_> {
    fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all_at(piece, self.at).map_err(|e| {
            let kind = e.kind();
            self.refused = Some(e);
            kind.into()
        })
    }
}

impl Write for SparseWriter<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let len = buf.len() as u64;
        if len == 0 {
            return Ok(0);
        }
        // The first extent that ends behind where we are.
        let next = self.extents.partition_point(|e| e.offset.saturating_add(e.len) <= self.at);
        let n = match self.extents.get(next) {
            Some(e) if e.offset <= self.at => {
                let n = len.min(e.offset.saturating_add(e.len) - self.at);
                let piece = buf.get(..usize::try_from(n).unwrap_or(buf.len())).unwrap_or(buf);
                self.put(piece)?;
                n
            }
            next => {
                let n = next.map_or(len, |e| len.min(e.offset - self.at));
                let piece = buf.get(..usize::try_from(n).unwrap_or(buf.len())).unwrap_or(buf);
                // The map only saves space: where it is wrong, the bytes are right all the same.
                if piece.iter().any(|b| *b != 0) {
                    self.put(piece)?;
                }
                n
            }
        };
        self.at += n;
        Ok(usize::try_from(n).unwrap_or(buf.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
