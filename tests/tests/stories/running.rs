// SPDX-License-Identifier: Apache-2.0
//! What runs a bad file is ended; who merely reads it is not.

use lazaret_kit::proc::{Running, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_running_program_is_killed_by_hand() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    let path = volume.join("sleeper");
    write_executable(&path, &bad::program("/bin/sleep", MalwareClass::Miner, TestRating::High));
    let alarm = daemon.alarm_about(&path);
    let mut program = Running::start(Command::new(&path).arg("20"));
    let mut reader = Running::start(Command::new("/usr/bin/tail").arg("-f").arg(&path));
    std::thread::sleep(Duration::from_millis(200));
    assert!(program.ended().is_none());
    daemon.json(["handle", alarm["id"].as_str().unwrap(), "isolate-and-kill"]);
    assert!(program.ends_within(SOON), "still runs\n{}", daemon.log());
    assert!(reader.ended().is_none(), "a reader was killed\n{}", daemon.log());
    let isolated = daemon.isolated_path(&path);
    let killed = isolated["killed"].as_array().unwrap();
    assert_eq!(killed.len(), 1, "{isolated}");
    assert_eq!(killed[0]["pid"], program.pid());
    assert_eq!(killed[0]["outcome"], "done");
}

#[test]
fn what_runs_already_when_the_daemon_starts_is_found() {
    let volume = Volume::tmpfs();
    let path = volume.join("sleeper");
    write_executable(&path, &bad::program("/bin/sleep", MalwareClass::Miner, TestRating::High));
    let mut program = Running::start(Command::new(&path).arg("20"));
    std::thread::sleep(Duration::from_millis(200));
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    assert!(program.ends_within(SOON), "still runs\n{}", daemon.log());
    daemon.isolated_path(&path);
}

#[test]
fn an_interpreter_is_killed_for_its_script_only() {
    let volume = Volume::tmpfs();
    let path = volume.join("loop.sh");
    write_executable(&path, b"#!/bin/sh\nfor i in $(seq 100); do sleep 0.2; done\n");
    let other = volume.join("other.sh");
    write_executable(&other, b"#!/bin/sh\nfor i in $(seq 100); do sleep 0.2; done\n# other\n");
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let mut bad_one = Running::start(&mut Command::new(&path));
    let mut good_one = Running::start(&mut Command::new(&other));
    std::thread::sleep(Duration::from_millis(500));
    // The same inode gets the marker while the shell runs it.
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(
        format!("# {}\n", lazaret_model::test_program_marker(MalwareClass::Trojan, TestRating::High))
            .as_bytes(),
    )
    .unwrap();
    drop(file);
    assert!(bad_one.ends_within(SOON), "still runs\n{}", daemon.log());
    assert!(good_one.ended().is_none(), "another shell was killed\n{}", daemon.log());
    daemon.isolated_path(&path);
}

#[test]
fn a_respawning_pair_is_ended() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().into()], ..Setup::default() });
    let sleeper = volume.join("sleeper");
    write_executable(&sleeper, &bad::program("/bin/sleep", MalwareClass::Worm, TestRating::High));
    let alarm = daemon.alarm_about(&sleeper);
    // Ends by itself after at most 15 s, whatever the daemon does.
    let keeper =
        format!("end=$(($(date +%s)+15)); while [ $(date +%s) -lt $end ]; do {} 1; done", sleeper.display());
    let mut first = Running::start(Command::new("/bin/sh").args(["-c", &keeper]));
    let mut second = Running::start(Command::new("/bin/sh").args(["-c", &keeper]));
    std::thread::sleep(Duration::from_millis(300));
    daemon.json(["handle", alarm["id"].as_str().unwrap(), "isolate-and-kill"]);
    let alive = || {
        lazaret_sys::procfs::pids()
            .filter(|p| {
                std::fs::read_link(format!("/proc/{p}/exe")).is_ok_and(|e| e.starts_with(volume.path()))
            })
            .count()
    };
    assert!(eventually(SOON, || alive() == 0), "{} alive\n{}", alive(), daemon.log());
    // Nobody can start it again: the name is gone.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(alive(), 0);
    // The shells themselves run no bad file.
    assert!(first.ended().is_none() && second.ended().is_none());
}
