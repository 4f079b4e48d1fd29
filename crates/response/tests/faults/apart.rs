// SPDX-License-Identifier: Apache-2.0
//! A test in a mount namespace of its own. The driver looks for staging folders on everything that is mounted,
//! so that its calls could not be counted while other tests mount and unmount.

use lazaret_sys::mounts::mounts;
use std::path::Path;
use std::process::Command;

const APART: &str = "LAZARET_TEST_APART";

/// Where tests mount.
const THEIRS: [&str; 4] = ["/dev/shm", "/tmp", "/var/tmp", "/run"];

/// Runs `test` in a second run of this program, which sees no mount of other tests, neither those of now nor
/// later ones.
pub(crate) fn apart(test: impl FnOnce()) {
    if std::env::var_os(APART).is_some() {
        // As a slave it follows what others unmount, until nothing of theirs is left that it could hold on to.
        unmount_theirs();
        let private = Command::new("mount").args(["--make-rprivate", "/"]).status().unwrap();
        assert!(private.success());
        unmount_theirs();
        return test();
    }
    let thread = std::thread::current();
    let name = thread.name().filter(|n| *n != "main").expect("libtest names the thread of a test");
    let ended = Command::new("unshare")
        .args(["--mount", "--propagation", "slave", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads", "2"])
        .env(APART, "yes")
        .status()
        .unwrap_or_else(|e| panic!("unshare: {e}"));
    assert!(ended.success(), "{name}: {ended}");
}

fn unmount_theirs() {
    for mount in mounts().unwrap().iter().rev() {
        if THEIRS.iter().map(Path::new).any(|f| mount.point != f && mount.point.starts_with(f)) {
            // Gone meanwhile is as good.
            let _ = Command::new("umount").arg("-l").arg(&mount.point).output();
        }
    }
}
