// SPDX-License-Identifier: Apache-2.0
//! From a descriptor to its name: labels are tried, the inode decides.

use crate::open::{self, Inode};
use crate::stage::Place;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

/// A name of the inode: the label if it still leads there, else what the kernel says about the
/// descriptor now.
pub(crate) fn locate(file: &OwnedFd, inode: Inode, label: &[u8]) -> Option<Place> {
    at(label, inode).or_else(|| {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        let path = link.into_os_string().into_vec();
        if path == label { None } else { at(&path, inode) }
    })
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
