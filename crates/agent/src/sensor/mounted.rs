// SPDX-License-Identifier: Apache-2.0
//! Mounts that come and go.

use super::rescan::scan_new_mounts;
use crate::core::Core;
use crate::log::log;
use lazaret_sys::fanotify::MoveGroup;
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

/// Watches the mount table until the daemon stops. The kernel signals a change of
/// `/proc/self/mountinfo` as urgent data.
pub(crate) fn run(core: &Arc<Core>, moves: &MoveGroup) {
    let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let table = File::open("/proc/self/mountinfo");
    while !core.is_stopping() {
        let changed = match &table {
            Ok(file) => {
                let mut fds = [PollFd::new(file, PollFlags::PRI)];
                matches!(poll(&mut fds, Some(&wait)), Ok(1..))
            }
            Err(_) => {
                std::thread::sleep(Duration::from_secs(2));
                true
            }
        };
        if !changed {
            continue;
        }
        let before = core.protection.roots();
        for told in core.protection.refresh(&core.gate.group, moves) {
            log!("{told}");
            core.events.tell("mount", told, None);
        }
        scan_new_mounts(core, &before);
    }
}
