// SPDX-License-Identifier: Apache-2.0
//! The gate: the one thread that answers the kernel.
//!
//! While a question is pending this thread neither allocates nor logs nor opens files, and it takes
//! no lock that another thread holds across such work: whatever it waited for could itself be
//! waiting for its answer. What cannot be answered from memory goes to the judges through a bounded
//! queue; when their reply does not come before the deadline, `on_error` answers.

mod allowed;
mod denied;
mod exempt;
mod pending;

pub(crate) use allowed::{Allowed, FileKey};
pub(crate) use denied::Denied;
pub(crate) use exempt::Exempt;

use crate::counters::{Counters, bump};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use lazaret_sys::fanotify::{Answer, EventBuffer, Mask, PermissionEvent, PermissionGroup};
use lazaret_sys::lease;
use pending::Pending;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Stat;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Questions that may wait at once; each holds one descriptor.
const MAX_PENDING: usize = 4096;

/// How often the watchdog hears from this thread. It ends us after [`crate::watchdog::SILENCE`].
const HEARTBEAT: Duration = Duration::from_millis(200);

/// A question that memory could not answer.
pub(crate) struct Question {
    /// Comes back with the reply.
    pub(crate) ticket: Ticket,
    /// The very inode.
    pub(crate) file: OwnedFd,
    /// Whether it is about to be executed rather than opened.
    pub(crate) exec: bool,
    /// Who asks; its task waits in the kernel until the answer.
    pub(crate) pid: i32,
    /// When it was read.
    pub(crate) at: Instant,
}

/// Which pending question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    slot: u32,
    turn: u32,
}

/// What a judge says.
pub(crate) struct Reply {
    pub(crate) ticket: Ticket,
    pub(crate) answer: Answer,
}

/// A file that was closed after writing.
pub(crate) struct Written {
    pub(crate) file: OwnedFd,
    pub(crate) pid: i32,
}

/// A refusal that memory decided, for the counters and the alarm's timeline.
pub(crate) struct Refused {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) pid: i32,
    pub(crate) exec: bool,
}

/// What others share with the gate.
pub(crate) struct Shared {
    pub(crate) group: PermissionGroup,
    pub(crate) exempt: Arc<Exempt>,
    pub(crate) allowed: Allowed,
    pub(crate) denied: Denied,
    pub(crate) counters: Counters,
    /// Wakes the gate when a reply was queued.
    pub(crate) bell: OwnedFd,
    /// Events were lost: the rescan thread takes this down.
    pub(crate) overflowed: AtomicBool,
    /// A dry run: what nobody could judge in time is allowed, whatever `on_error` says.
    pub(crate) rehearses: AtomicBool,
    /// Set to end the thread.
    pub(crate) stop: AtomicBool,
}

/// The ends of the queues that the gate holds.
pub(crate) struct Queues {
    pub(crate) questions: Sender<Question>,
    pub(crate) replies: Receiver<Reply>,
    pub(crate) written: Sender<Written>,
    pub(crate) refused: Sender<Refused>,
    /// Closes descriptors: the last close of a file that was removed meanwhile can take long.
    pub(crate) closer: Sender<OwnedFd>,
}

/// How the gate behaves when nobody replies in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) deadline: Duration,
    pub(crate) on_error: Answer,
}

/// The gate thread's own state.
pub(crate) struct Gate {
    shared: Arc<Shared>,
    queues: Queues,
    rules: Rules,
    pending: Pending,
    buffer: EventBuffer,
    heartbeat: OwnedFd,
}

impl Gate {
    /// `heartbeat` is the writing end of a non-blocking pipe to the watchdog.
    pub(crate) fn new(shared: Arc<Shared>, queues: Queues, rules: Rules, heartbeat: OwnedFd) -> Self {
        Self {
            shared,
            queues,
            rules,
            pending: Pending::new(MAX_PENDING),
            buffer: EventBuffer::new(),
            heartbeat,
        }
    }

    /// Answers until `stop` is set; pending questions are then allowed.
    ///
    /// # Errors
    /// When the group cannot be read any more; the caller ends the process, and the kernel allows
    /// what is pending.
    pub(crate) fn run(mut self) -> io::Result<()> {
        // Every exec and open on this host waits for this thread: it goes before ordinary work.
        let _ = rustix::process::setpriority_process(None, -15);
        let mut beat = Instant::now();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= beat {
                // A full pipe means a watchdog that does not read; that is its problem, not ours.
                let _ = rustix::io::write(&self.heartbeat, b".");
                beat = now + HEARTBEAT;
            }
            let until = self.pending.next_deadline().map_or(beat, |d| d.min(beat));
            self.wait(until.saturating_duration_since(now))?;
            self.deliver();
            self.read()?;
            self.expire();
        }
        // The marks go first: as long as they stand somebody asks, and nobody would answer.
        let _ = self.shared.group.unmark_all();
        let Self { shared, pending, buffer, .. } = &mut self;
        for file in pending.drain() {
            let _ = shared.group.answer(file.as_fd(), Answer::Allow);
        }
        let allow = |event: PermissionEvent| {
            if let Some(file) = event.fd.filter(|_| event.mask.wants_answer()) {
                let _ = shared.group.answer(file.as_fd(), Answer::Allow);
            }
        };
        while shared.group.read(buffer, allow)? > 0 {}
        Ok(())
    }

    fn wait(&self, longest: Duration) -> io::Result<()> {
        let mut fds =
            [PollFd::new(&self.shared.group, PollFlags::IN), PollFd::new(&self.shared.bell, PollFlags::IN)];
        // Rounded up, so that a deadline less than a millisecond away does not spin.
        let timeout = rustix::event::Timespec {
            tv_sec: longest.as_secs().try_into().unwrap_or(1),
            tv_nsec: longest.subsec_nanos().max(50_000).into(),
        };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        if fds[1].revents().contains(PollFlags::IN) {
            let mut count = [0; 8];
            let _ = rustix::io::read(&self.shared.bell, &mut count);
        }
        Ok(())
    }

    fn deliver(&mut self) {
        while let Ok(reply) = self.queues.replies.try_recv() {
            if let Some(file) = self.pending.take(reply.ticket) {
                answer(&self.shared, file.as_fd(), reply.answer);
                let _ = self.queues.closer.try_send(file);
            }
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let Self { shared, queues, rules, pending, buffer, .. } = self;
        shared.group.read(buffer, |event| take(shared, queues, *rules, pending, event))?;
        Ok(())
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(file) = self.pending.take_expired(now) {
            unjudged(&self.shared, &self.queues, self.rules, file, 0);
        }
    }
}

