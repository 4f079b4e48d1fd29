// SPDX-License-Identifier: Apache-2.0
//! Appending, reading, following.

use super::entry::{Body, Entry, Note, Stored};
use super::recover::{self, Slot};
use super::{frame, lock, now_ms, segment};
use lazaret_model::JournalId;
use rustix::fs::fdatasync;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The smallest segment: an intent with many large extended attributes must fit.
const MIN_SEGMENT: u64 = 64 * 1024;

/// Why the journal could not do it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// One entry is longer than a whole segment.
    #[error("an entry of {size} bytes does not fit into a segment of {segment}")]
    TooLarge {
        /// Bytes.
        size: usize,
        /// Bytes.
        segment: u64,
    },
    /// The entry cannot be written as JSON.
    #[error("an entry cannot be encoded: {0}")]
    Encode(String),
    /// The system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

/// An open journal. One process at a time; several threads may use it.
pub struct Journal {
    dir: PathBuf,
    segment_bytes: u64,
    inner: Mutex<Inner>,
    problems: Vec<String>,
    _lock: File,
}

struct Inner {
    file: File,
    number: u64,
    offset: u64,
    bytes: u64,
    spares: Vec<u64>,
    slots: Vec<Slot>,
    epoch: u64,
    seq: u64,
    hash: [u8; 32],
    followers: Vec<Sender<Entry>>,
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> JournalError {
    let what = what.into();
    move |source| JournalError::Io { what, source }
}

impl Journal {
    /// Opens or creates the journal in `dir`. Gives every entry that stands in it, for replay.
    ///
    /// # Errors
    /// When another process holds it, or the system says no. Damage is no error: see
    /// [`Self::problems`].
    pub fn open(dir: &Path, segment_bytes: u64) -> Result<(Self, Vec<Entry>), JournalError> {
        use std::os::unix::fs::DirBuilderExt;
        let segment_bytes = segment_bytes.max(MIN_SEGMENT);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io_error(format!("creating {}", dir.display())))?;
        let lock = lock::take(dir).map_err(|e| {
            let held = e.kind() == io::ErrorKind::WouldBlock;
            let what = if held { "is in use by another process" } else { "cannot be locked" };
            io_error(format!("{} {what}", dir.display()))(e)
        })?;
        segment::remove_unfinished(dir);
        let r = recover::recover(dir)?;
        let (number, offset) = r.current.unwrap_or((1, segment::FIRST as u64));
        let path = segment::path(dir, number);
        let file = if r.current.is_some() {
            std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(&path)
                .map_err(io_error(format!("opening {}", path.display())))?
        } else {
            segment::create(dir, number, segment_bytes)
                .map_err(io_error(format!("creating {}", path.display())))?
        };
        let bytes = file.metadata().map_err(io_error("asking for a segment's size"))?.len();
        let inner = Inner {
            file,
            number,
            offset,
            bytes,
            spares: r.spares,
            slots: r.slots,
            epoch: r.epoch,
            seq: r.seq,
            hash: r.hash,
            followers: Vec::new(),
        };
        let journal = Self {
            dir: dir.to_owned(),
            segment_bytes,
            inner: Mutex::new(inner),
            problems: r.problems,
            _lock: lock,
        };
        journal.keep_ready()?;
        Ok((journal, r.entries))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was damaged when it was opened, for people.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// (epoch, seq) of the newest entry; seq 0 in an empty journal.
    #[must_use]
    pub fn position(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.epoch, inner.seq)
    }

    /// Appends an entry and gives its seq. With `sync` it is durable on return.
    ///
    /// # Errors
    /// When it could not be written; the journal is as before then.
    pub fn append(&self, id: JournalId, body: Body, sync: bool) -> Result<u64, JournalError> {
        let stored = Stored { at_ms: now_ms(), id, body };
        let payload = serde_json::to_vec(&stored).map_err(|e| JournalError::Encode(e.to_string()))?;
        let size = frame::size_of(payload.len());
        let mut inner = self.lock();
        if inner.offset.saturating_add(size as u64) > inner.bytes {
            self.rotate(&mut inner, size)?;
        }
        let seq = inner.seq + 1;
        let (bytes, hash) = frame::encode(inner.epoch, seq, &inner.hash, &payload);
        let what = "writing the journal";
        inner.file.write_all_at(&bytes, inner.offset).map_err(io_error(what))?;
        if sync {
            fdatasync(&inner.file).map_err(|e| io_error("syncing the journal")(e.into()))?;
        }
        let slot = Slot { seq, segment: inner.number, offset: inner.offset, size };
        inner.slots.push(slot);
        inner.offset += size as u64;
        inner.seq = seq;
        inner.hash = hash;
        if !inner.followers.is_empty() {
            let Stored { at_ms, id, body } = stored;
            let entry = Entry { epoch: inner.epoch, seq, at_ms, id, body };
            inner.followers.retain(|f| f.send(entry.clone()).is_ok());
        }
        Ok(seq)
    }

