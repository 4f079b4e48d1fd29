// SPDX-License-Identifier: Apache-2.0
//! The receiving side: tells results as they come, and keeps what is clean.

use super::gather::{Gather, Taker, UnderWay};
use crate::cache::{CleanCache, Key, Known, Trust};
use crate::found::{Message, Scanned};
use crate::pool::Pool;
use crate::walk::{WalkOptions, WalkSummary, walk};
use lazaret_model::{ScanError, ScanReport};
use lazaret_sys::lease::try_read_lease;
use rustix::fd::AsFd;
use rustix::fs::fstat;
use std::path::PathBuf;

/// How to scan a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// What to leave out.
    pub walk: WalkOptions,
    /// Whether to look into archives. Part of what a cache's options must say.
    pub members: bool,
    /// Threads that walk and open files, 1 to 8; 1 feeds two workers.
    pub threads: usize,
}

/// What a scan of a tree tells.
#[allow(clippy::large_enum_variant, reason = "handed over by value, never stored in numbers")]
#[derive(Debug)]
pub enum Found {
    /// One file, or one path that could not be walked.
    File {
        /// Raw bytes.
        path: Vec<u8>,
        /// Bytes; 0 where it could not be opened.
        size: u64,
        /// The report, or why there is none.
        result: Result<ScanReport, ScanError>,
    },
    /// Files that an earlier scan with the same content and options found clean, unchanged since.
    KnownClean {
        /// How many since the last.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
}

/// What a scan of a tree came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TreeSummary {
    /// What the walk saw.
    pub walk: WalkSummary,
    /// Files that were scanned now.
    pub scanned: u64,
    /// Files that were known to be clean.
    pub known_clean: u64,
    /// Of these, files that are searched only partly (huge ones, crowded archives).
    pub known_partly: u64,
}

/// Scans everything below `roots`; `on_found` is called on this thread, in no defined order, until
/// all is told. With a cache, clean files are looked up in it and put into it (saving is up to the
/// caller). Blocks; a slow `on_found` slows the walk, not the pool's other users.
pub fn scan_tree(
    pool: &Pool,
    roots: &[PathBuf],
    options: &TreeOptions,
    mut cache: Option<&mut CleanCache>,
    on_found: &mut dyn FnMut(Found),
) -> TreeSummary {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let under_way = UnderWay::default();
    let mut fresh = Vec::new();
    let mut stale = Vec::new();
    let mut summary = TreeSummary::default();
    let with_cache = cache.is_some();
    summary.walk = std::thread::scope(|scope| {
        let known = cache.as_deref();
        let under_way = &under_way;
        let walker = scope.spawn(move || {
            let mut visitors: Vec<Gather<'_>> = (0..options.threads.clamp(1, 8))
                .map(|_| Gather {
                    queue: &pool.shared.queue,
                    under_way,
                    cache: known,
                    members: options.members,
                    sender: sender.clone(),
                    batch: Vec::new(),
                    known_files: 0,
                    known_partly: 0,
                    known_bytes: 0,
                })
                .collect();
            drop(sender);
            walk(roots, &options.walk, &mut visitors)
        });
        let _taker = Taker(under_way);
        // Ends when the walk has dropped its senders and every job is answered.
        for message in receiver {
            match message {
                Message::Scanned(files) => {
                    let count = files.len();
                    summary.scanned += count as u64;
                    for scanned in files {
                        if with_cache && let Some(key) = scanned.pending.key {
                            match may_be_kept(&scanned, &key) {
                                Some(known) => fresh.push((key, known)),
                                None => stale.push((key.dev, key.ino)),
                            }
                        }
                        let Scanned { pending, file, result } = scanned;
                        drop(file);
                        on_found(Found::File { path: pending.path, size: pending.size, result });
                    }
                    under_way.remove(count);
                }
                Message::Problem { path, error } => {
                    on_found(Found::File { path, size: 0, result: Err(error) });
                }
                Message::KnownClean { files, partly, bytes } => {
                    summary.known_clean += files;
                    summary.known_partly += partly;
                    on_found(Found::KnownClean { files, bytes });
                }
            }
        }
        match walker.join() {
            Ok(walk) => walk,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    if let Some(cache) = &mut cache {
        for (dev, ino) in stale {
            cache.forget(dev, ino);
        }
        for (key, known) in fresh {
            cache.keep(&key, known);
        }
    }
    summary
}

/// How far a file was searched, when it is clean and still what was scanned.
fn may_be_kept(scanned: &Scanned, key: &Key) -> Option<Known> {
    let report = scanned.result.as_ref().ok()?;
    if report.verdict.is_found() || !report.members.is_empty() {
        return None;
    }
    let known = if report.unscanned.is_empty() { Known::Wholly } else { Known::Partly };
    let leased = match try_read_lease(scanned.file.as_fd()) {
        Ok(leased) => leased,
        // Neither the owner nor allowed to: then only what nobody but root can write.
        Err(_) => fstat(&scanned.file).is_ok_and(|stat| Trust::of(&stat) == Trust::Numbers),
    };
    let same = fstat(&scanned.file).ok().and_then(|stat| Key::of(&stat)).as_ref() == Some(key);
    (leased && same).then_some(known)
}
