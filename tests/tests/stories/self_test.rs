// SPDX-License-Identifier: Apache-2.0
//! `lazaret self-test` proves an installation and leaves nothing behind.

use lazaret_kit::{Daemon, Setup, Volume};

#[test]
fn passes_and_cleans_up() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let steps = daemon.json(["self-test", "--dir", volume.path().to_str().unwrap()]);
    assert!(steps.len() >= 4, "{steps:?}");
    let left: Vec<_> = std::fs::read_dir(volume.path())
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .filter(|n| !n.to_string_lossy().starts_with(".lazaret"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(daemon.json(["alarms", "list", "--unhandled"]).is_empty());
    assert_eq!(daemon.status()["isolate_and_kill"], true);
}
