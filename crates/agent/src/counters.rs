// SPDX-License-Identifier: Apache-2.0
//! What happened since the start, for `status`.

use std::sync::atomic::{AtomicU64, Ordering};

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
}

pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
