// SPDX-License-Identifier: Apache-2.0
//! A segment file: a short head, then frames, then zeros that are allocated on the disk.

use super::frame::{self, ALIGN, Frame};
use rustix::fs::{Mode, OFlags, RenameFlags};
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const MAGIC: [u8; 8] = *b"LZRJRNL1";

/// Frames begin here.
pub(super) const FIRST: usize = 64;

pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.journal"))
}

/// Numbers of the segments in a folder, ascending.
pub(super) fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        if let Some(n) = name.to_str().and_then(|n| n.strip_suffix(".journal")).and_then(|n| n.parse().ok()) {
            out.push(n);
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// Removes what a crash left half-made.
pub(super) fn remove_unfinished(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|n| n.contains(".new-")) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes a new segment full of zeros (not merely reserved: a write into reserved space would have
/// to change metadata at every sync), durable with its name.
pub(super) fn create(dir: &Path, number: u64, bytes: u64) -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let path = path(dir, number);
    let tmp = path.with_extension(format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let _ = std::fs::remove_file(&tmp);
    let made = (|| {
        let mut file: File = rustix::fs::open(
            &tmp,
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o600),
        )?
        .into();
        let mut head = [0; FIRST];
        head[..8].copy_from_slice(&MAGIC);
        head[8..16].copy_from_slice(&number.to_le_bytes());
        file.write_all(&head)?;
        let zeros = vec![0; 256 * 1024];
        let mut left = usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(FIRST);
        while left > 0 {
            let n = left.min(zeros.len());
            file.write_all(&zeros[..n])?;
            left -= n;
        }
        file.sync_all()?;
        // Never over a segment that somebody else made, and perhaps wrote into, meanwhile.
        rustix::fs::renameat_with(rustix::fs::CWD, &tmp, rustix::fs::CWD, &path, RenameFlags::NOREPLACE)?;
        File::open(dir)?.sync_all()?;
        Ok(file)
    })();
    if made.is_err() {
        let _ = std::fs::remove_file(&tmp);
    }
    made
}

/// What stands in a segment.
pub(super) struct Scan<'a> {
    pub(super) frames: Vec<(usize, Frame<'a>)>,
    /// Where the next frame goes.
    pub(super) end: usize,
    /// Bytes between or behind frames that are neither frames nor zeros.
    pub(super) damage: Vec<Range<usize>>,
    /// The head is as it was written.
    pub(super) head_ok: bool,
}

/// Reads a whole segment. Total: whatever the bytes are, every frame that proves itself is found.
pub(super) fn scan(bytes: &[u8]) -> Scan<'_> {
    let head_ok = bytes.get(..8) == Some(&MAGIC);
    let mut out = Scan { frames: Vec::new(), end: FIRST, damage: Vec::new(), head_ok };
    let mut at = FIRST;
    let mut bad_from: Option<usize> = None;
    while at < bytes.len() {
        if let Some(frame) = bytes.get(at..).and_then(frame::decode) {
            if let Some(from) = bad_from.take() {
                out.damage.push(from..at);
            }
            let size = frame.size;
            out.frames.push((at, frame));
            at += size;
            out.end = at;
        } else {
            let cell = bytes.get(at..(at + ALIGN).min(bytes.len())).unwrap_or_default();
            if bad_from.is_none() && cell.iter().any(|b| *b != 0) {
                bad_from = Some(at);
            }
            at += ALIGN;
        }
    }
    if let Some(from) = bad_from {
        let last = bytes.iter().rposition(|b| *b != 0).map_or(from, |l| l + 1);
        out.damage.push(from..last.max(from));
    }
    out
}
