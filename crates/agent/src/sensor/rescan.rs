// SPDX-License-Identifier: Apache-2.0
//! What makes up for events that were lost: a scan of everything that changed lately.

use super::written::examine;
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use lazaret_model::{Origin, Severity};
use lazaret_pool::Priority;
use lazaret_sys::mounts::mounts;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, StatxFlags, openat, statx};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Events that were lost cannot be older than this before the overflow was noticed.
const LATELY_MS: i64 = 180_000;

/// Between two such scans.
const PAUSE: Duration = Duration::from_secs(60);

/// Deeper trees than this are made to exhaust a walker, not to keep files.
const MAX_DEPTH: usize = 512;

/// Waits for overflows until the daemon stops.
pub(crate) fn run(core: &Arc<Core>) {
    let mut last: Option<Instant> = None;
    while !core.is_stopping() {
        std::thread::sleep(Duration::from_millis(200));
        // A burst that goes on is answered once a minute, and looks back far enough for that.
        if last.is_some_and(|l| l.elapsed() < PAUSE) {
            continue;
        }
        if !core.gate.overflowed.swap(false, Ordering::Relaxed) {
            continue;
        }
        let since = now_ms() - LATELY_MS;
        last = Some(Instant::now());
        crate::alarms::about_daemon_once(
            core,
            Severity::Medium,
            "events were lost in a burst: what changed in the last three minutes is scanned again".into(),
            vec!["the queue of written files was full".into()],
        );
        for root in core.protection.roots() {
            scan_changed(core, &root, since);
        }
        log!("the scan after lost events is complete");
    }
}

/// Scans small new mounts whole: what is on them was never seen. Large ones are judged as their
/// files are opened.
pub(super) fn scan_new_mounts(core: &Arc<Core>, before: &[PathBuf]) {
    let Ok(all) = mounts() else { return };
    for root in core.protection.roots() {
        if before.contains(&root) || !all.iter().any(|m| m.point == root && m.fs_type == "tmpfs") {
            continue;
        }
        scan_changed(core, &root, i64::MIN);
    }
}

pub(crate) fn scan_changed(core: &Arc<Core>, root: &Path, since_ms: i64) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let Ok(folder) = rustix::fs::open(root, flags, Mode::empty()) else { return };
    let Ok(dev) = rustix::fs::fstat(&folder).map(|s| s.st_dev) else { return };
    walk(core, folder, dev, since_ms, 0);
}

/// Relative to open folders, never through a link, never onto another filesystem.
fn walk(core: &Arc<Core>, folder: OwnedFd, dev: u64, since_ms: i64, depth: usize) {
    if depth > MAX_DEPTH || core.is_stopping() {
        return;
    }
    let Ok(entries) = Dir::read_from(&folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        match entry.file_type() {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let Ok(below) = openat(&folder, name, flags, Mode::empty()) else { continue };
                if rustix::fs::fstat(&below).is_ok_and(|s| s.st_dev == dev) {
                    walk(core, below, dev, since_ms, depth + 1);
                }
            }
            FileType::RegularFile if changed_since(folder.as_fd(), name, since_ms) => {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
                if let Ok(file) = openat(&folder, name, flags, Mode::empty()) {
                    examine(core, file, Origin::Scan, None, Priority::Background);
                }
            }
            _ => {}
        }
    }
}

fn changed_since(folder: BorrowedFd<'_>, name: &std::ffi::CStr, since_ms: i64) -> bool {
    statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::CTIME)
        .is_ok_and(|s| s.stx_ctime.tv_sec.saturating_mul(1000) >= since_ms.saturating_sub(1000))
}
