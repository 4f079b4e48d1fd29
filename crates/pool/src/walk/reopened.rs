// SPDX-License-Identifier: Apache-2.0
//! Opening a folder again that was not kept open, in a bounded number of steps.

use super::folder::{Folder, open_in};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use std::sync::Arc;

/// Every so many levels a folder on the way down stays open: no way down is longer.
const STEP: usize = 256;

/// Folders that one thread opened again.
#[derive(Default)]
pub(super) struct Reopened {
    /// The last: its subfolders' turn is next.
    last: Option<(Arc<Folder>, OwnedFd)>,
    /// By depth, one for each [`STEP`]: at most 16.
    marks: Vec<(Arc<Folder>, OwnedFd)>,
}

impl Reopened {
    /// Takes the descriptor of a folder that was just read and could not be kept.
    pub(super) fn put(&mut self, folder: &Arc<Folder>, fd: OwnedFd) {
        self.mark(folder, &fd);
        self.last = Some((Arc::clone(folder), fd));
    }

    /// The descriptor of a folder, opened again where that is needed.
    pub(super) fn open<'a>(
        &'a mut self,
        folder: &'a Arc<Folder>,
        noatime: bool,
    ) -> rustix::io::Result<&'a OwnedFd> {
        if let Some(fd) = folder.fd() {
            return Ok(fd);
        }
        if !self.last.as_ref().is_some_and(|(f, _)| Arc::ptr_eq(f, folder)) {
            let fd = self.way_down(folder, noatime)?;
            self.last = Some((Arc::clone(folder), fd));
        }
        self.last.as_ref().map(|(_, fd)| fd).ok_or(Errno::BADF)
    }

    fn way_down(&mut self, folder: &Arc<Folder>, noatime: bool) -> rustix::io::Result<OwnedFd> {
        let mut way = vec![Arc::clone(folder)];
        let mut fd = loop {
            // A root is always open, so this ends.
            let below = way.last().ok_or(Errno::BADF)?;
            let above = below.parent().ok_or(Errno::BADF)?;
            match self.known(above) {
                Some(fd) => break open_in(fd, below.name(), noatime)?,
                None => way.push(Arc::clone(above)),
            }
        };
        while let Some(opened) = way.pop() {
            self.mark(&opened, &fd);
            if let Some(below) = way.last() {
                fd = open_in(&fd, below.name(), noatime)?;
            }
        }
        Ok(fd)
    }

    fn known<'a>(&'a self, folder: &'a Arc<Folder>) -> Option<BorrowedFd<'a>> {
        use rustix::fd::AsFd;
        folder.fd().map(AsFd::as_fd).or_else(|| {
            self.marks
                .iter()
                .chain(&self.last)
                .find(|(f, _)| Arc::ptr_eq(f, folder))
                .map(|(_, fd)| fd.as_fd())
        })
    }

    fn mark(&mut self, folder: &Arc<Folder>, fd: &OwnedFd) {
        if !folder.depth.is_multiple_of(STEP) {
            return;
        }
        // One at each depth: an older one is of a branch that is done, or of another thread's.
        self.marks.retain(|(f, _)| f.depth != folder.depth);
        if let Ok(copy) = fcntl_dupfd_cloexec(fd, 3) {
            self.marks.push((Arc::clone(folder), copy));
        }
    }
}
