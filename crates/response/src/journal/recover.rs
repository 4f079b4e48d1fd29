// SPDX-License-Identifier: Apache-2.0
//! Opening a journal: find every entry that proves itself, keep everything else aside.

use super::entry::{Entry, Stored};
use super::frame::Frame;
use super::log::JournalError;
use super::segment;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) seq: u64,
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) size: usize,
}

/// What was found.
pub(super) struct Recovered {
    pub(super) slots: Vec<Slot>,
    pub(super) entries: Vec<Entry>,
    /// Number and end of the segment to go on in; `None` for a new journal.
    pub(super) current: Option<(u64, u64)>,
    /// Empty segments behind it.
    pub(super) spares: Vec<u64>,
    pub(super) epoch: u64,
    pub(super) seq: u64,
    pub(super) hash: [u8; 32],
    /// For people: what was damaged and where it is kept.
    pub(super) problems: Vec<String>,
}

/// An entry from a frame; `None` when the JSON is of a kind this version does not know.
pub(super) fn entry(frame: &Frame<'_>) -> Option<Entry> {
    let s: Stored = serde_json::from_slice(frame.payload).ok()?;
    Some(Entry { epoch: frame.epoch, seq: frame.seq, at_ms: s.at_ms, id: s.id, body: s.body })
}

/// Reads all segments; cuts a torn tail.
pub(super) fn recover(dir: &Path) -> Result<Recovered, JournalError> {
    let io = |what: String| move |source| JournalError::Io { what, source };
    let mut r = Recovered {
        slots: Vec::new(),
        entries: Vec::new(),
        current: None,
        spares: Vec::new(),
        epoch: 1,
        seq: 0,
        hash: [0; 32],
        problems: Vec::new(),
    };
    let numbers = segment::numbers(dir).map_err(io(format!("reading {}", dir.display())))?;
    let mut first = true;
    for number in numbers {
        let path = segment::path(dir, number);
        let bytes = std::fs::read(&path).map_err(io(format!("reading {}", path.display())))?;
        let scan = segment::scan(&bytes);
        if scan.frames.is_empty() && scan.damage.is_empty() && scan.head_ok && r.current.is_some() {
            r.spares.push(number);
            continue;
        }
        // What was thought a spare lies before a used segment: it is none.
        r.spares.clear();
        for (offset, frame) in &scan.frames {
            if !first && frame.previous != r.hash {
                r.problems.push(format!(
                    "the journal's chain is broken between entries {} and {}: something in between is missing",
                    r.seq, frame.seq
                ));
            }
            first = false;
            (r.epoch, r.seq, r.hash) = (frame.epoch, frame.seq, frame.hash);
            let offset = *offset as u64;
            r.slots.push(Slot { seq: frame.seq, segment: number, offset, size: frame.size });
            match entry(frame) {
                Some(e) => r.entries.push(e),
                None => {
                    r.problems.push(format!("entry {} is of a kind this version does not know", frame.seq))
                }
            }
        }
        for range in &scan.damage {
            let torn = range.start >= scan.end;
            let aside = path.with_extension(format!("corrupt-{}", range.start));
            if !aside.exists() {
                keep_aside(&aside, &bytes[range.clone()])
                    .map_err(io(format!("keeping damaged bytes in {}", aside.display())))?;
                r.problems.push(format!(
                    "{}: bytes {} to {} were {} and are kept in {}",
                    path.display(),
                    range.start,
                    range.end,
                    if torn { "an unfinished entry" } else { "damaged" },
                    aside.display()
                ));
            }
            if torn {
                cut(&path, range.start, range.end).map_err(io(format!("cutting {}", path.display())))?;
                // A later tear at the same place must be kept too.
                let _ = std::fs::rename(
                    &aside,
                    aside.with_extension(format!("corrupt-{}-{}", range.start, super::now_ms())),
                );
            }
        }
        if scan.head_ok {
            r.current = Some((number, scan.end as u64));
        } else {
            // Never write on into a file whose head is not ours.
            r.problems.push(format!("{} does not begin as a journal segment does", path.display()));
            r.current = Some((number, u64::MAX));
        }
    }
    Ok(r)
}

fn keep_aside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn cut(path: &Path, from: usize, to: usize) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.write_all_at(&vec![0; to.saturating_sub(from)], from as u64)?;
    file.sync_all()
}
