// SPDX-License-Identifier: Apache-2.0
//! From the close of a bad file to its name being gone, and to it being sealed in the vault.

use crate::report::{Samples, header, line};
use lazaret_kit::{Daemon, Setup, Volume, bad};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const DROPS: usize = 200;

/// `None` when it does not happen within 5 s.
fn until(began: Instant, mut done: impl FnMut() -> bool) -> Option<Duration> {
    while began.elapsed() < Duration::from_secs(5) {
        if done() {
            return Some(began.elapsed());
        }
        std::hint::spin_loop();
    }
    None
}

/// Objects whose manifest says that they are sealed and verified.
fn sealed(objects: &Path) -> usize {
    let manifests = std::fs::read_dir(objects).into_iter().flatten().flatten();
    manifests
        .filter(|e| e.path().extension().is_some_and(|x| x == "json"))
        .filter(|e| std::fs::read_to_string(e.path()).is_ok_and(|t| t.contains("\"status\": \"isolated\"")))
        .count()
}

fn on(volume: &Volume, name: &str) {
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    let objects = daemon.folder().join("state/vault/objects");
    std::thread::sleep(Duration::from_millis(300));
    let (mut gone, mut durable, mut missed) = (Vec::new(), Vec::new(), 0);
    for i in 0..DROPS {
        let path = volume.join(&format!("drop-{i}"));
        let mut file = File::create(&path).expect("create");
        file.write_all(&bad::eicar()).expect("write");
        drop(file);
        let began = Instant::now();
        match until(began, || std::fs::symlink_metadata(&path).is_err()) {
            Some(took) => gone.push(took),
            None => missed += 1,
        }
        // The look at the vault costs time itself: only every fourth is measured, the others wait.
        if i % 4 == 0 {
            durable.extend(until(began, || sealed(&objects) == i + 1));
        } else {
            until(began, || {
                std::thread::sleep(Duration::from_millis(5));
                sealed(&objects) == i + 1
            });
        }
    }
    Samples::new(gone).row(&format!("close to name gone, {name}"));
    Samples::new(durable).row(&format!("close to sealed, verified and durable, {name}"));
    if missed > 0 {
        line(&format!("| **missed within 5 s, {name}** | {missed} | | | | |"));
    }
}

pub(crate) fn measure() {
    header();
    on(&Volume::tmpfs(), "tmpfs");
    on(&Volume::ext4(), "ext4");
}
