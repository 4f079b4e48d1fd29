// SPDX-License-Identifier: Apache-2.0
//! One look at one file: skip, scan, decide. The same for every sensor.

use crate::cloud::{Laid, Program};
use crate::core::Core;
use crate::counters::bump;
use crate::gate::{FileKey, is_regular};
use crate::live::Live;
use lazaret_model::{Decision, FileFacts, FileRef, FileTime, Origin, ProcessFacts, ScanError, ScanReport};
use lazaret_policy::{Decided, PackageStanding, Subject};
use lazaret_pool::{Job, Priority};
use lazaret_sys::procfs;
use rustix::fs::Stat;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

/// How much of a file tells its kind.
const HEAD: usize = 4096;

/// Text longer than this is no script: logs and dumps are text too.
const MAX_SCRIPT: u64 = 4 * 1024 * 1024;

/// A written file that is neither program nor archive is looked into up to this size.
const MAX_WRITTEN_DATA: u64 = 16 * 1024 * 1024;

/// A file that a sensor brings.
pub(crate) struct Look {
    /// The very inode, readable.
    pub(crate) file: OwnedFd,
    pub(crate) origin: Origin,
    /// Who acted, while it is known to be that process.
    pub(crate) pid: Option<i32>,
}

/// What came of it.
pub(crate) enum Seen {
    /// Not a program, excluded, or nothing speaks against it.
    Passed(Passed),
    /// Something speaks against it; what to do is decided.
    Found(Box<Case>),
    /// Could not be judged: never a verdict in either direction.
    Error(ScanError, Vec<u8>),
}

/// Why nothing speaks against a file, as far as others need it.
#[derive(Default)]
pub(crate) struct Passed {
    /// There when the file may be remembered as allowed.
    pub(crate) key: Option<FileKey>,
    /// A program that was scanned, where its hash may be asked about.
    pub(crate) program: Option<Box<Program>>,
}

impl Passed {
    fn unread(key: Option<FileKey>) -> Seen {
        Seen::Passed(Self { key, program: None })
    }
}

/// A finding with everything that alarm and response need.
pub(crate) struct Case {
    /// The scanned inode, until the response has taken it.
    pub(crate) file: Option<OwnedFd>,
    pub(crate) facts: FileFacts,
    pub(crate) report: ScanReport,
    pub(crate) decided: Decided,
    pub(crate) origin: Origin,
    /// Acting process first.
    pub(crate) chain: Vec<ProcessFacts>,
    /// What they run, opened while they were known to be there; hashed when there is time.
    pub(crate) programs: Vec<Option<OwnedFd>>,
    pub(crate) at_ms: i64,
    /// The answer to exec or open was no.
    pub(crate) refused: bool,
    /// Everything is decided and nothing is done.
    pub(crate) rehearsal: bool,
}

impl Case {
    pub(crate) fn is_refusal(&self) -> bool {
        !self.rehearsal && matches!(self.decided.decision, Decision::Deny | Decision::IsolateAndKill)
    }

    /// Deny first: from now on nobody opens or runs the file. A refusal by verdict alone ends when the
    /// content changes, one that is followed by a response when the responder lets go.
    pub(crate) fn deny(&self, core: &Core) {
        let Some(file) = self.file.as_ref().filter(|_| !self.rehearsal) else { return };
        match self.decided.decision {
            Decision::Deny => core.gate.denied.add_judged(file.as_fd()),
            Decision::IsolateAndKill => core.gate.denied.add(file.as_fd()),
            Decision::Allow | Decision::Alarm => {}
        }
    }
}

/// Milliseconds UTC.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|d| i64::try_from(d.as_millis()).ok())
        .unwrap_or(0)
}

