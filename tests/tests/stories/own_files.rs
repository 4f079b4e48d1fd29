// SPDX-License-Identifier: Apache-2.0
//! Lazaret never finds itself: not in its sources, not in its binaries, not in its packs.

use lazaret_kit::binaries;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn case_17_sources_binaries_and_packs_are_clean() {
    let repository = binaries::repository();
    let listed = Command::new("git").arg("-C").arg(&repository).args(["ls-files", "-z"]).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let mut paths: Vec<PathBuf> = listed
        .stdout
        .split(|b| *b == 0)
        .filter(|n| !n.is_empty())
        .map(|n| repository.join(std::str::from_utf8(n).unwrap()))
        .filter(|p| p.is_file())
        .collect();
    assert!(paths.len() > 100, "{} files", paths.len());
    paths.push(binaries::pack());
    for name in ["lazaret", "lazaretd", "lazaret-scanner", "lazaret-content"] {
        paths.push(binaries::path(name));
    }
    // The test binaries hold the kit's stand-ins in pieces.
    paths.push(std::env::current_exe().unwrap());
    let out = Command::new(binaries::path("lazaret"))
        .args(["--json", "scan", "--no-cache", "--pack"])
        .arg(binaries::pack())
        .args(&paths)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    let found: Vec<&str> = text.lines().filter(|l| l.contains("\"verdict\"")).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(out.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&out.stderr));
}
