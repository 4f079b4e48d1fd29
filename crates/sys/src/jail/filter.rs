// SPDX-License-Identifier: Apache-2.0
//! The system call filter: compiled from the commented file that packagers and auditors read.

use super::{JailError, at};
use seccompiler::BpfProgram;
use std::io;

/// The text of `packaging/seccomp/scanner.json` as built in.
pub const FILTER: &str = include_str!("../../../../packaging/seccomp/scanner.json");

/// Compiles [`FILTER`] for this process and this architecture.
pub(super) fn compile() -> Result<BpfProgram, JailError> {
    compile_for(std::process::id())
}

fn compile_for(pid: u32) -> Result<BpfProgram, JailError> {
    let broken = |what: String| at("system call filter")(io::Error::new(io::ErrorKind::InvalidData, what));
    let arch = std::env::consts::ARCH.try_into().map_err(|e| broken(format!("{e}")))?;
    let text = FILTER.replace("\"OWN_PID\"", &pid.to_string());
    let mut filters =
        seccompiler::compile_from_json(text.as_bytes(), arch).map_err(|e| broken(e.to_string()))?;
    filters.remove("worker").ok_or_else(|| broken("scanner.json has no filter \"worker\"".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_compiles() {
        let program = compile_for(4711).unwrap();
        assert!(program.len() > 30 && program.len() < 4096, "{} instructions", program.len());
    }

    #[test]
    fn every_system_call_says_why() {
        let mut calls: Vec<&str> = Vec::new();
        for rule in FILTER.split("\"syscall\": \"").skip(1) {
            let (name, rest) = rule.split_once('"').unwrap();
            let comment =
                rest.strip_prefix(", \"comment\": \"").unwrap_or_else(|| panic!("{name}: no comment"));
            let comment = comment.split('"').next().unwrap();
            assert!(comment.len() >= 4, "{name}: the comment \"{comment}\" says nothing");
            assert!(!calls.contains(&name), "{name} is there twice");
            calls.push(name);
        }
        assert!(calls.len() > 20, "{calls:?}");
        for never in [
            "open",
            "openat",
            "openat2",
            "socket",
            "connect",
            "sendmsg",
            "clone",
            "clone3",
            "fork",
            "vfork",
            "execve",
            "execveat",
            "kill",
            "ptrace",
            "ioctl",
            "unlinkat",
            "prctl",
            "bpf",
            "io_uring_setup",
            "userfaultfd",
            "process_vm_writev",
            "pidfd_send_signal",
            "memfd_create",
            "pwrite64",
            "ftruncate",
        ] {
            assert!(!calls.contains(&never), "{never} must not be in the list");
        }
    }
}
