// SPDX-License-Identifier: Apache-2.0
//! Moving a name out of everybody's reach, on the same filesystem, and back.

use crate::metadata;
use crate::open::{self, Inode};
use lazaret_sys::mounts;
use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, Stat, StatxFlags, fstat, mkdirat, openat, renameat_with, statx,
    unlinkat,
};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

/// The root-only folder at the root of a mount.
pub(crate) const FOLDER: &[u8] = b".lazaret-staging";

/// An opened folder and a name in it.
pub(crate) struct Place {
    pub(crate) dir: OwnedFd,
    pub(crate) dir_path: Vec<u8>,
    pub(crate) name: Vec<u8>,
}

impl Place {
    pub(crate) fn path(&self) -> Vec<u8> {
        open::join(&self.dir_path, &self.name)
    }

    pub(crate) fn exists(&self) -> bool {
        !matches!(open::look(&self.dir, &self.name), Ok(None))
    }

    pub(crate) fn is(&self, inode: Inode) -> bool {
        open::is(&self.dir, &self.name, inode)
    }
}

/// A mount's staging folder.
pub(crate) struct Staging {
    pub(crate) dir: OwnedFd,
    pub(crate) path: Vec<u8>,
}

/// Knows where the mounts' staging folders are. Keeps paths only: a kept descriptor would make a
/// filesystem impossible to unmount.
#[derive(Default)]
pub(crate) struct StagingFolders {
    points: Mutex<HashMap<u64, Vec<u8>>>,
}

impl StagingFolders {
    /// The staging folder of the mount that `dir` is on, made if need be. `None` where there cannot
    /// be one: read-only, another subvolume, somebody else's folder of that name.
    pub(crate) fn of(&self, dir: &OwnedFd) -> Option<Staging> {
        let mount = mount_id(dir)?;
        let dev = fstat(dir).ok()?.st_dev;
        let known = self.points.lock().unwrap_or_else(PoisonError::into_inner).get(&mount).cloned();
        if let Some(found) = known.and_then(|p| staging_at(&p, mount, dev)) {
            return Some(found);
        }
        let point = mounts::mounts().ok()?.into_iter().find(|m| m.id == mount)?.point;
        let point = point.as_os_str().as_bytes().to_vec();
        let found = staging_at(&point, mount, dev)?;
        let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        // Mount ids are reused: an unbounded map would only grow.
        if points.len() >= 1024 {
            points.clear();
        }
        points.insert(mount, point);
        Some(found)
    }
}

/// The mount point of the mount that `dir` is on.
pub(crate) fn mount_point(dir: &OwnedFd) -> Option<Vec<u8>> {
    let mount = mount_id(dir)?;
    let found = mounts::mounts().ok()?.into_iter().find(|m| m.id == mount)?;
    Some(found.point.as_os_str().as_bytes().to_vec())
}

