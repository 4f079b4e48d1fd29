// SPDX-License-Identifier: Apache-2.0
//! A process's identity and what is known about it. A bare pid is never an identity.

use crate::Sha256;

/// Which process: the pid alone is reused, the triple is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessRef {
    /// Process id in the daemon's pid namespace.
    pub pid: i32,
    /// Start time in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub start_time: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: [u8; 16],
}

/// What an alarm keeps about a process.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessFacts {
    /// Identity.
    pub process: ProcessRef,
    /// Parent's pid when looked at.
    pub ppid: i32,
    /// Path of the executable, raw bytes; empty when unknown.
    pub exe: Vec<u8>,
    /// Arguments, NUL-separated as the kernel gives them.
    pub cmdline: Vec<u8>,
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
    /// Real group id.
    pub gid: u32,
    /// Wall-clock start, milliseconds UTC.
    pub started_ms: i64,
    /// Digest of the executable, where known.
    pub sha256: Option<Sha256>,
    /// Container id from the control group, where there is one.
    pub container: Option<String>,
    /// systemd unit from the control group, where there is one.
    pub unit: Option<String>,
}
