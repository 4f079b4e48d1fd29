// SPDX-License-Identifier: Apache-2.0
//! What a host of the swarm tells of itself: as much as a real one does.

use lazaret_proto::v1;
use std::net::Ipv4Addr;

/// Mount points of an ordinary server.
const MOUNTS: [(&str, &str); 6] = [
    ("/", "ext4"),
    ("/boot", "ext4"),
    ("/home", "xfs"),
    ("/tmp", "tmpfs"),
    ("/var", "ext4"),
    ("/srv", "xfs"),
];

/// Of the host with this number.
pub(crate) fn report(number: u32, begun_ms: i64) -> v1::HostReport {
    let address = Ipv4Addr::from_bits((10 << 24) | number.wrapping_add(1) & 0xff_ffff);
    v1::HostReport {
        content: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host_name: format!("swarm-{number:06}.example"),
        os: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        os_id: "debian".to_owned(),
        kernel: "6.1.0-28-amd64".to_owned(),
        arch: "x86_64".to_owned(),
        addresses: vec![address.to_string(), format!("2001:db8::{:x}:{:x}", number >> 16, number & 0xffff)],
        status: Some(status(begun_ms)),
        cpus: 4,
        memory_bytes: 8 << 30,
        booted_ms: begun_ms - 86_400_000,
        pinned: Vec::new(),
    }
}

fn status(begun_ms: i64) -> v1::Status {
    let mount = |(path, kind): (&str, &str)| v1::MountStatus {
        path: path.as_bytes().to_vec(),
        fs_type: kind.to_owned(),
        source: "/dev/vda1".to_owned(),
        configured: "exec+open+write".to_owned(),
        effective: "exec+open+write".to_owned(),
        ..v1::MountStatus::default()
    };
    let worker = |n: i32| v1::WorkerStatus { pid: 900 + n, scanned: 70_000, busy: false };
    v1::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms: begun_ms,
        content_version: "2026.11.26-1".to_owned(),
        mounts: MOUNTS.into_iter().map(mount).collect(),
        workers: (0..2).map(worker).collect(),
        state_dir: "/var/lib/lazaret".to_owned(),
        pid: 871,
        high_threshold: 90,
        medium_threshold: 60,
        automatic_classes: [
            "webshell",
            "trojan",
            "worm",
            "virus",
            "botnet",
            "miner",
            "ransomware",
            "malware",
        ]
        .map(str::to_owned)
        .to_vec(),
        vault: Some(v1::VaultStatus {
            objects: 12,
            blobs: 9,
            bytes: 31 << 20,
            free: 40 << 30,
            ..Default::default()
        }),
        ..v1::Status::default()
    }
}