fn mount_id(dir: impl AsFd) -> Option<u64> {
    let s = statx(dir, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    (s.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(s.stx_mnt_id)
}

/// The staging folders that exist on mounted filesystems of this host, each once.
pub(crate) fn existing() -> Vec<Staging> {
    let mut seen = HashSet::new();
    let local = |m: &mounts::Mount| m.kind() == mounts::Kind::Local;
    let points = mounts::mounts().unwrap_or_default().into_iter().filter(local);
    let folder = |m: mounts::Mount| {
        let point = m.point.as_os_str().as_bytes();
        let dir = open_staging(&open::folder(point).ok()?).ok()?;
        let inode = Inode::from(&fstat(&dir).ok().filter(is_ours)?);
        seen.insert((inode.dev, inode.ino)).then(|| Staging { dir, path: open::join(point, FOLDER) })
    };
    points.filter_map(folder).collect()
}

fn open_staging(root: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(root, FOLDER, flags, Mode::empty())
}

/// Somebody may have made a folder of this name before us to get at what is put there.
fn is_ours(s: &Stat) -> bool {
    s.st_uid == rustix::process::geteuid().as_raw() && s.st_mode & 0o077 == 0
}

fn staging_at(point: &[u8], mount: u64, dev: u64) -> Option<Staging> {
    let root = open::folder(point).ok()?;
    if mount_id(&root) != Some(mount) {
        return None;
    }
    let dir = match open_staging(&root) {
        Err(Errno::NOENT) => {
            match mkdirat(&root, FOLDER, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(_) => return None,
            }
            open_staging(&root).ok()?
        }
        opened => opened.ok()?,
    };
    let s = fstat(&dir).ok()?;
    (is_ours(&s) && s.st_dev == dev).then(|| Staging { dir, path: open::join(point, FOLDER) })
}

/// Why a name is still where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The name leads to nothing, or to another inode.
    NotThere,
    /// What was moved was another inode; it was put back.
    Swapped,
    /// The same, but its name was taken meanwhile: it lies beside it, see the text.
    SwappedAside,
    /// The system said no.
    Error(Errno),
}

impl Kept {
    pub(crate) fn reason(self) -> String {
        match self {
            Self::NotThere => "the name leads to another file by now".to_owned(),
            Self::Swapped => {
                "the name was given to another file at that moment; that one was put back".to_owned()
            }
            Self::SwappedAside => {
                "the name was given to another file at that moment, which was put back beside it \
                 as .lazaret-returned because its name was taken again"
                    .to_owned()
            }
            Self::Error(Errno::ROFS) => "the filesystem is mounted read-only".to_owned(),
            Self::Error(e) => format!("the name cannot be moved: {e}"),
        }
    }
}

/// Moves a name to `staged_name` in the staging folder, or beside itself where the mount has none,
/// and makes sure that it was the inode that went.
pub(crate) fn stage(
    place: &Place,
    staging: Option<&Staging>,
    staged_name: &[u8],
    inode: Inode,
    parent_flags: Option<u32>,
) -> Result<Place, Kept> {
    if !place.is(inode) {
        return Err(Kept::NotThere);
    }
    let unlocked = metadata::locks(parent_flags)
        && parent_flags.is_some_and(|f| metadata::unlock(&place.dir, f).is_ok());
    // Nothing may fail between the move and knowing where it went: the descriptor is copied first.
    let moved = staging
        .ok_or(Errno::XDEV)
        .and_then(|s| {
            let dir = s.dir.try_clone().map_err(|_| Errno::MFILE)?;
            renameat_with(&place.dir, place.name.as_slice(), &s.dir, staged_name, RenameFlags::NOREPLACE)?;
            Ok(Place { dir, dir_path: s.path.clone(), name: staged_name.to_vec() })
        })
        .or_else(|e| {
            if e != Errno::XDEV {
                return Err(e);
            }
            let dir = place.dir.try_clone().map_err(|_| Errno::MFILE)?;
            renameat_with(
                &place.dir,
                place.name.as_slice(),
                &place.dir,
                staged_name,
                RenameFlags::NOREPLACE,
            )?;
            Ok(Place { dir, dir_path: place.dir_path.clone(), name: staged_name.to_vec() })
        });
    if unlocked && let Some(f) = parent_flags {
        let _ = metadata::set_flags(&place.dir, f);
    }
    let staged = moved.map_err(|e| if e == Errno::NOENT { Kept::NotThere } else { Kept::Error(e) })?;
    if staged.is(inode) {
        return Ok(staged);
    }
    // Somebody exchanged the name between the look and the move.
    match unstage(&staged, place) {
        Ok(()) => Err(Kept::Swapped),
        Err(_) => {
            let mut aside = b".lazaret-returned-".to_vec();
            aside.extend_from_slice(staged_name);
            let beside = renameat_with(
                &staged.dir,
                staged.name.as_slice(),
                &place.dir,
                aside.as_slice(),
                RenameFlags::NOREPLACE,
            );
            Err(beside.map_or_else(Kept::Error, |()| Kept::SwappedAside))
        }
    }
}

/// Moves a staged name back; never over anything.
pub(crate) fn unstage(staged: &Place, place: &Place) -> Result<(), Errno> {
    renameat_with(
        &staged.dir,
        staged.name.as_slice(),
        &place.dir,
        place.name.as_slice(),
        RenameFlags::NOREPLACE,
    )
}

/// Removes a staged name, if it still is the inode.
pub(crate) fn discard(staged: &Place, inode: Inode) -> Result<(), Errno> {
    match open::look(&staged.dir, &staged.name)? {
        None => Ok(()),
        Some(s) if Inode::from(&s) == inode => {
            unlinkat(&staged.dir, staged.name.as_slice(), AtFlags::empty())
        }
        Some(_) => Err(Errno::STALE),
    }
}
