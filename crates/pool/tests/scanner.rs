// SPDX-License-Identifier: Apache-2.0
//! The real scanner behind the pool: content, added rules, and whole trees.

mod kit;

use kit::{job, open_job, program, start};
use lazaret_model::{MalwareClass, Rating, ScanError, ScanReport, TestRating, Thresholds};
use lazaret_pool::cache::CleanCache;
use lazaret_pool::{Found, Pool, PoolConfig, PoolError, Priority, TreeOptions, scan_tree};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A pack without rules, in a folder that the workers' uid may enter.
fn pack(dir: &Path) -> PathBuf {
    let path = dir.join("content.pack");
    lazaret_pack::write_pack(&lazaret_pack::Content::default(), &path).unwrap();
    path
}

fn config(dir: &Path, rules: &[&Path]) -> PoolConfig {
    PoolConfig {
        scanner: program("lazaret-scanner"),
        content: pack(dir),
        rules: rules.iter().map(|r| r.to_path_buf()).collect(),
        workers: 2,
        reserved: 0,
        // Generous: the machine that tests run on may be busy.
        deadline: Duration::from_secs(20),
        uid_gid: kit::is_root().then_some((65534, 65534)),
        test_programs: true,
        deep: None,
        on_pid: None,
    }
}

fn scan(pool: &Pool, content: &[u8]) -> ScanReport {
    pool.scan(job(content), Priority::Event).unwrap_or_else(|e| panic!("{e}"))
}

const RULE: &str = r#"rule Strange_Words { strings: $a = "xyzzy-plugh-plover" condition: $a }"#;

#[test]
fn clean_files_added_rules_and_test_programs() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    std::fs::create_dir_all(rules.join("more")).unwrap();
    std::fs::write(rules.join("more/strange.yar"), RULE).unwrap();
    std::fs::write(rules.join("broken.yara"), "rule Broken {\n  condition: nonsense\n}").unwrap();
    std::fs::write(rules.join("not-rules.txt"), "rule").unwrap();
    let pool = start(config(dir.path(), &[&rules, Path::new("/nonexistent/rules.yar")]));

    let info = pool.content();
    assert_eq!(info.rules, 1, "{info:?}");
    let problems: Vec<String> = info.problems.iter().map(ToString::to_string).collect();
    assert!(problems.iter().any(|p| p.contains("broken.yara:2:")), "{problems:?}");
    assert!(problems.iter().any(|p| p.starts_with("/nonexistent/rules.yar:")), "{problems:?}");

    let clean = scan(&pool, b"#!/bin/sh\necho hello\n");
    assert!(!clean.verdict.is_found());
    assert_eq!(clean.verdict.content_version, info.version);
    let found = scan(&pool, b"#!/bin/sh\n# xyzzy-plugh-plover\n");
    assert!(found.verdict.is_found());
    assert_ne!(found.verdict.rating(Thresholds::default()), Some(Rating::High), "added rules never decide");

    let marker = lazaret_model::test_program_marker(MalwareClass::Miner, TestRating::High);
    let text = format!("#!/bin/sh\n# {marker}\n");
    let test = scan(&pool, text.as_bytes());
    assert_eq!((test.verdict.confidence.value(), test.verdict.test), (99, true));
    assert_eq!(test.verdict.class, MalwareClass::Miner);
    assert_eq!(pool.replaced(), 0);
}

