// SPDX-License-Identifier: Apache-2.0
//! The archive: a tar (POSIX ustar) of plain files, as any `tar` reads it. Written in one go, and read with
//! nothing but checks: names, sizes and the end are what they must be, or it is refused.

use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};

const BLOCK: usize = 512;
/// Of a name in a header, and of the folders before it, where a name is longer.
const MAX_NAME: usize = 100;
const MAX_PREFIX: usize = 155;
/// Parts of one archive.
const MAX_PARTS: usize = 1_000_000;

/// A part as it lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// A part that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: String,
}

fn bad(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

/// Letters, digits and a few signs, relative, going nowhere.
pub(super) fn is_name(name: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty()
            && p != "."
            && p != ".."
            && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    !name.is_empty() && name.split('/').all(part) && split(name).is_some()
}

/// Folders and name as a header has them; `None`: too long for one. A name that fits is not split.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= MAX_NAME {
        return Some(("", name));
    }
    let (folders, last) = name.rsplit_once('/')?;
    (folders.len() <= MAX_PREFIX && last.len() <= MAX_NAME).then_some((folders, last))
}

pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// Octal up to 8 GiB, binary above, as GNU tar does.
fn size_field(size: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if size < 1 << 33 {
        field.copy_from_slice(format!("{size:011o}\0").as_bytes());
    } else {
        field[4..].copy_from_slice(&size.to_be_bytes());
        field[0] = 0x80;
    }
    field
}

fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut h = [0_u8; BLOCK];
    let (folders, last) = split(name).unwrap_or_default();
    h[..last.len()].copy_from_slice(last.as_bytes());
    h[345..345 + folders.len()].copy_from_slice(folders.as_bytes());
    h[100..108].copy_from_slice(b"0000600\0");
    h[108..116].copy_from_slice(b"0000000\0");
    h[116..124].copy_from_slice(b"0000000\0");
    h[124..136].copy_from_slice(&size_field(size));
    h[136..148].copy_from_slice(b"00000000000\0");
    h[148..156].copy_from_slice(b"        ");
    h[156] = b'0';
    h[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = h.iter().map(|b| u32::from(*b)).sum();
    h[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    h
}

/// Writes parts one after the other.
pub(super) struct Writer {
    file: File,
    open: Option<Open>,
    written: Vec<Written>,
    names: HashSet<String>,
}

struct Open {
    name: String,
    at: u64,
    size: u64,
    hash: Sha256,
}

impl Writer {
    pub(super) fn new(file: File) -> Self {
        Self { file, open: None, written: Vec::new(), names: HashSet::new() }
    }

    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        if !is_name(name) || !self.names.insert(name.to_owned()) {
            return Err(bad(format!("{name:?} cannot be the name of a part")));
        }
        let at = self.file.stream_position()?;
        // Its size is known at its end.
        self.file.write_all(&[0; BLOCK])?;
        self.open = Some(Open { name: name.to_owned(), at, size: 0, hash: Sha256::new() });
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().ok_or_else(|| bad("no part was begun"))?;
        self.file.write_all(bytes)?;
        open.hash.update(bytes);
        open.size += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
        let open = self.open.take().ok_or_else(|| bad("no part was begun"))?;
        let rest = usize::try_from(open.size % BLOCK as u64).unwrap_or(0);
        if rest > 0 {
            self.file.write_all(&[0; BLOCK][rest..])?;
        }
        let end = self.file.stream_position()?;
        self.file.seek(SeekFrom::Start(open.at))?;
        self.file.write_all(&header(&open.name, open.size))?;
        self.file.seek(SeekFrom::Start(end))?;
        self.written.push(Written { name: open.name, size: open.size, sha256: hex(&open.hash.finalize()) });
        Ok(())
    }

    /// A whole part.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.begin(name)?;
        self.write(bytes)?;
        self.end()
    }

    /// The same from a file.
    pub(super) fn put_file(&mut self, name: &str, mut from: File) -> io::Result<()> {
        self.begin(name)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match from.read(&mut buffer)? {
                0 => break,
                n => self.write(buffer.get(..n).unwrap_or_default())?,
            }
        }
        self.end()
    }

    pub(super) fn written(&self) -> &[Written] {
        &self.written
    }

    /// Ends the archive; on disk when it returns.
    pub(super) fn finish(mut self) -> io::Result<File> {
        self.file.write_all(&[0; 2 * BLOCK])?;
        self.file.sync_all()?;
        Ok(self.file)
    }
}

