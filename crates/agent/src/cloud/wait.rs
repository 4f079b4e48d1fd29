// SPDX-License-Identifier: Apache-2.0
//! Executions that wait for the server's answer: they hold no judge, and one thread looks after all of them.

use super::{lock, settle};
use crate::core::Core;
use crate::counters::bump;
use crate::gate::{Question, Reply};
use crate::judge::{self, Clean};
use crate::look::now_ms;
use crossbeam_channel::Sender;
use lazaret_model::Sha256;
use lazaret_sys::fanotify::Answer;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Executions that wait at once; each holds a descriptor. Others do not wait.
const ROOM: usize = 1_024;
/// How often it is looked whether the daemon stops.
const LOOK: Duration = Duration::from_secs(1);

/// An execution that waits.
pub(crate) struct Parked {
    pub(crate) question: Question,
    pub(crate) sha256: Sha256,
    pub(crate) path: Vec<u8>,
    /// What its judge knew when it found nothing.
    pub(crate) clean: Clean,
    pub(crate) until: Instant,
    /// Without an answer it does not run.
    pub(crate) refuse: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// There is an answer, and it speaks for nothing bad.
    Answered,
    /// It is bad: it goes back to a judge, who finds that.
    Bad,
    /// Nobody answers in time.
    Late,
}

pub(crate) struct Waiting {
    list: Mutex<Vec<Parked>>,
    bell: Condvar,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { list: Mutex::default(), bell: Condvar::new() }
    }

    pub(crate) fn has_room(&self) -> bool {
        lock(&self.list).len() < ROOM
    }

    pub(crate) fn park(&self, parked: Parked) {
        lock(&self.list).push(parked);
        self.bell.notify_one();
    }

    /// Something may have changed for those who wait.
    pub(super) fn look(&self) {
        // Held for a moment, so that who looks at this very moment does not miss it.
        drop(lock(&self.list));
        self.bell.notify_one();
    }

    /// Those whose turn has come; waits for the first of them, at most [`LOOK`].
    fn next(&self, core: &Core) -> Vec<(Parked, Turn)> {
        let mut list = lock(&self.list);
        loop {
            let now = Instant::now();
            let mut due = Vec::new();
            let mut i = 0;
            while i < list.len() {
                match turn(core, &list[i], now) {
                    Some(turn) => due.push((list.swap_remove(i), turn)),
                    None => i += 1,
                }
            }
            if !due.is_empty() || core.is_stopping() {
                return due;
            }
            let next = list.iter().map(|p| p.until.saturating_duration_since(now)).min();
            let (again, timeout) = self
                .bell
                .wait_timeout(list, next.unwrap_or(LOOK).min(LOOK))
                .unwrap_or_else(PoisonError::into_inner);
            list = again;
            if timeout.timed_out() && list.is_empty() {
                return Vec::new();
            }
        }
    }
}

fn turn(core: &Core, parked: &Parked, now: Instant) -> Option<Turn> {
    let cloud = &core.cloud;
    if cloud.verdicts.bad(&parked.sha256).is_some() {
        return Some(Turn::Bad);
    }
    if cloud.answers.get(&parked.sha256, now_ms()).is_some() || !cloud.is_on() {
        return Some(Turn::Answered);
    }
    (now >= parked.until || !cloud.is_connected()).then_some(Turn::Late)
}

/// Looks after those who wait until the daemon stops; the gate allows what is pending then.
pub(super) fn run(core: &Core, questions: &Sender<Question>, replies: &Sender<Reply>) {
    while !core.is_stopping() {
        for (parked, turn) in core.cloud.waiting.next(core) {
            settled(core, parked, turn, questions, replies);
        }
    }
}

fn settled(core: &Core, parked: Parked, turn: Turn, questions: &Sender<Question>, replies: &Sender<Reply>) {
    let Parked { question, path, clean, refuse, .. } = parked;
    let ticket = question.ticket;
    let say = |answer| judge::send(core, replies, Reply { ticket, answer });
    if turn == Turn::Late {
        if refuse {
            settle::tell_refused(core, &path);
            return say(Answer::Deny);
        }
        bump(&core.gate.counters.cloud_late);
    }
    // What was written to while it waited was not judged.
    if turn != Turn::Bad
        && let Some(answer) = judge::passed_late(core, &question, &clean)
    {
        return say(answer);
    }
    if questions.try_send(question).is_err() {
        say(judge::on_error(core));
    }
}
