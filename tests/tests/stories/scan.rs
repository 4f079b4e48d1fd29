// SPDX-License-Identifier: Apache-2.0
//! `lazaret scan`: without daemon, without root.

use lazaret_kit::{bad, binaries};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn scan(arguments: &[&str], path: &Path) -> Output {
    Command::new(binaries::path("lazaret"))
        .args(["--json", "scan", "--no-cache", "--pack"])
        .arg(binaries::pack())
        .args(arguments)
        .arg(path)
        .output()
        .unwrap()
}

fn lines(out: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn exit_status_and_lines() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("clean.txt"), "nothing").unwrap();
    let out = scan(&[], dir.path());
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(lines(&out).len(), 1, "a summary alone: {:?}", lines(&out));
    std::fs::write(dir.path().join("eicar"), bad::eicar()).unwrap();
    let low = bad::script(MalwareClass::HackTool, TestRating::Low);
    std::fs::write(dir.path().join("low.sh"), low).unwrap();
    let out = scan(&[], dir.path());
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let all = lines(&out);
    let verdicts: Vec<&Value> = all.iter().filter(|l| l["type"] == "verdict").collect();
    assert_eq!(verdicts.len(), 2);
    let eicar = verdicts.iter().find(|v| v["path"].as_str().is_some_and(|p| p.ends_with("eicar"))).unwrap();
    assert_eq!(eicar["rating"], "high");
    assert!(eicar["evidence"].as_array().is_some_and(|e| !e.is_empty()));
    let summary = all.last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert_eq!((summary["high"].as_u64(), summary["low"].as_u64()), (Some(1), Some(1)));
    assert_eq!(summary["objects"], 3);
}

#[test]
fn missing_paths_and_special_files_are_errors_not_verdicts() {
    let dir = tempfile::tempdir().unwrap();
    let out = scan(&[], &dir.path().join("nowhere"));
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    assert!(
        lines(&out)
            .iter()
            .any(|l| l["type"] == "error" && l["reason"].as_str().is_some_and(|r| !r.is_empty()))
    );
    let fifo = dir.path().join("fifo");
    lazaret_kit::fs::run("mkfifo", &[fifo.to_str().unwrap()]);
    let out = scan(&[], &fifo);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
}

#[test]
fn works_for_an_unprivileged_user() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(dir.path().join("eicar"), bad::eicar()).unwrap();
    // The build folder may lie where others cannot look: give them their own copies.
    let bin = tempfile::tempdir().unwrap();
    std::fs::set_permissions(bin.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["lazaret", "lazaret-scanner"] {
        std::fs::copy(binaries::path(name), bin.path().join(name)).unwrap();
    }
    std::fs::copy(binaries::pack(), bin.path().join("lazaret.pack")).unwrap();
    let out = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(bin.path().join("lazaret"))
        .args(["--json", "scan", "--no-cache"])
        .arg(dir.path())
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
}

#[test]
fn extra_rules_reach_medium_at_most_and_broken_ones_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("good.yar"), "rule mine { strings: $a = \"needle-in-here\" condition: $a }\n")
        .unwrap();
    std::fs::write(rules.join("broken.yar"), "rule broken {\n  condition:\n    nonsense_identifier\n}\n")
        .unwrap();
    let target = dir.path().join("target.txt");
    std::fs::write(&target, "a needle-in-here indeed").unwrap();
    let out = scan(&["--content", rules.to_str().unwrap()], &target);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let all = lines(&out);
    let verdict = all.iter().find(|l| l["type"] == "verdict").unwrap();
    assert_ne!(verdict["rating"], "high");
    assert_eq!(verdict["evidence"][0]["kind"], "third_party_rule");
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    assert!(said.contains("broken.yar") && said.contains('3'), "{said}");
}

#[test]
fn archives_and_their_members() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("inner.sh");
    std::fs::write(&inner, bad::high_script()).unwrap();
    let archive = dir.path().join("a.tar.gz");
    lazaret_kit::fs::run(
        "tar",
        &["-czf", archive.to_str().unwrap(), "-C", dir.path().to_str().unwrap(), "inner.sh"],
    );
    let out = scan(&[], &archive);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let all = lines(&out);
    let member = all.iter().find(|l| l["member"].is_string()).unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(member["rating"], "high");
    let whole = all
        .iter()
        .find(|l| l["type"] == "verdict" && l["member"].is_null())
        .unwrap_or_else(|| panic!("{all:?}"));
    assert_ne!(whole["rating"], "high", "a member alone does not condemn its archive");
}
