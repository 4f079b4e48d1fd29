// SPDX-License-Identifier: Apache-2.0
//! Which scan found a file. An alarm does not name the scan; a host is scanned by one at a time, so that the one is meant
//! that ran on the host when the file was seen last.

use super::places::has;
use crate::ask::Offset;
use crate::call::Call;
use crate::error::HssError;
use crate::page;
use crate::rest::{Query, part};
use crate::words;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Scans of one name that are looked into.
const MOST_SCANS: u64 = 100;
/// Hosts of one scan: the API takes no more.
const MOST_HOSTS: u64 = 100_000;
/// Scans of one host that are looked at, newest first.
const MOST_OF_HOST: u64 = 100;
/// Clocks of server and hosts may differ so much, in milliseconds.
const SLACK: i64 = 60_000;

/// When a scan ran on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    from: i64,
    until: i64,
    scan: String,
}

/// When scans ran, by host.
#[derive(Debug, Default)]
pub(super) struct Spans(HashMap<String, Vec<Span>>);

impl Spans {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, host: &str, span: Span) {
        self.0.entry(host.to_owned()).or_default().push(span);
    }

    /// The scan that ran when an alarm's file was seen last: rather one that fits to the moment.
    pub(super) fn find(&self, alarm: &Value) -> Option<&str> {
        let seen = words::ms(words::at(alarm, "last")).as_i64()?;
        let spans = self.0.get(words::text(alarm, "host.id"))?;
        let within = |slack: i64| spans.iter().find(|s| (s.from - slack..=s.until + slack).contains(&seen));
        within(0).or_else(|| within(SLACK)).map(|s| s.scan.as_str())
    }
}

fn ms(value: &Value, name: &str) -> Option<i64> {
    words::ms(words::at(value, name)).as_i64()
}

/// When a scan ran on the host of a row of its list, if it found anything there.
fn of_row(scan: &str, row: &Value, now: i64) -> Option<Span> {
    if words::at(row, "virus_num").as_i64().unwrap_or(0) == 0 {
        return None;
    }
    let until = ms(row, "finished_at").unwrap_or(now);
    Some(Span { from: ms(row, "started_at")?, until, scan: scan.to_owned() })
}

/// The same of the command that told the host to scan.
fn of_command(command: &Value, now: i64) -> Option<Span> {
    let scan = words::text(command, "task");
    let until = ms(command, "finished_at").unwrap_or(now);
    (!scan.is_empty()).then_some(Span { from: ms(command, "created_at")?, until, scan: scan.to_owned() })
}

/// When the scans ran that have this in their names.
pub(super) async fn named(call: &Call, name: &str) -> Result<Spans, HssError> {
    let now = call.rest.inside().now_ms();
    let first = Offset { offset: 0, limit: MOST_SCANS };
    let scans =
        page::kept(&call.rest, "/scan-tasks", &call.scoped(), first, |s| has(s, "name", name)).await?;
    if scans.total > MOST_SCANS {
        return Err(HssError::invalid(format!(
            "task_name: {} scans have this in their names, {MOST_SCANS} at most can be looked into; give more of the name",
            scans.total
        )));
    }
    let mut spans = Spans::default();
    for scan in &scans.items {
        let id = words::text(scan, "id");
        let path = format!("/scan-tasks/{}/hosts", part(id));
        let look = |row: &Value| {
            if let Some(span) = of_row(id, row, now) {
                spans.add(words::text(row, "host.id"), span);
            }
            true
        };
        page::each(&call.rest, &path, &Query::new(), MOST_HOSTS, look).await?;
    }
    Ok(spans)
}

/// When the hosts of these alarms were scanned, and the names of those scans.
pub(super) async fn around(
    call: &Call,
    alarms: &[Value],
) -> Result<(Spans, BTreeMap<String, String>), HssError> {
    let now = call.rest.inside().now_ms();
    let hosts: BTreeSet<&str> =
        alarms.iter().map(|a| words::text(a, "host.id")).filter(|h| !h.is_empty()).collect();
    let mut spans = Spans::default();
    for host in hosts {
        let query: Query = vec![("host", host.to_owned()), ("verb", "scan".to_owned())];
        for command in page::all(&call.rest, "/commands", &query, MOST_OF_HOST).await? {
            if let Some(span) = of_command(&command, now) {
                spans.add(host, span);
            }
        }
    }
    // Only of scans that are meant.
    let meant: BTreeSet<&str> = alarms.iter().filter_map(|a| spans.find(a)).collect();
    let mut names = BTreeMap::new();
    for scan in meant {
        match call.rest.get(&format!("/scan-tasks/{}", part(scan)), &[]).await {
            Ok(found) => names.insert(scan.to_owned(), words::text(&found, "task.name").to_owned()),
            // Its row is gone.
            Err(e) if e.is_missing() => None,
            Err(e) => return Err(e),
        };
    }
    Ok((spans, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(host: &str, ms: i64) -> Value {
        json!({ "host": { "id": host }, "last": words::rfc3339(ms) })
    }

    #[test]
    fn the_scan_that_ran_then() {
        let mut spans = Spans::default();
        assert!(spans.is_empty());
        spans.add("h", Span { from: 1_000_000, until: 2_000_000, scan: "a".to_owned() });
        spans.add("h", Span { from: 2_010_000, until: 3_000_000, scan: "b".to_owned() });
        assert_eq!(spans.find(&seen("h", 1_500_000)), Some("a"));
        assert_eq!(
            spans.find(&seen("h", 2_010_000)),
            Some("b"),
            "the one that fits goes before the one that nearly does"
        );
        assert_eq!(spans.find(&seen("h", 3_060_000)), Some("b"));
        assert_eq!(spans.find(&seen("h", 3_060_001)), None);
        assert_eq!(spans.find(&seen("g", 1_500_000)), None);
    }

    #[test]
    fn spans_of_rows_and_commands() {
        let row = json!({ "virus_num": 1, "started_at": words::rfc3339(5), "finished_at": null });
        assert_eq!(of_row("s", &row, 9), Some(Span { from: 5, until: 9, scan: "s".to_owned() }));
        assert_eq!(of_row("s", &json!({ "virus_num": 0, "started_at": words::rfc3339(5) }), 9), None);
        assert_eq!(of_row("s", &json!({ "virus_num": 1, "started_at": null }), 9), None);
        let command =
            json!({ "task": "s", "created_at": words::rfc3339(5), "finished_at": words::rfc3339(7) });
        assert_eq!(of_command(&command, 9), Some(Span { from: 5, until: 7, scan: "s".to_owned() }));
        assert_eq!(of_command(&json!({ "task": null, "created_at": words::rfc3339(5) }), 9), None);
    }
}
