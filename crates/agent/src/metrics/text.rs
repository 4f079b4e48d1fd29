// SPDX-License-Identifier: Apache-2.0
//! What is told, in the text format of Prometheus: numbers, versions and classes; no names of files.

use crate::core::Core;
use crate::counters::read;
use crate::log::printable;
use lazaret_proto::v1;
use std::fmt::{Display, Write};

/// Families as they grow.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP lazaret_{name} {help}\n# TYPE lazaret_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "lazaret_{name}");
        for (i, (key, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{key}=\"{text}\"", if i == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

pub(super) fn metrics(core: &Core) -> String {
    let mut page = Page(String::with_capacity(8 << 10));
    counters(&mut page, core);
    state(&mut page, core);
    page.0
}

fn counters(page: &mut Page, core: &Core) {
    let c = &core.gate.counters;
    page.family("events_total", "counter", "File events seen, by kind.");
    let kinds = [
        ("exec", &c.events_exec),
        ("open", &c.events_open),
        ("write", &c.events_write),
        ("moved", &c.events_moved),
    ];
    for (kind, n) in kinds {
        page.sample("events_total", &[("kind", kind)], read(n));
    }
    for (name, help, n) in [
        ("scans_total", "Files that were scanned for an event.", read(&c.scanned)),
        ("denied_total", "Executions and opens that were refused.", read(&c.denied)),
        (
            "deadlines_missed_total",
            "Questions that were answered because their time was over.",
            read(&c.deadline_missed),
        ),
        ("scan_errors_total", "Files that could not be judged.", read(&c.scan_errors)),
        ("overflows_total", "Times that the kernel lost events.", read(&c.overflows)),
        (
            "cloud_unanswered_total",
            "Executions that ran because the server did not answer in time.",
            read(&c.cloud_late),
        ),
        (
            "cloud_refused_total",
            "Executions that were refused because the server did not answer.",
            read(&c.cloud_refused),
        ),
        ("isolations_total", "Files that were isolated.", read(&c.isolated)),
        ("kills_total", "Processes that were killed.", read(&c.killed)),
        ("scanner_restarts_total", "Scanners that were replaced.", core.pool.replaced()),
        ("vault_refused_total", "Files for which the vault had no room.", core.responder.vault().refused()),
    ] {
        page.one(name, "counter", help, n);
    }
    page.family("alarms_total", "counter", "New alarms, by class and rating.");
    for ((class, rating), n) in c.alarms() {
        page.sample("alarms_total", &[("class", class), ("rating", rating)], n);
    }
}

fn state(page: &mut Page, core: &Core) {
    let content = core.pool.content();
    page.family("build_info", "gauge", "Version of the agent.");
    page.sample("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.family("content_info", "gauge", "Version of the content in force.");
    page.sample("content_info", &[("version", content.version.as_str())], 1);
    let armed = {
        let live = core.live();
        live.policy.isolate_and_kill && !live.dry_run
    };
    page.one("isolate_and_kill", "gauge", "Whether isolate and kill is on, and no dry run.", u8::from(armed));
    page.one("ready", "gauge", "As /readyz says.", u8::from(not_ready(core).is_empty()));
    let vault = core.responder.vault();
    let usage = vault.usage();
    page.one("vault_objects", "gauge", "Isolated files in the vault.", usage.objects);
    page.one("vault_bytes", "gauge", "Bytes of the vault.", usage.bytes);
    page.one("vault_limit_bytes", "gauge", "What the vault may take.", vault.limits().total_bytes);
    page.family("queue_length", "gauge", "What waits, by queue.");
    for (name, depth) in core.depths.get().into_iter().flatten() {
        page.sample("queue_length", &[("queue", name)], depth());
    }
    page.sample("queue_length", &[("queue", "cases")], core.cases.len());
    page.one("scanners", "gauge", "Scanners that run.", core.pool.workers().len());
    page.one("start_time_seconds", "gauge", "When the daemon was started, UTC.", core.started_ms / 1000);
    if let Some(bytes) = resident() {
        page.one("resident_memory_bytes", "gauge", "Memory of the daemon, without its scanners.", bytes);
    }
    if let Some(link) = core.uplink.status(core) {
        page.one("uplink_connected", "gauge", "Whether the server is connected.", u8::from(link.connected));
        page.one("outbox_length", "gauge", "Entries that the server has not acknowledged.", link.unsent);
        page.one("desired_generation", "gauge", "Of the desired state in force.", link.generation);
    }
    if let Some(s) = core.cloud.status(core) {
        cloud(page, &s);
    }
}

/// Malware Cloud Scan: counts only.
fn cloud(page: &mut Page, s: &v1::CloudStatus) {
    page.family("cloud_leaves", "gauge", "Whether that leaves this host.");
    for (what, on) in [("hashes", s.hashes), ("samples", s.samples)] {
        page.sample("cloud_leaves", &[("what", what)], u8::from(on));
    }
    for (name, help, n) in [
        ("cloud_programs", "Programs in the inventory.", s.programs),
        (
            "cloud_programs_unsent",
            "Rows of the inventory that the server has not acknowledged.",
            s.programs_unsent,
        ),
        (
            "cloud_open_questions",
            "Hashes that the server was asked about and has not answered.",
            s.open_questions,
        ),
        ("cloud_verdicts", "Hashes that the server holds for bad.", s.verdicts),
        ("cloud_samples_waiting", "Samples that wait to be sent.", s.samples_waiting),
        ("cloud_sent_hashes", "Files whose hash was sent, of the last 30 days.", s.sent_hashes),
        ("cloud_sent_samples", "Samples that were sent, of the last 30 days.", s.sent_samples),
        ("cloud_sent_bytes", "Bytes of these samples.", s.sent_bytes),
    ] {
        page.one(name, "gauge", help, n);
    }
}

/// Of this process, bytes.
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}

/// Why this host is not protected as it is configured; nothing when it is.
pub(super) fn not_ready(core: &Core) -> Vec<String> {
    if core.is_stopping() {
        return vec!["the daemon stops".to_owned()];
    }
    reasons(core.safe_mode, &core.protection.status(), core.pool.workers().len())
}

fn reasons(safe_mode: bool, mounts: &[v1::MountStatus], scanners: usize) -> Vec<String> {
    let mut out = Vec::new();
    if safe_mode {
        out.push("safe mode: the agent only notices".to_owned());
    }
    if scanners == 0 {
        out.push("no scanner runs".to_owned());
    }
    let wanted = || mounts.iter().filter(|m| m.configured != "none");
    if wanted().all(|m| m.effective == "none" || m.effective.is_empty()) {
        out.push("no file system is protected".to_owned());
    }
    for m in wanted().filter(|m| m.effective != m.configured) {
        let path = printable(&m.path);
        out.push(format!("{path}: {} instead of {}: {}", m.effective, m.configured, m.reason));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_lines_that_prometheus_reads() {
        let mut page = Page(String::new());
        page.one("a_total", "counter", "Things.", 7);
        page.sample("b", &[("x", "q\"\\\n"), ("y", "2")], 1);
        let expected = "# HELP lazaret_a_total Things.\n# TYPE lazaret_a_total counter\nlazaret_a_total 7\n\
                        lazaret_b{x=\"q\\\"\\\\\\n\",y=\"2\"} 1\n";
        assert_eq!(page.0, expected);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mount = |configured: &str, effective: &str| v1::MountStatus {
            path: b"/srv\n".to_vec(),
            configured: configured.into(),
            effective: effective.into(),
            reason: "why".into(),
            ..v1::MountStatus::default()
        };
        let full = "exec+open+write";
        assert!(reasons(false, &[mount(full, full), mount("none", "none")], 2).is_empty());
        let all = reasons(true, &[mount(full, "none")], 0).join("|");
        for word in ["safe mode", "no scanner", "no file system", "instead of"] {
            assert!(all.contains(word), "{word}: {all}");
        }
        assert!(!all.contains('\n'));
        assert_eq!(reasons(false, &[], 1).len(), 1);
        assert_eq!(reasons(false, &[mount(full, full), mount(full, "write")], 1).len(), 1);
    }
}
