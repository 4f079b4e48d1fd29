// SPDX-License-Identifier: Apache-2.0
//! What a person may say while a program is frozen, and where the frozen program waits for it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How a window ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Let everything go on, and the file be. Who said so.
    Thaw(String),
    /// Kill and isolate now. Who said so.
    Now(String),
}

/// Shared by the window and by those who may end it. The first answer counts.
#[derive(Debug, Default)]
pub struct Objection {
    answer: Mutex<Option<Answer>>,
    given: Condvar,
}

impl Objection {
    /// Ends the window; `false` when somebody has done so already.
    pub fn answer(&self, answer: Answer) -> bool {
        let mut held = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let first = held.is_none();
        if first {
            *held = Some(answer);
            self.given.notify_all();
        }
        first
    }

    /// Waits for an answer, at most `limit`.
    pub(crate) fn wait(&self, limit: Duration) -> Option<Answer> {
        let held = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let (held, _) = self
            .given
            .wait_timeout_while(held, limit, |a| a.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }
}
