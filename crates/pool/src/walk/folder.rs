// SPDX-License-Identifier: Apache-2.0
//! Folders under way: kept open while their subfolders wait, as far as descriptors go.

use super::entry::append;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Folders kept open at once by a walk, beside one or two for each thread. Beyond that a folder is
/// opened again, step by step from the nearest one that is open.
const MAX_OPEN: usize = 192;

/// Flags of every folder's open.
pub(super) fn flags(noatime: bool) -> OFlags {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if noatime { flags | OFlags::NOATIME } else { flags }
}

/// Opens a folder in a folder.
pub(super) fn open_in(parent: impl AsFd, name: &CStr, noatime: bool) -> rustix::io::Result<OwnedFd> {
    match openat(&parent, name, flags(noatime), Mode::empty()) {
        Err(rustix::io::Errno::PERM) if noatime => openat(parent, name, flags(false), Mode::empty()),
        other => other,
    }
}

/// A folder whose subfolders wait.
pub(super) struct Folder {
    parent: Option<Arc<Folder>>,
    /// As named, for a root; else its last part.
    name: CString,
    fd: Option<OwnedFd>,
    pub(super) depth: usize,
    /// Of the path that was named.
    pub(super) root_dev: u64,
    pub(super) dev: u64,
    pub(super) local: bool,
    open: Arc<AtomicUsize>,
}

impl Folder {
    /// Also gives the descriptor back when it is not kept.
    pub(super) fn new(
        parent: Option<Arc<Self>>,
        name: CString,
        fd: OwnedFd,
        dev: u64,
        local: bool,
        open: Arc<AtomicUsize>,
    ) -> (Self, Option<OwnedFd>) {
        let depth = parent.as_ref().map_or(0, |p| p.depth + 1);
        let root_dev = parent.as_ref().map_or(dev, |p| p.root_dev);
        // A root stays open, so that there is always one to begin from.
        let keep = parent.is_none() || open.load(Ordering::Relaxed) < MAX_OPEN;
        if keep {
            open.fetch_add(1, Ordering::Relaxed);
        }
        let (fd, rest) = if keep { (Some(fd), None) } else { (None, Some(fd)) };
        (Self { parent, name, fd, depth, root_dev, dev, local, open }, rest)
    }

    /// The whole path, raw bytes.
    pub(super) fn path(&self) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = Some(self);
        while let Some(folder) = at {
            names.push(folder.name.as_c_str());
            at = folder.parent.as_deref();
        }
        let mut path = Vec::with_capacity(names.iter().map(|n| n.to_bytes().len() + 1).sum());
        for name in names.iter().rev() {
            append(&mut path, name);
        }
        path
    }

    /// Its descriptor, when it was kept.
    pub(super) fn fd(&self) -> Option<&OwnedFd> {
        self.fd.as_ref()
    }

    pub(super) fn parent(&self) -> Option<&Arc<Self>> {
        self.parent.as_ref()
    }

    pub(super) fn name(&self) -> &CStr {
        &self.name
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.fd.is_some() {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        // A long chain of last owners must not be dropped by recursion.
        let mut parent = self.parent.take();
        while let Some(folder) = parent.and_then(Arc::into_inner) {
            let mut folder = folder;
            parent = folder.parent.take();
        }
    }
}
