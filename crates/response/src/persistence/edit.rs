// SPDX-License-Identifier: Apache-2.0
//! One change to one name, with how it looks before and after.

use super::{NotChanged, place, rewrite};
use crate::metadata::{self, Metadata};
use crate::open;
use crate::responder::Responder;
use crate::stage::Place;
use lazaret_model::JournalId;
use lazaret_vault::{RawBytes, RawPath, Stamp, Xattr};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, chownat, fchmod, fchown, fsync,
    mkdirat, openat, readlinkat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Larger files are not changed, bytes.
pub(crate) const MAX_FILE: u64 = 1 << 20;

/// A regular file with everything that is put back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileImage {
    /// All of it.
    pub content: RawBytes,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// `st_mode`.
    pub mode: u32,
    /// Access time.
    pub atime: Stamp,
    /// Modification time.
    pub mtime: Stamp,
    /// All that were readable.
    #[serde(default)]
    pub xattrs: Vec<Xattr>,
    /// Inode flags, where the filesystem has them.
    #[serde(default)]
    pub flags: Option<u32>,
    /// Inode flags of its folder.
    #[serde(default)]
    pub folder_flags: Option<u32>,
    /// Device, a record.
    pub dev: u64,
    /// Inode number, a record.
    pub ino: u64,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkImage {
    /// Where it leads.
    pub target: RawPath,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Access time; absent: whatever the system makes it.
    #[serde(default)]
    pub atime: Option<Stamp>,
    /// Modification time.
    #[serde(default)]
    pub mtime: Option<Stamp>,
}

/// One change. Paths are absolute below the root folder of the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// A file gets other content.
    Rewrite {
        /// Which.
        path: RawPath,
        /// As it was.
        before: FileImage,
        /// The new content.
        after: RawBytes,
        /// Access and modification time of the new content; absent: now.
        #[serde(default)]
        times: Option<(Stamp, Stamp)>,
    },
    /// A file gets another mode.
    SetMode {
        /// Which.
        path: RawPath,
        /// Its inode.
        ino: u64,
        /// Permission bits before.
        before: u32,
        /// And after.
        after: u32,
        /// Inode flags, which may be lifted for it.
        #[serde(default)]
        flags: Option<u32>,
    },
    /// A symbolic link goes.
    RemoveLink {
        /// Which.
        path: RawPath,
        /// What it was.
        link: LinkImage,
    },
    /// A symbolic link comes.
    MakeLink {
        /// Which.
        path: RawPath,
        /// What it is to be.
        link: LinkImage,
    },
    /// A folder comes.
    MakeFolder {
        /// Which.
        path: RawPath,
        /// Owner and group.
        owner: (u32, u32),
    },
    /// A folder goes, if it is empty.
    RemoveFolder {
        /// Which.
        path: RawPath,
    },
    /// A file comes, mode 0644.
    MakeFile {
        /// Which.
        path: RawPath,
        /// All of it.
        content: RawBytes,
        /// Owner and group.
        owner: (u32, u32),
    },
    /// A file goes.
    RemoveFile {
        /// Which.
        path: RawPath,
        /// All of it.
        content: RawBytes,
    },
}

/// Where a change stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Before,
    After,
    /// Neither; for people.
    Other(String),
}

pub(crate) fn spec(t: Stamp) -> Timespec {
    Timespec { tv_sec: t.sec, tv_nsec: i64::from(t.nsec.min(999_999_999)) }
}

/// A regular file, its metadata and content; `None` when there is none.
pub(crate) fn read(place: &Place) -> Result<Option<(File, Metadata, Vec<u8>)>, String> {
    let shown = String::from_utf8_lossy(&place.path()).into_owned();
    match open::look(&place.dir, &place.name).map_err(|e| format!("{shown}: {e}"))? {
        None => return Ok(None),
        Some(s) if FileType::from_raw_mode(s.st_mode) != FileType::RegularFile => {
            return Err(format!("{shown} is no regular file any more"));
        }
        Some(_) => {}
    }
    let file = match open::file(&place.dir, &place.name) {
        Err(Errno::NOENT) => return Ok(None),
        opened => File::from(opened.map_err(|e| format!("{shown} cannot be opened: {e}"))?),
    };
    let meta = metadata::capture(&file).map_err(|e| format!("{shown} cannot be asked: {e}"))?;
    if FileType::from_raw_mode(meta.mode) != FileType::RegularFile {
        return Err(format!("{shown} is no regular file any more"));
    }
    let mut content = Vec::new();
    (&file).take(MAX_FILE + 1).read_to_end(&mut content).map_err(|e| format!("{shown}: {e}"))?;
    if content.len() as u64 > MAX_FILE {
        return Err(format!("{shown} is longer than {MAX_FILE} bytes"));
    }
    Ok(Some((file, meta, content)))
}

