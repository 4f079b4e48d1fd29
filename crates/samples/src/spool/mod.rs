// SPDX-License-Identifier: Apache-2.0
//! Parts of samples on their way, sealed on this machine's disk: bounded in number, bytes and time. They outlive the process:
//! a host goes on where it was.

mod parts;

use crate::disk::{self, Locked};
use crate::key::Key;
use crate::seal::Keys;
use crate::{MAX_PART, SampleError};
use parts::Parts;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

const TAIL: &str = ".parts";
/// Beginning of names that are taken away at once.
const NAMELESS: &str = "sealing.";
/// Samples on their way at the same time; each has a file open.
const MOST: usize = 512;
/// Nobody goes on with them any more.
const ABANDONED: Duration = Duration::from_secs(3600);
/// They may be dropped where others need the room, or contradict them.
const IDLE: Duration = Duration::from_secs(60);
/// Somebody else has the same sample in hand.
const PATIENCE: Duration = Duration::from_secs(5);

/// The parts of one sample, for one at a time.
pub(crate) type Held = OwnedMutexGuard<Option<Parts>>;
type Slot = Arc<tokio::sync::Mutex<Option<Parts>>>;

/// The parts of all samples.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    /// To look at its file system.
    root: File,
    most_bytes: u64,
    free_percent: u8,
    bytes: Arc<AtomicU64>,
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Spool {
    /// Opens the folder and takes over what an earlier process left, as far as it can go on.
    pub(crate) fn open(folder: &Path, most_bytes: u64, free_percent: u8) -> Result<Self, SampleError> {
        disk::folder(folder)?;
        let spool = Self {
            root: File::open(folder).map_err(SampleError::file("opening", folder))?,
            folder: folder.to_owned(),
            most_bytes,
            free_percent,
            bytes: Arc::default(),
            slots: Mutex::default(),
        };
        let entries = std::fs::read_dir(folder).map_err(SampleError::file("reading", folder))?;
        for entry in entries {
            let path = entry.map_err(SampleError::file("reading", folder))?.path();
            spool.take_over(&path)?;
        }
        Ok(spool)
    }

    fn take_over(&self, path: &Path) -> Result<(), SampleError> {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with(NAMELESS) {
            // Its name was to be taken away the moment it was made.
            return disk::remove(path);
        }
        let Some(key) = name.strip_suffix(TAIL).and_then(Key::parse_flat) else { return Ok(()) };
        let Locked::Ours(file) = disk::open_locked(path, false)? else { return Ok(()) };
        let fresh = file.metadata().ok().and_then(|m| m.modified().ok());
        // A clock that went back makes them fresh.
        let fresh = fresh.is_some_and(|t| t.elapsed().map_or(true, |age| age < ABANDONED));
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if !fresh || slots.len() >= MOST {
            return disk::remove(path);
        }
        match Parts::adopt(file, path, None, &self.bytes) {
            Some(parts) => drop(slots.insert(key, Arc::new(tokio::sync::Mutex::new(Some(parts))))),
            None => disk::remove(path)?,
        }
        Ok(())
    }

    /// Waits for the parts of a sample, a little.
    pub(crate) async fn hold(&self, key: &Key) -> Result<Held, SampleError> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key.clone()).or_default())
        };
        let held = tokio::time::timeout(PATIENCE, slot.lock_owned()).await;
        held.map_err(|_| SampleError::Busy(format!("somebody else sends {}", key.sha())))
    }

    /// To be called with what [`Self::hold`] gave when nothing more is done: what has no parts is forgotten.
    pub(crate) fn release(&self, key: &Key, held: Held) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = held.is_none();
        drop(held);
        // Nobody waits for it: they count under the same lock.
        if empty && slots.get(key).is_some_and(|slot| Arc::strong_count(slot) == 1) {
            slots.remove(key);
        }
    }

    /// Whether there are parts already, or room for those of one more sample; blocks.
    pub(crate) fn begin(&self, key: &Key, held: &mut Held, size: u64) -> Result<(), SampleError> {
        if let Some(parts) = held.as_mut() {
            if parts.size() == size {
                return Ok(());
            }
            if parts.idle() < IDLE {
                return Err(SampleError::Lied(format!(
                    "{} is said to have {size} bytes, and another host that sends it says {}",
                    key.sha(),
                    parts.size()
                )));
            }
            self.drop_parts(held)?;
        }
        if self.slots.lock().unwrap_or_else(PoisonError::into_inner).len() > MOST && self.make_room(key) == 0
        {
            return Err(SampleError::Busy(format!("{MOST} samples are on their way, come back later")));
        }
        disk::room(&self.root, &self.folder, MAX_PART as u64, self.free_percent)?;
        let path = self.folder.join(format!("{}{TAIL}", key.flat()));
        match disk::open_locked(&path, true)? {
            Locked::Ours(file) => {
                // Of a process that had not quite ended when this one began.
                let left = file.try_clone().map_err(SampleError::file("opening", &path))?;
                let parts = match Parts::adopt(left, &path, Some(size), &self.bytes) {
                    Some(parts) => parts,
                    None => Parts::begin(file, &path, size, &self.bytes)?,
                };
                **held = Some(parts);
                Ok(())
            }
            Locked::Busy | Locked::Absent => {
                Err(SampleError::Busy(format!("another process of this machine receives {}", key.sha())))
            }
        }
    }

    /// Takes a part that begins where the last one ended; blocks. Gives how much is here.
    pub(crate) fn take(
        &self,
        key: &Key,
        held: &mut Held,
        keys: &Keys,
        offset: u64,
        data: &[u8],
    ) -> Result<u64, SampleError> {
        let Some(parts) = held.as_mut() else { return Ok(0) };
        parts.touch();
        let have = parts.have();
        if offset.checked_add(data.len() as u64).is_none_or(|end| end > parts.size()) {
            return Err(SampleError::Lied(format!(
                "{} bytes at {offset} are more than the {} that were announced",
                data.len(),
                parts.size()
            )));
        }
        if offset != have || data.is_empty() {
            return Ok(have);
        }
        let sealed = keys
            .seal(data)
            .map_err(|e| SampleError::Setup(format!("sealing a part of {}: {e}", key.sha())))?;
        let needed = sealed.len() as u64;
        let full = |bytes: &AtomicU64| bytes.load(Ordering::Relaxed).saturating_add(needed) > self.most_bytes;
        if full(&self.bytes) {
            self.make_room(key);
            if full(&self.bytes) {
                return Err(SampleError::Busy(format!(
                    "samples on their way take all of {} bytes ([samples] spool_bytes), come back later",
                    self.most_bytes
                )));
            }
        }
        disk::room(&self.root, &self.folder, needed, self.free_percent)?;
        parts.append(data.len(), &sealed)
    }

    /// Removes the parts of a sample; blocks.
    pub(crate) fn drop_parts(&self, held: &mut Held) -> Result<(), SampleError> {
        match held.as_mut() {
            None => return Ok(()),
            Some(parts) => parts.remove()?,
        }
        **held = None;
        Ok(())
    }

    /// An open file in the folder that has no name; blocks.
    pub(crate) fn nameless(&self, needed: u64) -> Result<File, SampleError> {
        disk::room(&self.root, &self.folder, needed, self.free_percent)?;
        let mut builder = std::fs::File::options();
        builder.read(true).write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut builder, 0o600);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{NAMELESS}{}.{count}", std::process::id()));
        disk::remove(&path)?;
        let file = builder.open(&path).map_err(SampleError::file("making", &path))?;
        disk::remove(&path)?;
        Ok(file)
    }

    /// Drops what nobody goes on with; blocks. Gives how many samples.
    pub(crate) fn sweep(&self) -> u64 {
        self.drop_idle(ABANDONED, None)
    }

    fn make_room(&self, but: &Key) -> u64 {
        self.drop_idle(IDLE, Some(but))
    }

    fn drop_idle(&self, idle: Duration, but: Option<&Key>) -> u64 {
        let mut dropped = 0;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|key, slot| {
            if but == Some(key) || Arc::strong_count(slot) > 1 {
                return true;
            }
            let Ok(mut held) = slot.try_lock() else { return true };
            let Some(parts) = held.as_mut() else { return false };
            if parts.idle() < idle || parts.remove().is_err() {
                return true;
            }
            dropped += 1;
            false
        });
        dropped
    }

    /// Bytes of all parts.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
