// SPDX-License-Identifier: Apache-2.0
//! Programs and scripts are refused before they run, however they are started.

use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad};
use lazaret_model::{MalwareClass, TestRating};
use std::path::Path;
use std::process::Command;

/// The file lies on the volume before the daemon starts: only its execution shows it.
fn with(bytes: &[u8], name: &str, test: impl FnOnce(&Daemon, &Path)) {
    let volume = Volume::tmpfs();
    let path = volume.join(name);
    write_executable(&path, bytes);
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    test(&daemon, &path);
    daemon.isolated_path(&path);
    assert!(!path.exists());
}

fn says(mut command: Command) -> (bool, String) {
    let out = command.output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn elf_program() {
    with(&bad::program("/bin/true", MalwareClass::Botnet, TestRating::High), "prog", |_, path| {
        let result = run(path);
        assert!(is_refused(&result), "{result:?}");
    });
}

#[test]
fn script_by_its_path() {
    with(&bad::high_script(), "script", |_, path| {
        let result = run(path);
        assert!(is_refused(&result), "{result:?}");
    });
}

#[test]
fn script_by_sh() {
    with(&bad::high_script(), "script", |_, path| {
        let mut command = Command::new("/bin/sh");
        command.arg(path);
        let (ok, said) = says(command);
        assert!(!ok && !said.contains("ran"), "{said}");
    });
}

#[test]
fn script_by_dot() {
    with(&bad::high_script(), "script", |_, path| {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!(". {}", path.display()));
        let (ok, said) = says(command);
        assert!(!ok && !said.contains("ran"), "{said}");
    });
}

#[test]
fn script_by_python() {
    let mut text = b"#!/usr/bin/env python3\nprint('ran')\n# ".to_vec();
    text.extend(lazaret_model::test_program_marker(MalwareClass::Backdoor, TestRating::High).bytes());
    // A backdoor is not among the classes that are handled by themselves.
    let volume = Volume::tmpfs();
    let path = volume.join("script.py");
    write_executable(&path, &text);
    let more = "classes = [\"backdoor\"]\n".to_owned();
    let daemon = Daemon::start(&Setup { more, ..Setup::armed(volume.path()) });
    let mut command = Command::new("python3");
    command.arg(&path);
    let (ok, said) = says(command);
    assert!(!ok && !said.contains("ran"), "{said}");
    daemon.isolated_path(&path);
}

#[test]
fn program_by_the_dynamic_linker() {
    let linker = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
    let linker = linker.into_iter().find(|l| Path::new(l).exists()).expect("a dynamic linker");
    with(&bad::program("/bin/echo", MalwareClass::Virus, TestRating::High), "prog", |_, path| {
        let mut command = Command::new(linker);
        command.arg(path).arg("ran");
        let (ok, said) = says(command);
        assert!(!ok && !said.contains("ran"), "{said}");
    });
}

#[test]
fn copy_to_another_name_and_hard_link_are_refused() {
    let volume = Volume::tmpfs();
    let path = volume.join("prog");
    write_executable(&path, &bad::program("/bin/true", MalwareClass::Miner, TestRating::High));
    std::fs::hard_link(&path, volume.join("other")).unwrap();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    assert!(is_refused(&run(&volume.join("other"))));
    assert!(
        lazaret_kit::eventually(std::time::Duration::from_secs(10), || !path.exists()
            && !volume.join("other").exists()),
        "{}",
        daemon.log()
    );
}

#[test]
fn medium_and_low_run_and_are_alarmed() {
    for rating in [TestRating::Medium, TestRating::Low] {
        let volume = Volume::tmpfs();
        let path = volume.join("script");
        write_executable(&path, &bad::script(MalwareClass::Trojan, rating));
        let daemon = Daemon::start(&Setup::armed(volume.path()));
        let out = run(&path).unwrap();
        assert_eq!(out.stdout, b"ran\n");
        let alarm = daemon.alarm_about(&path);
        assert_eq!(alarm["rating"], rating.word());
        assert!(path.exists());
    }
}

#[test]
fn a_file_that_is_executed_right_after_it_was_written_is_refused() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    for i in 0..50 {
        let path = volume.join(&format!("fresh-{i}"));
        write_executable(&path, &bad::program("/bin/true", MalwareClass::Trojan, TestRating::High));
        let result = run(&path);
        // Refused, or its name is gone already.
        assert!(result.is_err(), "round {i}: {result:?}\n{}", daemon.log());
    }
}

#[test]
fn clean_programs_run() {
    let volume = Volume::tmpfs();
    let path = volume.join("true");
    write_executable(&path, &std::fs::read("/bin/true").unwrap());
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    for _ in 0..20 {
        assert!(run(&path).unwrap().status.success());
    }
    assert!(daemon.json(["alarms", "list"]).is_empty());
}
