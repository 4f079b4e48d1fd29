// SPDX-License-Identifier: Apache-2.0
//! The central directory of a zip file (APPNOTE 6.3.10).
//!
//! Read here and not by a library: a library keeps one entry for each name, so that a second member of
//! the same name would hide from us while some unpackers take it, and it holds the whole directory in
//! memory.

use super::Source;
use std::io;

const END: &[u8; 4] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR64: &[u8; 4] = b"PK\x06\x07";
const ENTRY: &[u8; 4] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// A longer directory is read to here: room for far more members than are scanned, bytes.
const MAX_DIRECTORY: usize = 16 << 20;

/// One member as the directory states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) encrypted: bool,
    pub(crate) packed: u64,
    pub(crate) unpacked: u64,
    /// Offset of its data in the source.
    pub(crate) data: Option<u64>,
}

pub(crate) struct Directory {
    pub(crate) entries: Vec<Entry>,
    /// What is wrong with it, for people.
    pub(crate) fault: Option<String>,
}

/// Whether a zip directory ends at the end of the source.
pub(crate) fn ends_like_zip(source: &dyn Source) -> bool {
    let size = source.size();
    let length = END_LENGTH.min(usize::try_from(size).unwrap_or(END_LENGTH));
    // Without a comment, as programs write it; a search would take 64 KiB of every file.
    source.bytes_at(size - length as u64, length).is_ok_and(|end| end.starts_with(END))
}

/// Reads the directory; at most `max` entries.
pub(crate) fn read(source: &dyn Source, max: usize) -> io::Result<Directory> {
    let Some(end) = find_end(source)? else {
        let entries = follow_local_headers(source, max)?;
        let fault = Some("its directory is missing or broken".to_owned());
        return Ok(Directory { entries, fault });
    };
    let length = usize::try_from(end.length).unwrap_or(usize::MAX);
    let bytes = source.bytes_at(end.start, length.min(MAX_DIRECTORY))?;
    let mut fault = (length > MAX_DIRECTORY)
        .then(|| format!("its directory has {length} bytes; the first {MAX_DIRECTORY} were read"));
    let mut entries = Vec::new();
    let mut rest = bytes.as_slice();
    while entries.len() < max {
        let Some((entry, header, tail)) = entry(rest) else {
            if !rest.is_empty() && fault.is_none() {
                fault = Some("its directory is broken; members behind that were not scanned".to_owned());
            }
            break;
        };
        let data = local_data(source, end.base.saturating_add(header))?;
        entries.push(Entry { data, ..entry });
        rest = tail;
    }
    Ok(Directory { entries, fault })
}

struct End {
    /// Where the directory starts in the source.
    start: u64,
    length: u64,
    /// What has to be added to stated offsets: something stands in front of the zip.
    base: u64,
}

fn find_end(source: &dyn Source) -> io::Result<Option<End>> {
    let size = source.size();
    let span = size.min((END_LENGTH + usize::from(u16::MAX)) as u64);
    let tail = source.bytes_at(size - span, span as usize)?;
    for at in memchr::memmem::rfind_iter(&tail, END) {
        let Some(record) = tail.get(at..).filter(|r| r.len() >= END_LENGTH) else { continue };
        let (Some(length), Some(offset)) = (u32_at(record, 12), u32_at(record, 16)) else { continue };
        let position = size - span + at as u64;
        let (mut length, mut offset, mut end) = (u64::from(length), u64::from(offset), position);
        if let Some((length64, offset64, end64)) = end64(source, position)? {
            (length, offset, end) = (length64, offset64, end64);
        }
        if let Some(start) = end.checked_sub(length) {
            return Ok(Some(End { start, length, base: start.saturating_sub(offset) }));
        }
    }
    Ok(None)
}

