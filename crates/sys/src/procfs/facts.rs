// SPDX-License-Identifier: Apache-2.0
//! What an alarm keeps about a process and its ancestors.

use super::{boot_id, container_of, control_group, of_a_thread, stat, unit_of};
use lazaret_model::{ProcessFacts, ProcessRef};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;

/// Arguments beyond this many bytes are cut: an alarm is not a place to store megabytes.
const MAX_CMDLINE: usize = 4096;

/// Looks at one process.
///
/// # Errors
/// `NotFound` when it is gone. What a dying process no longer shows (executable, arguments,
/// control group) is left empty instead.
pub fn facts(pid: i32) -> io::Result<ProcessFacts> {
    let mut facts = outline(pid)?;
    facts.cmdline = arguments(pid);
    // The start time is read again: when it differs, the arguments may belong to another process.
    if stat(pid)?.start_time != facts.process.start_time {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("process {pid} is gone")));
    }
    Ok(facts)
}

/// The arguments of a process, cut to 4096 bytes; empty when it has none or is gone.
///
/// The kernel reads them out of the process's memory: a process that faults on a filesystem whose
/// server does not answer can hold the caller up for as long as it lives.
#[must_use]
pub fn arguments(pid: i32) -> Vec<u8> {
    let mut cmdline = read_limited(&format!("/proc/{pid}/cmdline"), MAX_CMDLINE).unwrap_or_default();
    while cmdline.last() == Some(&0) {
        cmdline.pop();
    }
    cmdline
}

/// Everything but the arguments: never waits for the process.
///
/// # Errors
/// `NotFound` when it is gone.
pub fn outline(pid: i32) -> io::Result<ProcessFacts> {
    let s = stat(pid)?;
    let status = std::fs::read(format!("/proc/{pid}/status"))?;
    let (uid, euid) = ids(&status, b"Uid:");
    let (gid, _) = ids(&status, b"Gid:");
    let exe = std::fs::read_link(format!("/proc/{}/exe", of_a_thread(pid, &s)))
        .map(|p| p.into_os_string().into_vec())
        .unwrap_or_default();
    let group = control_group(pid).map(|g| g.path).unwrap_or_default();
    // The start time is read again: when it differs, the rest may belong to another process.
    if stat(pid)?.start_time != s.start_time {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("process {pid} is gone")));
    }
    Ok(ProcessFacts {
        process: ProcessRef { pid, start_time: s.start_time, boot_id: boot_id() },
        ppid: s.ppid,
        exe,
        cmdline: Vec::new(),
        uid,
        euid,
        gid,
        started_ms: started_ms(s.start_time),
        sha256: None,
        container: container_of(&group),
        unit: unit_of(&group),
    })
}

/// The process and its ancestors up to pid 1, at most `max`, the process itself first. Ends early
/// where an ancestor is gone.
#[must_use]
pub fn chain(pid: i32, max: usize) -> Vec<ProcessFacts> {
    let mut out: Vec<ProcessFacts> = Vec::new();
    let mut next = pid;
    while out.len() < max && next > 0 {
        let Ok(f) = facts(next) else { break };
        // A parent that started after its child is a reused pid.
        if out.last().is_some_and(|child| f.process.start_time > child.process.start_time) {
            break;
        }
        next = f.ppid;
        out.push(f);
    }
    out
}

/// Whether a process is the first of a pid namespace of its own: its end is the end of everything in
/// there. False when it is gone.
#[must_use]
pub fn is_namespace_init(pid: i32) -> bool {
    let numbers = status_numbers(pid, b"NSpid:");
    numbers.len() > 1 && numbers.last() == Some(&1)
}

/// Who traces a process (`ptrace(2)`), if anybody does.
#[must_use]
pub fn tracer(pid: i32) -> Option<i32> {
    status_numbers(pid, b"TracerPid:").first().copied().filter(|t| *t > 0)
}

/// The numbers of a line of `/proc/PID/status`; none when the process is gone.
fn status_numbers(pid: i32, key: &[u8]) -> Vec<i32> {
    let status = std::fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(key));
    let text = line.map(String::from_utf8_lossy).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect()
}

/// Real and effective id of a line of `/proc/PID/status`; the numbers of `nobody` where missing, so
/// that a surprise never looks like root.
fn ids(status: &[u8], key: &[u8]) -> (u32, u32) {
    const UNKNOWN: u32 = 65_534;
    let line = status.split(|b| *b == b'\n').find_map(|l| l.strip_prefix(key));
    let text = line.map(String::from_utf8_lossy).unwrap_or_default();
    let mut numbers = text.split_ascii_whitespace().map(|n| n.parse().unwrap_or(UNKNOWN));
    let real = numbers.next().unwrap_or(UNKNOWN);
    (real, numbers.next().unwrap_or(real))
}

fn read_limited(path: &str, limit: usize) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut out = Vec::new();
    std::fs::File::open(path)?.take(limit as u64).read_to_end(&mut out)?;
    Ok(out)
}

/// Milliseconds UTC of a start time in clock ticks since boot.
fn started_ms(ticks: u64) -> i64 {
    static BOOT_MS: OnceLock<i64> = OnceLock::new();
    let boot_ms = *BOOT_MS.get_or_init(|| {
        let text = std::fs::read("/proc/stat").unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let seconds = text.lines().find_map(|l| l.strip_prefix("btime ")?.trim().parse::<i64>().ok());
        seconds.unwrap_or(0).saturating_mul(1000)
    });
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let since_boot = u128::from(ticks) * 1000 / u128::from(per_second);
    boot_ms.saturating_add(i64::try_from(since_boot).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn own_facts() {
        let me = i32::try_from(std::process::id()).unwrap();
        let f = facts(me).unwrap();
        assert_eq!(f.exe, std::env::current_exe().unwrap().into_os_string().into_vec());
        assert_eq!(f.uid, rustix::process::getuid().as_raw());
        let first: Vec<u8> = std::env::args_os().next().unwrap().into_vec();
        assert!(f.cmdline.starts_with(&first));
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        assert!((now - f.started_ms).abs() < 3_600_000, "{} {now}", f.started_ms);
    }

    #[test]
    fn chain_leads_to_pid_1() {
        let me = i32::try_from(std::process::id()).unwrap();
        let c = chain(me, 64);
        assert_eq!(c[0].process.pid, me);
        assert_eq!(c.last().unwrap().process.pid, 1);
        assert_eq!(chain(me, 2).len(), 2);
        assert!(chain(i32::MAX, 8).is_empty());
        assert!(!is_namespace_init(me) || std::process::id() == 1);
        assert!(arguments(i32::MAX).is_empty());
        assert_eq!(tracer(i32::MAX), None);
    }

    #[test]
    fn broken_status_is_nobody() {
        assert_eq!(ids(b"Uid:\t0\t1000\t0\t0\n", b"Uid:"), (0, 1000));
        assert_eq!(ids(b"", b"Uid:").0, 65_534);
        assert_eq!(ids(b"Uid:\tx", b"Uid:").0, 65_534);
    }
}
