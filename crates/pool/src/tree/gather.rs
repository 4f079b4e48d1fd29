// SPDX-License-Identifier: Apache-2.0
//! The walking side: opens files and hands them to the pool in batches.

use crate::cache::{CleanCache, Key, Known, Trust, now};
use crate::found::{Message, Pending};
use crate::job::{Job, Queued};
use crate::queue::{BATCH, Queue};
use crate::walk::{Entry, EntryError, Visitor};
use crossbeam_channel::Sender;
use lazaret_model::ScanError;
use lazaret_sys::lease::try_read_lease;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::Stat;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Files of one walk that may be under way: opened and not yet told to the caller.
const MAX_UNDER_WAY: usize = 512;

/// Known files are told in sums of this many.
const KNOWN_STEP: u64 = 256;

/// Counts the files under way, so that a caller who is slow to take results slows the walk and
/// neither a worker's thread nor the number of open files.
#[derive(Default)]
pub(super) struct UnderWay {
    count: Mutex<usize>,
    less: Condvar,
    nobody_listens: AtomicBool,
}

/// While it lives, somebody takes the results. When the taker panics, the walk must not wait for it.
pub(super) struct Taker<'a>(pub(super) &'a UnderWay);

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        self.0.nobody_listens.store(true, Ordering::Release);
        self.0.remove(usize::MAX);
    }
}

impl UnderWay {
    fn add(&self, files: usize) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count >= MAX_UNDER_WAY && !self.nobody_listens.load(Ordering::Acquire) {
            count = self.less.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
        *count = count.saturating_add(files);
    }

    pub(super) fn remove(&self, files: usize) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(files);
        drop(count);
        self.less.notify_all();
    }
}

/// One walking thread's part.
pub(super) struct Gather<'a> {
    pub(super) queue: &'a Queue,
    pub(super) under_way: &'a UnderWay,
    pub(super) cache: Option<&'a CleanCache>,
    pub(super) members: bool,
    pub(super) sender: Sender<Message>,
    pub(super) batch: Vec<Queued>,
    pub(super) known_files: u64,
    pub(super) known_partly: u64,
    pub(super) known_bytes: u64,
}

impl Gather<'_> {
    /// Whether the file is known to be clean; when it had to be opened to say so, it comes back.
    fn is_known(&self, entry: &Entry<'_>, stat: &Stat) -> (Option<Known>, Option<(OwnedFd, Stat)>) {
        let (Some(cache), Some(key)) = (self.cache, Key::of(stat)) else { return (None, None) };
        let known = cache.knows(&key).filter(|_| entry.is_local());
        if known.is_none() {
            return (None, None);
        }
        match Trust::of(stat) {
            Trust::Numbers => (known, None),
            Trust::NumbersAndLease => {
                let Ok((file, stat)) = entry.open() else { return (None, None) };
                // The lease first: a change after it shows in the numbers.
                if try_read_lease(file.as_fd()).unwrap_or(false)
                    && rustix::fs::fstat(&file).ok().and_then(|s| Key::of(&s)) == Some(key)
                {
                    return (known, None);
                }
                (None, Some((file, stat)))
            }
        }
    }

    fn known(&mut self, known: Known, size: u64) {
        self.known_files += 1;
        self.known_partly += u64::from(known == Known::Partly);
        self.known_bytes += size;
        if self.known_files >= KNOWN_STEP {
            self.tell_known();
        }
    }

    fn tell_known(&mut self) {
        if self.known_files > 0 {
            let _ = self.sender.send(Message::KnownClean {
                files: self.known_files,
                partly: self.known_partly,
                bytes: self.known_bytes,
            });
            (self.known_files, self.known_partly, self.known_bytes) = (0, 0, 0);
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.under_way.add(self.batch.len());
            self.queue.push_walk(&mut self.batch);
            // What the queue did not take, because the pool stops, answers that by being dropped.
            self.batch.clear();
        }
    }

    fn refused(&mut self, entry: &Entry<'_>, error: EntryError) {
        if let EntryError::Scan(error) = error {
            self.problem(entry.path(), error);
        }
    }
}

impl Visitor for Gather<'_> {
    fn file(&mut self, entry: &Entry<'_>) {
        let mut opened = None;
        if self.cache.is_some_and(|c| !c.is_empty()) {
            match entry.stat() {
                Ok(stat) => {
                    let (known, file) = self.is_known(entry, &stat);
                    if let Some(known) = known {
                        return self.known(known, u64::try_from(stat.st_size).unwrap_or(0));
                    }
                    opened = file;
                }
                Err(e) => return self.refused(entry, e),
            }
        }
        let (file, stat) = match opened.map_or_else(|| entry.open(), Ok) {
            Ok(opened) => opened,
            Err(e) => return self.refused(entry, e),
        };
        // A file that changed a moment ago may change again without a new ctime.
        let key =
            Key::of(&stat).filter(|key| self.cache.is_some() && entry.is_local() && key.is_settled(now()));
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let pending = Pending { path: entry.path(), size, key };
        let job = Job { file, name: entry.name().to_vec(), members: self.members };
        self.batch.push(Queued::of_walk(job, self.sender.clone(), pending));
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    fn problem(&mut self, path: Vec<u8>, error: ScanError) {
        let _ = self.sender.send(Message::Problem { path, error });
    }

    fn idle(&mut self) {
        self.flush();
        self.tell_known();
    }
}
