// SPDX-License-Identifier: Apache-2.0
//! Exactly our own processes, never their descendants: their opens are not asked about.

use std::sync::atomic::{AtomicI32, Ordering};

const ROOM: usize = 128;

pub(crate) struct Exempt {
    pids: [AtomicI32; ROOM],
}

impl Exempt {
    pub(crate) fn new() -> Self {
        Self { pids: [const { AtomicI32::new(0) }; ROOM] }
    }

    /// False when there is no room; the process is then treated like any other.
    pub(crate) fn add(&self, pid: i32) -> bool {
        pid > 0
            && self
                .pids
                .iter()
                .any(|p| p.compare_exchange(0, pid, Ordering::AcqRel, Ordering::Relaxed).is_ok())
    }

    pub(crate) fn remove(&self, pid: i32) {
        for p in &self.pids {
            let _ = p.compare_exchange(pid, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    pub(crate) fn all(&self) -> Vec<i32> {
        self.pids.iter().map(|p| p.load(Ordering::Acquire)).filter(|p| *p > 0).collect()
    }

    pub(crate) fn contains(&self, pid: i32) -> bool {
        pid > 0 && self.pids.iter().any(|p| p.load(Ordering::Acquire) == pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_added_and_nothing_else() {
        let e = Exempt::new();
        assert!(e.add(5));
        assert!(e.contains(5) && !e.contains(6) && !e.contains(0) && !e.contains(-1));
        e.remove(5);
        assert!(!e.contains(5));
        for pid in 1..=128 {
            assert!(e.add(pid));
        }
        assert!(!e.add(1000), "full");
        assert!(!e.contains(1000));
    }
}
