// SPDX-License-Identifier: Apache-2.0
//! The inode that is looked for, as it shows itself through links of /proc.
//!
//! A link of /proc is judged by `statx` through it, never by its text. That decides on every
//! filesystem but overlayfs: the event on a layer's file names the layer's device and inode number,
//! while a process in the container shows the overlay's. There the change times of the real inode
//! show through, and the kernel's file handle of an overlay inode contains that of the layer's.

use crate::mounts::OVERLAY;
use lazaret_model::FileRef;
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, fgetxattr, fstatfs, makedev, statx};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// Size of the buffer of a file handle, `MAX_HANDLE_SZ` of `linux/exportfs.h`.
const MAX_HANDLE: usize = 128;

/// `AT_HANDLE_FID` (Linux 6.5): a handle that need not be openable.
const AT_HANDLE_FID: libc::c_int = 0x200;

/// `OVL_FILEID_V1` of `fs/overlayfs/overlayfs.h`, and what stands before its `struct ovl_fb`.
const OVERLAY_HANDLE: i32 = 0xf8;
const OVERLAY_PADDING: usize = 3;

/// `struct ovl_fb`: version, magic, length, flags, type, UUID of the layer's filesystem, handle.
const FB_MAGIC: u8 = 0xfb;
const FB_HEAD: usize = 21;

/// ext2/3/4, xfs, tmpfs (memfd too), btrfs, f2fs: `maps` shows the inode number that `stat` does.
const NUMBERS_AGREE: [rustix::fs::FsWord; 5] = [0xef53, 0x5846_5342, 0x0102_1994, 0x9123_683e, 0xf2f5_2010];

const ASKED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME);

/// A filesystem's own name for an inode: type and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Handle(i32, Vec<u8>);

/// What the real inode shows through an overlay. Change time and birth time are set by no
/// interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shine {
    size: u64,
    times: [(i64, u32); 3],
    mode: u16,
    owner: (u32, u32),
}

impl Shine {
    fn of(s: &Statx) -> Self {
        let at = |t: rustix::fs::StatxTimestamp| (t.tv_sec, t.tv_nsec);
        Self {
            size: s.stx_size,
            times: [at(s.stx_mtime), at(s.stx_ctime), at(s.stx_btime)],
            mode: s.stx_mode,
            owner: (s.stx_uid, s.stx_gid),
        }
    }
}

#[derive(Debug, Clone)]
struct Layered {
    /// To ask again: who races us may touch the file.
    file: Arc<OwnedFd>,
    size: u64,
    /// Its own, and where it was copied up from. Empty where the kernel (before 6.6) tells none.
    handles: Vec<Handle>,
}

/// A file that is looked for.
#[derive(Debug, Clone)]
pub struct Sought {
    dev: u64,
    ino: u64,
    on_overlay: bool,
    numbers_agree: bool,
    layered: Option<Layered>,
}

impl From<&FileRef> for Sought {
    /// By device and inode number alone: what the layers of an overlay hide is not found.
    fn from(file: &FileRef) -> Self {
        Self { dev: file.dev, ino: file.ino, on_overlay: false, numbers_agree: false, layered: None }
    }
}

impl Sought {
    /// By the open file itself, through overlays too. Only as exact as [`From`] where the
    /// descriptor cannot be asked.
    #[must_use]
    pub fn open(file: BorrowedFd<'_>, identity: &FileRef) -> Self {
        let kind = fstatfs(file).map_or(0, |f| f.f_type);
        let path = own(file.as_raw_fd());
        let layered = ask(&path).ok().zip(file.try_clone_to_owned().ok()).map(|(s, own)| {
            let mut handles: Vec<Handle> = handle(&path).into_iter().collect();
            let mut origin = [0; MAX_HANDLE];
            if !handles.is_empty()
                && let Ok(n) = fgetxattr(file, "trusted.overlay.origin", &mut origin[..])
            {
                handles.extend(origin.get(..n).and_then(inner));
            }
            Layered { file: Arc::new(own), size: s.stx_size, handles }
        });
        Self {
            dev: identity.dev,
            ino: identity.ino,
            on_overlay: kind == OVERLAY,
            numbers_agree: NUMBERS_AGREE.contains(&kind),
            layered,
        }
    }

