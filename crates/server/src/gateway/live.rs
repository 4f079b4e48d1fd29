// SPDX-License-Identifier: Apache-2.0
//! The sessions that this gateway holds.

use super::cloud::view::View;
use lazaret_proto::v1;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use v1::server_frame::Kind as Say;

/// Which machine speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) run: String,
    pub(super) machine_id: String,
    pub(super) boot_id: String,
}

impl Machine {
    /// Whether two that speak with one identity are two machines; a daemon that was started again is
    /// none, a machine that was booted again is none either once the first is dead.
    pub(super) fn is_other_than(&self, first: &Self) -> bool {
        self.machine_id != first.machine_id || (self.boot_id != first.boot_id && self.run != first.run)
    }
}

/// What waits for a session to send it.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) out: VecDeque<Say>,
    pub(super) end: Option<v1::Goodbye>,
    pub(super) probe: bool,
    /// Commands that were put into `out` in this session.
    pub(super) given: HashSet<String>,
    /// Cancellations, the same.
    pub(super) cancelled: HashSet<String>,
    /// Newest generation that was put into `out`, or that the agent had.
    pub(super) generation: i64,
    /// Newest generation that was put into `out` in this session, or is about to be.
    pub(super) sent: Option<i64>,
}

/// One session.
pub(super) struct Live {
    pub(super) host: String,
    /// `run` and a number of this session: what the store knows it by.
    pub(super) key: String,
    heard_ms: AtomicI64,
    /// Answers to the question whether it lives, counted.
    answers: AtomicU64,
    /// It answered, or is over.
    pub(super) changed: Notify,
    written: AtomicBool,
    flushed_ms: AtomicI64,
    inbox: Mutex<Inbox>,
    /// Read when the host speaks of Malware Cloud Scan for the first time, and with each desired state.
    view: Mutex<Option<Arc<View>>>,
    pub(super) news: Notify,
}

impl Live {
    pub(super) fn new(host: String, key: String, generation: i64, now_ms: i64) -> Self {
        Self {
            host,
            key,
            heard_ms: AtomicI64::new(now_ms),
            answers: AtomicU64::new(0),
            changed: Notify::new(),
            written: AtomicBool::new(false),
            flushed_ms: AtomicI64::new(now_ms),
            inbox: Mutex::new(Inbox { generation, ..Inbox::default() }),
            view: Mutex::new(None),
            news: Notify::new(),
        }
    }

    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn view(&self) -> Option<Arc<View>> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the host is part of from now on.
    pub(super) fn set_view(&self, view: View) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(view));
        // It may have moved: another feed is its own then.
        self.news.notify_one();
    }

    /// The same, where it is not known yet: what a desired state said meanwhile is newer.
    pub(super) fn first_view(&self, view: View) -> Arc<View> {
        let mut known = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get_or_insert_with(|| Arc::new(view)))
    }

    pub(super) fn heard(&self, now_ms: i64) {
        self.heard_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// The store knows this session.
    pub(super) fn set_written(&self) {
        self.written.store(true, Ordering::Release);
    }

    pub(super) fn is_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Acquire)
    }

    pub(super) fn heard_ms(&self) -> i64 {
        self.heard_ms.load(Ordering::Relaxed)
    }

    /// When it was heard, if that was not asked before.
    pub(super) fn newly_heard(&self) -> Option<i64> {
        let heard = self.heard_ms();
        (self.flushed_ms.swap(heard, Ordering::Relaxed) != heard).then_some(heard)
    }

    pub(super) fn end(&self, goodbye: v1::Goodbye) {
        self.inbox().end.get_or_insert(goodbye);
        self.news.notify_one();
    }

    pub(super) fn ask_for_life(&self) {
        self.inbox().probe = true;
        self.news.notify_one();
    }
}

/// All of them, by host.
#[derive(Default)]
pub(super) struct Lives(Mutex<HashMap<String, Arc<Live>>>);

impl Lives {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, host: &str) -> Option<Arc<Live>> {
        self.map().get(host).cloned()
    }

    /// Puts a session in the place of the host's earlier one, which is returned.
    pub(super) fn put(&self, live: &Arc<Live>) -> Option<Arc<Live>> {
        self.map().insert(live.host.clone(), live.clone())
    }

    /// Takes this very session out.
    pub(super) fn take(&self, live: &Arc<Live>) -> bool {
        let mut map = self.map();
        let own = map.get(&live.host).is_some_and(|l| Arc::ptr_eq(l, live));
        if own {
            map.remove(&live.host);
            if map.len() * 4 < map.capacity() {
                map.shrink_to_fit();
            }
        }
        own
    }

    pub(super) fn all(&self) -> Vec<Arc<Live>> {
        self.map().values().cloned().collect()
    }

    pub(super) fn hosts(&self) -> Vec<String> {
        self.map().keys().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.map().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(run: &str, machine_id: &str, boot_id: &str) -> Machine {
        Machine { run: run.to_owned(), machine_id: machine_id.to_owned(), boot_id: boot_id.to_owned() }
    }

    #[test]
    fn restarts_are_no_other_machines() {
        let first = machine("r1", "m1", "b1");
        assert!(!machine("r1", "m1", "b1").is_other_than(&first), "the connection broke");
        assert!(!machine("r2", "m1", "b1").is_other_than(&first), "the daemon was started again");
        assert!(machine("r2", "m1", "b2").is_other_than(&first), "a copy, or booted again");
        assert!(machine("r1", "m2", "b1").is_other_than(&first), "a copy of the memory");
        assert!(machine("r2", "m2", "b2").is_other_than(&first));
    }

    #[test]
    fn only_the_own_session_is_taken_out() {
        let lives = Lives::default();
        let make = |key: &str| Arc::new(Live::new("h".to_owned(), key.to_owned(), 0, 5));
        let (one, two) = (make("1"), make("2"));
        assert!(lives.put(&one).is_none());
        assert!(lives.put(&two).is_some_and(|old| Arc::ptr_eq(&old, &one)));
        assert!(!lives.take(&one));
        assert_eq!(lives.len(), 1);
        assert!(lives.take(&two));
        assert_eq!(lives.len(), 0);
        assert_eq!(two.newly_heard(), None);
        two.heard(9);
        assert_eq!((two.newly_heard(), two.newly_heard()), (Some(9), None));
    }
}
