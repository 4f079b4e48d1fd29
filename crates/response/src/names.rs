// SPDX-License-Identifier: Apache-2.0
//! From a descriptor to its name: labels are tried, the inode decides.

use crate::filesystem::{self, Kind};
use crate::open::{self, Inode};
use crate::stage::Place;
use lazaret_sys::mounts::{self, Mount};
use rustix::fs::{StatVfsMountFlags, fstat, fstatvfs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// More mounts of one filesystem than these are not tried.
const MAX_MOUNTS: usize = 256;

/// A name of the inode: the label if it still leads there, else what the kernel says about the
/// descriptor now, else the same below every mount of its filesystem (the descriptor of a container
/// names its path as the container sees it).
pub(crate) fn locate(file: &OwnedFd, inode: Inode, label: &[u8]) -> Option<Place> {
    at(label, inode).or_else(|| {
        let now = label_now(file);
        let other = now.as_deref().filter(|p| *p != label);
        other.and_then(|p| at(p, inode)).or_else(|| {
            let mounts = mounts_of(file, inode)?;
            [Some(label), other].into_iter().flatten().find_map(|path| {
                mounts
                    .iter()
                    .find_map(|m| at(&open::join(m.point.as_os_str().as_bytes(), inside(m, path)?), inode))
            })
        })
    })
}

/// A name, and the file behind it as the name's filesystem knows it.
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) file: OwnedFd,
    /// Its number before anything was done to it.
    pub(crate) inode: Inode,
}

/// A name of the inode that can be moved, as far as there is one.
pub(crate) fn find(file: &OwnedFd, inode: Inode, label: &[u8]) -> Option<Found> {
    let place = locate(file, inode, label)?;
    let read_only = fstatvfs(&place.dir).is_ok_and(|s| s.f_flag.contains(StatVfsMountFlags::RDONLY));
    let other = if read_only { writable(&place, inode) } else { None };
    Some(Found { place: other.unwrap_or(place), file: file.try_clone().ok()?, inode })
}

/// What the kernel says about the descriptor now.
pub(crate) fn label_now(file: &OwnedFd) -> Option<Vec<u8>> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    Some(link.into_os_string().into_vec())
}

/// A path of the filesystem as it is below a mount of one of its folders.
pub(crate) fn inside<'p>(mount: &Mount, path: &'p [u8]) -> Option<&'p [u8]> {
    let root = mount.root.as_os_str().as_bytes();
    let rest = if root == b"/" { path } else { path.strip_prefix(root)? };
    rest.strip_prefix(b"/").filter(|r| !r.is_empty())
}

/// Our mounts that may show the file: those of its device, or every overlay, whose files have device
/// numbers of their own.
fn mounts_of(file: &OwnedFd, inode: Inode) -> Option<Vec<Mount>> {
    let overlay = filesystem::kind(file) == Kind::Overlay;
    let fits = |m: &Mount| m.dev == inode.dev || (overlay && m.fs_type == "overlay");
    Some(mounts::mounts().ok()?.into_iter().filter(fits).take(MAX_MOUNTS).collect())
}

/// The same name through another mount of the filesystem that may be written, where the one at hand
/// is read-only.
fn writable(place: &Place, inode: Inode) -> Option<Place> {
    let here = filesystem::mount_of(&place.dir).filter(|m| m.read_only)?;
    let below = place.path();
    let below = below.strip_prefix(here.point.as_os_str().as_bytes())?;
    let path = open::join(here.root.as_os_str().as_bytes(), below.strip_prefix(b"/").unwrap_or(below));
    let all = mounts::mounts().ok()?;
    let others = all.iter().filter(|m| m.dev == here.dev && !m.read_only).take(MAX_MOUNTS);
    others
        .filter_map(|m| Some(open::join(m.point.as_os_str().as_bytes(), inside(m, &path)?)))
        .find_map(|p| at(&p, inode))
}

/// The place `path`, if it leads to the inode.
pub(crate) fn at(path: &[u8], inode: Inode) -> Option<Place> {
    let place = place(path)?;
    place.is(inode).then_some(place)
}

/// The place `path`, whatever is there.
pub(crate) fn place(path: &[u8]) -> Option<Place> {
    let (folder, name) = open::split(path)?;
    Some(Place { dir: open::folder(folder).ok()?, dir_path: folder.to_vec(), name: name.to_vec() })
}

/// Whether a file still has the name, as far as a descriptor can tell.
pub(crate) fn has_no_name(file: &OwnedFd) -> bool {
    fstat(file).is_ok_and(|s| s.st_nlink == 0)
}
