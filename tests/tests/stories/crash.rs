// SPDX-License-Identifier: Apache-2.0
//! Scanners that die, and a daemon that is killed in the middle of an isolation.

use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_sys::process::{ProcessHandle, Signal};
use std::path::PathBuf;
use std::time::Duration;

fn numbered(i: usize) -> Vec<u8> {
    let mut bytes = bad::script(MalwareClass::Trojan, TestRating::High);
    bytes.extend(format!("# {i}\n").bytes());
    bytes
}

#[test]
fn scanners_that_are_killed_are_replaced_and_nothing_is_missed() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    for i in 0..40 {
        if i % 8 == 0 {
            for worker in daemon.status()["workers"].as_array().unwrap() {
                let pid = i32::try_from(worker["pid"].as_i64().unwrap()).unwrap();
                if let Ok(worker) = ProcessHandle::open(pid) {
                    let _ = worker.signal(Signal::KILL);
                }
            }
        }
        std::fs::write(volume.join(&format!("f{i}")), numbered(i)).unwrap();
    }
    let left = || (0..40).filter(|i| volume.join(&format!("f{i}")).exists()).count();
    assert!(eventually(Duration::from_secs(20), || left() == 0), "{} left\n{}", left(), daemon.log());
    let status = daemon.status();
    assert!(status["counters"]["workers_replaced"].as_u64().is_some_and(|n| n >= 2), "{status}");
}

/// Every file is either where it was or whole in the vault, at any moment the daemon is killed.
#[test]
fn a_daemon_killed_during_isolations_loses_nothing() {
    let volume = Volume::ext4();
    let state = volume.beside().join("state");
    let setup = || Setup { state: Some(state.clone()), ..Setup::armed(volume.path()) };
    let paths: Vec<PathBuf> = (0..60).map(|i| volume.join(&format!("f{i}"))).collect();
    let daemon = Daemon::start(&setup());
    let agent = ProcessHandle::open(daemon.agent_pid()).unwrap();
    for (i, path) in paths.iter().enumerate() {
        std::fs::write(path, numbered(i)).unwrap();
        if i == 30 {
            agent.signal(Signal::KILL).unwrap();
        }
    }
    // The watchdog starts it again; what was cut off is replayed, what is still there is judged when
    // it is touched.
    assert!(
        eventually(Duration::from_secs(20), || daemon.cli(["status"]).status.success()
            && daemon.agent_pid() != agent.process().pid),
        "{}",
        daemon.log()
    );
    for path in paths.iter().filter(|p| p.exists()) {
        let _ = std::fs::read(path);
    }
    assert!(
        eventually(Duration::from_secs(30), || paths.iter().all(|p| !p.exists())),
        "{:?}\n{}",
        paths.iter().filter(|p| p.exists()).collect::<Vec<_>>(),
        daemon.log()
    );
    let whole = || {
        let listed = daemon.json(["isolated", "list"]);
        paths
            .iter()
            .filter(|p| listed.iter().any(|i| i["path"] == p.to_str().unwrap() && i["status"] == "isolated"))
            .count()
    };
    assert!(
        eventually(Duration::from_secs(20), || whole() == paths.len()),
        "{} of {} in the vault\n{}",
        whole(),
        paths.len(),
        daemon.log()
    );
    assert!(daemon.json(["isolated", "verify"]).iter().all(|v| v["ok"] == true));
    // Nothing is left in a staging folder.
    let left: Vec<_> = walk(volume.path()).into_iter().filter(|p| p.is_file()).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(walk(&path));
        }
        all.push(path);
    }
    all
}
