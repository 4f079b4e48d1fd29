// SPDX-License-Identifier: Apache-2.0
//! What a host says of itself, as columns. It comes from a host that may be hostile: cut to a size,
//! without what a database cannot keep.

use lazaret_proto::{Message, v1};
use lazaret_store::HostFacts;

/// Bytes of a report that are kept whole.
const MAX_REPORT: usize = 64 << 10;

/// Text for a column: at most `most` characters, no NUL (PostgreSQL has none).
pub(super) fn text(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

/// One line of text: no control characters either.
pub(super) fn line(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Reads a report.
pub(super) fn host(report: &v1::HostReport, machine_id: &str, boot_id: &str) -> HostFacts {
    let (protection, reason) = protection(report.status.as_ref());
    let addresses: Vec<String> = report.addresses.iter().take(32).map(|a| line(a, 64)).collect();
    let mut kept = report.encode_to_vec();
    if kept.len() > MAX_REPORT {
        // Mounts and workers are what grows; the rest says who the host is.
        kept = v1::HostReport { status: None, ..report.clone() }.encode_to_vec();
    }
    if kept.len() > MAX_REPORT {
        kept = Vec::new();
    }
    HostFacts {
        name: line(&report.host_name, 255),
        version: line(&report.version, 64),
        os: line(&report.os, 128),
        kernel: line(&report.kernel, 128),
        arch: line(&report.arch, 32),
        addresses: addresses.join(","),
        content_version: report.status.as_ref().map(|s| line(&s.content_version, 64)).unwrap_or_default(),
        protection: protection.to_owned(),
        protection_reason: text(&reason, 1024),
        machine_id: line(machine_id, 128),
        boot_id: line(boot_id, 128),
        report: kept,
    }
}

fn protection(status: Option<&v1::Status>) -> (&'static str, String) {
    let Some(status) = status else { return ("unknown", "the agent has not told".to_owned()) };
    let mut reasons = status.degraded.clone();
    if status.safe_mode {
        reasons.insert(0, "safe mode: the agent only notices".to_owned());
    }
    let wanted: Vec<_> = status.mounts.iter().filter(|m| m.configured != "none").collect();
    for m in wanted.iter().filter(|m| m.effective != m.configured).take(16) {
        reasons.push(format!("{}: {} {}", String::from_utf8_lossy(&m.path), m.effective, m.reason));
    }
    let in_force = |m: &&&v1::MountStatus| !m.effective.is_empty() && m.effective != "none";
    let word = if wanted.is_empty() || !wanted.iter().any(|m| in_force(&m)) {
        "none"
    } else if reasons.is_empty() && wanted.iter().all(|m| m.effective == "exec+open+write") {
        "full"
    } else {
        "partial"
    };
    if word != "full" && reasons.is_empty() {
        reasons.push("not everything is configured to be protected".to_owned());
    }
    (word, reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(configured: &str, effective: &str) -> v1::MountStatus {
        v1::MountStatus {
            path: b"/srv\xff".to_vec(),
            configured: configured.to_owned(),
            effective: effective.to_owned(),
            ..v1::MountStatus::default()
        }
    }

    fn protected(mounts: Vec<v1::MountStatus>, degraded: &[&str]) -> (&'static str, String) {
        let degraded = degraded.iter().map(|d| (*d).to_owned()).collect();
        protection(Some(&v1::Status { mounts, degraded, ..v1::Status::default() }))
    }

    #[test]
    fn protection_has_four_words() {
        let full = "exec+open+write";
        assert_eq!(protected(vec![mount(full, full)], &[]), ("full", String::new()));
        let (word, why) = protected(vec![mount(full, full), mount(full, "write")], &[]);
        assert!(word == "partial" && why.contains("/srv"), "{why}");
        assert_eq!(protected(vec![mount(full, full)], &["queue overflow"]).0, "partial");
        assert_eq!(protected(vec![mount(full, "none")], &[]).0, "none");
        assert_eq!(protected(vec![], &[]).0, "none");
        assert_eq!(protection(None).0, "unknown");
    }

    #[test]
    fn hostile_reports_are_cut() {
        let report = v1::HostReport {
            host_name: "a\0b\n<script>".repeat(200),
            addresses: vec!["1\n".repeat(500); 1000],
            status: Some(v1::Status { degraded: vec!["x".repeat(1 << 20)], ..v1::Status::default() }),
            ..v1::HostReport::default()
        };
        let f = host(&report, "m\0", "b");
        assert!(f.name.chars().count() == 255 && !f.name.contains(['\0', '\n']));
        assert!(f.addresses.len() < 32 * 300 && f.protection_reason.len() <= 1024);
        assert!(f.report.len() <= MAX_REPORT && !f.machine_id.contains('\0'));
    }
}
