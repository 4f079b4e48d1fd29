// SPDX-License-Identifier: Apache-2.0
//! `status`: is this host protected, and if not wholly, why not.

use super::{count, field};
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// Protection in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Everything is as configured.
    On,
    /// Some of it is not as configured.
    Degraded,
    /// No mount is protected.
    Off,
}

impl Protection {
    /// By what is effective, not by what is configured.
    pub(crate) fn of(s: &v1::Status) -> Self {
        let protects = |m: &v1::MountStatus| !matches!(m.effective.as_str(), "" | "none");
        if !s.mounts.iter().any(protects) {
            Self::Off
        } else if s.safe_mode
            || !s.degraded.is_empty()
            || s.mounts.iter().any(|m| m.effective != m.configured && !m.found_by_process)
        {
            Self::Degraded
        } else {
            Self::On
        }
    }

    /// The word in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Degraded => "degraded",
            Self::Off => "off",
        }
    }

    const fn sentence(self) -> (Paint, &'static str) {
        match self {
            Self::On => (Paint::Green, "Protection is ON: everything works as configured."),
            Self::Degraded => (Paint::Yellow, "Protection is ON, WITH GAPS:"),
            Self::Off => (Paint::Red, "Protection is OFF: no mount is protected."),
        }
    }
}

/// The whole page.
pub(crate) fn status(look: Look, s: &v1::Status, now_ms: i64) -> String {
    let (paint, sentence) = Protection::of(s).sentence();
    let mut out = format!("{}\n", look.paint(paint, sentence));
    // The daemon says so itself; this is for one that does not.
    if s.safe_mode && !s.degraded.iter().any(|d| d.contains("safe mode")) {
        out.push_str(
            &look.paint(Paint::Red, "  ! safe mode: it only watches and reports, nothing is refused"),
        );
        out.push('\n');
    }
    for reason in &s.degraded {
        out.push_str(&format!("  {} {}\n", look.paint(Paint::Red, "!"), escape::text(reason)));
    }
    out.push('\n');
    out.push_str(&field("Isolate and kill", &isolate_and_kill(look, s)));
    let alarms = format!("{} unhandled", s.alarms_unhandled);
    let alarms = look.paint(if s.alarms_unhandled > 0 { Paint::Yellow } else { Paint::Plain }, &alarms);
    out.push_str(&field("Alarms", &format!("{alarms}   (lazaret alarms list --unhandled)")));
    out.push_str(&field("Isolated", &format!("{}   (lazaret isolated list)", count(s.isolated, "file"))));
    if let Some(v) = &s.vault {
        out.push_str(&field("Vault", &super::vault(look, v)));
    }
    out.push_str(&field("Content", &content(look, s)));
    out.push_str(&field(
        "Daemon",
        &format!(
            "lazaretd {}, pid {}, since {} ({})",
            escape::text(&s.version),
            s.pid,
            time::short(s.started_ms),
            time::duration(now_ms.saturating_sub(s.started_ms))
        ),
    ));
    out.push_str(&field("State", &escape::text(&s.state_dir)));
    if let Some(server) = &s.server {
        out.push_str(&field("Server", &self::server(look, server, now_ms)));
    }
    if let Some(cloud) = &s.cloud {
        out.push_str(&field("Cloud scan", &super::cloud_line(look, cloud)));
    }
    out.push_str(&windows(look, s));
    for (i, breaker) in s.open_breakers.iter().enumerate() {
        let label = if i == 0 { "Circuit breaker" } else { "" };
        out.push_str(&field(label, &look.paint(Paint::Yellow, &format!("open: {}", escape::text(breaker)))));
    }
    if !s.open_breakers.is_empty() {
        out.push_str(&field("", "these rules only refuse and report   (lazaret rules disarmed)"));
    }
    for (i, gap) in s.jail_gaps.iter().enumerate() {
        out.push_str(&field(
            if i == 0 { "Scanner's jail" } else { "" },
            &format!("lacks {}", escape::text(gap)),
        ));
    }
    out.push_str(&mounts(look, &s.mounts));
    out.push_str(&workers(look, &s.workers));
    if let Some(c) = &s.counters {
        out.push_str(&counters(look, c));
    }
    out
}

fn isolate_and_kill(look: Look, s: &v1::Status) -> String {
    if s.dry_run {
        return format!(
            "{}: everything is decided and reported, nothing is done   (lazaret switch dry-run off)",
            look.paint(Paint::Yellow, "DRY RUN")
        );
    }
    if !s.isolate_and_kill {
        return format!(
            "{}: malicious programs are only reported   (lazaret switch isolate-and-kill on)",
            look.paint(Paint::Yellow, "OFF")
        );
    }
    let classes = s.automatic_classes.iter().map(|c| escape::text(c)).collect::<Vec<_>>().join(", ");
    format!(
        "{}: what is rated high (confidence {} or more) is refused, isolated and killed at once\nfor these classes: {}",
        look.paint(Paint::Green, "ON"),
        s.high_threshold,
        if classes.is_empty() { "none" } else { &classes }
    )
}

