// SPDX-License-Identifier: Apache-2.0
//! Processes: what runs already when we start, and what runs from where the gate does not look.

use super::written::examine;
use crate::core::Core;
use crate::log::log;
use crate::look::path_of;
use lazaret_model::{Origin, Severity};
use lazaret_pool::Priority;
use lazaret_sys::proc_connector::{ProcConnector, ProcEvent};
use lazaret_sys::procfs;
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::HashSet;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

/// Without the connector all processes are looked at this often.
const WITHOUT_CONNECTOR: Duration = Duration::from_secs(5);

/// Scans the executables of everything that runs, each file once.
pub(crate) fn scan_running(core: &Arc<Core>) {
    let mut seen = HashSet::new();
    for pid in procfs::pids() {
        if core.is_stopping() {
            return;
        }
        if core.gate.exempt.contains(pid) {
            continue;
        }
        // Kernel threads have none; others may have ended meanwhile.
        let Ok(file) = procfs::exe_file(pid) else { continue };
        let Ok(stat) = rustix::fs::fstat(&file) else { continue };
        if !covers(core, stat.st_dev) || !seen.insert((stat.st_dev, stat.st_ino)) {
            continue;
        }
        examine(core, file, Origin::Process, Some(pid), Priority::Background);
    }
}

/// A daemon that is limited to some mounts judges what runs from these and from nowhere else.
fn covers(core: &Core, dev: u64) -> bool {
    core.config.protect.mounts.is_empty() || core.protection.is_protected(dev)
}

/// Watches executions from filesystems that no mount of ours shows, until the daemon stops.
pub(crate) fn run(core: &Arc<Core>) {
    if !core.config.protect.unlisted_filesystems {
        return;
    }
    match ProcConnector::open() {
        Ok(connector) => with_connector(core, &connector),
        Err(e) => {
            crate::alarms::about_daemon(
                core,
                Severity::Low,
                format!("the kernel does not tell of new processes ({e}): they are looked at every 5 s"),
                Vec::new(),
            );
            while !core.is_stopping() {
                look_at_all(core);
                std::thread::sleep(WITHOUT_CONNECTOR);
            }
        }
    }
}

fn with_connector(core: &Arc<Core>, connector: &ProcConnector) {
    look_at_all(core);
    let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    while !core.is_stopping() {
        let mut fds = [PollFd::new(connector, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&wait));
        let mut lost = false;
        let read = connector.read(|event| match event {
            ProcEvent::Exec { pid } => look_at(core, pid),
            ProcEvent::Lost => lost = true,
            ProcEvent::Exit { .. } => {}
        });
        if lost || read.is_err() {
            look_at_all(core);
        }
        if let Err(e) = read {
            log!("the process connector failed: {e}");
            std::thread::sleep(WITHOUT_CONNECTOR);
        }
    }
}

fn look_at_all(core: &Arc<Core>) {
    for pid in procfs::pids() {
        look_at(core, pid);
    }
}

/// Scans what a process runs when the gate could not: a filesystem of another mount namespace, or
/// a file that lives in memory only.
fn look_at(core: &Arc<Core>, pid: i32) {
    if core.gate.exempt.contains(pid) {
        return;
    }
    let Ok(file) = procfs::exe_file(pid) else { return };
    let Ok(stat) = rustix::fs::fstat(&file) else { return };
    let path = path_of(&file);
    let in_memory = path.starts_with(b"/memfd:");
    if !in_memory && core.protection.is_listed(stat.st_dev) {
        return;
    }
    if !in_memory && core.protection.mark_unlisted(&core.gate.group, stat.st_dev, file.as_fd(), &path) {
        core.events.tell(
            "mount",
            format!("a process runs from an unlisted filesystem ({})", String::from_utf8_lossy(&path)),
            None,
        );
    }
    examine(core, file, Origin::Process, Some(pid), Priority::Event);
}