#[test]
fn real_programs_and_odd_files_stay_within_the_jail() {
    let dir = tempfile::tempdir().unwrap();
    let pool = start(config(dir.path(), &[]));
    for path in ["/bin/sh", "/usr/bin/env", "/etc/passwd", "/lib64/ld-linux-x86-64.so.2"] {
        let path = Path::new(path);
        if let Ok(path) = path.canonicalize() {
            pool.scan(open_job(&path), Priority::Permission)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
    let exe = std::env::current_exe().unwrap();
    pool.scan(open_job(&exe), Priority::Event).unwrap();
    scan(&pool, b"");
    scan(&pool, b"\x7fELF");
    scan(&pool, &[0; 3_000_000]);
    // One TiB that holds nothing.
    let sparse = dir.path().join("sparse");
    std::fs::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    match pool.scan(open_job(&sparse), Priority::Event) {
        Ok(report) => assert!(!report.verdict.is_found()),
        Err(ScanError::TooLarge { size, .. }) => assert_eq!(size, 1 << 40),
        Err(e) => panic!("{e}"),
    }
    // Opened for writing only.
    let blind = dir.path().join("blind");
    std::fs::write(&blind, "text").unwrap();
    let blind = std::fs::OpenOptions::new().write(true).open(&blind).unwrap();
    let blind = lazaret_pool::Job { file: blind.into(), name: Vec::new(), members: false };
    assert!(matches!(pool.scan(blind, Priority::Event), Err(ScanError::Unreadable(_))));
    assert_eq!(pool.replaced(), 0, "nothing of that may end a worker");
    assert_eq!(pool.jail_gaps().iter().filter(|g| g.contains("uid")).count(), 0);
}

#[test]
fn test_programs_can_be_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let pool = start(PoolConfig { test_programs: false, ..config(dir.path(), &[]) });
    let marker = lazaret_model::test_program_marker(MalwareClass::Worm, TestRating::High);
    assert!(!scan(&pool, format!("#!/bin/sh\n# {marker}\n").as_bytes()).verdict.is_found());
}

#[test]
fn the_deep_scan_finds_its_test_programs_and_unpacks_more() {
    let dir = tempfile::tempdir().unwrap();
    let marker = lazaret_model::cloud_test_program_marker(MalwareClass::Worm);
    let text = format!("#!/bin/sh\n# {marker}\n");
    let host = start(config(dir.path(), &[]));
    assert!(!scan(&host, text.as_bytes()).verdict.is_found());
    let deep = lazaret_pool::DeepLimits::default();
    let pool = start(PoolConfig { deep: Some(deep), ..config(dir.path(), &[]) });
    let verdict = scan(&pool, text.as_bytes()).verdict;
    assert_eq!((verdict.confidence.value(), verdict.class, verdict.test), (99, MalwareClass::Worm, true));
    let narrow = lazaret_pool::DeepLimits { memory: 1, ..deep };
    let refused = Pool::start(PoolConfig { deep: Some(narrow), ..config(dir.path(), &[]) });
    assert!(refused.is_err(), "a jail without memory is no jail to work in");
}

#[test]
fn damaged_content_keeps_the_old_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let pool = start(config(dir.path(), &[]));
    let version = pool.content().version;
    let damaged = dir.path().join("damaged.pack");
    let mut bytes = std::fs::read(dir.path().join("content.pack")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&damaged, bytes).unwrap();
    for bad in [damaged, "/nonexistent/content.pack".into()] {
        let name = bad.display().to_string();
        match pool.reload(bad, Vec::new()) {
            Err(e @ PoolError::Content { .. }) => assert!(e.to_string().contains(&name), "{e}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pool.content().version, version);
    scan(&pool, b"still there");
    let rules = dir.path().join("rule.yar");
    std::fs::write(&rules, RULE).unwrap();
    pool.reload(dir.path().join("content.pack"), vec![rules]).unwrap();
    assert_ne!(pool.content().version, version, "added rules are part of the version");
    assert!(scan(&pool, b"xyzzy-plugh-plover").verdict.is_found());
}

#[test]
fn a_tree_is_scanned_whole() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rule.yar");
    std::fs::write(&rules, RULE).unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    for n in 0..500 {
        let text = if n % 100 == 0 { "xyzzy-plugh-plover" } else { "nothing of note" };
        std::fs::write(tree.join(format!("{n}.txt")), text).unwrap();
    }
    // Readable by root only: the worker has the descriptor, not the right.
    std::fs::set_permissions(tree.join("0.txt"), Permissions::from_mode(0o600)).unwrap();
    let pool = start(config(dir.path(), &[&rules]));
    let (mut found, mut clean) = (0, 0);
    let options = TreeOptions { threads: 1, members: true, ..TreeOptions::default() };
    let summary = scan_tree(&pool, &[tree], &options, None, &mut |file| match file {
        Found::File { result: Ok(report), .. } if report.verdict.is_found() => found += 1,
        Found::File { result: Ok(_), .. } => clean += 1,
        other => panic!("{other:?}"),
    });
    assert_eq!((found, clean, summary.scanned), (5, 495, 500));
}

#[test]
fn a_huge_file_is_known_as_searched_partly() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("small"), "nothing of note").unwrap();
    std::fs::File::create(tree.join("huge")).unwrap().set_len(200 << 20).unwrap();
    // A ctime is trusted once it is 100 ms old.
    std::thread::sleep(Duration::from_millis(150));
    let pool = start(config(dir.path(), &[]));
    let (mut cache, _) = CleanCache::load(&dir.path().join("clean"), &pool.content().version, b"");
    let options = TreeOptions { threads: 1, members: true, ..TreeOptions::default() };
    let mut notes = 0;
    let mut scan = |cache: &mut CleanCache| {
        scan_tree(&pool, std::slice::from_ref(&tree), &options, Some(cache), &mut |found| {
            if let Found::File { result, .. } = found {
                notes += result.unwrap().unscanned.len();
            }
        })
    };
    let first = scan(&mut cache);
    let second = scan(&mut cache);
    assert_eq!((first.scanned, first.known_clean), (2, 0));
    assert_eq!((second.scanned, second.known_clean, second.known_partly), (0, 2, 1));
    assert_eq!(notes, 1, "the first scan said which part was left out");
}
