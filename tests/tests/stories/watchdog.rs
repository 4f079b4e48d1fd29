// SPDX-License-Identifier: Apache-2.0
//! The daemon cannot hang the host.

use lazaret_kit::proc::{run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, eventually};
use lazaret_sys::process::{ProcessHandle, Signal};
use std::time::{Duration, Instant};

#[test]
fn a_stopped_daemon_frees_the_host_within_two_seconds() {
    freed_in_time(|agent| {
        ProcessHandle::open(agent).unwrap().signal(Signal::STOP).unwrap();
        // A thread that runs at that moment stops at its next interrupt.
        assert!(eventually(Duration::from_secs(5), || stands_still(agent)));
    });
}

/// Whether each of its threads is stopped.
fn stands_still(pid: i32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    })
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_spinning_daemon_frees_the_host_within_two_seconds() {
    freed_in_time(|agent| lazaret_kit::spin::spin(agent, "gate"));
}

/// Breaks the agent, asks it something, and waits until the watchdog has freed the host.
fn freed_in_time(break_it: impl FnOnce(i32)) {
    let volume = Volume::ext4();
    let path = volume.join("true");
    write_executable(&path, &std::fs::read("/bin/true").unwrap());
    // Only root can write it: a clean verdict would be remembered by the kernel, and no question
    // would be pending. A fresh file each time is asked about.
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let agent = ProcessHandle::open(daemon.agent_pid()).unwrap();
    break_it(agent.process().pid);
    let began = Instant::now();
    let asked = std::thread::spawn({
        let path = path.clone();
        move || run(&path).map(|o| o.status.success())
    });
    let mut free = None;
    assert!(
        eventually(Duration::from_secs(10), || {
            free = asked.is_finished().then(|| began.elapsed());
            free.is_some()
        }),
        "the exec still waits\n{}",
        daemon.log()
    );
    assert!(matches!(asked.join().unwrap(), Ok(true)), "it runs once nobody can refuse it");
    let free = free.unwrap();
    assert!(free < Duration::from_secs(2), "freed after {free:?}\n{}", daemon.log());
    assert!(free > Duration::from_millis(100), "nothing was pending: {free:?}");
    // And it protects again.
    assert!(
        eventually(Duration::from_secs(15), || daemon.cli(["status"]).status.success()
            && daemon.agent_pid() != agent.process().pid),
        "{}",
        daemon.log()
    );
    std::fs::write(volume.join("bad"), lazaret_kit::bad::high_script()).unwrap();
    daemon.isolated_path(&volume.join("bad"));
}

#[test]
fn three_abnormal_ends_lead_to_safe_mode() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    for _ in 0..3 {
        let before = daemon.agent_pid();
        ProcessHandle::open(before).unwrap().signal(Signal::KILL).unwrap();
        assert!(
            eventually(Duration::from_secs(15), || {
                let out = daemon.cli(["--json", "status"]);
                out.status.success()
                    && serde_json::from_slice::<serde_json::Value>(&out.stdout)
                        .is_ok_and(|s| s["pid"] != before)
            }),
            "{}",
            daemon.log()
        );
    }
    let status = daemon.status();
    assert_eq!(status["safe_mode"], true, "{status}");
    assert!(status["degraded"].as_array().is_some_and(|d| !d.is_empty()), "{status}");
    let alarms = daemon.json(["alarms", "list"]);
    assert!(
        alarms.iter().any(|a| a["title"].as_str().is_some_and(|t| t.contains("safe mode"))),
        "{alarms:?}"
    );
    // It still notices and isolates what is written.
    let path = volume.join("bad");
    std::fs::write(&path, lazaret_kit::bad::high_script()).unwrap();
    daemon.isolated_path(&path);
}

#[test]
fn two_daemons_run_side_by_side() {
    let (one, two) = (Volume::tmpfs(), Volume::tmpfs());
    let first = Daemon::start(&Setup::armed(one.path()));
    let second = Daemon::start(&Setup { mounts: vec![two.path().into()], ..Setup::default() });
    for volume in [&one, &two] {
        std::fs::write(volume.join("bad"), lazaret_kit::bad::high_script()).unwrap();
    }
    first.isolated_path(&one.join("bad"));
    second.alarm_about(&two.join("bad"));
    assert!(two.join("bad").exists(), "its switch is off");
}

#[test]
fn effective_protection_is_shown_per_mount() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let status = daemon.status();
    let mount =
        status["mounts"].as_array().unwrap().iter().find(|m| m["path"] == volume.path().to_str().unwrap());
    let mount = mount.unwrap_or_else(|| panic!("{status}"));
    assert_eq!(mount["configured"], "exec+open+write");
    assert_eq!(mount["effective"], "exec+open+write");
    // A folder that is no mount point is not silently taken for one.
    drop(daemon);
    std::fs::create_dir(volume.join("folder")).unwrap();
    let setup = Setup { mounts: vec![volume.path().into(), volume.join("folder")], ..Setup::default() };
    let daemon = Daemon::start(&setup);
    let status = daemon.status();
    let folder = status["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["path"] == volume.join("folder").to_str().unwrap());
    assert_eq!(folder.map(|m| m["effective"].clone()), Some("none".into()), "{status}");
    assert!(status["degraded"].as_array().is_some_and(|d| !d.is_empty()), "{status}");
}
