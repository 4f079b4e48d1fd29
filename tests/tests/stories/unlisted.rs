// SPDX-License-Identifier: Apache-2.0
//! A filesystem that our mount table does not show: an unprivileged user's tmpfs in a namespace.

use lazaret_kit::proc::{Running, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_process_from_a_hidden_tmpfs_is_killed_and_its_filesystem_marked() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { unlisted: true, ..Setup::armed(volume.path()) });
    // The program is carried in by an unprivileged user; it lies where nobody protects.
    let source = volume.beside().join("source");
    write_executable(&source, &bad::program("/bin/sleep", MalwareClass::Miner, TestRating::High));
    for path in [volume.beside(), source.as_path()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let work = format!(
        "mount -t tmpfs none /mnt && cp {} /mnt/p && chmod 755 /mnt/p && /mnt/p 15; /mnt/p 15; sleep 2",
        source.display()
    );
    let mut hidden = Running::start(Command::new("setpriv").args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "unshare",
        "-Urm",
        "sh",
        "-c",
        &work,
    ]));
    let alive = || {
        lazaret_sys::procfs::pids()
            .filter(|p| std::fs::read_link(format!("/proc/{p}/exe")).is_ok_and(|e| e.ends_with("mnt/p")))
            .count()
    };
    let marked = || {
        daemon.status()["mounts"].as_array().is_some_and(|m| m.iter().any(|m| m["found_by_process"] == true))
    };
    assert!(eventually(Duration::from_secs(8), marked), "not marked\n{}", daemon.log());
    assert!(eventually(Duration::from_secs(8), || alive() == 0), "still runs\n{}", daemon.log());
    assert!(
        eventually(Duration::from_secs(8), || daemon
            .json(["alarms", "list"])
            .iter()
            .any(|a| a["verdict"]["class"] == "miner")),
        "{}",
        daemon.log()
    );
    // Both tries ended long before their 15 s.
    assert!(hidden.ends_within(Duration::from_secs(10)), "{}", daemon.log());
}

/// Copies a program into memory and runs it from there: no file of any filesystem is executed.
const FROM_MEMORY: &str = r#"
import os, sys
fd = os.memfd_create("hidden")
os.write(fd, open(sys.argv[1], "rb").read())
os.execve(fd, ["hidden", "15"], {})
"#;

#[test]
fn a_program_in_memory_is_killed_after_its_start() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { unlisted: true, ..Setup::armed(volume.path()) });
    let source = volume.beside().join("source");
    write_executable(&source, &bad::program("/bin/sleep", MalwareClass::Trojan, TestRating::High));
    let mut hidden = Running::start(Command::new("python3").args(["-c", FROM_MEMORY]).arg(&source));
    assert!(hidden.ends_within(Duration::from_secs(10)), "still runs\n{}", daemon.log());
    assert!(
        eventually(Duration::from_secs(8), || {
            daemon.json(["alarms", "list"]).iter().any(|a| {
                a["verdict"]["class"] == "trojan"
                    && a["file"]["path"].as_str().is_some_and(|p| p.contains("memfd:hidden"))
            })
        }),
        "{}",
        daemon.log()
    );
}
