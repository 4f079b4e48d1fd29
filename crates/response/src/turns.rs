// SPDX-License-Identifier: Apache-2.0
//! One at a time per inode and per object: two plans for the same file must not meet.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};

/// Who is at work on what.
#[derive(Default)]
pub(crate) struct Turns {
    busy: Mutex<HashSet<(u64, u64)>>,
    freed: Condvar,
}

/// Held while at work.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    key: (u64, u64),
}

impl Turns {
    /// Waits until nobody else is at work on `key`. Work is bounded in time, so waiting is too.
    pub(crate) fn take(&self, key: (u64, u64)) -> Turn<'_> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        while !busy.insert(key) {
            busy = self.freed.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
        Turn { turns: self, key }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.turns.freed.notify_all();
    }
}
