// SPDX-License-Identifier: Apache-2.0
//! A pack on its way: a file that grows from its beginning, and goes on where it broke off.

use lazaret_proto::v1;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Bytes that are asked for at a time.
const PART: u64 = 256 << 10;

pub(super) struct Fetch {
    sha256: Vec<u8>,
    size: u64,
    file: File,
    path: PathBuf,
    length: u64,
}

impl Fetch {
    /// Opens its file; what is there of the same pack counts.
    pub(super) fn begin(state: &Path, offer: &v1::ContentOffer) -> Result<Self, String> {
        let folder = state.join("content");
        let failed = |e: std::io::Error| format!("{} cannot be written: {e}", folder.display());
        fs::create_dir_all(&folder).map_err(failed)?;
        let name = format!("{}.part", crate::uplink::address::hex(&offer.sha256));
        for entry in fs::read_dir(&folder).map_err(failed)?.flatten() {
            // Of offers that are over.
            let other = entry.file_name();
            if other.to_string_lossy().ends_with(".part") && other.to_string_lossy() != name.as_str() {
                let _ = fs::remove_file(entry.path());
            }
        }
        let path = folder.join(name);
        let mut file = open(&path).map_err(failed)?;
        let mut length = file.metadata().map_err(failed)?.len();
        if length > offer.size {
            fs::remove_file(&path).map_err(failed)?;
            file = open(&path).map_err(failed)?;
            length = 0;
        }
        Ok(Self { sha256: offer.sha256.clone(), size: offer.size, file, path, length })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sha256(&self) -> &[u8] {
        &self.sha256
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn is_whole(&self) -> bool {
        self.length == self.size
    }

    /// What to ask for next; `None` when it is whole.
    pub(super) fn next(&self) -> Option<v1::ContentRequest> {
        let left = self.size.checked_sub(self.length).filter(|left| *left > 0)?;
        Some(v1::ContentRequest {
            sha256: self.sha256.clone(),
            offset: self.length,
            length: u32::try_from(left.min(PART)).unwrap_or(u32::MAX),
        })
    }

    /// Whether it is whole now. A part that is not the next one is left; one that is too long is an error.
    pub(super) fn take(&mut self, chunk: &v1::ContentChunk) -> Result<bool, String> {
        if chunk.offset != self.length {
            return Ok(self.is_whole());
        }
        let new = chunk.data.len() as u64;
        if new == 0 {
            return Err("the server sent an empty part of it".into());
        }
        if new > PART || self.length + new > self.size {
            return Err("the server sent more of it than was asked for".into());
        }
        self.file.write_all(&chunk.data).map_err(|e| format!("{}: {e}", self.path.display()))?;
        self.length += new;
        Ok(self.is_whole())
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Whether the file is the pack that was offered.
pub(super) fn verify(path: &Path, offer: &v1::ContentOffer) -> Result<(), String> {
    let mut file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => hash.update(buffer.get(..n).unwrap_or_default()),
            Err(e) => return Err(format!("{}: {e}", path.display())),
        }
    }
    if hash.finalize()[..] != offer.sha256[..] {
        return Err("what came is not the pack that was signed".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(bytes: &[u8]) -> v1::ContentOffer {
        v1::ContentOffer {
            sha256: Sha256::digest(bytes).to_vec(),
            size: bytes.len() as u64,
            ..v1::ContentOffer::default()
        }
    }

    fn part(offer: &v1::ContentOffer, offset: u64, data: &[u8]) -> v1::ContentChunk {
        v1::ContentChunk { sha256: offer.sha256.clone(), offset, data: data.to_vec(), error: String::new() }
    }

    #[test]
    fn goes_on_where_it_broke_off() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..600_000_u32).map(|i| (i % 251) as u8).collect();
        let offer = offer(&bytes);
        let mut fetch = Fetch::begin(dir.path(), &offer).unwrap();
        let first = fetch.next().unwrap();
        assert_eq!((first.offset, u64::from(first.length)), (0, PART));
        assert_eq!(fetch.take(&part(&offer, 0, &bytes[..1000])), Ok(false));
        assert_eq!(fetch.take(&part(&offer, 0, &bytes[..1000])), Ok(false), "it came twice");
        drop(fetch);
        let mut fetch = Fetch::begin(dir.path(), &offer).unwrap();
        while let Some(next) = fetch.next() {
            let (from, length) = (next.offset as usize, next.length as usize);
            let whole = fetch.take(&part(&offer, next.offset, &bytes[from..from + length])).unwrap();
            assert_eq!(whole, from + length == bytes.len());
        }
        assert_eq!(verify(fetch.path(), &offer), Ok(()));
        assert_eq!(fs::read(fetch.path()).unwrap(), bytes);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let offer = offer(b"0123456789");
        let mut fetch = Fetch::begin(dir.path(), &offer).unwrap();
        assert!(fetch.take(&part(&offer, 0, b"0123456789x")).is_err(), "longer than stated");
        assert!(fetch.take(&part(&offer, 0, b"")).is_err(), "would never end");
        assert_eq!(fetch.take(&part(&offer, 0, b"012345678X")), Ok(true));
        assert!(verify(fetch.path(), &offer).unwrap_err().contains("not the pack that was signed"));
        // Another pack begins anew, and a file that is longer than its pack too.
        let other = v1::ContentOffer { size: 3, ..offer };
        assert_eq!(Fetch::begin(dir.path(), &other).unwrap().length(), 0);
    }
}