/// Looks at one file. Blocks until the pool answers or its deadline passes.
pub(crate) fn look(core: &Core, look: Look, priority: Priority) -> Seen {
    let Look { file, origin, pid } = look;
    let Ok(stat) = rustix::fs::fstat(&file) else {
        return Seen::Error(ScanError::Unreadable("it cannot be looked at".into()), Vec::new());
    };
    if !is_regular(&stat) || stat.st_size == 0 {
        return Passed::unread(None);
    }
    let key = FileKey::of(&stat);
    let cacheable = (!key.is_young()).then_some(key);
    let path = path_of(&file);
    if core.is_excluded(&path) && leads_to(&path, &stat) {
        return Passed::unread(cacheable);
    }
    let file = File::from(file);
    let size = stat.st_size.cast_unsigned();
    match kind(&file) {
        Ok(kind) if is_worth_it(kind, origin, size, &stat) || core.is_web_file(&path) => {}
        Ok(_) => return Passed::unread(cacheable),
        Err(e) => return Seen::Error(ScanError::Unreadable(e.to_string()), path),
    }
    let Ok(copy) = file.try_clone() else {
        return Seen::Error(ScanError::Unavailable("no descriptor left".into()), path);
    };
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_vec();
    let members = !matches!(origin, Origin::Exec | Origin::Open | Origin::Process);
    bump(&core.gate.counters.scanned);
    let mut report = match core.pool.scan(Job { file: copy.into(), name, members }, priority) {
        Ok(report) => report,
        Err(e) => {
            bump(&core.gate.counters.scan_errors);
            return Seen::Error(e, path);
        }
    };
    let laid = core.cloud.lay_over(core, &mut report);
    let program = core.cloud.saw(&report, &path, &stat, origin, laid != Laid::Nothing);
    if !report.verdicts().any(lazaret_model::Verdict::is_found) {
        return Seen::Passed(Passed { key: cacheable, program });
    }
    // The acting process alone: it may be gone in a moment. Its ancestors live longer and are looked
    // up when nobody waits any more.
    let chain: Vec<ProcessFacts> = pid.and_then(|p| procfs::facts(p).ok()).into_iter().collect();
    let (standing, decided) = decide(core, &file, &path, &stat, &report, chain.first(), origin, |l, r, s| {
        l.decide(r, s, laid == Laid::RefuseOnly, now_ms())
    });
    let facts = facts(&stat, path, &report, &standing);
    Seen::Found(Box::new(Case {
        file: Some(file.into()),
        facts,
        report,
        decided,
        origin,
        programs: chain.iter().map(|p| procfs::exe_file(p.process.pid).ok()).collect(),
        chain,
        at_ms: now_ms(),
        refused: false,
        rehearsal: core.live().dry_run,
    }))
}

/// What policy would make of a report about this file, without counting anything.
pub(crate) fn foresee(core: &Core, file: &File, path: &[u8], stat: &Stat, report: &ScanReport) -> Decided {
    decide(core, file, path, stat, report, None, Origin::Scan, |l, r, s| l.foresee(r, s, now_ms())).1
}

/// Puts a report before policy.
#[allow(clippy::too_many_arguments, reason = "all that is known about one file")]
fn decide(
    core: &Core,
    file: &File,
    path: &[u8],
    stat: &Stat,
    report: &ScanReport,
    process: Option<&ProcessFacts>,
    origin: Origin,
    judge: impl FnOnce(&mut Live, &ScanReport, &Subject<'_>) -> Decided,
) -> (PackageStanding, Decided) {
    let (is_ours, package) = standing(core, file, path, stat);
    let subject = Subject {
        path: if is_ours { path } else { b"" },
        package: package.clone(),
        critical: core.guards.own(stat).or(core.guards.critical(path).filter(|_| is_ours)),
        exception: core.live().is_excepted(&report.verdict.sha256),
        changed_ms: Some(stat.st_ctime * 1000),
        process,
        serves: process.is_some_and(|p| serves(p.process.pid, origin)),
        vouched: core.guards.trust_gap().is_none(),
    };
    let decided = judge(&mut core.live(), report, &subject);
    (package, decided)
}

/// Whether a process runs the file, or is about to, for a service of the system. Services that users
/// start for themselves prove nothing: anybody can have as many as he likes.
fn serves(pid: i32, origin: Origin) -> bool {
    matches!(origin, Origin::Exec | Origin::Process)
        && procfs::control_group(pid)
            .is_ok_and(|g| !g.path.starts_with("/user.slice/") && !g.path.contains("/user@"))
}

/// Whether the path is one of this host, and what its packages say of the file then. A path of another
/// mount namespace or of a deleted file must not borrow the standing of the file that has this name
/// here.
pub(crate) fn standing(core: &Core, file: &File, path: &[u8], stat: &Stat) -> (bool, PackageStanding) {
    let is_ours = leads_to(path, stat);
    (is_ours, if is_ours { core.guards.standing(path, file) } else { PackageStanding::Unowned })
}

/// Whether the path, as we see the filesystem, is this inode.
pub(crate) fn leads_to(path: &[u8], stat: &Stat) -> bool {
    rustix::fs::lstat(path).is_ok_and(|s| s.st_dev == stat.st_dev && s.st_ino == stat.st_ino)
}

/// What the first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// ELF or `#!`.
    Program,
    Text,
    Archive,
    Data,
}

