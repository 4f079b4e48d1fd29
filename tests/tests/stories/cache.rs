// SPDX-License-Identifier: Apache-2.0
//! What was allowed once is judged again when its content can have changed.

use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume};
use lazaret_model::{MalwareClass, TestRating};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Keeps a shared writable mapping, makes it dirty, and on a line of input stores new content
/// through it: neither mtime nor ctime nor size changes by that.
const MAPPER: &str = r#"
import mmap, sys
f = open(sys.argv[1], "r+b")
m = mmap.mmap(f.fileno(), 0)
m[-1:] = b"\n"
print("dirty", flush=True)
new = sys.stdin.readline().encode()
m[-len(new):] = new
print("stored", flush=True)
sys.stdin.readline()
"#;

fn dirty_mapping(volume: &Volume) {
    let path = volume.join("script");
    let marker = lazaret_model::test_program_marker(MalwareClass::Trojan, TestRating::High);
    let mut clean = b"#!/bin/sh\necho ran\n#".to_vec();
    clean.resize(clean.len() + marker.len() + 8, b' ');
    clean.push(b'\n');
    write_executable(&path, &clean);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let mapper = volume.beside().join("mapper.py");
    std::fs::write(&mapper, MAPPER).unwrap();
    let mut child = Command::new("python3")
        .arg(&mapper)
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    use std::io::{BufRead, Write};
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "dirty\n");
    std::thread::sleep(Duration::from_millis(300));
    let run_by_sh = || Command::new("/bin/sh").arg(&path).output().unwrap();
    for _ in 0..3 {
        assert_eq!(run_by_sh().stdout, b"ran\n", "{}", daemon.log());
    }
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "# {marker}").unwrap();
    line.clear();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "stored\n");
    let after = run_by_sh();
    assert!(!after.status.success() && after.stdout.is_empty(), "{after:?}\n{}", daemon.log());
    drop(input);
    let _ = child.wait();
    daemon.isolated_path(&path);
}

#[test]
fn a_store_through_a_dirty_mapping_is_seen_on_tmpfs() {
    dirty_mapping(&Volume::tmpfs());
}

#[test]
fn a_store_through_a_dirty_mapping_is_seen_on_ext4() {
    dirty_mapping(&Volume::ext4());
}

#[test]
fn a_changed_file_is_judged_again() {
    for mode in [0o755, 0o777] {
        let volume = Volume::tmpfs();
        let path = volume.join("script");
        write_executable(&path, b"#!/bin/sh\necho ran\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        std::thread::sleep(Duration::from_millis(150));
        let daemon = Daemon::start(&Setup::armed(volume.path()));
        for _ in 0..3 {
            assert!(run(&path).is_ok());
        }
        std::fs::write(&path, lazaret_kit::bad::high_script()).unwrap();
        let result = run(&path);
        assert!(result.is_err(), "mode {mode:o}: {result:?}\n{}", daemon.log());
    }
}

#[test]
fn repeated_execution_is_answered_from_memory() {
    for mode in [0o755, 0o777] {
        let volume = Volume::tmpfs();
        let path = volume.join("true");
        write_executable(&path, &std::fs::read("/bin/true").unwrap());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        std::thread::sleep(Duration::from_millis(150));
        let daemon = Daemon::start(&Setup::armed(volume.path()));
        assert!(run(&path).is_ok());
        let before = daemon.status()["counters"]["scanned"].as_u64().unwrap();
        for _ in 0..20 {
            assert!(run(&path).is_ok());
        }
        let after = daemon.status()["counters"]["scanned"].as_u64().unwrap();
        assert!(after - before <= 1, "mode {mode:o}: {} scans for 20 executions", after - before);
    }
}

#[test]
fn a_hash_that_was_refused_stays_refused() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    for i in 0..20 {
        let path = volume.join(&format!("p{i}"));
        write_executable(
            &path,
            &lazaret_kit::bad::program("/bin/true", MalwareClass::Virus, TestRating::High),
        );
        let result = run(&path);
        assert!(is_refused(&result) || !path.exists(), "{result:?}\n{}", daemon.log());
    }
}
