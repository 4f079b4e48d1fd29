// SPDX-License-Identifier: Apache-2.0
//! Who uses an inode: by `stat` through the kernel's own links, never by the text of a path.

use super::mappings;
use super::sought::{Sought, is_overlay};
use super::{pids, stat};
use lazaret_model::FileRef;
use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;

/// How a process uses a file; the strongest use counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Holds it open, or mapped without the right to execute.
    Reads,
    /// Has it mapped executable.
    Maps,
    /// Is it: `/proc/PID/exe`.
    Executes,
}

/// Which devices that mappings show belong to overlays: asked once for each, for one walk through
/// /proc (a number may be given to another filesystem later).
pub type Overlays = HashMap<(u32, u32), bool>;

/// Every process that uses the inode (device and inode number of `file`), in the kernel's order.
/// With `exec_only`, only those that execute it or map it executable.
#[must_use]
pub fn users_of(file: &FileRef, exec_only: bool) -> Vec<i32> {
    pids().filter(|pid| uses(*pid, file, exec_only).is_some()).collect()
}

/// How one process uses the inode; `None` when not at all or when the process is gone.
#[must_use]
pub fn uses(pid: i32, file: &FileRef, exec_only: bool) -> Option<Use> {
    let sought = file.into();
    if is_executed_by(&sought, pid) {
        return Some(Use::Executes);
    }
    // Kernel threads have neither mappings nor files; asking would only cost time.
    if stat(pid).ok()?.kernel_thread {
        return None;
    }
    let mapped = mapped(&sought, pid, exec_only, &mut Overlays::new()).ok()?;
    if mapped == Some(Use::Maps) || exec_only {
        return mapped;
    }
    mapped.or_else(|| is_open_in(&sought, pid).then_some(Use::Reads))
}

/// Whether the process's executable is the file; about 6 µs. A process whose first thread has
/// exited shows its executable by its other threads only: ask with the number [`of_a_thread`] gives.
#[must_use]
pub fn is_executed_by(file: &Sought, pid: i32) -> bool {
    file.is(&format!("/proc/{pid}/exe"))
}

/// The strongest use that the mappings of a process make of the file. Address ranges come from
/// the kernel's list; the file behind one is judged by `statx` through its link only.
///
/// # Errors
/// When it has no memory: a kernel thread, a process that is gone, or whose first thread has exited.
pub fn mapped(file: &Sought, pid: i32, exec_only: bool, overlays: &mut Overlays) -> io::Result<Option<Use>> {
    let mut found = None;
    mappings::each(pid, exec_only, &mut |m| {
        // Only devices without a driver can be an overlay.
        let overlay = m.dev.0 == 0 && *overlays.entry(m.dev).or_insert_with(|| is_overlay(&m.link(pid)));
        if file.may_be(m.ino, overlay) && file.is(&m.link(pid)) {
            if m.executable {
                found = Some(Use::Maps);
                return ControlFlow::Break(());
            }
            found = Some(Use::Reads);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Whether a process holds the file open.
#[must_use]
pub fn is_open_in(file: &Sought, pid: i32) -> bool {
    std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|fds| {
        fds.flatten()
            .any(|fd| fd.file_name().to_str().is_some_and(|n| file.is(&format!("/proc/{pid}/fd/{n}"))))
    })
}

/// Children of a process, of all its threads (`CONFIG_PROC_CHILDREN`). Whole when the process stands
/// still; asks nothing of other processes, which makes it cheap.
///
/// # Errors
/// When the process is gone, or the kernel does not tell.
pub fn children(pid: i32) -> io::Result<Vec<i32>> {
    let mut out = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let text = std::fs::read_to_string(task.path().join("children"))?;
        out.extend(text.split_ascii_whitespace().filter_map(|n| n.parse::<i32>().ok()));
    }
    Ok(out)
}

/// The number under which /proc shows the memory of a process: its own, or that of a thread that
/// still runs when the first one has exited. Threads are not listed, but found by number.
#[must_use]
pub fn of_a_thread(pid: i32, stat: &super::Stat) -> i32 {
    if !stat.is_leaderless() || stat.threads <= 1 {
        return pid;
    }
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|t| t.file_name().to_str()?.parse().ok())
        .find(|tid| super::stat(*tid).is_ok_and(|s| !s.is_leaderless()))
        .unwrap_or(pid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::FileTime;
    use std::os::unix::fs::MetadataExt;
    use std::process::Command;

    fn reference(path: &std::path::Path) -> FileRef {
        let m = std::fs::metadata(path).unwrap();
        FileRef { dev: m.dev(), ino: m.ino(), ctime: FileTime::default(), size: m.len() }
    }

    #[test]
    fn executing_and_reading_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("sleeper (x)\nodd");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let file = reference(&program);
        let mut runner = Command::new(&program).arg("20").spawn().unwrap();
        let reader_end = std::fs::File::open(&program).unwrap();
        let mut reader = Command::new("sleep").arg("20").stdin(reader_end).spawn().unwrap();
        let (r, d) = (i32::try_from(runner.id()).unwrap(), i32::try_from(reader.id()).unwrap());
        // Deleted or not makes no difference.
        std::fs::remove_file(&program).unwrap();
        let exec = users_of(&file, true);
        assert_eq!(exec, vec![r]);
        assert_eq!(uses(r, &file, true), Some(Use::Executes));
        let all = users_of(&file, false);
        assert!(all.contains(&r) && all.contains(&d), "{all:?}");
        assert_eq!(uses(d, &file, false), Some(Use::Reads));
        assert_eq!(uses(d, &file, true), None);
        for child in [&mut runner, &mut reader] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    #[test]
    fn children_are_told() {
        let mut child = Command::new("sleep").arg("20").spawn().unwrap();
        let told = children(std::process::id().cast_signed());
        child.kill().unwrap();
        child.wait().unwrap();
        // Where the kernel has no such file there is nothing to test.
        if std::path::Path::new("/proc/self/task")
            .join(std::process::id().to_string())
            .join("children")
            .exists()
        {
            assert!(told.unwrap().contains(&child.id().cast_signed()));
        }
        assert!(children(i32::MAX).is_err());
    }

    #[test]
    fn executable_mappings_count() {
        // This test program maps the C library executable.
        let text = std::fs::read_to_string("/proc/self/maps").unwrap();
        let library = text
            .lines()
            .find(|l| l.contains(" r-xp ") && l.contains("libc"))
            .and_then(|l| l.split_ascii_whitespace().last())
            .expect("a dynamic test program");
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(uses(me, &reference(std::path::Path::new(library)), true), Some(Use::Maps));
    }
}
