// SPDX-License-Identifier: Apache-2.0
//! A high-confidence program is refused every time: right after it was written, with the scanners
//! saturated, and while content is loaded anew.

use crate::report::line;
use lazaret_kit::proc::{run, write_executable};
use lazaret_kit::{Daemon, Setup, Volume, bad};
use lazaret_model::{MalwareClass, TestRating};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ROUNDS: usize = 1000;

pub(crate) fn measure() {
    line("| what | refused | of |");
    line("|---|---|---|");
    for (name, saturate, reload) in [
        ("exec right after the write", false, false),
        ("the same with the scanners saturated", true, false),
        ("the same while content is loaded anew", false, true),
    ] {
        let refused = round(saturate, reload);
        line(&format!("| {name} | {refused} | {ROUNDS} |"));
    }
}

fn round(saturate: bool, reload: bool) -> usize {
    let volume = Volume::tmpfs();

    let daemon = Arc::new(Daemon::start(&Setup::armed(volume.path())));
    let stop = Arc::new(AtomicBool::new(false));
    let mut helpers = Vec::new();
    if saturate {
        let (stop, folder) = (Arc::clone(&stop), volume.path().to_owned());
        helpers.push(std::thread::spawn(move || {
            let text = "some text that has to be looked through\n".repeat(100_000);
            while !stop.load(Ordering::Relaxed) {
                for i in 0..8 {
                    let _ = std::fs::write(folder.join(format!("busy-{i}")), &text);
                }
            }
        }));
    }
    if reload {
        let (stop, daemon) = (Arc::clone(&stop), Arc::clone(&daemon));
        helpers.push(std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let _ = daemon.cli(["content", "reload"]);
            }
        }));
    }
    let program = bad::program("/bin/true", MalwareClass::Trojan, TestRating::High);
    let mut refused = 0;
    for i in 0..ROUNDS {
        let path = volume.join(&format!("p{i}"));
        let mut bytes = program.clone();
        bytes.extend(i.to_le_bytes());
        write_executable(&path, &bytes);
        // An error is EPERM, or the name is gone already.
        refused += usize::from(run(&path).is_err());
    }
    stop.store(true, Ordering::Relaxed);
    for helper in helpers {
        let _ = helper.join();
    }
    refused
}