/// The link that a name is; `None` when there is nothing or something else.
pub(crate) fn read_link(place: &Place) -> Option<LinkImage> {
    let s = open::look(&place.dir, &place.name).ok()??;
    if FileType::from_raw_mode(s.st_mode) != FileType::Symlink {
        return None;
    }
    let target = readlinkat(&place.dir, place.name.as_slice(), Vec::new()).ok()?.into_bytes();
    let stamp = |sec, nsec: u64| Some(Stamp { sec, nsec: u32::try_from(nsec).unwrap_or(0) });
    Some(LinkImage {
        target: RawPath(target),
        uid: s.st_uid,
        gid: s.st_gid,
        atime: stamp(s.st_atime, s.st_atime_nsec),
        mtime: stamp(s.st_mtime, s.st_mtime_nsec),
    })
}

impl Edit {
    /// What it is about.
    #[must_use]
    pub fn path(&self) -> &RawPath {
        match self {
            Self::Rewrite { path, .. }
            | Self::SetMode { path, .. }
            | Self::RemoveLink { path, .. }
            | Self::MakeLink { path, .. }
            | Self::MakeFolder { path, .. }
            | Self::RemoveFolder { path }
            | Self::MakeFile { path, .. }
            | Self::RemoveFile { path, .. } => path,
        }
    }

    /// How the host looks now.
    pub(crate) fn standing(&self, root: &Path) -> Standing {
        let shown = self.path().lossy();
        let other = |what: &str| Standing::Other(format!("{shown} {what}"));
        let place = match place(root, self.path()) {
            Ok(place) => place,
            // What was made in a folder that was made as well is gone with it.
            Err(_) if matches!(self, Self::RemoveFile { .. } | Self::RemoveFolder { .. }) => {
                return Standing::After;
            }
            Err(_) if matches!(self, Self::MakeFile { .. } | Self::MakeFolder { .. }) => {
                return Standing::Before;
            }
            Err(e) => return Standing::Other(e),
        };
        let seen = match open::look(&place.dir, &place.name) {
            Ok(seen) => seen,
            Err(e) => return other(&format!("cannot be looked at: {e}")),
        };
        match self {
            Self::Rewrite { before, after, .. } => match read(&place) {
                Ok(Some((_, _, content))) if content == after.0 => Standing::After,
                Ok(Some((_, _, content))) if content == before.content.0 => Standing::Before,
                Ok(Some(_)) => other("was changed meanwhile"),
                Ok(None) => other("is gone"),
                Err(e) => Standing::Other(e),
            },
            Self::SetMode { ino, before, after, .. } => match seen {
                Some(s) if s.st_ino != *ino => other("is another file by now"),
                Some(s) if s.st_mode & 0o7777 == *after => Standing::After,
                Some(s) if s.st_mode & 0o7777 == *before => Standing::Before,
                Some(_) => other("has another mode by now"),
                None => other("is gone"),
            },
            Self::RemoveLink { link, .. } => match (seen, read_link(&place)) {
                (None, _) => Standing::After,
                (_, Some(now)) if now.target == link.target => Standing::Before,
                _ => other("is something else by now"),
            },
            Self::MakeLink { link, .. } => match (seen, read_link(&place)) {
                (None, _) => Standing::Before,
                (_, Some(now)) if now.target == link.target => Standing::After,
                _ => other("is taken by something else"),
            },
            Self::MakeFolder { .. } => folder_standing(seen, Standing::Before, Standing::After, other),
            Self::RemoveFolder { .. } => folder_standing(seen, Standing::After, Standing::Before, other),
            Self::MakeFile { content, .. } => match read(&place) {
                Ok(None) => Standing::Before,
                Ok(Some((_, _, now))) if now == content.0 => Standing::After,
                Ok(Some(_)) => other("is taken by something else"),
                Err(e) => Standing::Other(e),
            },
            Self::RemoveFile { content, .. } => match read(&place) {
                Ok(None) => Standing::After,
                Ok(Some((_, _, now))) if now == content.0 => Standing::Before,
                Ok(Some(_)) => other("was changed meanwhile"),
                Err(e) => Standing::Other(e),
            },
        }
    }
}

