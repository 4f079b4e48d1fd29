// SPDX-License-Identifier: Apache-2.0
//! Everything about an inode that can be recorded and put back.

use crate::open::Inode;
use lazaret_model::Outcome;
use lazaret_vault::{RawBytes, RawPath, Stamp, Xattr};
use rustix::fs::{
    AtFlags, IFlags, Stat, StatxFlags, fgetxattr, fgetxattr_query, flistxattr, flistxattr_query, fstat,
    ioctl_getflags, ioctl_setflags, statx,
};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;

/// Flags that root may set with `FS_IOC_SETFLAGS` and that mean something for a single file; the
/// rest (extents, encryption, verity) belongs to the filesystem. Source: `linux/fs.h`,
/// `FS_FL_USER_MODIFIABLE`.
const SETTABLE: u32 = 0x0000_0001 // secure deletion
    | 0x0000_0002 // undelete
    | 0x0000_0004 // compress
    | 0x0000_0008 // synchronous
    | 0x0000_0010 // immutable
    | 0x0000_0020 // append only
    | 0x0000_0040 // no dump
    | 0x0000_0080 // no access time
    | 0x0000_0400 // no compression
    | 0x0000_4000 // data journalling
    | 0x0000_8000 // no tail merging
    | 0x0080_0000; // no copy on write

/// The flags that count only when they are set before there is content.
const EARLY: u32 = 0x4 | 0x400 | 0x0080_0000;

/// The flags that refuse a rename.
const LOCKING: u32 = 0x10 | 0x20;

/// What is recorded of an inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    pub(crate) inode: Inode,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// `st_mode`.
    pub mode: u32,
    /// Names.
    pub nlink: u64,
    /// Bytes.
    pub size: u64,
    /// Access time.
    pub atime: Stamp,
    /// Modification time.
    pub mtime: Stamp,
    /// Change time.
    pub ctime: Stamp,
    /// Birth time, where the filesystem has it.
    pub btime: Option<Stamp>,
    /// Sorted by name; empty when together they are over [`MAX_XATTRS`] bytes.
    pub xattrs: Vec<Xattr>,
    /// Inode flags, where the filesystem has them.
    pub flags: Option<u32>,
    /// Attributes that could not be recorded, for people. Then the inode itself has to be kept.
    pub unread: Vec<String>,
}

/// Bytes of names and values of all extended attributes together that are recorded. Far more than
/// any program sets; a filesystem may hold hundreds of MiB of them.
pub const MAX_XATTRS: usize = 1 << 20;

fn stamp(sec: i64, nsec: u64) -> Stamp {
    Stamp { sec, nsec: u32::try_from(nsec).unwrap_or(0) }
}

/// Records everything about the inode behind a readable descriptor.
///
/// # Errors
/// When the descriptor cannot be asked at all. Single attributes that cannot be read, tried twice, are
/// named in `unread` instead.
pub fn capture(file: impl AsFd) -> io::Result<Metadata> {
    let first = ask(&file)?;
    if first.unread.is_empty() { Ok(first) } else { ask(&file) }
}

fn ask(file: impl AsFd) -> io::Result<Metadata> {
    let s: Stat = fstat(&file)?;
    let mut unread = Vec::new();
    let xattrs = xattrs(&file, &mut unread);
    let flags = match ioctl_getflags(&file) {
        Ok(f) => Some(f.bits()),
        // Filesystems without flags.
        Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => None,
        Err(e) => {
            unread.push(format!("inode flags cannot be read: {e}"));
            None
        }
    };
    let born = statx(&file, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME).ok();
    let born = born.filter(|b| b.stx_mask & StatxFlags::BTIME.bits() != 0).map(|b| b.stx_btime);
    Ok(Metadata {
        inode: Inode::from(&s),
        uid: s.st_uid,
        gid: s.st_gid,
        mode: s.st_mode,
        nlink: s.st_nlink,
        size: u64::try_from(s.st_size).unwrap_or(0),
        atime: stamp(s.st_atime, s.st_atime_nsec),
        mtime: stamp(s.st_mtime, s.st_mtime_nsec),
        ctime: stamp(s.st_ctime, s.st_ctime_nsec),
        btime: born.map(|b| Stamp { sec: b.tv_sec, nsec: b.tv_nsec }),
        xattrs,
        flags,
        unread,
    })
}

