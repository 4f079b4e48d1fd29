// SPDX-License-Identifier: Apache-2.0
//! Where a container lies: in memory, or in a file that is larger than the window.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that can be read at any place.
pub(crate) trait Source {
    fn size(&self) -> u64;

    /// Like `pread`: may read less than asked for, nothing at the end.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Exactly `length` bytes, or as many as there are.
    fn bytes_at(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let there = usize::try_from(self.size().saturating_sub(at)).unwrap_or(usize::MAX);
        let mut out = vec![0; length.min(there)];
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|r| !r.is_empty()) {
            match self.read_at(rest, at + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        out.truncate(filled);
        Ok(out)
    }
}

fn copy(bytes: &[u8], buffer: &mut [u8], at: u64) -> usize {
    let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    let n = from.len().min(buffer.len());
    buffer.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    n
}

impl Source for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        Ok(copy(self, buffer, at))
    }
}

/// A file, up to the size that it had when its window was read.
pub(crate) struct FileSource<'f> {
    file: &'f File,
    size: u64,
}

impl<'f> FileSource<'f> {
    pub(crate) fn new(file: &'f File, size: u64) -> Self {
        Self { file, size }
    }
}

impl Source for FileSource<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let there = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        let length = buffer.len().min(there);
        self.file.read_at(buffer.get_mut(..length).unwrap_or_default(), at)
    }
}

/// Reads a part of a source from its beginning to its end.
pub(crate) struct SourceReader<'s> {
    source: &'s dyn Source,
    at: u64,
    end: u64,
}

impl<'s> SourceReader<'s> {
    pub(crate) fn new(source: &'s dyn Source) -> Self {
        Self { source, at: 0, end: source.size() }
    }

    /// `length` bytes from `at`, as far as they are there.
    pub(crate) fn part(source: &'s dyn Source, at: u64, length: u64) -> Self {
        Self { source, at, end: at.saturating_add(length).min(source.size()) }
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = buffer.len().min(there);
        let n = self.source.read_at(buffer.get_mut(..length).unwrap_or_default(), self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
