// SPDX-License-Identifier: Apache-2.0
//! The cache in memory and on disk.
//!
//! Layout, little-endian: magic (8), number of entries (8), then per entry device, inode, size,
//! mtime, ctime, stamp (8 each), oldest first, then a checksum over everything before it (8).

use super::Key;
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::process::geteuid;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::fmt;
use std::fs::File;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"LZCLEAN1";
const ENTRY: usize = 48;
/// Entries that are kept: 24 MiB on disk.
const MAX_ENTRIES: usize = 1 << 19;

/// Why a cache file was not used; the walk then scans everything, which is always right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadProblem {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for LoadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the cache of clean files {} is not used: {}", self.path.display(), self.reason)
    }
}

/// How far a clean file was searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All of it.
    Wholly,
    /// Up to a limit of the engine (a window of a huge file, the first members of an archive), which
    /// another scan of the same bytes would meet again.
    Partly,
}

#[derive(Clone, Copy)]
struct State {
    size: u64,
    mtime: i64,
    ctime: i64,
    /// Its lowest bit: searched only partly.
    stamp: u64,
    /// Position in time: the smallest go first when there are too many.
    age: u64,
}

/// Inode numbers are given out by the kernel, so a quick mix serves.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.write_u64(u64::from(*b));
        }
    }

    fn write_u64(&mut self, n: u64) {
        let mixed = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

/// The clean files of earlier walks.
pub struct CleanCache {
    path: PathBuf,
    /// Of the content and options in force: entries of others do not count. Lowest bit clear.
    stamp: u64,
    entries: HashMap<(u64, u64), State, BuildHasherDefault<Mix>>,
    next_age: u64,
    changed: bool,
}

impl fmt::Debug for CleanCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanCache").field("path", &self.path).field("entries", &self.len()).finish()
    }
}

impl CleanCache {
    /// Loads the cache at `path`. Entries count for exactly this content version and these options
    /// (any bytes that stand for how was scanned). A file that is missing is an empty cache; so is
    /// one that is broken, too large, a link, or that somebody else could have written, with the reason.
    #[must_use]
    pub fn load(path: &Path, content_version: &str, options: &[u8]) -> (Self, Option<LoadProblem>) {
        // Fixed keys: the stamp must be the same in the next process.
        let mut hasher = DefaultHasher::new();
        (content_version, options, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
        let mut cache = Self {
            path: path.to_owned(),
            stamp: hasher.finish() & !1,
            entries: HashMap::default(),
            next_age: 0,
            changed: false,
        };
        let problem = match read(path) {
            Ok(None) => None,
            Ok(Some(bytes)) => cache.fill(&bytes).err(),
            Err(e) => Some(e.to_string()),
        };
        if problem.is_some() {
            cache.entries.clear();
        }
        (cache, problem.map(|reason| LoadProblem { path: path.to_owned(), reason }))
    }

    /// How many files it knows, of all versions and options.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether exactly this state was found clean by this content. The caller sees to [`super::Trust`].
    #[must_use]
    pub fn knows(&self, key: &Key) -> Option<Known> {
        let state = self.entries.get(&(key.dev, key.ino)).filter(|s| {
            s.size == key.size && s.mtime == key.mtime && s.ctime == key.ctime && s.stamp & !1 == self.stamp
        })?;
        Some(if state.stamp & 1 == 0 { Known::Wholly } else { Known::Partly })
    }

    /// Keeps this state as clean. The caller has had a read lease since its scan.
    pub fn keep(&mut self, key: &Key, known: Known) {
        self.put(key, self.stamp | u64::from(known == Known::Partly));
        self.changed = true;
    }

    /// Forgets a file.
    pub fn forget(&mut self, dev: u64, ino: u64) {
        self.changed |= self.entries.remove(&(dev, ino)).is_some();
    }

    fn put(&mut self, key: &Key, stamp: u64) {
        let age = self.next_age;
        self.next_age += 1;
        let state = State { size: key.size, mtime: key.mtime, ctime: key.ctime, stamp, age };
        match self.entries.entry((key.dev, key.ino)) {
            Place::Occupied(mut place) => {
                place.insert(state);
            }
            Place::Vacant(place) => {
                place.insert(state);
            }
        }
    }

    /// Writes it beside its place and renames it there; does nothing when nothing changed.
    ///
    /// # Errors
    /// What creating, writing or renaming reports; the old file then stays.
    pub fn save(&mut self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let mut order: Vec<_> = self.entries.iter().collect();
        order.sort_unstable_by_key(|(_, s)| s.age);
        let surplus = order.len().saturating_sub(MAX_ENTRIES);
        let kept = order.get(surplus..).unwrap_or_default();
        let mut bytes = Vec::with_capacity(24 + kept.len() * ENTRY);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(kept.len() as u64).to_le_bytes());
        for ((dev, ino), s) in kept {
            for word in [*dev, *ino, s.size, s.mtime.cast_unsigned(), s.ctime.cast_unsigned(), s.stamp] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
        let mut beside = self.path.clone().into_os_string();
        beside.push(format!(".{}.new", std::process::id()));
        let written = write(Path::new(&beside), &bytes).and_then(|()| std::fs::rename(&beside, &self.path));
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        self.changed = written.is_err();
        written
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or("it is cut off")?;
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err("its checksum is wrong".into());
        }
        let (magic, body) = body.split_first_chunk::<8>().ok_or("it is cut off")?;
        if *magic != MAGIC {
            return Err("it is of another version".into());
        }
        let (count, body) = body.split_first_chunk::<8>().ok_or("it is cut off")?;
        let (entries, rest) = body.as_chunks::<ENTRY>();
        if u64::from_le_bytes(*count) != entries.len() as u64 || !rest.is_empty() {
            return Err("it is cut off".into());
        }
        self.entries.reserve(entries.len());
        for entry in entries {
            let (words, _) = entry.as_chunks::<8>();
            if let [dev, ino, size, mtime, ctime, stamp] = words {
                let [dev, ino, size] = [dev, ino, size].map(|w| u64::from_le_bytes(*w));
                let [mtime, ctime] = [mtime, ctime].map(|w| i64::from_le_bytes(*w));
                self.put(&Key { dev, ino, size, mtime, ctime }, u64::from_le_bytes(*stamp));
            }
        }
        Ok(())
    }
}

