// SPDX-License-Identifier: Apache-2.0
//! The parts of one sample in one file: a head, then each part with its length, sealed. What a crash cut off is not counted.

use crate::seal::Keys;
use crate::{MAX_PART, SampleError};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const MAGIC: &[u8; 8] = b"LZPARTS1";
/// Magic and size.
const HEAD: u64 = 16;
/// Plain and sealed length.
const FRAME: u64 = 8;
/// What sealing adds at most.
const OVERHEAD: usize = 1 << 10;
/// A host that sends crumbs does not fill a disk with their heads.
const CRUMBS: u64 = 256;
const SMALL: u64 = 16 << 10;

/// See the module. One process at a time has the file locked.
#[derive(Debug)]
pub(crate) struct Parts {
    file: File,
    path: PathBuf,
    size: u64,
    have: u64,
    count: u64,
    /// Of the file.
    end: u64,
    last: Instant,
    /// Of all samples.
    all: Arc<AtomicU64>,
}

impl Parts {
    /// A new file, whatever was in it.
    pub(super) fn begin(
        file: File,
        path: &Path,
        size: u64,
        all: &Arc<AtomicU64>,
    ) -> Result<Self, SampleError> {
        let head: Vec<u8> = MAGIC.iter().copied().chain(size.to_le_bytes()).collect();
        let written =
            file.set_len(0).and_then(|()| file.write_all_at(&head, 0)).and_then(|()| file.sync_all());
        let named = |e| SampleError::file("writing", path)(e);
        if let Err(e) = written {
            // An empty one would be in the way of nobody, but stay.
            let _ = std::fs::remove_file(path);
            return Err(named(e));
        }
        if let Some(folder) = path.parent() {
            crate::disk::sync_folder(folder)?;
        }
        all.fetch_add(HEAD, Ordering::Relaxed);
        let all = Arc::clone(all);
        Ok(Self {
            file,
            path: path.to_owned(),
            size,
            have: 0,
            count: 0,
            end: HEAD,
            last: Instant::now(),
            all,
        })
    }

    /// A file that another process left, of a sample with this size if one is asked for; `None`: nothing can be made
    /// of it.
    pub(super) fn adopt(file: File, path: &Path, asked: Option<u64>, all: &Arc<AtomicU64>) -> Option<Self> {
        let length = file.metadata().ok()?.len();
        let mut head = [0; HEAD as usize];
        file.read_exact_at(&mut head, 0).ok()?;
        let (magic, size) = head.split_first_chunk::<8>()?;
        let size = u64::from_le_bytes(size.try_into().ok()?);
        if magic != MAGIC || asked.is_some_and(|asked| asked != size) {
            return None;
        }
        let (mut have, mut count, mut end) = (0_u64, 0_u64, HEAD);
        while let Some((plain, sealed)) = frame(&file, end) {
            let next = end + FRAME + sealed as u64;
            if next > length || have + plain as u64 > size {
                break;
            }
            (have, count, end) = (have + plain as u64, count + 1, next);
        }
        file.set_len(end).ok()?;
        all.fetch_add(end, Ordering::Relaxed);
        let all = Arc::clone(all);
        Some(Self { file, path: path.to_owned(), size, have, count, end, last: Instant::now(), all })
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) const fn have(&self) -> u64 {
        self.have
    }

    pub(super) fn idle(&self) -> Duration {
        self.last.elapsed()
    }

    /// Somebody goes on with it.
    pub(crate) fn touch(&mut self) {
        self.last = Instant::now();
    }

    #[cfg(test)]
    pub(super) fn age(&mut self, by: Duration) {
        self.last = self.last.checked_sub(by).expect("a machine that runs for so long");
    }

    /// On disk when it returns; nothing is there after an error.
    pub(super) fn append(&mut self, plain: usize, sealed: &[u8]) -> Result<u64, SampleError> {
        if plain > MAX_PART || sealed.len() > plain + OVERHEAD {
            return Err(SampleError::Invalid(format!(
                "a part has {plain} bytes, and at most {MAX_PART} are taken"
            )));
        }
        if self.count >= CRUMBS + self.size / SMALL {
            return Err(SampleError::Lied("it comes in too many small parts".to_owned()));
        }
        let mut bytes = Vec::with_capacity(sealed.len() + FRAME as usize);
        for length in [plain, sealed.len()] {
            bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        }
        bytes.extend(sealed);
        let written = self.file.write_all_at(&bytes, self.end).and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            let _ = self.file.set_len(self.end);
            return Err(SampleError::file("writing", &self.path)(e));
        }
        self.end += bytes.len() as u64;
        self.all.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.have += plain as u64;
        self.count += 1;
        Ok(self.have)
    }

    /// Part after part, opened.
    pub(crate) fn each<'a>(&'a self, keys: &'a Keys) -> impl FnMut() -> io::Result<Option<Vec<u8>>> + 'a {
        let mut at = HEAD;
        move || {
            if at >= self.end {
                return Ok(None);
            }
            let (plain, sealed) =
                frame(&self.file, at).ok_or_else(|| io::Error::other("the file of its parts was changed"))?;
            let mut bytes = vec![0; sealed];
            self.file.read_exact_at(&mut bytes, at + FRAME)?;
            at += FRAME + sealed as u64;
            let opened = keys.open_small(&bytes, plain)?;
            Ok(Some(opened))
        }
    }

    /// Removes the file; nothing else is to be done with it then.
    pub(super) fn remove(&mut self) -> Result<(), SampleError> {
        crate::disk::remove(&self.path)?;
        self.all.fetch_sub(std::mem::take(&mut self.end), Ordering::Relaxed);
        Ok(())
    }
}

/// Plain and sealed length of the part there, as far as they can be true.
fn frame(file: &File, at: u64) -> Option<(usize, usize)> {
    let mut lengths = [0; FRAME as usize];
    file.read_exact_at(&mut lengths, at).ok()?;
    let (plain, sealed) = lengths.split_first_chunk::<4>()?;
    let plain = usize::try_from(u32::from_le_bytes(*plain)).ok()?;
    let sealed = usize::try_from(u32::from_le_bytes(sealed.try_into().ok()?)).ok()?;
    (plain <= MAX_PART && sealed <= plain + OVERHEAD && plain > 0).then_some((plain, sealed))
}
