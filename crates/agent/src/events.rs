// SPDX-License-Identifier: Apache-2.0
//! What `lazaret events` shows: a short past and a live stream.

use crate::look::now_ms;
use crossbeam_channel::{Receiver, Sender, bounded};
use lazaret_proto::v1;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Events that a late listener can still ask for.
const PAST: usize = 1000;

/// A listener that reads slower than this many events behind loses its connection.
const BEHIND: usize = 1024;

#[derive(Default)]
struct Inner {
    seq: u64,
    past: VecDeque<v1::Event>,
    listeners: Vec<Sender<v1::Event>>,
}

pub(crate) struct Events {
    inner: Mutex<Inner>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::new(Inner::default()) }
    }

    pub(crate) fn tell(&self, kind: &str, text: String, alarm: Option<String>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.seq += 1;
        let event = v1::Event {
            at_ms: now_ms(),
            seq: inner.seq,
            kind: kind.to_owned(),
            text,
            alarm: alarm.unwrap_or_default(),
        };
        inner.listeners.retain(|l| l.try_send(event.clone()).is_ok());
        inner.past.push_back(event);
        if inner.past.len() > PAST {
            inner.past.pop_front();
        }
    }

    /// The last `past` events and, in the same moment, what comes after them.
    pub(crate) fn listen(&self, past: usize) -> (Vec<v1::Event>, Receiver<v1::Event>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = inner.past.len().saturating_sub(past);
        let before = inner.past.iter().skip(skip).cloned().collect();
        let (sender, receiver) = bounded(BEHIND);
        inner.listeners.push(sender);
        (before, receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_and_live_without_a_gap() {
        let events = Events::new();
        for i in 0..5 {
            events.tell("daemon", format!("{i}"), None);
        }
        let (past, live) = events.listen(2);
        events.tell("daemon", "5".into(), None);
        assert_eq!(past.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["3", "4"]);
        assert_eq!(live.try_recv().unwrap().seq, past[1].seq + 1);
    }
}
