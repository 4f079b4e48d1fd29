// SPDX-License-Identifier: Apache-2.0
//! Finding the other names of an inode on its filesystem, bounded in time and entries.

use crate::open::{self, Inode};
use crate::stage::{FOLDER, Place};
use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, openat};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::Instant;

/// Entries looked at before giving up: a filesystem with more is searched in part and says so.
const MAX_ENTRIES: u64 = 5_000_000;

/// Searches one folder.
pub(crate) fn in_folder(dir: &OwnedFd, dir_path: &[u8], inode: Inode) -> Vec<Place> {
    let mut out = Vec::new();
    let Ok(listing) = Dir::read_from(dir) else { return out };
    for entry in listing.flatten() {
        if entry.ino() == inode.ino
            && open::is(dir, entry.file_name().to_bytes(), inode)
            && let Ok(dir) = dir.try_clone()
        {
            out.push(Place { dir, dir_path: dir_path.to_vec(), name: entry.file_name().to_bytes().to_vec() });
        }
    }
    out
}

/// Searches everything below `root` that is on the inode's filesystem, until `want` names are found
/// or `until` passes. Follows no link and leaves out the staging folder.
pub(crate) fn below(root: &[u8], inode: Inode, want: u64, until: Instant) -> Vec<Place> {
    let mut out = Vec::new();
    let mut left = MAX_ENTRIES;
    let mut folders = VecDeque::from([root.to_vec()]);
    while let Some(path) = folders.pop_front() {
        let Ok(dir) = open::folder(&path) else { continue };
        if !fstat(&dir).is_ok_and(|s| s.st_dev == inode.dev) {
            continue;
        }
        let Ok(listing) = Dir::read_from(&dir) else { continue };
        for entry in listing.flatten() {
            let name = entry.file_name().to_bytes();
            left = left.saturating_sub(1);
            if left == 0 || (left.is_multiple_of(256) && Instant::now() >= until) {
                return out;
            }
            if name == b"." || name == b".." || name == FOLDER {
                continue;
            }
            let kind = entry.file_type();
            if kind == FileType::Directory || (kind == FileType::Unknown && is_folder(&dir, name)) {
                folders.push_back(open::join(&path, name));
            } else if entry.ino() == inode.ino
                && open::is(&dir, name, inode)
                && let Ok(dir) = dir.try_clone()
            {
                out.push(Place { dir, dir_path: path.clone(), name: name.to_vec() });
                if out.len() as u64 >= want {
                    return out;
                }
            }
        }
    }
    out
}

fn is_folder(dir: &OwnedFd, name: &[u8]) -> bool {
    openat(dir, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .is_ok()
}
