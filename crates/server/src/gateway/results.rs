// SPDX-License-Identifier: Apache-2.0
//! Results of commands on their way into the store, those of many hosts with one commit: when thousands answer
//! one order, as many writes of their own would wait for each other until sessions end by it.

use super::Inner;
use lazaret_store::{CommandEnd, Store, StoreError};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Results of one commit.
const AT_ONCE: usize = 500;
/// Results that wait; whoever brings more waits before it.
const QUEUE: usize = 2_000;

pub(super) struct Job {
    end: CommandEnd,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

/// The way to the one that writes them.
pub(super) struct Results {
    queue: mpsc::Sender<Job>,
}

impl Results {
    /// And what [`run`] writes from.
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (queue, jobs) = mpsc::channel(QUEUE);
        (Self { queue }, jobs)
    }

    /// Waits for the commit; whether this was the first result of its command.
    pub(super) async fn put(&self, end: CommandEnd) -> Result<bool, StoreError> {
        let stopped = || StoreError::Unavailable("the gateway stops: the host gives it again".into());
        let (answer, written) = oneshot::channel();
        self.queue.send(Job { end, answer }).await.map_err(|_| stopped())?;
        written.await.map_err(|_| stopped())?
    }
}

/// Writes until the gateway stops.
pub(super) async fn run(inner: Arc<Inner>, mut jobs: mpsc::Receiver<Job>) {
    let mut waiting = Vec::with_capacity(AT_ONCE);
    while jobs.recv_many(&mut waiting, AT_ONCE).await > 0 {
        let (ends, answers): (Vec<_>, Vec<_>) = waiting.drain(..).map(|j| (j.end, j.answer)).unzip();
        let written = together(&inner.store, &ends).await;
        for (answer, outcome) in answers.into_iter().zip(written) {
            // A session that is gone gives it again in the next one.
            let _ = answer.send(outcome);
        }
    }
}

async fn together(store: &Store, ends: &[CommandEnd]) -> Vec<Result<bool, StoreError>> {
    match store.finish_commands(ends).await {
        Ok(first) => first.into_iter().map(Ok).collect(),
        // Gone for one is gone for all.
        Err(e) if e.is_retryable() => {
            let why = e.to_string();
            ends.iter().map(|_| Err(StoreError::Unavailable(why.clone()))).collect()
        }
        // One of them cannot be written: it alone shall know.
        Err(_) => {
            let mut each = Vec::with_capacity(ends.len());
            for end in ends {
                each.push(store.finish_command(end).await);
            }
            each
        }
    }
}
