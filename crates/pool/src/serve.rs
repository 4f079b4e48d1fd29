// SPDX-License-Identifier: Apache-2.0
//! The thread of one worker: takes jobs, holds the deadline, replaces what fails.

use crate::connection::{Connection, Heard};
use crate::job::{Answers, Queued};
use crate::pool::Shared;
use crate::queue::Take;
use crate::slot::Slot;
use crate::spawner::End;
use lazaret_model::ScanError;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Workers that may be lost in a row before they get the batch; then the batch has no scanner.
const ATTEMPTS: u32 = 3;

/// Workers that may end idle in a row, without having answered anything, and are replaced at once.
const MAX_UNPROVEN: u32 = 5;

pub(crate) struct Server {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    connection: Option<Connection>,
    token: u64,
    /// Workers in a row that ended idle without having answered anything.
    unproven: u32,
}

impl Server {
    pub(crate) fn new(shared: Arc<Shared>, slot: Arc<Slot>, connection: Connection) -> Self {
        let mut server = Self { shared, slot, connection: None, token: 0, unproven: 0 };
        server.adopt(Some(connection));
        server
    }

    /// Until the pool stops.
    pub(crate) fn run(mut self) {
        let mut batch = VecDeque::new();
        let mut pokes = 0;
        loop {
            match self.shared.queue.take(self.slot.reserved, &mut pokes, &mut batch) {
                Take::Stop => break,
                Take::Look => self.look(),
                Take::Work => {
                    self.slot.busy.store(true, Ordering::Relaxed);
                    self.serve(&mut batch);
                    self.slot.busy.store(false, Ordering::Relaxed);
                }
            }
        }
        self.adopt(None);
    }

    /// Takes a newer worker, or replaces one that died while it had nothing to do.
    fn look(&mut self) {
        let next = self.slot.handover().next.take();
        if next.is_some() {
            self.adopt(next);
        }
        let Some(connection) = self.connection.as_ref().filter(|c| c.has_ended()) else { return };
        // Workers that end before they answer anything might do so for ever: after a few the next
        // job asks for another one.
        self.unproven = if connection.is_proven() { 0 } else { self.unproven + 1 };
        if self.unproven <= MAX_UNPROVEN && !self.shared.is_stopping() {
            // What goes wrong here is told to the next job, which tries again.
            let _ = self.replace();
        }
    }

    fn adopt(&mut self, connection: Option<Connection>) {
        self.slot.pid.store(connection.as_ref().map_or(0, |c| c.pid), Ordering::Relaxed);
        self.slot.handover().current = connection.as_ref().map(Connection::pidfd);
        self.connection = connection;
    }

    fn replace(&mut self) -> Result<(), String> {
        if self.connection.is_some() {
            self.shared.replaced.fetch_add(1, Ordering::Relaxed);
        }
        self.adopt(None);
        let connection = self.shared.new_worker()?;
        self.adopt(Some(connection));
        Ok(())
    }

    /// Answers every job of the batch, or puts it back for another turn.
    fn serve(&mut self, batch: &mut VecDeque<Queued>) {
        let mut answers = Answers::default();
        let mut attempts = 0;
        let token = self.token;
        self.token += batch.len() as u64;
        loop {
            if self.shared.newer(&self.slot) {
                self.look();
            }
            let sent = match &mut self.connection {
                _ if self.shared.is_stopping() => Err("the scanners are being stopped".into()),
                Some(connection) => connection.send(batch, token).map_err(|e| e.to_string()),
                None => Err("no worker".into()),
            };
            let Err(why) = sent else { break };
            attempts += 1;
            let replaced =
                if attempts > ATTEMPTS || self.shared.is_stopping() { Err(why) } else { self.replace() };
            if let Err(why) = replaced {
                for job in batch.drain(..) {
                    answers.add(job, Err(ScanError::Unavailable(why.clone())));
                }
                return;
            }
        }
        let mut begun = Instant::now();
        for token in token.. {
            if batch.is_empty() {
                return;
            }
            let Some(connection) = &mut self.connection else { return };
            let heard = connection.hear(token, begun + self.shared.deadline);
            let Some(job) = batch.pop_front() else { return };
            self.slot.scanned.fetch_add(1, Ordering::Relaxed);
            let error = match heard {
                Heard::Answer(result) => {
                    begun = Instant::now();
                    answers.add(job, result);
                    continue;
                }
                Heard::Silence => {
                    let _ = self.connection.take().map(Connection::end);
                    ScanError::Deadline(u64::try_from(self.shared.deadline.as_millis()).unwrap_or(u64::MAX))
                }
                Heard::Gone => {
                    let end = self.connection.take().and_then(Connection::how_ended);
                    if self.shared.is_stopping() {
                        ScanError::Unavailable("the scanners are being stopped".into())
                    } else {
                        ScanError::Crashed(end.map_or_else(unknown, |e: End| e.to_string()))
                    }
                }
                Heard::Nonsense(why) => {
                    let _ = self.connection.take().map(Connection::end);
                    ScanError::BadAnswer(why)
                }
            };
            // The rest had not begun. It goes alone now, so that one more bad file costs one file.
            self.shared.queue.put_back(batch.drain(..).map(|mut job| {
                job.alone = true;
                job
            }));
            self.shared.replaced.fetch_add(1, Ordering::Relaxed);
            answers.add(job, Err(error));
            answers.flush();
            if !self.shared.is_stopping() {
                let _ = self.replace();
            }
            return;
        }
    }
}

fn unknown() -> String {
    "how it ended is not known".into()
}
