// SPDX-License-Identifier: Apache-2.0
//! Execution of an allowed file, beside the same on an unprotected volume, in turns.

use crate::report::{Samples, header};
use lazaret_kit::proc::write_executable;
use lazaret_kit::{Daemon, Setup, Volume};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 1000;

fn once(program: &Path) -> Duration {
    let began = Instant::now();
    let ended = Command::new(program).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let took = began.elapsed();
    assert!(ended.is_ok_and(|s| s.success()), "{} did not run", program.display());
    took
}

pub(crate) fn measure() {
    let (free, guarded) = (Volume::tmpfs(), Volume::tmpfs());
    let program = std::fs::read("/bin/true").expect("/bin/true");
    let place = |volume: &Volume, name: &str, mode: u32| {
        let path = volume.join(name);
        write_executable(&path, &program);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
        path
    };
    let unprotected = place(&free, "true", 0o755);
    let kernel = place(&guarded, "true", 0o755);
    let user = place(&guarded, "writable", 0o777);
    let daemon = Daemon::start(&Setup::armed(guarded.path()));
    std::thread::sleep(Duration::from_millis(300));
    let mut samples = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..10 {
        for path in [&unprotected, &kernel, &user] {
            once(path);
        }
    }
    for _ in 0..ROUNDS {
        for (samples, path) in samples.iter_mut().zip([&unprotected, &kernel, &user]) {
            samples.push(once(path));
        }
    }
    header();
    for (samples, name) in samples.into_iter().zip([
        "exec, unprotected",
        "exec, allowed, only root can write it (remembered by the kernel)",
        "exec, allowed, users can write it (remembered by lazaretd)",
    ]) {
        Samples::new(samples).row(name);
    }
    first_exec(&guarded, &free);
    drop(daemon);
}

/// A program of 1 MiB that nobody has looked at: the first execution pays for the scan.
fn first_exec(guarded: &Volume, free: &Volume) {
    let mut program = std::fs::read("/bin/true").expect("/bin/true");
    program.resize(1 << 20, 0x5a);
    for (volume, name) in
        [(free, "first exec of a 1 MiB program, unprotected"), (guarded, "first exec of a 1 MiB program")]
    {
        let samples = (0..100)
            .map(|i: u32| {
                let path = volume.join(&format!("first-{i}"));
                let mut bytes = program.clone();
                bytes.extend(i.to_le_bytes());
                // Written elsewhere and moved in would be scanned too: wait until that is over.
                write_executable(&path, &bytes);
                std::thread::sleep(Duration::from_millis(30));
                let took = once(&path);
                std::fs::remove_file(&path).expect("remove");
                took
            })
            .collect();
        Samples::new(samples).row(name);
    }
}
