// SPDX-License-Identifier: Apache-2.0
//! What this host tells of itself.

use crate::control;
use crate::core::Core;
use lazaret_proto::v1;
use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Without a status: before the daemon is up, at enrolment.
pub(crate) fn of_machine() -> v1::HostReport {
    let name = rustix::system::uname();
    let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
    let release = read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default();
    v1::HostReport {
        version: env!("CARGO_PKG_VERSION").into(),
        host_name: text(name.nodename()),
        os: os_field(&release, "PRETTY_NAME"),
        os_id: os_field(&release, "ID"),
        kernel: text(name.release()),
        arch: text(name.machine()),
        addresses: addresses(
            &read("/proc/net/fib_trie").unwrap_or_default(),
            &read("/proc/net/if_inet6").unwrap_or_default(),
        ),
        status: None,
        cpus: std::thread::available_parallelism().map_or(0, |n| u32::try_from(n.get()).unwrap_or(0)),
        memory_bytes: number(&read("/proc/meminfo").unwrap_or_default(), "MemTotal:").unwrap_or(0) * 1024,
        booted_ms: number(&read("/proc/stat").unwrap_or_default(), "btime")
            .and_then(|s| i64::try_from(s).ok())
            .unwrap_or(0)
            * 1000,
        pinned: Vec::new(),
        content: None,
    }
}

pub(crate) fn report(core: &Core) -> v1::HostReport {
    v1::HostReport {
        status: Some(control::status(core)),
        pinned: core.config.local.pin.clone(),
        content: Some(core.uplink.content.state(core)),
        ..of_machine()
    }
}

/// Without what changes all the time: what is compared to know whether there is news.
pub(crate) fn essence(report: &v1::HostReport) -> v1::HostReport {
    let mut report = report.clone();
    if let Some(content) = &mut report.content {
        content.fetched = 0;
    }
    if let Some(status) = &mut report.status {
        status.counters = None;
        status.workers.clear();
        status.server = None;
        if let Some(vault) = &mut status.vault {
            vault.free = 0;
        }
    }
    report
}

/// The same on every boot, and copied with a disk.
pub(crate) fn machine_id() -> String {
    let id = read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id")).unwrap_or_default();
    id.trim().to_owned()
}

/// Another one on every boot.
pub(crate) fn boot_id() -> String {
    read("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn read(path: &str) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn os_field(release: &str, key: &str) -> String {
    let line = release.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
}

fn number(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|l| l.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}

/// Addresses of this network namespace that others can reach it by.
fn addresses(fib_trie: &str, if_inet6: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in fib_trie.lines() {
        if let Some(address) = line.split("|-- ").nth(1) {
            last = address.trim().parse().ok();
        } else if line.contains("/32 host LOCAL")
            && let Some(address) = last.filter(|a| !a.is_loopback())
        {
            found.insert(IpAddr::from(address));
        }
    }
    for line in if_inet6.lines() {
        let digits = line.split_whitespace().next().unwrap_or_default();
        if let Ok(bits) = u128::from_str_radix(digits, 16) {
            let address = Ipv6Addr::from(bits);
            let local = address.is_loopback() || address.segments()[0] & 0xffc0 == 0xfe80;
            if !local {
                found.insert(IpAddr::from(address));
            }
        }
    }
    found.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_loopback() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.2.3\n        /32 host LOCAL\n     |-- 10.1.2.255\n        \
                    /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\nLocal:\n     |-- 10.1.2.3\n        \
                    /32 host LOCAL\n";
        let v6 = "00000000000000000000000000000001 01 80 10 80 lo\nfe800000000000000000000000000001 02 40 20 80 e\n\
                  20010db8000000000000000000000005 02 40 00 80 e\n";
        assert_eq!(addresses(trie, v6), ["10.1.2.3", "2001:db8::5"]);
        assert!(addresses("\n|-- \n/32 host LOCAL", "zz").is_empty());
    }

    #[test]
    fn fields_of_text_files() {
        let release = "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=12\n";
        assert_eq!(os_field(release, "PRETTY_NAME"), "Debian GNU/Linux 12 (bookworm)");
        assert_eq!((os_field(release, "ID").as_str(), os_field("", "ID").as_str()), ("debian", ""));
        assert_eq!(number("MemFree: 1\nMemTotal:    17 kB\n", "MemTotal:"), Some(17));
        assert_eq!(number("btime 5\n", "btime"), Some(5));
    }

    #[test]
    fn this_machine_has_a_name_and_a_kernel() {
        let r = of_machine();
        assert!(
            !r.kernel.is_empty() && !r.arch.is_empty() && r.cpus > 0 && r.memory_bytes > 0 && r.booted_ms > 0
        );
        assert!(!boot_id().is_empty());
    }
}
