// SPDX-License-Identifier: Apache-2.0
//! `~/.cache/lazaret`: what may be deleted at any time and costs minutes to make again.

use crate::run::Error;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The cache is pruned when its files take more than this, bytes.
const LIMIT: u64 = 20 << 30;

/// `~/.cache/lazaret`.
///
/// # Errors
/// HOME is not set.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    match std::env::var_os("HOME").filter(|h| !h.is_empty()) {
        Some(home) => Ok(Path::new(&home).join(".cache/lazaret")),
        None => Err(Error::failed("HOME is not set, so there is no place for the cache; set HOME")),
    }
}

/// Where cargo builds: CARGO_TARGET_DIR where it is set, `~/.cache/lazaret/target` otherwise.
///
/// # Errors
/// HOME is needed and not set.
pub(crate) fn target() -> Result<PathBuf, Error> {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|d| !d.is_empty()) {
        Some(target) => std::path::absolute(&target)
            .map_err(|e| Error::failed(format!("CARGO_TARGET_DIR {}: {e}", target.display()))),
        None => Ok(folder()?.join("target")),
    }
}

/// Makes room when the cache has grown over its limit; says what it deletes. What cannot be deleted
/// is left: a cache that is too large is no reason to stop.
pub(crate) fn prune() {
    if let Ok(cache) = folder() {
        prune_to(&cache, LIMIT);
    }
}

/// Deletes the cheapest to make again first, and stops as soon as it fits.
fn prune_to(cache: &Path, limit: u64) {
    let steps = ["target/doc", "target/debug/incremental", "target/release", "target", "tools"];
    // What others keep there is neither counted nor deleted: for its sake nothing has to be built anew.
    let mut size: u64 = ["target", "tools"].iter().map(|ours| bytes_on_disk(&cache.join(ours))).sum();
    for step in steps {
        if size <= limit {
            return;
        }
        let path = cache.join(step);
        let freed = bytes_on_disk(&path);
        if freed == 0 {
            continue;
        }
        eprintln!(
            "The cache takes {} MiB, more than {}: deleting {}",
            size >> 20,
            limit >> 20,
            path.display()
        );
        match std::fs::remove_dir_all(&path) {
            Ok(()) => size = size.saturating_sub(freed),
            Err(e) => eprintln!("{} could not be deleted: {e}", path.display()),
        }
    }
}

/// What the files below `path` take on disk; 0 where there is none. Links are not followed.
fn bytes_on_disk(path: &Path) -> u64 {
    let Ok(facts) = std::fs::symlink_metadata(path) else { return 0 };
    if !facts.is_dir() {
        // A hard link is counted once per name: cargo links most results twice.
        return facts.blocks() * 512 / facts.nlink().max(1);
    }
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries.flatten().map(|entry| bytes_on_disk(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prunes_the_cheapest_first_and_stops() {
        let cache = tempfile::tempdir().unwrap();
        for (name, size) in [("target/release/a", 200_000), ("target/debug/b", 100_000), ("tools/c", 1000)] {
            let path = cache.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![1; size]).unwrap();
        }
        prune_to(cache.path(), 150_000);
        assert!(!cache.path().join("target/release").exists());
        assert!(cache.path().join("target/debug/b").exists());
        prune_to(cache.path(), 50_000);
        assert!(!cache.path().join("target").exists());
        assert!(cache.path().join("tools/c").exists());
    }

    #[test]
    fn what_others_keep_there_costs_no_build() {
        let cache = tempfile::tempdir().unwrap();
        for (name, size) in [("target/debug/b", 1000), ("other/large", 300_000)] {
            let path = cache.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![1; size]).unwrap();
        }
        prune_to(cache.path(), 100_000);
        assert!(cache.path().join("target/debug/b").exists() && cache.path().join("other/large").exists());
    }

    #[test]
    fn does_not_follow_links() {
        let cache = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/usr", cache.path().join("target")).unwrap();
        assert!(bytes_on_disk(cache.path()) < 100_000);
    }
}