/// Whose host this is, and how it stands with it.
fn server(look: Look, l: &v1::ServerLink, now_ms: i64) -> String {
    let mut out = escape::text(&l.url);
    if l.host.is_empty() {
        out.push_str(&look.paint(Paint::Yellow, ", not enrolled yet"));
    } else {
        out.push_str(&format!(", as host {}", escape::text(&l.host)));
    }
    let since =
        format!("since {} ({})", time::short(l.since_ms), time::duration(now_ms.saturating_sub(l.since_ms)));
    if l.connected {
        out.push_str(&format!("\n{} {since}", look.paint(Paint::Green, "connected")));
    } else {
        let error = if l.error.is_empty() { String::new() } else { format!(": {}", escape::text(&l.error)) };
        out.push_str(&format!("\n{} {since}{error}", look.paint(Paint::Yellow, "not connected")));
    }
    let group = if l.group.is_empty() { String::new() } else { format!(" of {}", escape::text(&l.group)) };
    out.push_str(&format!("\ndesired state {}{group}, {} journal entries unsent", l.generation, l.unsent));
    if l.certificate_until_ms > 0 {
        out.push_str(&format!(", certificate until {}", time::short(l.certificate_until_ms)));
    }
    for reason in &l.refused {
        out.push_str(&look.paint(Paint::Yellow, &format!("\nrefused here: {}", escape::text(reason))));
    }
    out
}

/// What is frozen before it is killed, and what stands still now.
fn windows(look: Look, s: &v1::Status) -> String {
    let mut out = String::new();
    if s.freeze_seconds > 0 {
        let text = format!("for {} s before anything is killed   (lazaret thaw ALARM)", s.freeze_seconds);
        out.push_str(&field("Frozen first", &text));
    }
    for (i, w) in s.windows.iter().enumerate() {
        let text = format!(
            "{} of {} until {}   (lazaret thaw {})",
            if w.processes == 1 { "1 process".to_owned() } else { format!("{} processes", w.processes) },
            escape::name(&w.path),
            time::rfc3339(w.until_ms),
            super::short_id(&w.alarm)
        );
        out.push_str(&field(if i == 0 { "Frozen now" } else { "" }, &look.paint(Paint::Yellow, &text)));
    }
    out
}

fn content(look: Look, s: &v1::Status) -> String {
    let mut out = escape::text(&s.content_version);
    if let Some(c) = &s.content {
        out.push_str(&format!(
            ", {}, {} known-bad and {} known-good digests",
            count(c.rules.into(), "rule"),
            c.known_bad,
            c.known_good
        ));
        for p in &c.problems {
            let text =
                format!("\n{}:{}:{}: {}", escape::text(&p.file), p.line, p.column, escape::text(&p.message));
            out.push_str(&look.paint(Paint::Yellow, &text));
        }
    }
    out
}

fn mounts(look: Look, mounts: &[v1::MountStatus]) -> String {
    let mut table = look.table(["Mount", "Type", "Source", "Configured", "Effective", "Why"]);
    for m in mounts {
        let paint = match m.effective.as_str() {
            "" | "none" => Paint::Red,
            effective if effective == m.configured => Paint::Green,
            _ => Paint::Yellow,
        };
        let why = match (m.found_by_process, m.reason.is_empty()) {
            (false, _) => escape::text(&m.reason),
            (true, true) => "added because a process ran from it".into(),
            (true, false) => format!("added because a process ran from it; {}", escape::text(&m.reason)),
        };
        table.add_row([
            look.cell(Paint::Plain, &escape::name(&m.path)),
            look.cell(Paint::Plain, &escape::text(&m.fs_type)),
            look.cell(Paint::Plain, &escape::text(&m.source)),
            look.cell(Paint::Plain, &escape::text(&m.configured)),
            look.cell(paint, &escape::text(&m.effective)),
            look.cell(Paint::Plain, &why),
        ]);
    }
    if mounts.is_empty() { "\nNo mounts are configured.\n".into() } else { format!("\n{}", lines(&table)) }
}

fn workers(look: Look, workers: &[v1::WorkerStatus]) -> String {
    let mut table = look.table(["Scanner pid", "Scanned", "Now"]);
    for w in workers {
        table.add_row([
            look.cell(Paint::Plain, &w.pid.to_string()),
            look.cell(Paint::Plain, &w.scanned.to_string()),
            look.cell(Paint::Plain, if w.busy { "busy" } else { "idle" }),
        ]);
    }
    if workers.is_empty() {
        format!("\n{}\n", look.paint(Paint::Red, "No scanner is running."))
    } else {
        format!("\n{}", lines(&table))
    }
}

fn counters(look: Look, c: &v1::Counters) -> String {
    let rows = [
        [
            ("Programs run", c.events_exec, false),
            ("Scanned", c.scanned, false),
            ("Deadlines missed", c.deadline_missed, true),
        ],
        [
            ("Files opened", c.events_open, false),
            ("Allowed from cache", c.allowed_cached, false),
            ("Scan errors", c.scan_errors, true),
        ],
        [
            ("Files written", c.events_write, false),
            ("Refused", c.denied, false),
            ("Queue overflows", c.overflows, true),
        ],
        [
            ("Files moved in", c.events_moved, false),
            ("Isolated", c.isolated, false),
            ("Scanners replaced", c.workers_replaced, true),
        ],
        [("Own events", c.allowed_own, false), ("Killed", c.killed, false), ("", 0, false)],
    ];
    let mut table = look.table(["Since start", "", "", "", "", ""]);
    for row in rows {
        table.add_row(row.iter().flat_map(|(label, n, bad)| {
            let shown = if label.is_empty() { String::new() } else { n.to_string() };
            let paint = if *bad && *n > 0 { Paint::Yellow } else { Paint::Plain };
            [look.cell(Paint::Dim, label), look.cell(paint, &shown)]
        }));
    }
    format!("\n{}", lines(&table))
}

#[cfg(test)]
mod tests;
