// SPDX-License-Identifier: Apache-2.0
//! Which filesystems are protected: what is configured, and what is in force.

use crate::config::Protect;
use crate::log::log;
use crate::stacked;
use lazaret_proto::v1;
use lazaret_sys::fanotify::{Mask, MoveGroup, PermissionGroup};
use lazaret_sys::mounts::{Kind, Mount, is_overlay, mounts};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, statx};
use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Everything we ask the permission group for.
const FULL: Mask = Mask::OPEN_EXEC_PERM.and(Mask::OPEN_PERM).and(Mask::CLOSE_WRITE);

struct Marked {
    mount: Mount,
    effective: &'static str,
    reason: String,
    /// For file handles; the folder itself is not kept open, or nobody could unmount it.
    fsid: Option<[i32; 2]>,
    /// As mountinfo has it, and as `stat` reports it there: they differ on btrfs and overlayfs.
    devs: [u64; 2],
    by_process: bool,
}

#[derive(Default)]
struct Table {
    marked: Vec<Marked>,
    /// Devices found under a running process although no mount of ours shows them: told once.
    unlisted: HashSet<u64>,
    /// Devices that the mount table showed since it last changed.
    listed: HashSet<u64>,
}

pub(crate) struct Protection {
    /// `None`: every local filesystem.
    wanted: Option<Vec<PathBuf>>,
    /// Permission events are off: notice only.
    safe_mode: bool,
    table: Mutex<Table>,
}

impl Protection {
    pub(crate) fn new(config: &Protect, safe_mode: bool) -> Self {
        let wanted = (!config.mounts.is_empty()).then(|| config.mounts.clone());
        Self { wanted, safe_mode, table: Mutex::new(Table::default()) }
    }

    /// Marks what should be marked and is not yet, forgets what is unmounted. Returns what changed,
    /// for people.
    pub(crate) fn refresh(&self, group: &PermissionGroup, moves: &MoveGroup) -> Vec<String> {
        let Ok(all) = mounts() else { return vec!["the mount table cannot be read".into()] };
        let mut table = self.lock();
        table.listed.clear();
        let mut told = Vec::new();
        table.marked.retain(|m| {
            // The whole line: the number alone is given anew at once.
            let stays = m.by_process || all.contains(&m.mount);
            if !stays {
                told.push(format!("{} is no longer mounted", m.mount.point.display()));
            }
            stays
        });
        let (overlays, plain): (Vec<_>, Vec<_>) =
            self.candidates(&all).into_iter().partition(|m| m.fs_type == "overlay");
        // Overlays last, those over overlays after these: what covers them is known by then.
        for mount in plain.into_iter().chain(overlays) {
            if table.marked.iter().any(|m| m.mount == mount) {
                continue;
            }
            let in_force =
                table.marked.iter().filter(|m| m.effective != "none").map(|m| m.mount.dev).collect();
            let stacked = stacked::covered(&mount, &all, &in_force);
            let marked = match stacked {
                Some((effective, reason)) => Marked {
                    effective: if self.safe_mode && effective != "none" { "write" } else { effective },
                    reason: reason.into(),
                    fsid: None,
                    devs: [mount.dev, dev_of(&mount.point).unwrap_or(mount.dev)],
                    by_process: false,
                    mount,
                },
                None => self.mark(group, moves, mount),
            };
            told.push(format!("{}: {}", marked.mount.point.display(), describe(&marked)));
            table.marked.push(marked);
        }
        told
    }

    /// The topmost mount of each point, each filesystem at its first one.
    fn candidates(&self, all: &[Mount]) -> Vec<Mount> {
        let visible: HashMap<&Path, &Mount> = all.iter().map(|m| (m.point.as_path(), m)).collect();
        let mut seen = HashSet::new();
        all.iter()
            .filter(|m| visible.get(m.point.as_path()).is_some_and(|v| v.id == m.id))
            .filter(|m| match &self.wanted {
                Some(points) => points.contains(&m.point),
                None => m.kind() != Kind::Pseudo && seen.insert(m.dev),
            })
            .cloned()
            .collect()
    }

    fn mark(&self, group: &PermissionGroup, moves: &MoveGroup, mount: Mount) -> Marked {
        let mut marked = Marked {
            effective: "none",
            reason: String::new(),
            fsid: None,
            devs: [mount.dev; 2],
            by_process: false,
            mount,
        };
        if marked.mount.kind() == Kind::Remote && self.wanted.is_none() {
            marked.reason =
                "not a local filesystem: its content can change behind the kernel; name it under \
                             [protect] mounts to protect it all the same"
                    .into();
            return marked;
        }
        marked.devs[1] = dev_of(&marked.mount.point).unwrap_or(marked.mount.dev);
        let mask = if self.safe_mode { Mask::CLOSE_WRITE } else { FULL };
        if let Err(e) = group.mark_filesystem(&marked.mount.point, mask) {
            marked.reason = format!("the kernel refuses the mark: {e}");
            return marked;
        }
        marked.effective = if self.safe_mode { "write" } else { "exec+open+write" };
        if self.safe_mode {
            marked.reason = "safe mode: execution is not refused".into();
        }
        let folder = open_folder(&marked.mount.point);
        let moved = moves.mark_filesystem(&marked.mount.point);
        match (folder, moved) {
            (Ok(folder), Ok(())) => {
                marked.fsid = fsid(&folder);
            }
            (_, Err(e)) => {
                marked.reason = format!("files that are moved in are seen when they are opened ({e})")
            }
            (Err(e), _) => marked.reason = format!("its root folder cannot be opened ({e})"),
        }
        marked
    }

