// SPDX-License-Identifier: Apache-2.0
//! Scans and what they found, in numbers.

use super::alarms::is_result;
use crate::ask::Offset;
use crate::call::{Answer, Call};
use crate::page;
use crate::words;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Of a list of which only the numbers are wanted, and the first.
const FIRST: Offset = Offset { offset: 0, limit: 1 };

/// What is counted while a list is read.
#[derive(Debug, Default)]
struct Count {
    hosts: Mutex<BTreeSet<String>>,
    open: AtomicU64,
    running: AtomicU64,
}

impl Count {
    /// Whether an alarm is a result; if so it is counted.
    fn result(&self, alarm: &Value) -> bool {
        if !is_result(alarm) {
            return false;
        }
        if words::text(alarm, "handle_status") == "unhandled" {
            self.open.fetch_add(1, Ordering::Relaxed);
        }
        let host = words::text(alarm, "host.id");
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
        true
    }

    /// Every scan counts; those that have not ended are counted beside.
    fn scan(&self, scan: &Value) -> bool {
        if is_running(scan) {
            self.running.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

/// Whether a scan has not ended; one that is paused has not.
pub(super) fn is_running(scan: &Value) -> bool {
    words::text(scan, "task_status") != "finish"
}

pub(crate) async fn show_antivirus_statistic(call: &Call) -> Answer {
    let (count, query) = (Count::default(), call.scoped());
    let results = page::kept(&call.rest, "/alarms", &query, FIRST, |a| count.result(a)).await?;
    let scans = page::kept(&call.rest, "/scan-tasks", &query, FIRST, |s| count.scan(s)).await?;
    let hosts = count.hosts.lock().unwrap_or_else(PoisonError::into_inner).len();
    let newest = scans.items.first();
    Ok(json!({
        "total_malware_num": results.total,
        "malware_host_num": hosts,
        "total_task_num": scans.total,
        "scanning_task_num": count.running.load(Ordering::Relaxed),
        "latest_scan_time": newest.map(|s| words::ms(words::at(s, "created_at"))),
        "scan_type": newest.map(|s| words::at(s, "kind")),
        "lazaret_unhandled_malware_num": count.open.load(Ordering::Relaxed),
    })
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_scans_are_counted() {
        let count = Count::default();
        let alarm = |origin: &str, host: &str, status: &str| json!({ "origin": origin, "path": "/x", "host": { "id": host }, "handle_status": status });
        assert!(
            count.result(&alarm("scan", "a", "unhandled")) && count.result(&alarm("scan", "a", "handled"))
        );
        assert!(!count.result(&alarm("exec", "b", "unhandled")));
        let mut about_no_file = alarm("scan", "b", "unhandled");
        about_no_file["path"] = Value::Null;
        assert!(!count.result(&about_no_file), "the list of results does not have it");
        assert_eq!(count.hosts.lock().unwrap().len(), 1);
        assert_eq!(count.open.load(Ordering::Relaxed), 1);
        for state in ["scanning", "paused", "finish"] {
            assert!(count.scan(&json!({ "task_status": state })));
        }
        assert_eq!(count.running.load(Ordering::Relaxed), 2);
    }
}
