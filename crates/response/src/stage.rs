// SPDX-License-Identifier: Apache-2.0
//! Moving a name out of everybody's reach, on the same filesystem, and back.

use crate::filesystem::{self, Kind, mount_id, mount_of};
use crate::metadata;
use crate::open::{self, Inode};
use lazaret_model::IsolatedId;
use lazaret_sys::mounts;
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, Stat, fstat, mkdirat, openat, readlinkat, renameat_with,
    unlinkat,
};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

/// The root-only folder at the root of a mount.
pub(crate) const FOLDER: &[u8] = b".lazaret-staging";

/// Begins the first of an object's names.
const FIRST: &str = ".lazaret-";

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

    /// The same place once more.
    pub(crate) fn try_clone(&self) -> std::io::Result<Self> {
        let dir = self.dir.try_clone()?;
        Ok(Self { dir, dir_path: self.dir_path.clone(), name: self.name.clone() })
    }

    pub(crate) fn exists(&self) -> bool {
        !matches!(open::look(&self.dir, &self.name), Ok(None))
    }

    pub(crate) fn is(&self, inode: Inode) -> bool {
        open::is(&self.dir, &self.name, inode)
    }
}

/// A mount's or a subvolume's staging folder.
pub(crate) struct Staging {
    pub(crate) dir: OwnedFd,
    pub(crate) path: Vec<u8>,
    /// At the root of a mount, where [`existing`] finds it again.
    pub(crate) at_mount: bool,
}

impl Staging {
    /// A name in it.
    pub(crate) fn place(&self, name: &[u8]) -> std::io::Result<Place> {
        let dir = self.dir.try_clone()?;
        Ok(Place { dir, dir_path: self.path.clone(), name: name.to_vec() })
    }
}

/// What the first of an object's names is called when it is staged.
pub(crate) fn staged_name(id: IsolatedId) -> Vec<u8> {
    format!("{FIRST}{id}").into_bytes()
}

/// The object of a first name.
pub(crate) fn id_of(staged: &[u8]) -> Option<IsolatedId> {
    std::str::from_utf8(staged).ok()?.strip_prefix(FIRST)?.parse().ok()
}

/// Knows where the mounts' staging folders are. Keeps paths only: a kept descriptor would make a
/// filesystem impossible to unmount.
#[derive(Default)]
pub(crate) struct StagingFolders {
    points: Mutex<HashMap<u64, Vec<u8>>>,
}

impl StagingFolders {
    /// The staging folder of the mount that `dir` is on, or of its subvolume, made if need be. `None`
    /// where there cannot be one: read-only, somebody else's folder of that name.
    pub(crate) fn of(&self, dir: &OwnedFd) -> Option<Staging> {
        let mount = mount_id(dir)?;
        let dev = fstat(dir).ok()?.st_dev;
        let known = self.points.lock().unwrap_or_else(PoisonError::into_inner).get(&mount).cloned();
        if let Some(found) = known.and_then(|p| staging_at(&p, mount, dev)) {
            return Some(found);
        }
        let point = mount_of(dir)?.point.as_os_str().as_bytes().to_vec();
        let Some(found) = staging_at(&point, mount, dev) else {
            return subvolume(dir, mount, dev).and_then(|top| {
                let staging = staging_at(&top, mount, dev)?;
                Some(Staging { at_mount: false, ..staging })
            });
        };
        let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        // Mount ids are reused: an unbounded map would only grow.
        if points.len() >= 1024 {
            points.clear();
        }
        points.insert(mount, point);
        Some(found)
    }
}

/// The topmost folder above `dir` with the same device number on the same mount: the root of a btrfs
/// subvolume that lies below the mount point.
pub(crate) fn subvolume(dir: &OwnedFd, mount: u64, dev: u64) -> Option<Vec<u8>> {
    if filesystem::kind(dir) != Kind::Btrfs {
        return None;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut top = openat(dir, c".", flags, Mode::empty()).ok()?;
    // A path has at most so many components.
    for _ in 0..2048 {
        let up = openat(&top, c"..", flags, Mode::empty()).ok()?;
        let (here, above) = (fstat(&top).ok()?, fstat(&up).ok()?);
        let ends = above.st_dev != dev || mount_id(&up) != Some(mount);
        if ends || Inode::from(&here) == Inode::from(&above) {
            let path = readlinkat(CWD, format!("/proc/self/fd/{}", top.as_raw_fd()), Vec::new()).ok()?;
            return Some(path.into_bytes());
        }
        top = up;
    }
    None
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
        let path = open::join(point, FOLDER);
        seen.insert((inode.dev, inode.ino)).then(|| Staging { dir, path, at_mount: true })
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
    // Nothing is made where it could not be used: the root of another subvolume.
    if mount_id(&root) != Some(mount) || !fstat(&root).is_ok_and(|s| s.st_dev == dev) {
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
    let path = open::join(point, FOLDER);
    (is_ours(&s) && s.st_dev == dev).then(|| Staging { dir, path, at_mount: true })
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

/// The inode behind a descriptor, as it is numbered now: an overlay numbers a file of a lower layer
/// anew when a move copies it.
pub(crate) fn now(file: impl AsFd) -> Result<Inode, Errno> {
    fstat(file).map(|s| Inode::from(&s))
}

/// Moves a name to `staged_name` in the staging folder, or beside itself where the mount has none,
/// and makes sure that it was the inode behind `file` that went.
pub(crate) fn stage(
    place: &Place,
    staging: Option<&Staging>,
    staged_name: &[u8],
    file: &OwnedFd,
    parent_flags: Option<u32>,
) -> Result<Place, Kept> {
    if !place.is(now(file).map_err(Kept::Error)?) {
        return Err(Kept::NotThere);
    }
    let unlocked = metadata::locks(parent_flags)
        && parent_flags.is_some_and(|f| metadata::unlock(&place.dir, f).is_ok());
    // Nothing may fail between the move and knowing where it went: the descriptor is copied first.
    let moved = staging
        .ok_or(Errno::XDEV)
        .and_then(|s| {
            let to = s.place(staged_name).map_err(|_| Errno::MFILE)?;
            renameat_with(&place.dir, place.name.as_slice(), &to.dir, staged_name, RenameFlags::NOREPLACE)?;
            Ok(to)
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
    if now(file).is_ok_and(|inode| staged.is(inode)) {
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