    /// A process runs from a filesystem that no mount of ours shows: mark it through the file.
    pub(crate) fn mark_unlisted(
        &self,
        group: &PermissionGroup,
        dev: u64,
        file: BorrowedFd<'_>,
        path: &[u8],
    ) -> bool {
        let mask = if self.safe_mode { Mask::CLOSE_WRITE } else { FULL };
        // Every time: it costs a system call, and whether this is the one that was marked under the
        // same number before cannot be told.
        let overlay = is_overlay(file).unwrap_or(false);
        let result = if overlay { Ok(()) } else { group.mark_filesystem_of(file, mask) };
        let mut table = self.lock();
        table.marked.retain(|m| !m.by_process || m.mount.dev != dev);
        let news = table.unlisted.insert(dev);
        let mount = Mount {
            id: 0,
            dev,
            root: PathBuf::new(),
            point: PathBuf::from(std::ffi::OsStr::from_bytes(path)),
            fs_type: "unlisted".into(),
            source: String::new(),
            read_only: false,
            options: Vec::new(),
        };
        let (effective, reason) = match result {
            Ok(()) if overlay => (
                "none",
                "an overlay of another mount namespace: refused as far as its layers' file systems are \
                 protected, else scanned right after the start"
                    .into(),
            ),
            Ok(()) => {
                ("exec+open+write", "in another mount namespace; found by a process that ran from it".into())
            }
            Err(e) => ("none", format!("in another mount namespace; the kernel refuses the mark: {e}")),
        };
        if news {
            log!("{}: {effective} ({reason})", crate::log::printable(path));
        }
        table.marked.push(Marked { mount, effective, reason, fsid: None, devs: [dev; 2], by_process: true });
        news
    }

    /// Whether the mount table shows a filesystem with this device number, protected or not.
    pub(crate) fn is_listed(&self, dev: u64) -> bool {
        let table = self.lock();
        // Those that a process showed do not count: their numbers are given anew once they are gone.
        if table.marked.iter().any(|m| !m.by_process && m.devs.contains(&dev)) {
            return true;
        }
        if table.listed.contains(&dev) {
            return true;
        }
        drop(table);
        let listed = mounts().is_ok_and(|all| {
            all.iter().any(|m| m.dev == dev || (m.kind() == Kind::Local && dev_of(&m.point) == Some(dev)))
        });
        if listed {
            self.lock().listed.insert(dev);
        }
        listed
    }

    /// Whether files on this device are asked about.
    pub(crate) fn is_protected(&self, dev: u64) -> bool {
        self.lock().marked.iter().any(|m| m.effective != "none" && m.devs.contains(&dev))
    }

    /// Runs `f` with an open folder of the filesystem that a handle belongs to.
    pub(crate) fn with_folder<R>(&self, wanted: [i32; 2], f: impl FnOnce(BorrowedFd<'_>) -> R) -> Option<R> {
        let point = {
            let table = self.lock();
            table.marked.iter().find(|m| m.fsid == Some(wanted))?.mount.point.clone()
        };
        let folder = open_folder(&point).ok()?;
        // Something else may be mounted there by now.
        (fsid(&folder) == Some(wanted)).then(|| f(folder.as_fd()))
    }

    /// Roots of what is in force, for a rescan.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        let table = self.lock();
        table
            .marked
            .iter()
            .filter(|m| m.effective != "none" && !m.by_process)
            .map(|m| m.mount.point.clone())
            .collect()
    }

    pub(crate) fn status(&self) -> Vec<v1::MountStatus> {
        let table = self.lock();
        let mut out: Vec<v1::MountStatus> = table
            .marked
            .iter()
            .map(|m| v1::MountStatus {
                path: m.mount.point.as_os_str().as_bytes().to_vec(),
                fs_type: m.mount.fs_type.clone(),
                source: m.mount.source.clone(),
                configured: "exec+open+write".into(),
                effective: m.effective.into(),
                reason: m.reason.clone(),
                found_by_process: m.by_process,
            })
            .collect();
        for point in self.wanted.iter().flatten() {
            if !table.marked.iter().any(|m| m.mount.point == *point) {
                out.push(v1::MountStatus {
                    path: point.as_os_str().as_bytes().to_vec(),
                    configured: "exec+open+write".into(),
                    effective: "none".into(),
                    reason: "nothing is mounted there; name the mount point, not a folder in it".into(),
                    ..v1::MountStatus::default()
                });
            }
        }
        out
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(m: &Marked) -> String {
    if m.reason.is_empty() { m.effective.to_owned() } else { format!("{} ({})", m.effective, m.reason) }
}

/// Without asking a server for news: a daemon must not wait for one.
fn dev_of(point: &Path) -> Option<u64> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let at = statx(CWD, point, flags, StatxFlags::INO).ok()?;
    Some(rustix::fs::makedev(at.stx_dev_major, at.stx_dev_minor))
}

fn open_folder(point: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(point, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// As fanotify reports it: the first eight bytes of `f_fsid`.
fn fsid(folder: &OwnedFd) -> Option<[i32; 2]> {
    lazaret_sys::mounts::fsid(folder).ok()
}