/// Length and offset of the directory, and where the record that states them is.
fn end64(source: &dyn Source, end: u64) -> io::Result<Option<(u64, u64, u64)>> {
    let Some(at) = end.checked_sub(20) else { return Ok(None) };
    let locator = source.bytes_at(at, 20)?;
    if !locator.starts_with(LOCATOR64) {
        return Ok(None);
    }
    let Some(stated) = u64_at(&locator, 8) else { return Ok(None) };
    // Where something stands in front of the zip the stated offset is too small: the record of fixed
    // length right before the locator is the usual place.
    for position in [stated, at.saturating_sub(56)] {
        let record = source.bytes_at(position, 56)?;
        if record.starts_with(END64)
            && let (Some(length), Some(offset)) = (u64_at(&record, 40), u64_at(&record, 48))
        {
            return Ok(Some((length, offset, position)));
        }
    }
    Ok(None)
}

/// The first entry, the offset of its local header, and what follows it.
fn entry(bytes: &[u8]) -> Option<(Entry, u64, &[u8])> {
    if !bytes.starts_with(ENTRY) {
        return None;
    }
    let name_length = usize::from(u16_at(bytes, 28)?);
    let extra_length = usize::from(u16_at(bytes, 30)?);
    let comment_length = usize::from(u16_at(bytes, 32)?);
    let name = bytes.get(ENTRY_LENGTH..ENTRY_LENGTH + name_length)?;
    let extra = bytes.get(ENTRY_LENGTH + name_length..ENTRY_LENGTH + name_length + extra_length)?;
    let rest = bytes.get(ENTRY_LENGTH + name_length + extra_length + comment_length..)?;
    let mut packed = u64::from(u32_at(bytes, 20)?);
    let mut unpacked = u64::from(u32_at(bytes, 24)?);
    let mut header = u64::from(u32_at(bytes, 42)?);
    let wide = extra_field(extra, 1).unwrap_or_default();
    let mut words = wide.as_chunks::<8>().0.iter().map(|w| u64::from_le_bytes(*w));
    for field in [&mut unpacked, &mut packed, &mut header] {
        if *field == u64::from(u32::MAX) {
            *field = words.next().unwrap_or(*field);
        }
    }
    let entry = Entry {
        name: name.to_vec(),
        method: u16_at(bytes, 10)?,
        encrypted: u16_at(bytes, 8)? & 1 != 0,
        packed,
        unpacked,
        data: None,
    };
    Some((entry, header, rest))
}

fn extra_field(mut extra: &[u8], id: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(extra, 2)?);
        let data = extra.get(4..4 + length)?;
        if u16_at(extra, 0)? == id {
            return Some(data);
        }
        extra = extra.get(4 + length..)?;
    }
}

/// Where the data behind a local header begins.
fn local_data(source: &dyn Source, header: u64) -> io::Result<Option<u64>> {
    let bytes = source.bytes_at(header, LOCAL_LENGTH)?;
    if !bytes.starts_with(LOCAL) {
        return Ok(None);
    }
    let lengths = u16_at(&bytes, 26).zip(u16_at(&bytes, 28));
    Ok(lengths.map(|(name, extra)| header + LOCAL_LENGTH as u64 + u64::from(name) + u64::from(extra)))
}

/// Without a directory: from one local header to the next, as long as they state lengths.
fn follow_local_headers(source: &dyn Source, max: usize) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut at = 0;
    while entries.len() < max {
        let header = source.bytes_at(at, LOCAL_LENGTH)?;
        let (true, Some(flags), Some(method)) =
            (header.starts_with(LOCAL), u16_at(&header, 6), u16_at(&header, 8))
        else {
            break;
        };
        let (Some(packed), Some(unpacked), Some(name_length)) =
            (u32_at(&header, 18), u32_at(&header, 22), u16_at(&header, 26))
        else {
            break;
        };
        let Some(data) = local_data(source, at)? else { break };
        // With bit 3 the lengths stand behind the data: there is no way on, but this one can be tried.
        let open_end = flags & 8 != 0 && packed == 0;
        let packed = if open_end { source.size().saturating_sub(data) } else { u64::from(packed) };
        entries.push(Entry {
            name: source.bytes_at(at + LOCAL_LENGTH as u64, usize::from(name_length))?,
            method,
            encrypted: flags & 1 != 0,
            packed,
            unpacked: u64::from(unpacked),
            data: Some(data),
        });
        if open_end {
            break;
        }
        at = data.saturating_add(packed);
    }
    Ok(entries)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|b| u64::from_le_bytes(*b))
}
