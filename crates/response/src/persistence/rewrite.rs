// SPDX-License-Identifier: Apache-2.0
//! A file gets other content in one step: the new file is complete before the two names are
//! exchanged, and what was exchanged is looked at again.

use super::edit::{Edit, FileImage, read, spec};
use super::{NotChanged, place};
use crate::config::Step;
use crate::metadata;
use crate::open::{self, Inode};
use crate::responder::Responder;
use crate::stage::Place;
use lazaret_model::JournalId;
use lazaret_vault::Stamp;
use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, RenameFlags, Timestamps, Uid, XattrFlags, fchmod, fchown, fremovexattr,
    fsetxattr, fsync, futimens, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Where the new file is made. cron reads no name with a dot in front.
fn temp_name(id: JournalId) -> Vec<u8> {
    format!(".lazaret-{id}").into_bytes()
}

impl Responder {
    pub(super) fn rewrite(
        &self,
        place: &Place,
        before: &FileImage,
        after: &[u8],
        times: Option<(Stamp, Stamp)>,
        id: JournalId,
    ) -> Result<(), NotChanged> {
        let shown = String::from_utf8_lossy(&place.path()).into_owned();
        let temp = temp_name(id);
        let remove_temp = || unlinkat(&place.dir, temp.as_slice(), AtFlags::empty());
        // Half of one, left by a crash.
        let _ = remove_temp();
        let unlocked = metadata::locks(before.folder_flags)
            && metadata::unlock(&place.dir, before.folder_flags.unwrap_or(0)).is_ok();
        let done = self.exchange(place, before, after, times, &temp, &shown);
        if done.is_err() {
            let _ = remove_temp();
        }
        if unlocked {
            let _ = metadata::set_flags(&place.dir, before.folder_flags.unwrap_or(0));
        }
        let _ = fsync(&place.dir);
        done
    }

    fn exchange(
        &self,
        place: &Place,
        before: &FileImage,
        after: &[u8],
        times: Option<(Stamp, Stamp)>,
        temp: &[u8],
        shown: &str,
    ) -> Result<(), NotChanged> {
        let failed = |e: &dyn std::fmt::Display| NotChanged::Failed(format!("{shown}: {e}"));
        let changed = || NotChanged::Refused(format!("{shown} was changed meanwhile: look at it again"));
        let Some((old, meta, content)) = read(place).map_err(NotChanged::Refused)? else {
            return Err(NotChanged::Refused(format!("{shown} is gone")));
        };
        if content != before.content.0 {
            return Err(changed());
        }
        if meta.nlink > 1 {
            return Err(NotChanged::Refused(format!("{shown} has {} names: change it yourself", meta.nlink)));
        }
        let new = make(place, temp, before, after, times).map_err(|e| failed(&e))?;
        self.step(Step::EditWritten);
        if metadata::locks(before.flags) {
            // When this fails the exchange does too, and says why.
            let _ = metadata::unlock(&old, before.flags.unwrap_or(0));
        }
        let swapped = swap(place, temp, meta.inode);
        self.step(Step::EditSwapped);
        let relock = |file: &File| {
            if let Some(flags) = before.flags {
                let _ = metadata::set_flags(file, flags);
            }
        };
        if let Err(e) = swapped {
            relock(&old);
            return Err(failed(&e));
        }
        // Whoever edited the file at that moment wrote to what now has the other name, or gave the
        // name to a file of his own.
        let beside = Place {
            dir: place.dir.try_clone().map_err(|e| failed(&e))?,
            dir_path: place.dir_path.clone(),
            name: temp.to_vec(),
        };
        let same = match open::look(&beside.dir, &beside.name) {
            // Replaced without exchange: it was compared right before.
            Ok(None) => true,
            _ => matches!(read(&beside), Ok(Some((_, m, now))) if m.inode == meta.inode && now == content),
        };
        if !same {
            let flags = RenameFlags::EXCHANGE;
            let back = renameat_with(&place.dir, temp, &place.dir, place.name.as_slice(), flags);
            relock(&old);
            return Err(back.map_or_else(|e| failed(&e), |()| changed()));
        }
        let _ = unlinkat(&place.dir, temp, AtFlags::empty());
        relock(&new);
        Ok(())
    }
}

/// Exchanges the two names; where the filesystem cannot, the new one replaces the old one right
/// after a last look.
fn swap(place: &Place, temp: &[u8], inode: Inode) -> Result<(), Errno> {
    match renameat_with(&place.dir, temp, &place.dir, place.name.as_slice(), RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS) if place.is(inode) => {
            renameat(&place.dir, temp, &place.dir, place.name.as_slice())
        }
        swapped => swapped,
    }
}

/// The new file, complete but for its locking flags.
fn make(
    place: &Place,
    temp: &[u8],
    like: &FileImage,
    content: &[u8],
    times: Option<(Stamp, Stamp)>,
) -> std::io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&place.dir, temp, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(content)?;
    fchown(&file, Some(Uid::from_raw(like.uid)), Some(Gid::from_raw(like.gid)))?;
    if let Ok(now) = metadata::capture(&file) {
        for x in now.xattrs {
            if !like.xattrs.iter().any(|l| l.name == x.name) && x.name.0 != b"security.selinux" {
                let _ = fremovexattr(&file, x.name.0.as_slice());
            }
        }
    }
    for x in &like.xattrs {
        fsetxattr(&file, x.name.0.as_slice(), &x.value.0, XattrFlags::empty())?;
    }
    fchmod(&file, Mode::from_raw_mode(like.mode & 0o7777))?;
    if let Some((atime, mtime)) = times {
        futimens(&file, &Timestamps { last_access: spec(atime), last_modification: spec(mtime) })?;
    }
    file.sync_all()?;
    Ok(file)
}

/// After a crash between the exchange and its end: the other name goes, flags come back.
pub(super) fn settle(root: &Path, edit: &Edit, id: JournalId) {
    let Edit::Rewrite { path, before, .. } = edit else { return };
    let Ok(place) = place(root, path) else { return };
    let _ = unlinkat(&place.dir, temp_name(id).as_slice(), AtFlags::empty());
    if let (Some(flags), Ok(file)) = (before.flags, open::file(&place.dir, &place.name)) {
        let _ = metadata::set_flags(&file, flags);
    }
    relock_folder(root, edit);
    let _ = fsync(&place.dir);
}

/// After a crash while the folder was unlocked.
pub(super) fn relock_folder(root: &Path, edit: &Edit) {
    let Edit::Rewrite { path, before, .. } = edit else { return };
    if let (Some(flags), Ok(place)) = (before.folder_flags, place(root, path))
        && metadata::locks(Some(flags))
    {
        let _ = metadata::set_flags(&place.dir, flags);
    }
}
