// SPDX-License-Identifier: Apache-2.0
//! Questions to /proc that a hostile process can leave unanswered: its memory map stays locked for
//! as long as it faults on a filesystem whose server keeps silent.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

/// An answer that may never come.
pub(crate) struct Pending<T>(Receiver<T>);

/// Asks on a thread of its own. A thread that gets no answer ends with the process that it asked
/// about, which is about to be killed.
pub(crate) fn ask<T: Send + 'static>(question: impl FnOnce() -> T + Send + 'static) -> Pending<T> {
    let (to, from) = sync_channel(1);
    let started = std::thread::Builder::new().name("ask-proc".to_owned()).spawn(move || {
        // Nobody may wait for it any more.
        let _ = to.send(question());
    });
    // Without a thread the sender is dropped, and the answer is none.
    drop(started);
    Pending(from)
}

impl<T> Pending<T> {
    /// The answer, if it comes in time.
    pub(crate) fn until(&self, end: Instant) -> Option<T> {
        self.0.recv_timeout(end.saturating_duration_since(Instant::now())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn silence_is_none() {
        assert_eq!(ask(|| 7).until(Instant::now() + Duration::from_secs(5)), Some(7));
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let silent = ask(move || held.recv().is_err());
        assert_eq!(silent.until(Instant::now() + Duration::from_millis(20)), None);
        drop(hold);
        assert_eq!(silent.until(Instant::now() + Duration::from_secs(5)), Some(true));
    }
}