    /// Whether a link of /proc leads to it. What the kernel remembers is enough: a filesystem whose
    /// server does not answer must not hold us up.
    #[must_use]
    pub fn is(&self, link: &str) -> bool {
        let Ok(s) = ask(link) else { return false };
        let dev = makedev(s.stx_dev_major, s.stx_dev_minor);
        if dev == self.dev {
            return s.stx_ino == self.ino;
        }
        let Some(layered) = &self.layered else { return false };
        if s.stx_size != layered.size || !(self.on_overlay || is_overlay(link)) {
            return false;
        }
        if layered.handles.is_empty() {
            // The high bits may number the layer (xino).
            return s.stx_ino & 0xffff_ffff == self.ino & 0xffff_ffff && layered.shines_through(link);
        }
        handle(link).is_some_and(|h| layered.handles.contains(&h)) && layered.shines_through(link)
    }

    /// Whether an inode number that `maps` shows can be this file. Device numbers there mean
    /// nothing (btrfs subvolumes, overlays), so the caller says whether it is an overlay's.
    #[must_use]
    pub(super) const fn may_be(&self, shown: u64, overlay: bool) -> bool {
        overlay || !self.numbers_agree || shown == self.ino
    }
}

impl Layered {
    /// A file that was copied up keeps the lower one's handle, but not its times.
    fn shines_through(&self, link: &str) -> bool {
        let same = || {
            let (Ok(a), Ok(b)) = (ask(link), ask(&own(self.file.as_raw_fd()))) else { return false };
            Shine::of(&a) == Shine::of(&b)
        };
        // Again: it may just have been renamed, which changes its times.
        (0..3).any(|_| same())
    }
}

fn own(fd: i32) -> String {
    format!("/proc/self/fd/{fd}")
}

fn ask(link: &str) -> Result<Statx, Errno> {
    statx(CWD, link, AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT, ASKED)
}

/// Whether what a link leads to lies on overlayfs.
pub(super) fn is_overlay(link: &str) -> bool {
    rustix::fs::statfs(link).is_ok_and(|f| f.f_type == OVERLAY)
}

/// The handle of the real inode behind a link.
fn handle(link: &str) -> Option<Handle> {
    #[repr(C)]
    struct Raw {
        bytes: u32,
        kind: i32,
        data: [u8; MAX_HANDLE],
    }
    let path = CString::new(link).ok()?;
    let mut raw = Raw { bytes: MAX_HANDLE as u32, kind: 0, data: [0; MAX_HANDLE] };
    let mut mount = 0;
    let flags = libc::AT_SYMLINK_FOLLOW | AT_HANDLE_FID;
    // SAFETY: `Raw` has the layout of `struct file_handle` with room for `bytes` bytes behind it, the
    // path ends with a NUL, and all three live for the length of the call.
    let r = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            path.as_ptr(),
            &raw mut raw,
            &raw mut mount,
            flags,
        )
    };
    if r != 0 {
        return None;
    }
    let data = raw.data.get(..usize::try_from(raw.bytes).ok()?)?;
    if raw.kind == OVERLAY_HANDLE {
        return inner(data.get(OVERLAY_PADDING..)?);
    }
    Some(Handle(raw.kind, data.to_vec()))
}

/// The layer's handle out of a `struct ovl_fb`.
fn inner(fb: &[u8]) -> Option<Handle> {
    let len = usize::from(*fb.get(2)?);
    if *fb.get(1)? != FB_MAGIC {
        return None;
    }
    Some(Handle(i32::from(*fb.get(4)?), fb.get(FB_HEAD..len)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_overlay_handle() {
        let mut fb = vec![0, FB_MAGIC, 33, 0, 1];
        fb.extend([7; 16]);
        fb.extend([9; 12]);
        fb.extend([0; 3]);
        assert_eq!(inner(&fb), Some(Handle(1, vec![9; 12])));
        assert_eq!(inner(&fb[..30]), None);
        assert_eq!(inner(&[]), None);
        fb[2] = 3;
        assert_eq!(inner(&fb), None);
    }

    #[test]
    fn numbers_rule_out_only_where_they_agree() {
        let file = FileRef { dev: 1, ino: 2, ctime: lazaret_model::FileTime::default(), size: 0 };
        let by_number = Sought::from(&file);
        assert!(by_number.may_be(3, false));
        let exact = Sought { numbers_agree: true, ..by_number };
        assert!(exact.may_be(2, false) && !exact.may_be(3, false) && exact.may_be(3, true));
    }
}
