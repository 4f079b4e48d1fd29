// SPDX-License-Identifier: Apache-2.0
//! What /proc says. Everything here is advice about a process that may end at any moment: hold a
//! [`crate::process::ProcessHandle`] and look whether it still lives after reading.

mod control_group;
mod facts;
mod mappings;
mod sockets;
mod sought;
mod stat;
mod users;

pub use control_group::{ControlGroup, container_of, control_group, service_of, unit_of};
pub use facts::{arguments, chain, facts, is_namespace_init, outline, tracer};
pub use sockets::{Listening, listening};
pub use sought::Sought;
pub use stat::{Stat, stands_still, stat};
pub use users::{Overlays, Use, children, is_executed_by, is_open_in, mapped, of_a_thread, users_of, uses};

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::sync::OnceLock;

/// `/proc/sys/kernel/random/boot_id`, read once; zeros where it cannot be read.
#[must_use]
pub fn boot_id() -> [u8; 16] {
    static BOOT_ID: OnceLock<[u8; 16]> = OnceLock::new();
    *BOOT_ID.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        parse_uuid(text.trim()).unwrap_or_default()
    })
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let mut out = [0; 16];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let hi = char::from(pair[0]).to_digit(16)?;
        let lo = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(hi * 16 + lo).ok()?;
    }
    Some(out)
}

/// All process ids, in the kernel's order; empty where /proc cannot be read.
pub fn pids() -> impl Iterator<Item = i32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok())
}

/// The executable of a process, opened for reading; also when its file was deleted.
///
/// # Errors
/// `NotFound` for a kernel thread or a process that is gone.
pub fn exe_file(pid: i32) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(
        format!("/proc/{pid}/exe"),
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY,
        Mode::empty(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_id_is_read_and_parsed() {
        assert_ne!(boot_id(), [0; 16]);
        assert_eq!(parse_uuid("00112233-4455-6677-8899-aabbccddeeff").unwrap()[15], 0xff);
        assert!(parse_uuid("not a uuid").is_none());
        assert!(parse_uuid("ééééééééééééééé").is_none());
    }

    #[test]
    fn own_pid_is_listed() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(pids().any(|p| p == me));
        assert!(exe_file(me).is_ok());
        assert!(exe_file(i32::MAX).is_err());
    }
}
