// SPDX-License-Identifier: Apache-2.0
//! Reads an open file in bounded memory, at given offsets only, never by mapping it: a mapped file that
//! is truncated kills who reads it (SIGBUS).

use lazaret_model::{ScanError, Sha256};
use sha2::Digest;
use std::fs::File;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};

/// A file up to this size is read and searched whole, bytes; of a larger one the beginning.
pub const WINDOW: u64 = 128 << 20;
/// Of a larger file the end is searched too, bytes.
pub const TAIL_WINDOW: u64 = 4 << 20;
/// A larger file is not judged: its digest would take longer than any deadline, bytes.
pub const MAX_FILE: u64 = 4 << 30;

/// Piece in which the part behind the window is hashed, bytes.
const PIECE: usize = 1 << 20;
/// A file that gets shorter while it is read is read again this often.
const ATTEMPTS: usize = 3;
/// Memory kept for the next file, bytes.
const KEEP: usize = 8 << 20;

/// What was read.
#[derive(Default)]
pub(crate) struct Window {
    /// The file, or its beginning.
    pub(crate) head: Vec<u8>,
    /// The end of a file that is larger than the window.
    pub(crate) tail: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) sha256: Option<Sha256>,
    /// What was not searched, and why.
    pub(crate) notes: Vec<String>,
}

impl Window {
    /// Reads `file`.
    pub(crate) fn fill(&mut self, file: &File) -> Result<(), ScanError> {
        for _ in 0..ATTEMPTS {
            if self.attempt(file)? {
                return Ok(());
            }
        }
        Err(ScanError::Changed)
    }

    /// Lets go of memory that only a large file needed.
    pub(crate) fn trim(&mut self) {
        if self.head.capacity() > KEEP {
            self.head = Vec::new();
        }
        self.tail = Vec::new();
    }

    /// `false` when the file became shorter meanwhile.
    fn attempt(&mut self, file: &File) -> Result<bool, ScanError> {
        self.notes.clear();
        self.tail.clear();
        let before = file.metadata().map_err(|e| unreadable(&e))?;
        if !before.is_file() {
            return Err(ScanError::NotAFile(kind_name(&before.file_type()).to_owned()));
        }
        self.size = before.len();
        if self.size > MAX_FILE {
            return Err(ScanError::TooLarge { size: self.size, limit: MAX_FILE });
        }
        // At most the window's size, which fits.
        let length = self.size.min(WINDOW) as usize;
        // Without the clear a grown buffer would be filled with zeros first, in vain.
        if self.head.len() > length {
            self.head.truncate(length);
        } else {
            self.head.resize(length, 0);
        }
        if !read_exact(file, &mut self.head, 0)? {
            return Ok(false);
        }
        let mut hasher = sha2::Sha256::new();
        hasher.update(&self.head);
        if self.size > WINDOW && !self.behind_the_window(file, &mut hasher)? {
            return Ok(false);
        }
        self.sha256 = Some(Sha256(hasher.finalize().into()));
        let after = file.metadata().map_err(|e| unreadable(&e))?;
        if after.len() < self.size {
            return Ok(false);
        }
        if after.len() > self.size {
            let more = after.len() - self.size;
            self.notes.push(format!("it grew by {more} bytes while it was read; those were not searched"));
        } else if (after.mtime(), after.mtime_nsec()) != (before.mtime(), before.mtime_nsec()) {
            self.notes.push("it was written to while it was read".to_owned());
        }
        Ok(true)
    }

    fn behind_the_window(&mut self, file: &File, hasher: &mut sha2::Sha256) -> Result<bool, ScanError> {
        let tail_at = (self.size - TAIL_WINDOW.min(self.size)).max(WINDOW);
        let mut piece = vec![0; PIECE];
        let mut at = WINDOW;
        while at < self.size {
            let part_end = if at < tail_at { tail_at } else { self.size };
            let length = (part_end - at).min(PIECE as u64) as usize;
            let Some(part) = piece.get_mut(..length) else { return Ok(false) };
            if !read_exact(file, part, at)? {
                return Ok(false);
            }
            hasher.update(&*part);
            if at >= tail_at {
                self.tail.extend_from_slice(part);
            }
            at += length as u64;
        }
        if tail_at > WINDOW {
            self.notes.push(format!(
                "of its {} bytes the first {} and the last {} were searched",
                self.size,
                WINDOW,
                self.tail.len()
            ));
        }
        Ok(true)
    }
}

/// `false` at the end of the file.
fn read_exact(file: &File, mut buffer: &mut [u8], mut at: u64) -> Result<bool, ScanError> {
    while !buffer.is_empty() {
        match file.read_at(buffer, at) {
            Ok(0) => return Ok(false),
            Ok(n) => {
                buffer = buffer.get_mut(n..).unwrap_or_default();
                at += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(&e)),
        }
    }
    Ok(true)
}

fn unreadable(error: &std::io::Error) -> ScanError {
    ScanError::Unreadable(error.to_string())
}

fn kind_name(kind: &std::fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_block_device() {
        "a block device"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "something else"
    }
}
