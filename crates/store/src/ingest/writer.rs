// SPDX-License-Identifier: Apache-2.0
//! One task writes what all sessions bring: while one commit reaches the disk the next one fills.

use super::apply::{Outcome, apply};
use crate::alarms::facets::Marks;
use crate::db::conn::Pools;
use crate::error::{Result, StoreError};
use crate::{Batch, Ingested};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Batches that wait; whoever brings more waits before it, which slows its host down. As many as one transaction takes
/// records and more: thousands of hosts bring one record each.
const QUEUE: usize = 4_096;

struct Job {
    batch: Arc<Batch>,
    answer: oneshot::Sender<Outcome>,
}

enum Message {
    Job(Box<Job>),
    Close(oneshot::Sender<()>),
}

/// The way to it.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
}

impl Writer {
    /// Begins to write; ends when the last sender is gone.
    pub(crate) fn start(pools: Pools, marks: Arc<Marks>, records: usize) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(pools, marks, jobs, records.max(1)));
        Self { queue }
    }

    /// Waits until it is committed.
    pub(crate) async fn take(&self, batch: Arc<Batch>) -> Result<(String, Ingested)> {
        let closed =
            || StoreError::Unavailable("the store is closed: send it again after the restart".into());
        let (answer, outcome) = oneshot::channel();
        self.queue.send(Message::Job(Box::new(Job { batch, answer }))).await.map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }

    /// Writes what waits.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

async fn run(pools: Pools, marks: Arc<Marks>, mut queue: mpsc::Receiver<Message>, records: usize) {
    while let Some(first) = queue.recv().await {
        let (mut jobs, mut size, mut done) = (Vec::new(), 0, None);
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Job(job) => {
                    size += job.batch.records.len();
                    jobs.push(*job);
                }
                Message::Close(sender) => {
                    done = Some(sender);
                    break;
                }
            }
            if size < records {
                next = queue.try_recv().ok();
            }
        }
        write(&pools, &marks, jobs).await;
        if let Some(done) = done {
            queue.close();
            while let Some(message) = queue.recv().await {
                if let Message::Job(job) = message {
                    write(&pools, &marks, vec![*job]).await;
                }
            }
            let _ = done.send(());
            return;
        }
    }
}

async fn write(pools: &Pools, marks: &Marks, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let batches: Vec<&Batch> = jobs.iter().map(|j| &*j.batch).collect();
    let outcomes = match apply(pools, marks, &batches).await {
        Ok(outcomes) => outcomes,
        // Gone for one is gone for all.
        Err(e) if e.is_retryable() || jobs.len() == 1 => batches.iter().map(|_| Err(e.again())).collect(),
        // One of them cannot be written: it alone shall know.
        Err(_) => {
            let mut outcomes = Vec::new();
            for batch in &batches {
                outcomes.push(match apply(pools, marks, &[*batch]).await {
                    Ok(mut one) => {
                        one.pop().unwrap_or_else(|| Err(StoreError::Other("nothing was written".into())))
                    }
                    Err(e) => Err(e),
                });
            }
            outcomes
        }
    };
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        // A session that is gone asks again with its next hello.
        let _ = job.answer.send(outcome);
    }
}
