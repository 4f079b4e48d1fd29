// SPDX-License-Identifier: Apache-2.0
//! One put at a time for each content: of two at once the second finds what the first has stored.

use crate::books::Content;
use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};

/// Contents that are being stored.
#[derive(Default)]
pub(crate) struct Contents {
    busy: Mutex<HashSet<Content>>,
    freed: Condvar,
}

/// Held while storing.
pub(crate) struct Storing<'a> {
    contents: &'a Contents,
    content: Content,
}

impl Contents {
    /// Waits until nobody else stores this content. Storing is bounded by the size of one object.
    pub(crate) fn take(&self, content: Content) -> Storing<'_> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        while !busy.insert(content) {
            busy = self.freed.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
        Storing { contents: self, content }
    }
}

impl Drop for Storing<'_> {
    fn drop(&mut self) {
        self.contents.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.content);
        self.contents.freed.notify_all();
    }
}
