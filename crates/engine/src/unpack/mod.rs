// SPDX-License-Identifier: Apache-2.0
//! What is packed in a file: zip, tar, gzip, xz, bzip2 and Zstandard, nested, streamed, and bounded.
//!
//! Over a limit, encrypted or broken is no error and never a verdict: it is a line in what was not
//! scanned, and the rest counts.

mod budget;
mod compressed;
mod source;
mod tape;
mod zip_directory;
mod zip_file;

use crate::confidence::weight_for;
use crate::finding::Finding;
use crate::judge::{Judge, Object};
use crate::limits::Limits;
use budget::{Budget, Limit, Metered};
use lazaret_model::{Evidence, EvidenceKind, FileType, ScanError, Sha256, Verdict};
use sha2::Digest;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

pub(crate) use source::{FileSource, Source, SourceReader};

/// How deep archives in archives are opened on a host.
pub const MAX_DEPTH: usize = 4;
/// All that is unpacked from one file there, bytes.
pub const MAX_OUTPUT: u64 = 256 << 20;
/// One member there, bytes: larger ones are not judged.
pub const MAX_MEMBER: u64 = 64 << 20;
/// Members of one file there, nested ones included.
pub const MAX_MEMBERS: u32 = 10_000;

/// Bad members that a report lists.
const MAX_BAD: usize = 64;
/// Lines on what was not scanned.
const MAX_LINES: usize = 64;
/// A longer path of a member is cut, bytes.
const MAX_PATH: usize = 4096;

/// A form that holds members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Zip,
    Tar,
    Gzip,
    Xz,
    Bzip2,
    Zstd,
}

/// How an object of this type is opened; a zip may stand behind a script or a picture.
pub(crate) fn container_of(file_type: FileType, source: &dyn Source) -> Option<Container> {
    match file_type {
        FileType::Zip => Some(Container::Zip),
        FileType::Tar => Some(Container::Tar),
        FileType::Gzip => Some(Container::Gzip),
        FileType::Xz => Some(Container::Xz),
        FileType::Bzip2 => Some(Container::Bzip2),
        FileType::Zstd => Some(Container::Zstd),
        FileType::Script | FileType::Other | FileType::Php if zip_directory::ends_like_zip(source) => {
            Some(Container::Zip)
        }
        _ => None,
    }
}

/// What was found in a file.
#[derive(Default)]
pub(crate) struct Unpacked {
    pub(crate) bad: Vec<Verdict>,
    bad_count: u32,
    pub(crate) objects: u32,
    pub(crate) bytes: u64,
    pub(crate) unscanned: Vec<String>,
}

impl Unpacked {
    /// The evidence that its bad members are against the file itself: as much as the worst of them, never
    /// decisive.
    pub(crate) fn condemns(&self) -> Option<Finding> {
        let worst = self.bad.iter().max_by_key(|v| (v.confidence, std::cmp::Reverse(v.member.clone())))?;
        let path = String::from_utf8_lossy(worst.member.as_deref().unwrap_or_default()).into_owned();
        Some(Finding {
            evidence: Evidence {
                kind: EvidenceKind::Member,
                id: "member".to_owned(),
                weight: weight_for(worst.confidence.value().min(89)),
                detail: format!("{} of its members found; worst: {path:?}", self.bad_count),
                decisive: false,
            },
            correlate: "member".to_owned(),
            class: worst.class,
            family: worst.family.clone(),
            test: worst.test,
        })
    }

    fn note(&mut self, line: String) {
        match self.unscanned.len() {
            n if n + 1 < MAX_LINES => self.unscanned.push(line),
            n if n + 1 == MAX_LINES => self.unscanned.push("and more that is not listed".to_owned()),
            _ => {}
        }
    }
}

/// Opens a container and judges what is in it.
pub(crate) fn unpack(
    judge: &mut Judge<'_>,
    source: &dyn Source,
    container: Container,
) -> Result<Unpacked, ScanError> {
    let limits = judge.engine.limits;
    let mut walk = Walk {
        judge,
        out: Unpacked::default(),
        limits,
        budget: Rc::new(Budget::new(limits.output)),
        members: 0,
        spare: Vec::new(),
    };
    // A decoder that gives up on hostile bytes by panicking must not take the file's own verdict with
    // it: that would be a way past the scanner.
    let done = catch_unwind(AssertUnwindSafe(|| walk.open(source, container, b"", 1)));
    let mut out = walk.out;
    match done {
        Ok(Ok(()) | Err(Halt::Limit)) => {}
        Ok(Err(Halt::Engine(e))) => return Err(e),
        Err(_) => out.note("a decoder failed on its members; the rest of them were not scanned".to_owned()),
    }
    Ok(out)
}