fn first_line(head: &[u8]) -> &[u8] {
    head.split(|b| *b == b'\n').next().unwrap_or_default()
}

fn kind(file: &File) -> std::io::Result<Kind> {
    let mut head = [0; HEAD];
    let mut got = 0;
    while got < HEAD {
        match file.read_at(&mut head[got..], got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(kind_of(&head[..got]))
}

fn kind_of(head: &[u8]) -> Kind {
    const ARCHIVES: [&[u8]; 5] = [b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"];
    if head.starts_with(b"\x7fELF") || head.starts_with(b"#!") {
        Kind::Program
    } else if ARCHIVES.iter().any(|m| head.starts_with(m)) || head.get(257..262) == Some(b"ustar") {
        Kind::Archive
    } else if !first_line(head).contains(&0) {
        // A shell runs what follows a first line without NUL, whatever it is.
        Kind::Text
    } else {
        Kind::Data
    }
}

/// Opens of data are let through as early as possible; what is about to run is always looked at.
fn is_worth_it(kind: Kind, origin: Origin, size: u64, stat: &Stat) -> bool {
    let executable = stat.st_mode & 0o111 != 0;
    match origin {
        Origin::Open => match kind {
            Kind::Program => true,
            Kind::Text => size <= MAX_SCRIPT || executable,
            Kind::Archive | Kind::Data => false,
        },
        Origin::Written | Origin::MovedIn => kind != Kind::Data || executable || size <= MAX_WRITTEN_DATA,
        _ => true,
    }
}

/// The label of an open file; empty when the kernel does not tell.
pub(crate) fn path_of(file: &impl AsFd) -> Vec<u8> {
    use std::os::fd::AsRawFd;
    let link = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    let mut path = std::fs::read_link(link).map(|p| p.into_os_string().into_vec()).unwrap_or_default();
    if path.ends_with(b" (deleted)") {
        path.truncate(path.len() - b" (deleted)".len());
    }
    path
}

/// Identity as the model has it.
pub(crate) fn file_ref(stat: &Stat) -> FileRef {
    FileRef {
        dev: stat.st_dev,
        ino: stat.st_ino,
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        size: stat.st_size.cast_unsigned(),
    }
}

fn time(sec: i64, nsec: u64) -> FileTime {
    FileTime { sec, nsec: u32::try_from(nsec).unwrap_or(0) }
}

/// What an alarm keeps about the file.
pub(crate) fn facts(
    stat: &Stat,
    path: Vec<u8>,
    report: &ScanReport,
    standing: &PackageStanding,
) -> FileFacts {
    let (package, package_intact) = match standing {
        PackageStanding::Owned { package, intact, .. } => (Some(package.clone()), Some(*intact)),
        PackageStanding::Unowned | PackageStanding::Unknown(_) => (None, None),
    };
    FileFacts {
        path,
        file: file_ref(stat),
        sha256: Some(report.verdict.sha256),
        uid: stat.st_uid,
        gid: stat.st_gid,
        mode: stat.st_mode,
        nlink: stat.st_nlink,
        atime: time(stat.st_atime, stat.st_atime_nsec),
        mtime: time(stat.st_mtime, stat.st_mtime_nsec),
        package,
        package_intact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_first_bytes() {
        assert_eq!(kind_of(b"\x7fELF\x02\x01"), Kind::Program);
        assert_eq!(kind_of(b"#!/bin/sh\n"), Kind::Program);
        assert_eq!(kind_of(b"print('x')\n"), Kind::Text);
        assert_eq!(kind_of(b"PK\x03\x04...."), Kind::Archive);
        assert_eq!(kind_of(b"\x00\x01\x02\n\0\0\0"), Kind::Data);
        assert_eq!(kind_of(b"echo x\n\0"), Kind::Text);
    }

    #[test]
    fn path_of_a_deleted_file_is_its_last_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "x").unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(path_of(&file), path.into_os_string().into_vec());
    }
}
