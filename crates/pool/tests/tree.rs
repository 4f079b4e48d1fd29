// SPDX-License-Identifier: Apache-2.0
//! Trees are scanned once, and not again while they cannot have changed.

mod kit;

use kit::{misbehaving, start};
use lazaret_model::ScanError;
use lazaret_pool::cache::CleanCache;
use lazaret_pool::{Found, Pool, TreeOptions, TreeSummary, scan_tree};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

type Results = BTreeMap<PathBuf, Result<(), ScanError>>;

fn scan(pool: &Pool, root: &Path, cache: Option<&mut CleanCache>) -> (Results, TreeSummary) {
    let mut results = Results::new();
    let options = TreeOptions { threads: 2, members: true, ..TreeOptions::default() };
    let summary = scan_tree(pool, &[root.to_owned()], &options, cache, &mut |found| {
        if let Found::File { path, result, .. } = found {
            let path = PathBuf::from(std::ffi::OsString::from_vec(path));
            assert_eq!(results.insert(path, result.map(drop)), None, "told twice");
        }
    });
    (results, summary)
}

/// A ctime is only trusted once it is 100 ms old.
fn settle() {
    std::thread::sleep(Duration::from_millis(150));
}

fn cache_at(path: &Path, version: &str) -> CleanCache {
    let (cache, problem) = CleanCache::load(path, version, b"members");
    assert_eq!(problem, None);
    cache
}

#[test]
fn every_file_is_told_once_and_known_ones_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    for folder in 0..10 {
        let folder = dir.path().join(format!("d{folder}"));
        std::fs::create_dir(&folder).unwrap();
        for n in 0..100 {
            std::fs::write(folder.join(format!("f{n}")), b"good").unwrap();
        }
    }
    std::fs::write(dir.path().join("d3/bad"), b"lie-token").unwrap();
    settle();
    let pool = start(misbehaving(2));
    let cache_path = state.path().join("clean");
    let mut cache = cache_at(&cache_path, "v1");
    let before = kit::open_descriptors();
    let (results, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!((results.len(), summary.scanned, summary.known_clean), (1001, 1001, 0));
    assert_eq!(results.values().filter(|r| r.is_err()).count(), 1);
    assert_eq!((summary.walk.files, summary.walk.folders), (1001, 11));
    // Replacing the lying worker may have opened nothing that stays.
    kit::eventually("closed", || kit::open_descriptors() == before);
    cache.save().unwrap();

    let mut cache = cache_at(&cache_path, "v1");
    std::fs::write(dir.path().join("d5/f5"), b"other").unwrap();
    let (results, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!((summary.scanned, summary.known_clean), (2, 999));
    let told: Vec<_> = results.keys().cloned().collect();
    assert_eq!(told, [dir.path().join("d3/bad"), dir.path().join("d5/f5")], "errors are never kept");

    let mut cache = cache_at(&cache_path, "v2");
    let (_, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!(summary.known_clean, 0, "other content knows nothing");
    let (_, summary) = scan(&pool, dir.path(), None);
    assert_eq!(summary.scanned, 1001);
}

#[test]
fn what_may_have_changed_unseen_is_scanned_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let pool = start(misbehaving(1));
    let mut cache = cache_at(&state.path().join("clean"), "v1");
    let shared = dir.path().join("shared");
    let own = dir.path().join("own");
    for path in [&shared, &own] {
        std::fs::write(path, b"good").unwrap();
    }
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o666)).unwrap();

    let (_, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!(summary.scanned, 2);
    let (_, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!(summary.known_clean, 0, "both were too young to be kept");
    settle();

    // Somebody has it open for writing: no lease, so it is not kept.
    let writer = std::fs::OpenOptions::new().write(true).open(&own).unwrap();
    scan(&pool, dir.path(), Some(&mut cache));
    let (results, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!(summary.known_clean, 1);
    assert!(results.contains_key(&own));
    drop(writer);
    scan(&pool, dir.path(), Some(&mut cache));
    let (_, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!((summary.scanned, summary.known_clean), (0, 2));

    // Kept, but others can write it, and one has it open: known only with a lease, which is refused.
    let writer = std::fs::OpenOptions::new().write(true).open(&shared).unwrap();
    let (results, summary) = scan(&pool, dir.path(), Some(&mut cache));
    assert_eq!((summary.scanned, summary.known_clean), (1, 1));
    assert!(results.contains_key(&shared));
    writer.write_at(b"open", 0).unwrap();
    drop(writer);
    settle();
    // The misbehaving scanner opens a file because this one says so: scanned, not known.
    let (results, _) = scan(&pool, dir.path(), Some(&mut cache));
    assert!(matches!(results[&shared], Err(ScanError::Crashed(_))), "{results:?}");
}

#[test]
fn a_stopped_walk_and_a_missing_root_end_cleanly() {
    let pool = start(misbehaving(1));
    let (results, summary) = scan(&pool, Path::new("/nonexistent/root"), None);
    assert_eq!((results.len(), summary.scanned), (1, 0));
    assert!(matches!(results.values().next(), Some(Err(ScanError::Unreadable(_)))));
}

#[test]
fn a_panicking_taker_does_not_hang_the_walk() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..3000 {
        std::fs::write(dir.path().join(format!("f{n}")), b"good").unwrap();
    }
    let pool = start(misbehaving(1));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let options = TreeOptions { threads: 1, ..TreeOptions::default() };
        scan_tree(&pool, &[dir.path().to_owned()], &options, None, &mut |_| panic!("on purpose"))
    }));
    assert!(panicked.is_err());
    pool.scan(kit::job(b"good"), lazaret_pool::Priority::Event).unwrap();
}