/// Why a walk ends early.
pub(crate) enum Halt {
    /// A limit was reached and noted.
    Limit,
    /// The engine failed: no verdict at all.
    Engine(ScanError),
}

/// State of one walk through a file's members.
pub(crate) struct Walk<'j, 'e> {
    judge: &'j mut Judge<'e>,
    out: Unpacked,
    limits: Limits,
    budget: Rc<Budget>,
    members: u32,
    /// Buffers that are free to be used again.
    spare: Vec<Vec<u8>>,
}

impl Walk<'_, '_> {
    /// Opens a container that lies in `source`; `path` is that of the container, empty for the file.
    fn open(
        &mut self,
        source: &dyn Source,
        container: Container,
        path: &[u8],
        depth: usize,
    ) -> Result<(), Halt> {
        let deepest = self.limits.depth;
        if depth > deepest {
            self.note(path, &format!("archives are nested deeper than {deepest}"));
            return Ok(());
        }
        match container {
            Container::Zip => self.zip(source, path, depth),
            Container::Tar => {
                let reader = Metered::new(SourceReader::new(source), &self.budget, None);
                self.tar(reader, path, depth)
            }
            _ => self.compressed(source, container, path, depth),
        }
    }

    /// Says what was not scanned.
    fn note(&mut self, path: &[u8], why: &str) {
        let line = if path.is_empty() {
            why.to_owned()
        } else {
            format!("{:?}: {why}", String::from_utf8_lossy(path))
        };
        self.out.note(line);
    }

    /// Reads one member and judges it; containers are opened in turn.
    fn member(&mut self, path: &[u8], reader: &mut dyn Read, depth: usize) -> Result<(), Halt> {
        self.members += 1;
        let Limits { members, member: largest, .. } = self.limits;
        if self.members > members {
            self.note(b"", &format!("it has more than {members} members; the rest were not scanned"));
            return Err(Halt::Limit);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        let read = reader.take(largest + 1).read_to_end(&mut bytes);
        let result = match read {
            Ok(n) if n as u64 > largest => {
                self.note(path, &format!("it is larger than {largest} bytes and was not scanned"));
                Ok(())
            }
            Ok(_) => self.judge_member(path, &bytes, depth),
            Err(e) => match self.budget.reached() {
                Some(limit) => self.stop(path, limit),
                None => {
                    self.note(path, &format!("it is broken ({e}); what could be read was scanned"));
                    // What came before the break may be bad enough.
                    self.judge_member(path, &bytes, depth)
                }
            },
        };
        // Memory of one large member is not kept for all the small ones.
        if bytes.capacity() <= 8 << 20 {
            self.spare.push(bytes);
        }
        result
    }

    /// Says which limit ended the reading, and ends everything where it must.
    fn stop(&mut self, path: &[u8], limit: Limit) -> Result<(), Halt> {
        self.note(path, &limit.to_string());
        if limit.ends_everything() { Err(Halt::Limit) } else { Ok(()) }
    }

    fn judge_member(&mut self, path: &[u8], bytes: &[u8], depth: usize) -> Result<(), Halt> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.out.objects = self.out.objects.saturating_add(1);
        self.out.bytes = self.out.bytes.saturating_add(bytes.len() as u64);
        let sha256 = Sha256(sha2::Sha256::digest(bytes).into());
        let object = Object { head: bytes, tail: &[], size: bytes.len() as u64, sha256 };
        let judged = self.judge.judge(&object).map_err(Halt::Engine)?;
        let file_type = judged.file_type;
        let verdict = self.judge.verdict(judged, &object, Some(path.to_vec()));
        if verdict.is_found() {
            self.out.bad_count += 1;
            // When there is no more room the least bad one goes: a flood must not hide the worst.
            if self.out.bad.len() >= MAX_BAD {
                let least = self.out.bad.iter().enumerate().min_by_key(|(_, v)| v.confidence);
                if let Some((at, _)) = least.filter(|(_, v)| v.confidence < verdict.confidence) {
                    self.out.bad.swap_remove(at);
                    self.out.bad.push(verdict);
                }
            } else {
                self.out.bad.push(verdict);
            }
        }
        match container_of(file_type, &bytes) {
            Some(container) => self.open(&bytes, container, path, depth + 1),
            None => Ok(()),
        }
    }
}

/// Path of a member in a container.
fn join(container: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = container.to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path.truncate(MAX_PATH);
    path
}
