// SPDX-License-Identifier: Apache-2.0
//! What happened since the start, for `status` and the metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) events_exec: AtomicU64,
    pub(crate) events_open: AtomicU64,
    pub(crate) events_write: AtomicU64,
    pub(crate) events_moved: AtomicU64,
    pub(crate) allowed_own: AtomicU64,
    pub(crate) allowed_cached: AtomicU64,
    pub(crate) scanned: AtomicU64,
    pub(crate) denied: AtomicU64,
    pub(crate) deadline_missed: AtomicU64,
    pub(crate) scan_errors: AtomicU64,
    pub(crate) overflows: AtomicU64,
    pub(crate) isolated: AtomicU64,
    pub(crate) killed: AtomicU64,
    /// Executions that ran without the answer that they waited for.
    pub(crate) cloud_late: AtomicU64,
    /// Executions that were refused for want of an answer.
    pub(crate) cloud_refused: AtomicU64,
    /// By class and rating.
    alarms: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

impl Counters {
    /// A new alarm.
    pub(crate) fn count_alarm(&self, class: &'static str, rating: &'static str) {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        *alarms.entry((class, rating)).or_default() += 1;
    }

    pub(crate) fn alarms(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
