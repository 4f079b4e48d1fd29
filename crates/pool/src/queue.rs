// SPDX-License-Identifier: Apache-2.0
//! The queue: permission jobs before event jobs before background jobs.

use crate::job::{Priority, Queued};
use lazaret_model::ScanError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Permission jobs that may wait; a further one is unavailable at once.
const MAX_PERMISSION: usize = 4096;
/// Event jobs that may wait; each holds a descriptor.
const MAX_EVENT: usize = 8192;
/// Background jobs that may wait; a further one blocks its submitter.
const MAX_BACKGROUND: usize = 256;
/// Files of one background batch.
pub(crate) const BATCH: usize = 32;
/// Bytes after which a background batch is full: about 10 ms of work.
const BATCH_BYTES: u64 = 1024 * 1024;

/// What a worker's thread should do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// The batch has jobs.
    Work,
    /// Look whether the worker was replaced or died.
    Look,
    /// End.
    Stop,
}

#[derive(Default)]
struct State {
    permission: VecDeque<Queued>,
    event: VecDeque<Queued>,
    background: VecDeque<Queued>,
    pokes: u64,
    stopped: bool,
}

impl State {
    fn lane(&mut self, priority: Priority) -> &mut VecDeque<Queued> {
        match priority {
            Priority::Permission => &mut self.permission,
            Priority::Event => &mut self.event,
            Priority::Background => &mut self.background,
        }
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// For workers that take everything.
    general: Condvar,
    /// For workers that are kept free of heavy jobs.
    reserved: Condvar,
    /// For submitters of background jobs.
    room: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot leave the queues half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job in; a background job waits for room. A job that cannot be taken, because its lane is
    /// full or the pool stops, is answered with that.
    pub(crate) fn push(&self, job: Queued) {
        let mut state = self.lock();
        if job.priority == Priority::Background {
            while state.background.len() >= MAX_BACKGROUND && !state.stopped {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let refusal = match job.priority {
            _ if state.stopped => Some("the scanners are being stopped"),
            Priority::Permission if state.permission.len() >= MAX_PERMISSION => {
                Some("4096 permission requests wait already")
            }
            Priority::Event if state.event.len() >= MAX_EVENT => Some("8192 events wait already"),
            _ => None,
        };
        if let Some(why) = refusal {
            // The one who hears it may take this lock again.
            drop(state);
            return job.answer(Err(ScanError::Unavailable(why.into())));
        }
        let heavy = job.is_heavy();
        state.lane(job.priority).push_back(job);
        drop(state);
        self.general.notify_one();
        if !heavy {
            self.reserved.notify_one();
        }
    }

    /// Puts many background jobs in, waiting for room. What stays in `jobs` was refused: the pool stops.
    pub(crate) fn push_walk(&self, jobs: &mut Vec<Queued>) {
        let count = jobs.len();
        let mut state = self.lock();
        while state.background.len() >= MAX_BACKGROUND && !state.stopped {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return;
        }
        state.background.extend(jobs.drain(..));
        drop(state);
        if count > BATCH {
            self.general.notify_all();
        } else {
            self.general.notify_one();
        }
    }

    /// Puts jobs back in front of their lanes, in their order.
    pub(crate) fn put_back(&self, jobs: impl DoubleEndedIterator<Item = Queued>) {
        let mut state = self.lock();
        if state.stopped {
            // They answer when they are dropped, which must not happen under the lock.
            drop(state);
            drop(jobs.collect::<Vec<_>>());
            return;
        }
        for job in jobs.rev() {
            state.lane(job.priority).push_front(job);
        }
        drop(state);
        self.general.notify_all();
        self.reserved.notify_all();
    }

    /// Waits for work. `pokes` is what the thread saw last.
    pub(crate) fn take(&self, reserved: bool, pokes: &mut u64, batch: &mut VecDeque<Queued>) -> Take {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Take::Stop;
            }
            if state.pokes != *pokes {
                *pokes = state.pokes;
                return Take::Look;
            }
            if let Some(job) = state.permission.pop_front() {
                batch.push_back(job);
                return Take::Work;
            }
            let event = if reserved { state.event.iter().position(|j| !j.is_heavy()) } else { Some(0) };
            if let Some(job) = event.and_then(|at| state.event.remove(at)) {
                batch.push_back(job);
                return Take::Work;
            }
            if !reserved && fill(&mut state.background, batch) {
                let room = state.background.len() < MAX_BACKGROUND;
                let more = !state.background.is_empty();
                drop(state);
                if room {
                    self.room.notify_all();
                }
                if more {
                    self.general.notify_one();
                }
                return Take::Work;
            }
            let waiters = if reserved { &self.reserved } else { &self.general };
            state = waiters.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets every waiting thread look at its worker.
    pub(crate) fn poke(&self) {
        self.lock().pokes += 1;
        self.general.notify_all();
        self.reserved.notify_all();
    }

    /// Refuses everything from now on; the jobs that waited answer that by being dropped.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let left = (
            std::mem::take(&mut state.permission),
            std::mem::take(&mut state.event),
            std::mem::take(&mut state.background),
        );
        drop(state);
        self.general.notify_all();
        self.reserved.notify_all();
        self.room.notify_all();
        drop(left);
    }
}

/// A batch of small background files, or one large one.
fn fill(lane: &mut VecDeque<Queued>, batch: &mut VecDeque<Queued>) -> bool {
    let mut bytes = 0;
    while let Some(next) = lane.front() {
        if !batch.is_empty() && (next.alone || bytes + next.size > BATCH_BYTES) {
            break;
        }
        bytes += next.size;
        let alone = next.alone;
        batch.extend(lane.pop_front());
        if alone || batch.len() >= BATCH {
            break;
        }
    }
    !batch.is_empty()
}
