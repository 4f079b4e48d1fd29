// SPDX-License-Identifier: Apache-2.0
//! `lazaret scan` alone. Where the whole workspace is built, the real scanner and content stand
//! beside the program and are used; else the scan has to say what is missing.

use crate::peer::{Ended, program};
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Whether the scanner and a content pack are beside the built program.
fn is_whole() -> bool {
    let folder = Path::new(env!("CARGO_BIN_EXE_lazaret")).parent().unwrap();
    // A scanner that is not the real one yet ends at once; the real one waits for its socket.
    folder.join("lazaret-scanner").exists()
        && ["content.pack", "lazaret.pack"].iter().any(|pack| folder.join(pack).exists())
}

/// Runs `lazaret scan --no-cache --json` with these arguments.
fn scan(arguments: &[&OsStr]) -> (Ended, Vec<Value>) {
    let ended: Ended =
        program().args(["scan", "--no-cache", "--json"]).args(arguments).output().unwrap().into();
    let lines = ended.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    (ended, lines)
}

fn of_type<'a>(lines: &'a [Value], word: &str) -> Vec<&'a Value> {
    lines.iter().filter(|l| l["type"] == word).collect()
}

/// A harmless script that asks to be rated like this; the marker is made at run time.
fn test_script(rating: lazaret_model::TestRating) -> String {
    let marker = lazaret_model::test_program_marker(lazaret_model::MalwareClass::Worm, rating);
    format!("#!/bin/sh\n# {marker}\nexit 0\n")
}

#[test]
fn a_scan_that_cannot_begin_is_2_and_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let pack = dir.path().join("none.pack");
    let (ended, lines) = scan(&["--pack".as_ref(), pack.as_os_str(), dir.path().as_os_str()]);
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert_eq!(of_type(&lines, "failure")[0]["kind"], "unscanned");
    assert!(ended.stderr.contains("none.pack") || ended.stderr.contains("lazaret-scanner"), "{ended:?}");
    let rules = dir.path().join("no-rules");
    let (ended, _) = scan(&["--content".as_ref(), rules.as_os_str(), dir.path().as_os_str()]);
    assert_eq!(ended.status, Some(64), "{ended:?}");
}

#[test]
fn findings_errors_and_summary() {
    let dir = tempfile::tempdir().unwrap();
    if !is_whole() {
        assert_eq!(scan(&[dir.path().as_os_str()]).0.status, Some(2));
        return;
    }
    let odd = dir.path().join(OsStr::from_bytes(b"\xffa\nb"));
    std::fs::write(&odd, test_script(lazaret_model::TestRating::Low)).unwrap();
    std::fs::write(dir.path().join("clean"), "nothing").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("fifo"), 0o600.into()).unwrap();
    let (ended, lines) = scan(&[dir.path().as_os_str()]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let found = of_type(&lines, "verdict");
    assert_eq!(found.len(), 1, "{ended:?}");
    assert_eq!(
        (&found[0]["rating"], &found[0]["class"], &found[0]["test"]),
        (&"low".into(), &"worm".into(), &true.into())
    );
    assert!(found[0]["path_b64"].is_string());
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["type"], &summary["low"], &summary["errors"]),
        (&"summary".into(), &1.into(), &0.into())
    );

    // What is named must be there and be a file; what is found instead goes on.
    let clean = dir.path().join("clean");
    let (ended, lines) =
        scan(&[dir.path().join("fifo").as_os_str(), "/nonexistent/x".as_ref(), clean.as_os_str()]);
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert_eq!(of_type(&lines, "error").len(), 2);
    assert_eq!(lines.last().unwrap()["objects"], 1);
    assert_eq!(scan(&[clean.as_os_str()]).0.status, Some(0));
    let (ended, _) = scan(&["--exclude".as_ref(), odd.as_os_str(), dir.path().as_os_str()]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
}

#[test]
fn a_named_link_is_followed_and_an_endless_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    if !is_whole() {
        assert_eq!(scan(&[dir.path().as_os_str()]).0.status, Some(2));
        return;
    }
    let file = dir.path().join("file");
    std::fs::write(&file, test_script(lazaret_model::TestRating::Medium)).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(scan(&[link.as_os_str()]).0.status, Some(1));
    let endless = dir.path().join("endless");
    std::os::unix::fs::symlink("endless", &endless).unwrap();
    let (ended, lines) = scan(&[endless.as_os_str()]);
    assert_eq!((ended.status, of_type(&lines, "error").len()), (Some(2), 1), "{ended:?}");
}

#[test]
fn a_broken_rule_is_named_and_the_others_are_in_force() {
    let dir = tempfile::tempdir().unwrap();
    if !is_whole() {
        assert_eq!(scan(&[dir.path().as_os_str()]).0.status, Some(2));
        return;
    }
    let rules = dir.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("bad.yar"), "rule bad {\n  condition: $nowhere\n}\n").unwrap();
    std::fs::write(rules.join("good.yar"), "rule good { strings: $a = \"find me\" condition: $a }").unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "please find me").unwrap();
    let (ended, lines) = scan(&["--content".as_ref(), rules.as_os_str(), file.as_os_str()]);
    let problems = of_type(&lines, "content_problem");
    assert_eq!((problems.len(), &problems[0]["line"]), (1, &2.into()), "{ended:?}");
    assert!(ended.stderr.contains("bad.yar:2:"), "{ended:?}");
    let found = of_type(&lines, "verdict");
    // A rule that somebody else wrote never makes a verdict high.
    assert_eq!((found.len(), &found[0]["rating"]), (1, &"medium".into()), "{ended:?}");
    assert_eq!(ended.status, Some(1));
}
