// SPDX-License-Identifier: Apache-2.0
//! Control groups of the unified hierarchy: who is in one, freezing it in place.
//!
//! Processes are never moved between groups: that would drop a container's limits and empty
//! systemd scopes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A group that is not the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// The group of a process; `None` when it is in the root group, or where the unified hierarchy
    /// is not mounted.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        let text = std::fs::read(format!("/proc/{pid}/cgroup"))?;
        let text = String::from_utf8_lossy(&text);
        let Some(path) = text.lines().find_map(|l| l.strip_prefix("0::/")) else { return Ok(None) };
        // `..` stands for a group outside our own namespace: not ours to freeze.
        if path.is_empty() || path.split('/').any(|s| s == "..") {
            return Ok(None);
        }
        let Some(root) = mount_point() else { return Ok(None) };
        let dir = root.join(path);
        Ok(dir.join("cgroup.procs").exists().then_some(Self { dir }))
    }

    /// The group whose folder was written down; whether it is still there shows when it is asked.
    #[must_use]
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The folder, for messages.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Process ids in this group itself.
    ///
    /// # Errors
    /// When the group is gone, or is threaded.
    pub fn members(&self) -> io::Result<Vec<i32>> {
        let text = std::fs::read_to_string(self.dir.join("cgroup.procs"))?;
        // 0 stands for a process outside our pid namespace.
        Ok(text.lines().filter_map(|l| l.trim().parse().ok()).filter(|p| *p > 0).collect())
    }

    /// Has no group below it.
    ///
    /// # Errors
    /// When the group is gone.
    pub fn is_leaf(&self) -> io::Result<bool> {
        for entry in std::fs::read_dir(&self.dir)? {
            if entry?.file_type()?.is_dir() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks the kernel to freeze (or let go) everything in the group; children born meanwhile stay
    /// in it. Processes of a frozen group can still be killed.
    ///
    /// # Errors
    /// When the group is gone or the kernel (before 5.2) cannot freeze it.
    pub fn freeze(&self, on: bool) -> io::Result<()> {
        std::fs::write(self.dir.join("cgroup.freeze"), if on { "1" } else { "0" })
    }

    /// Whether every process of the group is frozen now.
    ///
    /// # Errors
    /// When the group is gone.
    pub fn is_frozen(&self) -> io::Result<bool> {
        let text = std::fs::read_to_string(self.dir.join("cgroup.events"))?;
        Ok(text.lines().any(|l| l.trim() == "frozen 1"))
    }

    /// Waits until the group is frozen; false when `limit` passes first (a task in D state).
    ///
    /// # Errors
    /// When the group is gone.
    pub fn wait_frozen(&self, limit: Duration) -> io::Result<bool> {
        let end = Instant::now() + limit;
        loop {
            if self.is_frozen()? {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

/// Where the unified hierarchy is mounted, looked up once.
fn mount_point() -> Option<&'static Path> {
    static POINT: OnceLock<Option<PathBuf>> = OnceLock::new();
    POINT
        .get_or_init(|| {
            let text = std::fs::read("/proc/self/mountinfo").ok()?;
            find_mount(&String::from_utf8_lossy(&text))
        })
        .as_deref()
}

fn find_mount(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        (after.split_ascii_whitespace().next()? == "cgroup2")
            .then(|| before.split_ascii_whitespace().nth(4).map(PathBuf::from))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn mount_is_found_by_type() {
        let text = "30 22 0:26 / /sys/fs/cgroup/x rw - cgroup cgroup rw\n31 22 0:27 / /c2 rw shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(find_mount(text), Some(PathBuf::from("/c2")));
        assert_eq!(find_mount("broken\n - \n"), None);
    }

    #[test]
    fn freezes_and_thaws_a_group_of_its_own() {
        let Some(root) = mount_point() else { return };
        let dir = root.join(format!("lazaret-test-{}", std::process::id()));
        if std::fs::create_dir(&dir).is_err() {
            return;
        }
        let mut child = Command::new("sleep").arg("20").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        std::fs::write(dir.join("cgroup.procs"), pid.to_string()).unwrap();
        let group = Cgroup::of(pid).unwrap().unwrap();
        assert_eq!(group.dir(), dir);
        assert!(group.is_leaf().unwrap());
        assert_eq!(group.members().unwrap(), vec![pid]);
        group.freeze(true).unwrap();
        assert!(group.wait_frozen(Duration::from_secs(5)).unwrap());
        // SIGKILL reaches a frozen process.
        child.kill().unwrap();
        child.wait().unwrap();
        group.freeze(false).unwrap();
        let end = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir(&dir).is_err() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!dir.exists());
        assert!(Cgroup::of(i32::MAX).is_err());
    }
}
