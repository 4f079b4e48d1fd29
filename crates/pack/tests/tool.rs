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
fn several_folders_make_one_pack() {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content");
    let dir = tempfile::tempdir().unwrap();
    let rules = |out: &str| out.lines().filter(|l| l.contains('\t')).count();
    let mut counts = Vec::new();
    for (name, sources) in
        [("host.pack", vec![content.clone()]), ("deep.pack", vec![content.clone(), content.join("deep")])]
    {
        let pack = dir.path().join(name);
        let mut args = vec![verb("build")];
        args.extend(sources.iter().map(std::path::PathBuf::as_path));
        args.push(&pack);
        let (code, out, err) = run(&args);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        let (code, out, _) = run(&[verb("list"), &pack]);
        assert_eq!(code, 0);
        counts.push(rules(&out));
    }
    assert!(counts[1] >= counts[0] + 5, "{counts:?}");
    // The same folder twice: every id is taken, and it is said where.
    let pack = dir.path().join("twice.pack");
    let (code, _, err) = run(&[verb("build"), &content, &content, &pack]);
    assert!(code == 1 && err.contains("is taken by") && err.contains("content/rules/"), "{err}");
    assert!(!pack.exists());
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
