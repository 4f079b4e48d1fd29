// SPDX-License-Identifier: Apache-2.0
//! What happened to a content, put together from the rows that tell of it.

use crate::json::lossy;
use crate::time;
use lazaret_store::{AlarmRow, DeepScanRow, FileRow, HostRow, IsolatedRow, SampleRow, VerdictRow};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Lines of a page.
const MOST: usize = 200;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FileEvent {
    #[schema(format = DateTime)]
    at: String,
    /// `seen`, `sample`, `deep_scan`, `verdict`, `alarm`, `isolated`.
    about: &'static str,
    text: String,
}

/// The rows.
pub(super) struct Known<'a> {
    pub(super) file: &'a FileRow,
    pub(super) verdict: Option<&'a VerdictRow>,
    pub(super) scan: Option<&'a DeepScanRow>,
    pub(super) sample: Option<&'a SampleRow>,
    pub(super) alarms: &'a [AlarmRow],
    pub(super) isolated: &'a [IsolatedRow],
    pub(super) hosts: &'a HashMap<String, HostRow>,
}

/// Collects what has a time.
#[derive(Default)]
struct Lines(Vec<(i64, &'static str, String)>);

impl Lines {
    fn add(&mut self, at_ms: i64, about: &'static str, text: String) {
        if at_ms > 0 {
            self.0.push((at_ms, about, text));
        }
    }
}

/// Newest first.
pub(super) fn of(k: &Known<'_>) -> Vec<FileEvent> {
    let mut lines = Lines::default();
    let host = |id: &str| k.hosts.get(id).map_or_else(|| id.to_owned(), |h| h.name.clone());
    let first = if k.file.first_host.is_empty() {
        "known in the project".to_owned()
    } else {
        format!("seen for the first time, on {}", host(&k.file.first_host))
    };
    lines.add(k.file.first_ms, "seen", first);
    if let Some(s) = k.sample {
        sample(&mut lines, s, &host(&s.host));
    }
    if let Some(s) = k.scan {
        lines.add(s.queued_ms, "deep_scan", "deep scan queued".to_owned());
        lines.add(s.started_ms, "deep_scan", format!("deep scan begun by {}", s.worker));
        let end = match s.state.as_str() {
            "set_aside" => format!("deep scan set aside: {}", s.reason),
            "cancelled" => format!("deep scan cancelled: {}", s.reason),
            _ => format!("deep scan done: {}", s.standing),
        };
        lines.add(s.finished_ms, "deep_scan", end);
    }
    if let Some(v) = k.verdict {
        verdict(&mut lines, v);
    }
    for a in k.alarms {
        let text = format!("alarm on {}: {} ({})", host(&a.host), a.title, lossy(&a.path));
        lines.add(a.at_ms, "alarm", text);
    }
    for i in k.isolated {
        let (name, path) = (host(&i.host), lossy(&i.path));
        lines.add(i.isolated_ms, "isolated", format!("isolated on {name}: {path}"));
        if i.updated_ms > i.isolated_ms && i.status != "isolated" {
            let how = i.status.replace('_', " ");
            lines.add(i.updated_ms, "isolated", format!("{how} on {name}: {path}"));
        }
    }
    lines.0.sort_by_key(|line| std::cmp::Reverse(line.0));
    lines.0.truncate(MOST);
    let event = |(at_ms, about, text)| FileEvent { at: time::rfc3339(at_ms), about, text };
    lines.0.into_iter().map(event).collect()
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

fn sample(lines: &mut Lines, s: &SampleRow, host: &str) {
    lines.add(s.began_ms, "sample", format!("sent by {host}"));
    lines.add(s.stored_ms, "sample", "sample stored".to_owned());
    if s.state == "failed" {
        lines.add(s.updated_ms, "sample", format!("sample failed{}", because(&s.reason)));
    }
    let hold = if s.hold { "sample held" } else { "hold of the sample ended" };
    lines.add(s.hold_ms, "sample", format!("{hold} by {}{}", s.hold_by, because(&s.hold_why)));
    if s.deleted_ms > 0 {
        let who = if s.deleted_by.is_empty() { String::new() } else { format!(" by {}", s.deleted_by) };
        lines.add(s.deleted_ms, "sample", format!("sample deleted{who}{}", because(&s.deleted_why)));
    }
}

fn verdict(lines: &mut Lines, v: &VerdictRow) {
    let what = format!("{} {}", v.class, v.family);
    let by = if v.who.is_empty() { v.origin.replace('_', " ") } else { v.who.clone() };
    let why = because(&v.why);
    lines.add(v.at_ms, "verdict", format!("called {} by {by}{why}; all hosts refuse it", what.trim()));
    let who = if v.released_by.is_empty() {
        "when its time came".to_owned()
    } else {
        format!("by {}", v.released_by)
    };
    lines.add(v.released_ms, "verdict", format!("released to all hosts {who}"));
    if v.withdrawn {
        let who = if v.withdrawn_by.is_empty() { String::new() } else { format!(" by {}", v.withdrawn_by) };
        lines.add(v.withdrawn_ms, "verdict", format!("verdict withdrawn{who}{}", because(&v.withdrawn_why)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_nothing_without_a_time() {
        let file = FileRow {
            project: "0".to_owned(),
            sha256: vec![1; 32],
            size: 1,
            kind: String::new(),
            tlsh: String::new(),
            first_ms: 10,
            last_ms: 10,
            first_host: "h".to_owned(),
            hosts: 1,
            packaged_hosts: 0,
            standing: "bad".to_owned(),
            standing_ms: 10,
            settled: true,
        };
        let v = VerdictRow {
            class: "worm".to_owned(),
            origin: "person".to_owned(),
            who: "ada".to_owned(),
            at_ms: 20,
            released_ms: 40,
            withdrawn: true,
            withdrawn_by: "bob".to_owned(),
            withdrawn_why: "ours".to_owned(),
            withdrawn_ms: 50,
            ..VerdictRow::default()
        };
        let scan = DeepScanRow { state: "queued".to_owned(), queued_ms: 30, ..DeepScanRow::default() };
        let events = of(&Known {
            file: &file,
            verdict: Some(&v),
            scan: Some(&scan),
            sample: None,
            alarms: &[],
            isolated: &[],
            hosts: &HashMap::new(),
        });
        let texts: Vec<&str> = events.iter().map(|e| e.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "verdict withdrawn by bob: ours",
                "released to all hosts when its time came",
                "deep scan queued",
                "called worm by ada; all hosts refuse it",
                "seen for the first time, on h",
            ]
        );
    }
}