/// The file's bytes, when nobody else can have written them.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match open(path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let stat = fstat(&file)?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        return Err(io::Error::other("it is not a regular file"));
    }
    if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o022 != 0 {
        return Err(io::Error::other("others can write it"));
    }
    let limit = 24 + (MAX_ENTRIES * ENTRY) as u64;
    let mut bytes = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or(0).min(1 << 25));
    File::from(file).take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other("it is too large"));
    }
    Ok(Some(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What an earlier process with this number left.
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(open(path, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(bytes)?;
    file.sync_data()
}

/// Finds torn and damaged files; whoever can write the file is trusted anyway.
fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = Mix(bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hasher.write_u64(u64::from_le_bytes(*word));
    }
    hasher.write(rest);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ino: u64) -> Key {
        Key { dev: 3, ino, size: 10 + ino, mtime: -5, ctime: 77 }
    }

    #[test]
    fn what_is_kept_is_known_to_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clean");
        let (mut cache, problem) = CleanCache::load(&path, "v1", b"members");
        assert_eq!(problem, None);
        for ino in 0..1000 {
            cache.keep(&key(ino), if ino == 9 { Known::Partly } else { Known::Wholly });
        }
        cache.save().unwrap();
        let (mut again, problem) = CleanCache::load(&path, "v1", b"members");
        assert_eq!((problem, again.len()), (None, 1000));
        assert_eq!(again.knows(&key(7)), Some(Known::Wholly));
        assert_eq!(again.knows(&key(9)), Some(Known::Partly));
        assert_eq!(again.knows(&Key { ctime: 78, ..key(7) }), None);
        assert_eq!(again.knows(&Key { size: 1, ..key(7) }), None);
        assert_eq!(again.knows(&Key { mtime: 1, ..key(7) }), None);
        again.forget(3, 7);
        assert_eq!(again.knows(&key(7)), None);
        assert_eq!(CleanCache::load(&path, "v2", b"members").0.knows(&key(8)), None, "another content");
        assert_eq!(CleanCache::load(&path, "v1", b"").0.knows(&key(8)), None, "other options");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_damaged_file_is_an_empty_cache_with_a_message() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clean");
        let (mut cache, _) = CleanCache::load(&path, "v1", b"");
        cache.keep(&key(1), Known::Wholly);
        cache.save().unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let (cache, problem) = CleanCache::load(&path, "v1", b"");
            assert!(cache.is_empty() && problem.is_some(), "byte {at}");
            std::fs::write(&path, &good[..at]).unwrap();
            let (cache, problem) = CleanCache::load(&path, "v1", b"");
            assert!(cache.is_empty() && problem.is_some(), "cut at {at}");
        }
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        let (_, problem) = CleanCache::load(&path, "v1", b"");
        assert!(problem.unwrap().to_string().contains("clean"));
    }

    #[test]
    fn a_file_that_others_can_write_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clean");
        let (mut cache, _) = CleanCache::load(&path, "v1", b"");
        cache.keep(&key(1), Known::Wholly);
        cache.save().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o620)).unwrap();
        let (cache, problem) = CleanCache::load(&path, "v1", b"");
        assert!(cache.is_empty());
        assert!(problem.unwrap().reason.contains("others"));
    }
}