/// Answers by `on_error` what nobody could judge in time. It is not forgotten: the file is looked at
/// as soon as there is room, and dealt with then.
fn unjudged(shared: &Shared, queues: &Queues, rules: Rules, file: OwnedFd, pid: i32) {
    bump(&shared.counters.deadline_missed);
    let rehearses = shared.rehearses.load(Ordering::Relaxed);
    answer(shared, file.as_fd(), if rehearses { Answer::Allow } else { rules.on_error });
    later(shared, queues, file, pid);
}

fn later(shared: &Shared, queues: &Queues, file: OwnedFd, pid: i32) {
    if let Err(TrySendError::Full(_)) = queues.written.try_send(Written { file, pid }) {
        bump(&shared.counters.overflows);
        shared.overflowed.store(true, Ordering::Relaxed);
    }
}

fn answer(shared: &Shared, file: BorrowedFd<'_>, answer: Answer) {
    if answer == Answer::Deny {
        bump(&shared.counters.denied);
    }
    // ENOENT: whoever asked was killed meanwhile.
    let _ = shared.group.answer(file, answer);
}

fn take(shared: &Shared, queues: &Queues, rules: Rules, pending: &mut Pending, event: PermissionEvent) {
    let PermissionEvent { mask, fd, pid } = event;
    if mask.has(Mask::OVERFLOW) {
        bump(&shared.counters.overflows);
        shared.overflowed.store(true, Ordering::Relaxed);
        return;
    }
    let Some(file) = fd else { return };
    if !mask.wants_answer() {
        take_written(shared, queues, file, pid);
        return;
    }
    let exec = mask.has(Mask::OPEN_EXEC_PERM);
    bump(if exec { &shared.counters.events_exec } else { &shared.counters.events_open });
    if let Some(known) = from_memory(shared, queues, file.as_fd(), pid, exec) {
        answer(shared, file.as_fd(), known);
        return;
    }
    let at = Instant::now();
    let Ok(copy) = rustix::io::fcntl_dupfd_cloexec(&file, 0) else {
        return unjudged(shared, queues, rules, file, pid);
    };
    match pending.put(file, at + rules.deadline) {
        Ok(ticket) => {
            let question = Question { ticket, file: copy, exec, pid, at };
            if queues.questions.try_send(question).is_err()
                && let Some(file) = pending.take(ticket)
            {
                unjudged(shared, queues, rules, file, pid);
            }
        }
        Err(file) => unjudged(shared, queues, rules, file, pid),
    }
}

fn take_written(shared: &Shared, queues: &Queues, file: OwnedFd, pid: i32) {
    bump(&shared.counters.events_write);
    if shared.exempt.contains(pid) {
        return;
    }
    later(shared, queues, file, pid);
}

/// What needs no look at the content.
fn from_memory(
    shared: &Shared,
    queues: &Queues,
    file: BorrowedFd<'_>,
    pid: i32,
    exec: bool,
) -> Option<Answer> {
    if shared.exempt.contains(pid) {
        bump(&shared.counters.allowed_own);
        return Some(Answer::Allow);
    }
    let stat = rustix::fs::fstat(file).ok()?;
    if !is_regular(&stat) || stat.st_size == 0 {
        return Some(Answer::Allow);
    }
    if shared.denied.contains(file, &stat) {
        let _ = queues.refused.try_send(Refused { dev: stat.st_dev, ino: stat.st_ino, pid, exec });
        return Some(Answer::Deny);
    }
    let key = FileKey::of(&stat);
    if !shared.allowed.contains(&key) {
        return None;
    }
    // The numbers alone are not enough: see `lease`. The second look is under the lease.
    let lease = lease::read_lease(file).ok().flatten()?;
    let same = rustix::fs::fstat(file).is_ok_and(|s| FileKey::of(&s) == key);
    drop(lease);
    same.then(|| {
        bump(&shared.counters.allowed_cached);
        Answer::Allow
    })
}

pub(crate) fn is_regular(stat: &Stat) -> bool {
    rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file()
}
