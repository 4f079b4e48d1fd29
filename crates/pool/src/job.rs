// SPDX-License-Identifier: Apache-2.0
//! One file to scan, and who hears the answer.

use crate::found::{Message, Pending, Scanned};
use crossbeam_channel::Sender;
use lazaret_model::{ScanError, ScanReport};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, fstat};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longest name that travels to a worker, bytes.
pub(crate) const MAX_NAME: usize = 255;

/// From this size on an event job does not go to a reserved worker, bytes.
pub(crate) const LARGE: u64 = 4 * 1024 * 1024;

/// Called exactly once with the answer, on a thread of the pool: it should be quick.
pub type Done = Box<dyn FnOnce(Result<ScanReport, ScanError>) + Send>;

/// One open file to scan.
#[derive(Debug)]
pub struct Job {
    /// Open for reading; its position is not used and not changed.
    pub file: OwnedFd,
    /// Last part of its path, raw bytes, as a hint; cut at 255 bytes.
    pub name: Vec<u8>,
    /// Whether to look into archives.
    pub members: bool,
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A process is stopped in the kernel until the answer is there.
    Permission,
    /// Something was written; a person or program may use it next.
    Event,
    /// A walk through folders.
    Background,
}

/// Who hears the answer.
pub(crate) enum Reply {
    One(Done),
    /// Many files of one walk: answers travel in vectors, and the file comes back open.
    Walk(Sender<Message>, Pending),
}

/// A job under way; answers even when it is dropped.
pub(crate) struct Queued {
    /// Taken when it is answered.
    reply: Option<Reply>,
    file: Option<OwnedFd>,
    pub(crate) name: Vec<u8>,
    pub(crate) members: bool,
    pub(crate) priority: Priority,
    /// Bytes at submission: only for the choice of a worker.
    pub(crate) size: u64,
    /// Its batch failed before its turn: goes alone now.
    pub(crate) alone: bool,
}

impl Queued {
    /// `None` when it was answered at once, because it is no regular file.
    pub(crate) fn new(job: Job, priority: Priority, reply: Reply) -> Option<Self> {
        let mut queued = Self {
            reply: Some(reply),
            name: job.name,
            members: job.members,
            priority,
            size: 0,
            alone: false,
            file: None,
        };
        queued.name.truncate(MAX_NAME);
        match fstat(&job.file) {
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    queued.size = u64::try_from(stat.st_size).unwrap_or(0);
                    queued.file = Some(job.file);
                    Some(queued)
                }
                other => {
                    queued.file = Some(job.file);
                    queued.answer(Err(ScanError::NotAFile(type_word(other).into())));
                    None
                }
            },
            Err(e) => {
                queued.file = Some(job.file);
                queued.answer(Err(ScanError::Unreadable(e.to_string())));
                None
            }
        }
    }

    /// Of a walk, which has looked at the file already.
    pub(crate) fn of_walk(job: Job, sink: Sender<Message>, pending: Pending) -> Self {
        Self {
            file: Some(job.file),
            name: job.name,
            members: job.members,
            priority: Priority::Background,
            size: pending.size,
            alone: false,
            reply: Some(Reply::Walk(sink, pending)),
        }
    }

    pub(crate) fn file(&self) -> Option<&OwnedFd> {
        self.file.as_ref()
    }

    /// Whether a reserved worker leaves it to the others.
    pub(crate) fn is_heavy(&self) -> bool {
        match self.priority {
            Priority::Permission => false,
            // An archive may take until the deadline, however small it is.
            Priority::Event => self.members || self.size > LARGE,
            Priority::Background => true,
        }
    }

    /// Tells the answer.
    pub(crate) fn answer(self, result: Result<ScanReport, ScanError>) {
        let mut answers = Answers::default();
        answers.add(self, result);
        answers.flush();
    }

    fn take(&mut self) -> Option<(Reply, OwnedFd)> {
        Some((self.reply.take()?, self.file.take()?))
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let error = || Err(ScanError::Unavailable("the scanners are being stopped".into()));
        match (self.reply.take(), self.file.take()) {
            (Some(Reply::One(done)), _) => call(done, error()),
            (Some(Reply::Walk(sink, pending)), Some(file)) => {
                // A walk that went away hears nothing more.
                let _ = sink.send(Message::Scanned(vec![Scanned { pending, file, result: error() }]));
            }
            _ => {}
        }
    }
}

/// A caller's panic must not end the pool's thread.
fn call(done: Done, result: Result<ScanReport, ScanError>) {
    let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
}

/// Collects the answers of a batch: those of a walk travel together.
#[derive(Default)]
pub(crate) struct Answers {
    walk: Option<(Sender<Message>, Vec<Scanned>)>,
}

impl Answers {
    /// A single answer is told now, one of a walk by the next flush.
    pub(crate) fn add(&mut self, mut queued: Queued, result: Result<ScanReport, ScanError>) {
        match queued.take() {
            Some((Reply::One(done), file)) => {
                // Whoever hears the answer may expect that nothing holds the file open any more.
                drop(file);
                call(done, result);
            }
            Some((Reply::Walk(sink, pending), file)) => {
                if self.walk.as_ref().is_some_and(|(s, _)| !s.same_channel(&sink)) {
                    self.flush();
                }
                let (_, bulk) = self.walk.get_or_insert_with(|| (sink, Vec::with_capacity(32)));
                bulk.push(Scanned { pending, file, result });
            }
            None => {}
        }
    }

    pub(crate) fn flush(&mut self) {
        if let Some((sink, bulk)) = self.walk.take() {
            let _ = sink.send(Message::Scanned(bulk));
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.flush();
    }
}

/// What something is instead of a regular file, for people.
pub(crate) fn type_word(file_type: FileType) -> &'static str {
    match file_type {
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        FileType::Unknown => "something unknown",
    }
}
