// SPDX-License-Identifier: Apache-2.0
//! The jail of a scanner: what a process gives up before it parses bytes that an attacker wrote.
//!
//! In the order of [`seal`]: resource limits, groups and uid, capabilities, no new privileges, not
//! dumpable, Landlock (no file, no network, no signal), and at last the system call filter of
//! `packaging/seccomp/scanner.json`. What the kernel does not offer is a *gap* that the caller
//! shows; what must not be missing (uid, capabilities, filter) is an error.

mod allocator;
mod credentials;
mod filter;
mod limits;
mod probe;
mod ruleset;

pub use allocator::{ExitWhenExhausted, OUT_OF_MEMORY};
pub use filter::FILTER;
pub use probe::Probe;
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::ffi::CStr;
use std::io;

/// How a worker is sealed.
#[derive(Debug, Clone, Copy)]
pub struct Jail {
    /// Numeric uid and gid to become, without any name service. Needs root; `None` keeps the
    /// caller's.
    pub uid_gid: Option<(u32, u32)>,
    /// The process that must still be the parent when the jail is closed; its end kills the worker.
    pub parent: i32,
    /// Private memory the worker may write to, bytes (`RLIMIT_DATA`: reserved address space that is
    /// never touched does not count).
    pub memory: u64,
    /// Highest number of open descriptors, its own socket and 0 to 2 included.
    pub descriptors: u64,
}

/// Why a process could not be jailed; it must end.
#[derive(Debug, thiserror::Error)]
#[error("the jail could not be closed: {step}: {cause}")]
pub struct JailError {
    /// What failed.
    pub step: &'static str,
    /// Why.
    pub cause: io::Error,
}

/// Gives `step` to an error.
pub(crate) fn at<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> JailError {
    move |cause| JailError { step, cause: cause.into() }
}

/// Leaves the network, System V IPC and host name of the host: three new namespaces of this
/// process and its future children. Needs root. Returns what could not be had.
#[must_use]
pub fn leave_namespaces() -> Vec<String> {
    let mut gaps = Vec::new();
    for (flag, name) in
        [(UnshareFlags::NEWNET, "network"), (UnshareFlags::NEWIPC, "ipc"), (UnshareFlags::NEWUTS, "uts")]
    {
        // SAFETY: none of the three flags touches the descriptor table or memory.
        if let Err(e) = unsafe { unshare_unsafe(flag) } {
            gaps.push(format!("no {name} namespace of its own: {e}"));
        }
    }
    gaps
}

/// Names this process as `ps` and `top` show it; at most 15 bytes count.
pub fn set_name(name: &CStr) {
    // Only a label: a kernel that refuses it changes nothing else.
    let _ = rustix::thread::set_name(name);
}

/// Lets the kernel choose this process and its children before others when memory runs out.
pub fn offer_to_oom_killer() {
    // A label for the worst case; where /proc is read-only the workers are ended like others.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
}

/// Closes the jail around this single-threaded process, for good. Returns the gaps.
///
/// # Errors
/// When a part that must be in force is not: then the process must end without parsing anything.
pub fn seal(jail: &Jail) -> Result<Vec<String>, JailError> {
    let mut gaps = Vec::new();
    let program = filter::compile()?;
    limits::set(jail.memory, jail.descriptors, &mut gaps)?;
    credentials::drop_all(jail.uid_gid, &mut gaps)?;
    credentials::tie_to(jail.parent)?;
    ruleset::restrict(&mut gaps);
    seccompiler::apply_filter(&program)
        .map_err(|e| JailError { step: "system call filter", cause: io::Error::other(e.to_string()) })?;
    Ok(gaps)
}
