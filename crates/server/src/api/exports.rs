// SPDX-License-Identifier: Apache-2.0
//! Files that are written while nobody waits: lists as CSV.

use super::problem::Problem;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Kept for so long.
pub(crate) const KEPT_MS: i64 = 24 * 3_600_000;
/// Being written at the same time.
const RUNNING: usize = 4;
/// Kept at the same time.
const MOST: usize = 200;

/// How an export stands.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) id: String,
    /// Whose: nobody else sees it.
    pub(crate) user: String,
    pub(crate) created_ms: i64,
    /// Rows so far.
    pub(crate) rows: u64,
    pub(crate) state: State,
}

/// Where an export stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Done,
    Failed(String),
}

/// All exports of this process. The files lie in a folder of its own, emptied at the start.
#[derive(Debug, Clone)]
pub(crate) struct Exports {
    folder: PathBuf,
    list: Arc<Mutex<HashMap<String, Export>>>,
}

impl Exports {
    /// Empties the folder: what an earlier process left belongs to nobody.
    pub(crate) fn new(folder: &Path) -> std::io::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.to_owned(), list: Arc::default() })
    }

    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.csv"))
    }

    /// Makes room by forgetting old ones, and begins one.
    pub(crate) fn begin(&self, export: Export) -> Result<(), Problem> {
        let now_ms = export.created_ms;
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let old: Vec<String> = list
            .values()
            .filter(|e| e.created_ms + KEPT_MS <= now_ms && e.state != State::Running)
            .map(|e| e.id.clone())
            .collect();
        for id in old {
            list.remove(&id);
            // Gone already is as good.
            let _ = std::fs::remove_file(self.path(&id));
        }
        if list.values().filter(|e| e.state == State::Running).count() >= RUNNING || list.len() >= MOST {
            return Err(Problem::conflict("too many exports at the moment; wait for one to end"));
        }
        list.insert(export.id.clone(), export);
        Ok(())
    }

    pub(crate) fn update(&self, id: &str, change: impl FnOnce(&mut Export)) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(export) = list.get_mut(id) {
            change(export);
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Export> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// A cell that no spreadsheet takes for a formula, and no reader for two lines.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let first = text.trim_start().chars().next();
    if text.starts_with(['\t', '\r', '\n'])
        || first.is_some_and(|c| "=+-@|%\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c))
    {
        out.push('\'');
    }
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "|cmd", "%x"] {
            assert!(cell(bad).starts_with('\''), "{bad}");
        }
        assert_eq!(cell("/usr/bin/a"), "/usr/bin/a");
        assert_eq!(cell("a\nb"), "a\\nb");
    }

    #[test]
    fn so_many_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let exports = Exports::new(&folder.path().join("exports")).unwrap();
        let one = |id: &str, at| Export {
            id: id.to_owned(),
            user: "u".to_owned(),
            created_ms: at,
            rows: 0,
            state: State::Running,
        };
        for id in ["a", "b", "c", "d"] {
            exports.begin(one(id, 0)).unwrap();
        }
        assert!(exports.begin(one("e", 0)).is_err());
        exports.update("a", |e| e.state = State::Done);
        exports.begin(one("e", 0)).unwrap();
        exports.update("b", |e| e.state = State::Done);
        exports.begin(one("f", KEPT_MS)).unwrap();
        assert!(exports.get("a").is_none() && exports.get("c").is_some(), "old ones go when they have ended");
    }
}