/// The parts of an archive. What is not written by [`Writer`] is refused.
pub(super) fn list(file: &mut (impl Read + io::Seek)) -> io::Result<Vec<Entry>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut names = HashSet::new();
    let mut at = 0_u64;
    loop {
        if at + 2 * BLOCK as u64 > length {
            return Err(bad("it is cut off"));
        }
        file.seek(SeekFrom::Start(at))?;
        let mut h = [0; BLOCK];
        file.read_exact(&mut h)?;
        at += BLOCK as u64;
        if h == [0; BLOCK] {
            let mut rest = Vec::new();
            // Some programs pad archives to 10 KiB.
            file.take(64 << 10).read_to_end(&mut rest)?;
            if rest.len() < BLOCK || rest.iter().any(|b| *b != 0) {
                return Err(bad("it does not end as an archive does"));
            }
            return Ok(entries);
        }
        let entry = entry(&h, at)?;
        let blocks = entry.size.div_ceil(BLOCK as u64);
        at = blocks.checked_mul(BLOCK as u64).and_then(|n| n.checked_add(at)).unwrap_or(u64::MAX);
        if at > length {
            return Err(bad(format!("it is cut off within {}", entry.name)));
        }
        if entries.len() >= MAX_PARTS || !names.insert(entry.name.clone()) {
            return Err(bad(format!("{} is there twice, or there are too many parts", entry.name)));
        }
        entries.push(entry);
    }
}

fn entry(h: &[u8; BLOCK], offset: u64) -> io::Result<Entry> {
    let text = |field: &[u8]| {
        let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
        std::str::from_utf8(field.get(..end).unwrap_or_default()).unwrap_or_default().to_owned()
    };
    let (folders, last) = (text(&h[345..345 + MAX_PREFIX]), text(&h[..MAX_NAME]));
    let name = if folders.is_empty() { last } else { format!("{folders}/{last}") };
    let size = if h[124] == 0x80 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&h[128..136]);
        u64::from_be_bytes(bytes)
    } else {
        let text = std::str::from_utf8(&h[124..135]).unwrap_or_default();
        u64::from_str_radix(text, 8)
            .map_err(|_| bad("it is no archive that lazaret-server wrote, or it was changed"))?
    };
    if !is_name(&name) || header(&name, size) != *h {
        return Err(bad("it is no archive that lazaret-server wrote, or it was changed"));
    }
    Ok(Entry { name, offset, size })
}

/// The SHA-256 of a part.
pub(super) fn digest(file: &mut File, entry: &Entry) -> io::Result<String> {
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut part = file.take(entry.size);
    let (mut hash, mut buffer, mut read) = (Sha256::new(), vec![0; 1 << 20], 0_u64);
    loop {
        match part.read(&mut buffer)? {
            0 => break,
            n => {
                hash.update(buffer.get(..n).unwrap_or_default());
                read += n as u64;
            }
        }
    }
    if read != entry.size {
        return Err(bad(format!("it is cut off within {}", entry.name)));
    }
    Ok(hex(&hash.finalize()))
}

/// The bytes of a small part.
pub(super) fn bytes(file: &mut (impl Read + io::Seek), entry: &Entry, most: u64) -> io::Result<Vec<u8>> {
    if entry.size > most {
        return Err(bad(format!("{} has {} bytes, at most {most} are read", entry.name, entry.size)));
    }
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut out = Vec::new();
    file.take(entry.size).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut w = Writer::new(tempfile::tempfile().unwrap());
        w.put("a/b.txt", b"hello").unwrap();
        w.put("empty", b"").unwrap();
        w.put("block", &[7; 512]).unwrap();
        assert!(w.begin("a/b.txt").is_err(), "twice");
        assert!(w.begin("../x").is_err() && w.begin("/x").is_err() && w.begin("").is_err());
        let mut file = w.finish().unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut out = Vec::new();
        file.read_to_end(&mut out).unwrap();
        out
    }

    fn listed(bytes: &[u8]) -> io::Result<Vec<Entry>> {
        list(&mut io::Cursor::new(bytes))
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = archive();
        let entries = listed(&bytes).unwrap();
        let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.size)).collect();
        assert_eq!(names, [("a/b.txt", 5), ("empty", 0), ("block", 512)]);
        assert_eq!(super::bytes(&mut io::Cursor::new(&bytes), &entries[0], 100).unwrap(), b"hello");
        assert!(super::bytes(&mut io::Cursor::new(&bytes), &entries[2], 100).is_err());
        assert_eq!(size_field(1 << 40)[0], 0x80);
        let large = entry(&header("x", 1 << 40), 0).unwrap();
        assert_eq!(large.size, 1 << 40);
    }

    #[test]
    fn long_names_have_their_folders_apart_as_tar_has_them() {
        let long = format!("samples/{}/ab/{}.age", "p".repeat(100), "a".repeat(64));
        let mut w = Writer::new(tempfile::tempfile().unwrap());
        w.put(&long, b"x").unwrap();
        let mut file = w.finish().unwrap();
        let entries = list(&mut file).unwrap();
        assert_eq!((entries.len(), entries[0].name.as_str()), (1, long.as_str()));
        let h = header(&long, 1);
        assert_eq!(&h[345..352], b"samples");
        assert_eq!(&h[..4], b"aaaa");
        let unsplit = format!("{}/{}", "a".repeat(156), "b".repeat(10));
        assert!(!is_name(&unsplit) && !is_name(&format!("a/{}", "b".repeat(101))));
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = archive();
        for length in 0..bytes.len() {
            assert!(listed(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
    }

    #[test]
    fn a_changed_header_is_noticed() {
        let good = archive();
        for at in 0..BLOCK {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert!(listed(&bytes).is_err(), "{at}");
        }
        for name in ["../x", "/etc/passwd", "a//b", "a/./b", "a b", &"x".repeat(101)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
