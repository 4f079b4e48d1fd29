// SPDX-License-Identifier: Apache-2.0
//! Files that were renamed into place.

use super::written::examine;
use crate::core::Core;
use crate::counters::bump;
use lazaret_model::Origin;
use lazaret_pool::Priority;
use lazaret_sys::fanotify::{MoveEvent, MoveGroup, MoveItem, open_handle};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Reads renames until the daemon stops.
pub(crate) fn run(core: &Arc<Core>, group: &MoveGroup) {
    let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    while !core.is_stopping() {
        let mut fds = [PollFd::new(group, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&wait));
        for item in group.read().unwrap_or_default() {
            match item {
                MoveItem::Overflow => {
                    bump(&core.gate.counters.overflows);
                    core.gate.overflowed.store(true, Ordering::Relaxed);
                }
                MoveItem::Moved(event) => moved(core, &event),
            }
        }
    }
}

fn moved(core: &Arc<Core>, event: &MoveEvent) {
    if core.gate.exempt.contains(event.pid) {
        return;
    }
    bump(&core.gate.counters.events_moved);
    // Gone again, or not a file that can be opened: nothing to scan.
    let Some(Ok(file)) = open(core, event) else { return };
    examine(core, file, Origin::MovedIn, Some(event.pid), Priority::Event);
}

fn open(core: &Core, event: &MoveEvent) -> Option<io::Result<OwnedFd>> {
    // Never waits on a FIFO, never follows a link.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOATIME;
    if let Some(target) = &event.target {
        return core.protection.with_folder(target.fsid, |mount| open_handle(mount, target, flags));
    }
    let folder = event.folder.as_ref()?;
    core.protection.with_folder(folder.fsid, |mount| {
        let folder = open_handle(mount, folder, OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(rustix::fs::openat(&folder, event.name.as_slice(), flags | OFlags::CLOEXEC, Mode::empty())?)
    })
}
