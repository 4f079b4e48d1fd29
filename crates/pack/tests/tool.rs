// SPDX-License-Identifier: Apache-2.0
//! The tool for those who write content, as they call it.

use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&Path]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_lazaret-content")).args(args).output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn verb(word: &str) -> &Path {
    Path::new(word)
}

#[test]
fn the_shipped_content_builds_and_lists() {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let dir = tempfile::tempdir().unwrap();
    let pack = dir.path().join("content.pack");
    let (code, out, err) = run(&[verb("check"), &content]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("problems 0"), "{out}");
    let (code, out, err) = run(&[verb("build"), &content, &pack]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let (code, out, _) = run(&[verb("list"), &pack]);
    assert_eq!(code, 0);
    assert!(out.lines().count() > 60 && out.contains("content.pack: version "), "{out}");
}

#[test]
fn problems_are_printed_and_stop_a_build() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    std::fs::write(dir.path().join("VERSION"), "1\n").unwrap();
    let plain = dir.path().join("plain");
    std::fs::write(&plain, "[[rule]]\nid = \"x\"\n").unwrap();
    let (code, ..) = run(&[verb("encode"), &plain, &dir.path().join("rules/x.toml.rot47")]);
    assert_eq!(code, 0);
    let (code, out, _) = run(&[verb("show"), &dir.path().join("rules/x.toml.rot47")]);
    assert_eq!((code, out.as_str()), (0, "[[rule]]\nid = \"x\"\n"));
    let (code, _, err) = run(&[verb("check"), dir.path()]);
    assert!(code == 1 && err.contains("rules/x.toml.rot47:1:"), "{err}");
    let pack = dir.path().join("p");
    let (code, _, err) = run(&[verb("build"), dir.path(), &pack]);
    assert!(code == 1 && err.contains("the pack was not built"), "{err}");
    assert!(!pack.exists());
}

#[test]
fn wrong_calls() {
    let (code, _, err) = run(&[verb("burn")]);
    assert!(code == 64 && err.starts_with("usage:"), "{err}");
    let (code, _, err) = run(&[verb("list"), Path::new("/nonexistent/pack")]);
    assert!(code == 1 && err.contains("/nonexistent/pack"), "{err}");
}