fn xattrs(file: &impl AsFd, unread: &mut Vec<String>) -> Vec<Xattr> {
    let names = match read_growing(|| flistxattr_query(file), |b| flistxattr(file, b)) {
        Ok(n) => n,
        Err(Errno::OPNOTSUPP) => return Vec::new(),
        Err(e) => {
            unread.push(format!("extended attributes cannot be listed: {e}"));
            return Vec::new();
        }
    };
    let mut out = Vec::new();
    let mut size = 0;
    for name in names.split(|b| *b == 0).filter(|n| !n.is_empty()) {
        match read_growing(|| fgetxattr_query(file, name), |b| fgetxattr(file, name, b)) {
            Ok(value) => {
                size += name.len() + value.len();
                if size > MAX_XATTRS {
                    unread.push(format!("its extended attributes have more than {MAX_XATTRS} bytes"));
                    return Vec::new();
                }
                out.push(Xattr { name: RawPath(name.to_vec()), value: RawBytes(value) });
            }
            // Removed meanwhile.
            Err(Errno::NODATA) => {}
            Err(e) => unread.push(format!("{}: {e}", String::from_utf8_lossy(name))),
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// Asks for the size, then reads; again when it grew in between.
fn read_growing(
    size: impl Fn() -> Result<usize, Errno>,
    read: impl Fn(&mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    for _ in 0..8 {
        let mut buffer = vec![0; size()?];
        if buffer.is_empty() {
            return Ok(buffer);
        }
        match read(&mut buffer) {
            Ok(n) => {
                buffer.truncate(n);
                return Ok(buffer);
            }
            Err(Errno::RANGE) => {}
            Err(e) => return Err(e),
        }
    }
    Err(Errno::RANGE)
}

/// Inode flags, where the filesystem has them.
pub(crate) fn flags(file: impl AsFd) -> Option<u32> {
    ioctl_getflags(file).ok().map(|f| f.bits())
}

/// Whether these flags refuse a rename.
pub(crate) const fn locks(flags: Option<u32>) -> bool {
    matches!(flags, Some(f) if f & LOCKING != 0)
}

/// Takes immutable and append-only off.
pub(crate) fn unlock(file: impl AsFd, flags: u32) -> Result<(), Errno> {
    ioctl_setflags(file, IFlags::from_bits_retain(flags & !LOCKING))
}

/// Sets the settable flags as recorded, leaving those of the filesystem as they are.
pub(crate) fn set_flags(file: impl AsFd, recorded: u32) -> Result<(), Errno> {
    let Some(now) = flags(&file) else {
        return if recorded & SETTABLE == 0 { Ok(()) } else { Err(Errno::OPNOTSUPP) };
    };
    let wanted = (now & !SETTABLE) | (recorded & SETTABLE);
    if wanted == now { Ok(()) } else { ioctl_setflags(file, IFlags::from_bits_retain(wanted)) }
}

/// Sets those of the recorded flags that must be there before the content. What the filesystem
/// refuses shows on the receipt.
pub(crate) fn set_early_flags(file: impl AsFd, recorded: Option<u32>) {
    let (Some(now), Some(recorded)) = (flags(&file), recorded) else { return };
    let wanted = (now & !EARLY) | (recorded & EARLY);
    if wanted != now {
        let _ = ioctl_setflags(file, IFlags::from_bits_retain(wanted));
    }
}

/// The part of the flags that a restore can give back.
pub(crate) const fn settable(flags: Option<u32>) -> u32 {
    match flags {
        Some(f) => f & SETTABLE,
        None => 0,
    }
}

/// For people.
pub(crate) fn failed(what: &str, e: impl std::fmt::Display) -> Outcome {
    Outcome::Failed(format!("{what}: {e}"))
}
