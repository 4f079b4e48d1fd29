// SPDX-License-Identifier: Apache-2.0
//! Whether the databases are still those that were read.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    dev: u64,
    ino: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

/// Files and folders, and what they were like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamp {
    entries: Vec<(PathBuf, Option<State>)>,
}

impl Stamp {
    /// Remembers what a path is like now. Take it before the path is read: a change in between then
    /// shows as a change.
    pub(crate) fn watch(&mut self, path: PathBuf) {
        let state = look(&path);
        self.entries.push((path, state));
    }

    /// Whether one of them is no longer like that.
    pub(crate) fn changed(&self) -> bool {
        self.entries.iter().any(|(path, state)| look(path) != *state)
    }
}

fn look(path: &Path) -> Option<State> {
    let m = std::fs::metadata(path).ok()?;
    Some(State {
        dev: m.dev(),
        ino: m.ino(),
        size: m.len(),
        mtime: (m.mtime(), m.mtime_nsec()),
        ctime: (m.ctime(), m.ctime_nsec()),
    })
}
