// SPDX-License-Identifier: Apache-2.0
//! Files that were judged and may pass, by everything that `fstat` tells.

use rustix::fs::Stat;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file changed less than this ago may change again within the same clock tick, and nobody would
/// see it in the numbers.
const YOUNG: Duration = Duration::from_millis(100);

/// Entries; 64 bytes each.
const ROOM: usize = 65_536;
const WAYS: usize = 4;
const SHARDS: usize = 64;

/// Which file in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct FileKey {
    dev: u64,
    ino: u64,
    size: i64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl FileKey {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: stat.st_size,
            mtime: (stat.st_mtime, stat.st_mtime_nsec.cast_signed()),
            ctime: (stat.st_ctime, stat.st_ctime_nsec.cast_signed()),
        }
    }

    /// Too young to be remembered.
    pub(crate) fn is_young(&self) -> bool {
        let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) else { return true };
        let (sec, nsec) = self.ctime;
        let changed = u64::try_from(sec).ok().zip(u32::try_from(nsec).ok()).map(|(s, n)| Duration::new(s, n));
        // A change time in the future (clock set back) is young as well.
        changed.is_none_or(|c| now.checked_sub(c).is_none_or(|age| age < YOUNG))
    }

    fn hash(&self) -> usize {
        let mixed = (self.ino ^ self.dev.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize
    }
}

#[derive(Clone, Copy, Default)]
struct Entry {
    key: FileKey,
    generation: u64,
}

/// A table of fixed size: a full bucket loses its oldest entry, never anything else.
pub(crate) struct Allowed {
    shards: Box<[Mutex<Box<[Entry]>>]>,
    /// Raised when content, policy or whitelist change: everything is judged again.
    generation: AtomicU64,
}

impl Allowed {
    pub(crate) fn new() -> Self {
        let shard = || Mutex::new(vec![Entry::default(); ROOM / SHARDS].into_boxed_slice());
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), generation: AtomicU64::new(1) }
    }

    /// Take it before judging and hand it to [`Self::insert`] afterwards, so that a verdict of old
    /// content is never stored as one of the new.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn contains(&self, key: &FileKey) -> bool {
        let generation = self.generation();
        self.with(key, |bucket| bucket.iter().any(|e| e.generation == generation && e.key == *key))
    }

    pub(crate) fn insert(&self, key: FileKey, generation: u64) {
        if generation != self.generation() {
            return;
        }
        self.with(&key, |bucket| {
            let same = bucket.iter().position(|e| e.key.dev == key.dev && e.key.ino == key.ino);
            let place = same.unwrap_or(bucket.len() - 1);
            bucket[..=place].rotate_right(1);
            bucket[0] = Entry { key, generation };
        });
    }

    fn with<R>(&self, key: &FileKey, f: impl FnOnce(&mut [Entry]) -> R) -> R {
        let hash = key.hash();
        let mut shard = self.shards[hash % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        let first = (hash / SHARDS) % (ROOM / SHARDS / WAYS) * WAYS;
        f(&mut shard[first..first + WAYS])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ino: u64) -> FileKey {
        FileKey { dev: 1, ino, size: 3, mtime: (1, 1), ctime: (1, 1) }
    }

    #[test]
    fn remembers_the_state_not_the_inode() {
        let a = Allowed::new();
        a.insert(key(7), a.generation());
        assert!(a.contains(&key(7)));
        assert!(!a.contains(&FileKey { mtime: (1, 2), ..key(7) }));
        assert!(!a.contains(&FileKey { size: 4, ..key(7) }));
        a.forget_all();
        assert!(!a.contains(&key(7)));
    }

    #[test]
    fn an_old_verdict_is_not_stored_as_new() {
        let a = Allowed::new();
        let before = a.generation();
        a.forget_all();
        a.insert(key(7), before);
        assert!(!a.contains(&key(7)));
    }

    #[test]
    fn young_files_are_told() {
        assert!(!key(1).is_young());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let sec = i64::try_from(now.as_secs()).unwrap();
        assert!(FileKey { ctime: (sec + 5, 0), ..key(1) }.is_young());
    }

    #[test]
    fn a_full_bucket_keeps_the_newest() {
        let a = Allowed::new();
        for ino in 0..200_000 {
            a.insert(key(ino), a.generation());
            assert!(a.contains(&key(ino)));
        }
    }
}