    /// Makes everything that was appended durable. Appends of other threads go on meanwhile.
    ///
    /// # Errors
    /// When the system says that it may not be.
    pub fn sync(&self) -> Result<(), JournalError> {
        // What stands in an older segment was synced when this one was begun.
        let file = self.lock().file.try_clone().map_err(io_error("syncing the journal"))?;
        fdatasync(&file).map_err(|e| io_error("syncing the journal")(e.into()))
    }

    /// Appends something for the uplink that changes nothing on the host; durable on return.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn note(&self, kind: &str, data: serde_json::Value) -> Result<u64, JournalError> {
        self.append(JournalId::new(), Body::Note(Note { kind: kind.to_owned(), data }), true)
    }

    fn rotate(&self, inner: &mut Inner, size: usize) -> Result<(), JournalError> {
        if (size + segment::FIRST) as u64 > self.segment_bytes {
            return Err(JournalError::TooLarge { size, segment: self.segment_bytes });
        }
        // What stands in the old segment must be durable before anything in the new one is.
        fdatasync(&inner.file).map_err(|e| io_error("syncing the journal")(e.into()))?;
        let (number, file) = match inner.spares.first().copied() {
            Some(n) => {
                let path = segment::path(&self.dir, n);
                let opened = std::fs::OpenOptions::new().read(true).write(true).open(&path);
                (n, opened.map_err(io_error(format!("opening {}", path.display())))?)
            }
            None => {
                let n = inner.number + 1;
                let made = match segment::create(&self.dir, n, self.segment_bytes) {
                    // A spare that another thread finished just now.
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                        std::fs::OpenOptions::new().read(true).write(true).open(segment::path(&self.dir, n))
                    }
                    made => made,
                };
                (n, made.map_err(io_error("creating a journal segment"))?)
            }
        };
        inner.bytes = file.metadata().map_err(io_error("asking for a segment's size"))?.len();
        inner.spares.retain(|n| *n != number);
        (inner.file, inner.number, inner.offset) = (file, number, segment::FIRST as u64);
        Ok(())
    }

    /// Makes sure that a spare segment is ready. Costs milliseconds when there is none: called
    /// after the work is done, never before.
    ///
    /// # Errors
    /// When the disk is full; appending goes on in what there is.
    pub fn keep_ready(&self) -> Result<(), JournalError> {
        let next = {
            let inner = self.lock();
            if !inner.spares.is_empty() {
                return Ok(());
            }
            inner.number + 1
        };
        // Without the lock: appends go on meanwhile. Of two threads making the same spare one wins.
        let made = segment::create(&self.dir, next, self.segment_bytes);
        let mut inner = self.lock();
        match made {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            made => made.map_err(io_error("creating a spare journal segment"))?,
        };
        if inner.number < next && !inner.spares.contains(&next) {
            inner.spares.push(next);
        }
        Ok(())
    }

    /// At most `max` entries after `seq`, oldest first.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn entries(&self, after: u64, max: usize) -> Result<Vec<Entry>, JournalError> {
        let slots: Vec<Slot> = {
            let inner = self.lock();
            let from = inner.slots.partition_point(|s| s.seq <= after);
            inner.slots.iter().skip(from).take(max).copied().collect()
        };
        let mut out = Vec::with_capacity(slots.len());
        let mut open: Option<(u64, File)> = None;
        for slot in slots {
            if open.as_ref().is_none_or(|(n, _)| *n != slot.segment) {
                let path = segment::path(&self.dir, slot.segment);
                let file = File::open(&path).map_err(io_error(format!("opening {}", path.display())))?;
                open = Some((slot.segment, file));
            }
            let Some((_, file)) = &open else { continue };
            let mut bytes = vec![0; slot.size];
            file.read_exact_at(&mut bytes, slot.offset).map_err(io_error("reading the journal"))?;
            out.extend(frame::decode(&bytes).as_ref().and_then(recover::entry));
        }
        Ok(out)
    }

    /// Every entry appended from now on. Dropping the receiver ends it.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Entry> {
        let (tx, rx) = channel();
        self.lock().followers.push(tx);
        rx
    }

    /// Removes segments whose entries all have a seq up to `seq`; the one being written stays.
    /// The caller keeps what is unacknowledged, unfinished or younger than 30 days.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn prune(&self, seq: u64) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let mut last_of: std::collections::BTreeMap<u64, u64> = std::collections::BTreeMap::new();
        for s in &inner.slots {
            last_of.insert(s.segment, s.seq);
        }
        for (number, last) in last_of {
            if number >= inner.number || last > seq {
                break;
            }
            let path = segment::path(&self.dir, number);
            std::fs::remove_file(&path).map_err(io_error(format!("removing {}", path.display())))?;
            inner.slots.retain(|s| s.segment != number);
        }
        Ok(())
    }

    /// Opens a new epoch: after the server found that this journal was forked (a snapshot reverted,
    /// a live clone). Returns it.
    #[must_use]
    pub fn new_epoch(&self) -> u64 {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.epoch
    }
}
