// SPDX-License-Identifier: Apache-2.0
//! One worker: its socket, its pidfd, and the exchange of a batch.

use crate::job::Queued;
use crate::spawner::{End, Lease};
use lazaret_model::{ScanError, ScanReport};
use lazaret_proto::{Message, v1};
use lazaret_sys::fd_passing;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Signal, pidfd_send_signal};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A longer answer is refused, bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// How long the spawner may take to say how a worker ended.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// What a worker said to the file whose turn it was.
#[allow(clippy::large_enum_variant, reason = "lives for a moment; nearly all are answers")]
pub(crate) enum Heard {
    /// Its answer.
    Answer(Result<ScanReport, ScanError>),
    /// Nothing until the deadline.
    Silence,
    /// It is gone.
    Gone,
    /// Something that is no answer.
    Nonsense(String),
}

/// A worker that is ready.
pub(crate) struct Connection {
    pub(crate) pid: i32,
    pidfd: Arc<OwnedFd>,
    socket: OwnedFd,
    /// Keeps the spawner, the worker's parent, alive.
    pub(crate) spawner: Arc<Lease>,
    answered: bool,
    buffer: Vec<u8>,
    message: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(pid: i32, pidfd: Arc<OwnedFd>, socket: OwnedFd, spawner: Arc<Lease>) -> Self {
        Self {
            pid,
            pidfd,
            socket,
            spawner,
            answered: false,
            buffer: vec![0; MAX_ANSWER],
            message: Vec::new(),
        }
    }

    /// Its pidfd, to end it from another thread.
    pub(crate) fn pidfd(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.pidfd)
    }

    /// Hands a batch over. Tokens count from `token`.
    ///
    /// # Errors
    /// When the worker did not get it: then it has begun nothing.
    pub(crate) fn send(&mut self, batch: &VecDeque<Queued>, token: u64) -> io::Result<()> {
        let items = batch
            .iter()
            .zip(token..)
            .map(|(job, token)| v1::ScanItem { token, name: job.name.clone(), members: job.members })
            .collect();
        self.message.clear();
        v1::ScanBatch { items }.encode(&mut self.message).map_err(io::Error::other)?;
        let files: Vec<BorrowedFd<'_>> = batch.iter().filter_map(|j| j.file().map(AsFd::as_fd)).collect();
        fd_passing::send(&self.socket, &self.message, &files)
    }

    /// Waits for the answer with this token until `until`.
    pub(crate) fn hear(&mut self, token: u64, until: Instant) -> Heard {
        match self.wait(until) {
            Ok(true) => {}
            Ok(false) => return Heard::Silence,
            Err(e) => return Heard::Nonsense(e.to_string()),
        }
        let mut files = Vec::new();
        match fd_passing::receive(&self.socket, &mut self.buffer, &mut files) {
            Ok(0) => Heard::Gone,
            Ok(_) if !files.is_empty() => Heard::Nonsense("it came with descriptors".into()),
            Ok(length) => match understand(self.buffer.get(..length).unwrap_or_default(), token) {
                Ok(result) => {
                    self.answered = true;
                    Heard::Answer(result)
                }
                Err(why) => Heard::Nonsense(why),
            },
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => Heard::Gone,
            Err(e) => Heard::Nonsense(e.to_string()),
        }
    }

    /// Whether something can be read before `until`.
    fn wait(&self, until: Instant) -> io::Result<bool> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout)) {
                Ok(0) if left.is_zero() => return Ok(false),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Whether it has answered something.
    pub(crate) fn is_proven(&self) -> bool {
        self.answered
    }

    /// Whether its end was reported.
    pub(crate) fn has_ended(&self) -> bool {
        self.spawner.has_ended(self.pid)
    }

    /// Ends it and says how it ended; `None` when nobody said so in time.
    pub(crate) fn end(self) -> Option<End> {
        let _ = pidfd_send_signal(&*self.pidfd, Signal::KILL);
        self.spawner.how_ended(self.pid, END_PATIENCE)
    }

    /// Says how it ended, without ending it first; a worker that only closed its socket is ended.
    pub(crate) fn how_ended(self) -> Option<End> {
        self.spawner.how_ended(self.pid, Duration::from_millis(200)).or_else(|| self.end())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Whoever wanted to know how it ended has asked by now.
        self.spawner.forget(self.pid);
    }
}

/// Decodes an answer. Whatever is not exactly what was asked for is refused.
fn understand(bytes: &[u8], token: u64) -> Result<Result<ScanReport, ScanError>, String> {
    let answer = v1::ScanAnswer::decode(bytes).map_err(|e| e.to_string())?;
    if answer.token != token {
        return Err(format!("it answers {} instead of {token}", answer.token));
    }
    match answer.result {
        Some(v1::scan_answer::Result::Report(report)) => {
            ScanReport::try_from(report).map(Ok).map_err(|e| e.to_string())
        }
        Some(v1::scan_answer::Result::Error(error)) => Ok(Err(error.into())),
        None => Err("it is empty".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(answer: &v1::ScanAnswer) -> Vec<u8> {
        answer.encode_to_vec()
    }

    #[test]
    fn only_the_asked_for_answer_is_understood() {
        let error = v1::scan_answer::Result::Error((&ScanError::Changed).into());
        let good = encoded(&v1::ScanAnswer { token: 7, result: Some(error) });
        assert_eq!(understand(&good, 7), Ok(Err(ScanError::Changed)));
        assert!(understand(&good, 8).unwrap_err().contains("7 instead of 8"));
        assert!(understand(&encoded(&v1::ScanAnswer { token: 7, result: None }), 7).is_err());
        assert!(understand(&good[..good.len() - 1], 7).is_err());
        assert!(understand(b"\xff\xff\xff", 7).is_err());
        let report = v1::ScanReport { verdict: None, ..Default::default() };
        let hollow = v1::ScanAnswer { token: 7, result: Some(v1::scan_answer::Result::Report(report)) };
        assert!(understand(&encoded(&hollow), 7).unwrap_err().contains("without a verdict"));
    }
}
