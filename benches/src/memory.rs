// SPDX-License-Identifier: Apache-2.0
//! Proportional set size of the daemon, its watchdog, spawner and scanners.

use crate::report::line;
use lazaret_kit::{Daemon, Setup, Volume};
use lazaret_sys::procfs;
use std::path::Path;

fn pss_kib(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}

fn family(root: i32) -> Vec<i32> {
    let mut all = vec![root];
    loop {
        let more: Vec<i32> = procfs::pids()
            .filter(|p| !all.contains(p) && procfs::stat(*p).is_ok_and(|s| all.contains(&s.ppid)))
            .collect();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

pub(crate) fn measure() {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup::armed(volume.path()));
    line("| what | processes | sum of Pss |");
    line("|---|---|---|");
    let told = |when: &str| {
        let watchdog = procfs::stat(daemon.agent_pid()).map_or(0, |s| s.ppid);
        let pids = family(watchdog);
        let sum: u64 = pids.iter().map(|p| pss_kib(*p)).sum();
        line(&format!("| {when} | {} | {:.1} MiB |", pids.len(), sum as f64 / 1024.0));
    };
    told("after the start");
    copy_some(Path::new("/usr/bin"), volume.path());
    std::thread::sleep(std::time::Duration::from_secs(3));
    told("after 200 programs were written and scanned");
}

fn copy_some(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten().take(200) {
        if entry.metadata().is_ok_and(|m| m.is_file() && m.len() < 1 << 20) {
            let _ = std::fs::copy(entry.path(), to.join(entry.file_name()));
        }
    }
}
