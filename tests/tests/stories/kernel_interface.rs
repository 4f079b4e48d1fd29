// SPDX-License-Identifier: Apache-2.0
//! Failure cases between the kernel and a sensor: lost events, loops, ways round system calls.

use lazaret_kit::proc::write_executable;
use lazaret_kit::{Daemon, Setup, Volume, bad, binaries, eventually};
use lazaret_sys::process::{ProcessHandle, Signal};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn counter(daemon: &Daemon, name: &str) -> u64 {
    daemon.status()["counters"][name].as_u64().unwrap()
}

#[test]
fn case_3_lost_events_are_counted_and_made_up_for() {
    let volume = Volume::tmpfs();
    let setup = Setup { more: "[budget]\nworkers = 1\n".into(), ..Setup::armed(volume.path()) };
    let daemon = Daemon::start(&setup);
    let status = daemon.status();
    let workers: Vec<ProcessHandle> = status["workers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| ProcessHandle::open(i32::try_from(w["pid"].as_i64().unwrap()).unwrap()).unwrap())
        .collect();
    assert!(!workers.is_empty(), "{status}");
    for worker in &workers {
        worker.signal(Signal::STOP).unwrap();
    }
    // Nobody scans: the queue of 8192 written files overruns, and what comes last is lost.
    for i in 0..9_000 {
        std::fs::write(volume.join(&format!("f{i}")), "#!/bin/sh\ntrue\n").unwrap();
    }
    let last = volume.join("the-last-one");
    std::fs::write(&last, bad::high_script()).unwrap();
    for worker in &workers {
        // One that overran its deadline was replaced already.
        let _ = worker.signal(Signal::CONT);
    }
    // Behind eight thousand others, and a scan of them all.
    let gone = eventually(Duration::from_secs(90), || !last.exists());
    assert!(gone, "{}", daemon.log());
    daemon.isolated_path(&last);
    assert!(counter(&daemon, "overflows") > 0);
    let alarms = daemon.json(["alarms", "list"]);
    assert!(
        alarms.iter().any(|a| a["title"].as_str().is_some_and(|t| t.contains("events were lost"))),
        "{alarms:?}"
    );
}

#[test]
fn case_5_own_work_on_a_protected_mount_sets_off_no_scans() {
    let volume = Volume::ext4();
    let setup = Setup { state: Some(volume.join("state")), ..Setup::armed(volume.path()) };
    let daemon = Daemon::start(&setup);
    // Journal, vault and database are written on the very mount that is watched.
    for i in 0..5 {
        let path = volume.join(&format!("bad{i}"));
        std::fs::write(&path, bad::high_script()).unwrap();
        daemon.isolated_path(&path);
    }
    let settled = |name: &str| {
        let mut before = counter(&daemon, name);
        eventually(Duration::from_secs(10), || {
            std::thread::sleep(Duration::from_millis(700));
            let now = counter(&daemon, name);
            std::mem::replace(&mut before, now) == now
        })
    };
    assert!(settled("scanned"), "{}", daemon.status());
    let scanned = counter(&daemon, "scanned");
    // Five files, each seen when written and perhaps once more under its staged name.
    assert!((5..=15).contains(&scanned), "{scanned} scans for 5 files");
}

fn ring(verb: &str, path: &Path, input: &[u8]) -> Output {
    let program = binaries::folder().join("examples/io_uring");
    let mut child = Command::new(program)
        .arg(verb)
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn case_13_io_uring_is_seen_like_any_other_way() {
    let volume = Volume::tmpfs();
    // Written before anybody watches: only opening it can give it away.
    let there = volume.join("there");
    write_executable(&there, &bad::high_script());
    let clean = volume.join("clean");
    std::fs::write(&clean, "#!/bin/sh\necho fine\n").unwrap();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let read = ring("read", &clean, b"");
    assert!(read.status.success() && read.stdout == b"#!/bin/sh\necho fine\n", "{read:?}");
    let read = ring("read", &there, b"");
    assert_eq!(String::from_utf8_lossy(&read.stdout), "PermissionDenied\n", "{}", daemon.log());
    daemon.isolated_path(&there);
    let dropped = volume.join("dropped");
    assert!(ring("write", &dropped, &bad::high_script()).status.success());
    daemon.isolated_path(&dropped);
}