fn folder_standing(
    seen: Option<Stat>,
    absent: Standing,
    there: Standing,
    other: impl Fn(&str) -> Standing,
) -> Standing {
    match seen {
        None => absent,
        Some(s) if FileType::from_raw_mode(s.st_mode) == FileType::Directory => there,
        Some(_) => other("is no folder"),
    }
}

impl Responder {
    /// Makes one change; done already is done.
    pub(crate) fn apply(&self, root: &Path, edit: &Edit, id: JournalId) -> Result<(), NotChanged> {
        match edit.standing(root) {
            Standing::Before => {}
            Standing::After => {
                if let Edit::Rewrite { .. } = edit {
                    rewrite::settle(root, edit, id);
                }
                return Ok(());
            }
            Standing::Other(why) => {
                rewrite::relock_folder(root, edit);
                return Err(NotChanged::Refused(why));
            }
        }
        let shown = edit.path().lossy();
        let failed = |e: Errno| NotChanged::Failed(format!("{shown}: {e}"));
        let place = place(root, edit.path()).map_err(NotChanged::Refused)?;
        let name = place.name.as_slice();
        match edit {
            Edit::Rewrite { before, after, times, .. } => {
                self.rewrite(&place, before, &after.0, *times, id)?;
            }
            Edit::SetMode { ino, after, flags, .. } => {
                set_mode(&place, *ino, *after, *flags).map_err(failed)?
            }
            Edit::RemoveLink { .. } | Edit::RemoveFile { .. } => {
                unlinkat(&place.dir, name, AtFlags::empty()).map_err(failed)?;
            }
            Edit::MakeLink { link, .. } => make_link(&place, link).map_err(failed)?,
            Edit::MakeFolder { owner, .. } => {
                mkdirat(&place.dir, name, Mode::from_raw_mode(0o755)).map_err(failed)?;
                own(&place, FileType::Directory, *owner).map_err(failed)?;
            }
            Edit::RemoveFolder { .. } => match unlinkat(&place.dir, name, AtFlags::REMOVEDIR) {
                // Somebody put something there: it stays.
                Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(e) => return Err(failed(e)),
            },
            Edit::MakeFile { content, owner, .. } => make_file(&place, &content.0, *owner)
                .map_err(|e| NotChanged::Failed(format!("{shown}: {e}")))?,
        }
        fsync(&place.dir).map_err(failed)
    }
}

fn set_mode(place: &Place, ino: u64, mode: u32, flags: Option<u32>) -> Result<(), Errno> {
    let file = open::file(&place.dir, &place.name)?;
    if rustix::fs::fstat(&file)?.st_ino != ino {
        return Err(Errno::STALE);
    }
    let locked = metadata::locks(flags);
    if locked {
        metadata::unlock(&file, flags.unwrap_or(0))?;
    }
    let set = fchmod(&file, Mode::from_raw_mode(mode)).and_then(|()| fsync(&file));
    if locked {
        let _ = metadata::set_flags(&file, flags.unwrap_or(0));
    }
    set
}

/// Never over anything: `EEXIST` where the name is taken.
fn make_link(place: &Place, link: &LinkImage) -> Result<(), Errno> {
    symlinkat(link.target.0.as_slice(), &place.dir, place.name.as_slice())?;
    let made = own(place, FileType::Symlink, (link.uid, link.gid))?;
    let (Some(atime), Some(mtime)) = (link.atime, link.mtime) else { return Ok(()) };
    let times = Timestamps { last_access: spec(atime), last_modification: spec(mtime) };
    utimensat(&made, c"", &times, AtFlags::EMPTY_PATH)
}

/// Gives what was just made to its owner. By descriptor and only if it is what was made: in a
/// user's folder its name may be exchanged for a link to somebody else's file at any moment.
fn own(place: &Place, kind: FileType, (uid, gid): (u32, u32)) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(&place.dir, place.name.as_slice(), flags, Mode::empty())?;
    let s = rustix::fs::fstat(&made)?;
    if FileType::from_raw_mode(s.st_mode) != kind || s.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Errno::STALE);
    }
    let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    chownat(&made, c"", uid, gid, AtFlags::EMPTY_PATH)?;
    Ok(made)
}

fn make_file(place: &Place, content: &[u8], (uid, gid): (u32, u32)) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&place.dir, place.name.as_slice(), flags, Mode::from_raw_mode(0o600))?);
    file.write_all(content)?;
    fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    fchmod(&file, Mode::from_raw_mode(0o644))?;
    file.sync_all()
}
