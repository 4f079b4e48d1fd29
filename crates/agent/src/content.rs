// SPDX-License-Identifier: Apache-2.0
//! The content pack in force and the one before it: safe mode goes back one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Copies of the packs that have run, under the state folder.
fn kept(state: &Path, which: &str) -> PathBuf {
    state.join("content").join(format!("{which}.pack"))
}

/// Keeps a pack that loaded; the one that was kept before becomes the previous one.
pub(crate) fn keep(state: &Path, pack: &Path) -> io::Result<()> {
    let (current, previous) = (kept(state, "current"), kept(state, "previous"));
    if let Some(folder) = current.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = fs::read(pack)?;
    if fs::read(&current).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if current.exists() {
        fs::rename(&current, &previous)?;
    }
    let fresh = current.with_extension("new");
    fs::write(&fresh, new)?;
    fs::rename(fresh, current)
}

/// The pack that was kept last.
pub(crate) fn current(state: &Path) -> PathBuf {
    kept(state, "current")
}

/// The pack that was kept last did not do: the one before takes its place again.
pub(crate) fn step_back(state: &Path) -> io::Result<()> {
    fs::rename(kept(state, "previous"), kept(state, "current"))
}

/// What safe mode loads: the previous pack where there is one.
pub(crate) fn previous(state: &Path) -> Option<PathBuf> {
    Some(kept(state, "previous")).filter(|p| p.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_back() {
        let dir = tempfile::tempdir().unwrap();
        let pack = dir.path().join("pack");
        for (text, before) in [("one", None), ("one", None), ("two", Some("one")), ("three", Some("two"))] {
            fs::write(&pack, text).unwrap();
            keep(dir.path(), &pack).unwrap();
            let found = previous(dir.path()).map(|p| fs::read_to_string(p).unwrap());
            assert_eq!(found.as_deref(), before);
        }
    }
}
