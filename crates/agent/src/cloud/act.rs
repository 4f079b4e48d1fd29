// SPDX-License-Identifier: Apache-2.0
//! Acts on the server's verdicts: refuses the execution wherever the inventory says that the file is, then
//! looks at each of those files once more and lets policy decide. What is withdrawn is judged again. What is
//! done is noted after it was done, so that a crash in between forgets nothing.

use super::inventory::open_or_why;
use super::lay_over::{Word, id, lay_over};
use super::sweep::mark_gone;
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::{self, Look, Seen, file_ref, look};
use crate::sensor::written::examine;
use crossbeam_channel::RecvTimeoutError;
use lazaret_model::{
    Confidence, Decision, FileRef, FileType, MalwareClass, Origin, ScanReport, Sha256, Verdict,
};
use lazaret_pool::Priority;
use lazaret_response::Answer as Ending;
use lazaret_state::{CloudVerdictRow, ProgramRow};
use lazaret_sys::procfs::{self, Sought};
use rustix::fs::Stat;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Verdicts that are acted on at once.
const BATCH: u32 = 256;
/// Places of one content.
const MAX_PLACES: u32 = 10_000;
/// How often it is looked whether the daemon stops.
const LOOK: Duration = Duration::from_secs(1);
/// How long a finding waits for a responder.
const PATIENCE: Duration = Duration::from_secs(60);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Acts until the daemon stops.
pub(super) fn run(core: &Arc<Core>) {
    while !core.is_stopping() {
        match core.cloud.verdicts.rings().recv_timeout(LOOK) {
            Ok(()) => all(core),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn all(core: &Arc<Core>) {
    while core.cloud.is_on() && !core.is_stopping() {
        let again = core.cloud.verdicts.take_again();
        if !again.is_empty() {
            bad(core, &again);
        }
        let rows = match core.database.undone_cloud_verdicts(BATCH) {
            Ok(rows) => rows,
            Err(e) => {
                log!("{e}");
                return std::thread::sleep(PAUSE);
            }
        };
        if rows.is_empty() {
            return;
        }
        let (withdrawn, fresh): (Vec<_>, Vec<_>) = rows.iter().partition(|r| r.withdrawn);
        if !withdrawn.is_empty() {
            withdraw(core, &withdrawn);
        }
        let fresh: Vec<Sha256> = fresh.iter().map(|r| r.sha256).collect();
        if !bad(core, &fresh) {
            return;
        }
        if let Err(e) = core.database.cloud_verdicts_done(&rows) {
            log!("{e}");
            return std::thread::sleep(PAUSE);
        }
    }
}

/// Nothing is refused for these any more. What is isolated stays until a person restores it.
fn withdraw(core: &Core, rows: &[&CloudVerdictRow]) {
    let hashes: Vec<Sha256> = rows.iter().map(|r| r.sha256).collect();
    if let Err(e) = core.database.forget_answers(&hashes) {
        log!("{e}");
    }
    let ids: Vec<String> = hashes.iter().map(id).collect();
    core.windows.answer_of_rules(
        |rule| ids.iter().any(|i| i == rule),
        &Ending::Thaw("the server (its verdict is withdrawn)".to_owned()),
    );
    core.judge_again();
    for sha256 in &hashes {
        core.events.tell("verdict", format!("the server has withdrawn its verdict on {sha256}"), None);
    }
}

/// A file that the inventory names.
struct Place {
    row: ProgramRow,
    /// It is refused since a moment ago.
    denied: Option<FileRef>,
}

/// False when the daemon stops in between.
fn bad(core: &Arc<Core>, hashes: &[Sha256]) -> bool {
    if hashes.is_empty() {
        return true;
    }
    // Allowed before, and no row says where: everything is judged again.
    if core.cloud.inventory.take_beyond() {
        core.judge_again();
    }
    let mut places = Vec::new();
    for sha256 in hashes {
        let rows = core.database.program_places(*sha256, MAX_PLACES).unwrap_or_else(|e| {
            log!("{e}");
            Vec::new()
        });
        if rows.is_empty() {
            continue;
        }
        let Some(word) = core.cloud.word(core, *sha256) else { continue };
        let mut gone = Vec::new();
        for row in rows {
            match refuse(core, &row, &word) {
                Ok(denied) => places.push(Place { row, denied }),
                Err(()) => gone.push(row),
            }
        }
        mark_gone(core, &gone);
    }
    // Marks in the kernel let a file pass without asking.
    let _ = core.gate.group.forget_ignored();
    for place in places {
        if core.is_stopping() {
            return false;
        }
        judge(core, &place);
    }
    true
}

/// Refuses a file at once where its row says that this very inode has that content, and where policy would.
/// Whether it is right is looked at after that. `Err`: it is not there.
fn refuse(core: &Core, row: &ProgramRow, word: &Word) -> Result<Option<FileRef>, ()> {
    use rustix::io::Errno;
    let (file, stat) = match open_or_why(&row.path) {
        Ok(Some(opened)) => opened,
        Ok(None) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Err(()),
        Err(e) => {
            log!("{} cannot be opened: {e}", printable(&row.path));
            return Ok(None);
        }
    };
    if file_ref(&stat) != row.file || core.live().dry_run {
        return Ok(None);
    }
    let report = supposed(row, word.clone());
    if foreseen(core, &file, &row.path, &stat, &report) < Decision::Deny {
        return Ok(None);
    }
    core.gate.denied.add_judged(file.as_fd());
    Ok(Some(row.file))
}

fn foreseen(core: &Core, file: &File, path: &[u8], stat: &Stat, report: &ScanReport) -> Decision {
    look::foresee(core, file, path, stat, report).decision
}

/// What a scan would say, by the inventory alone.
fn supposed(row: &ProgramRow, word: Word) -> ScanReport {
    let file_type = if row.kind == super::Kind::Script.word() { FileType::Script } else { FileType::Elf };
    let mut verdict = Verdict {
        sha256: row.sha256,
        size: row.file.size,
        file_type,
        member: None,
        class: MalwareClass::Trojan,
        family: String::new(),
        confidence: Confidence::new(0),
        evidence: Vec::new(),
        content_version: String::new(),
        test: false,
    };
    lay_over(&mut verdict, word);
    ScanReport {
        verdict,
        members: Vec::new(),
        objects: 1,
        bytes: row.file.size,
        unscanned: Vec::new(),
        elf: None,
        tlsh: String::new(),
    }
}

/// Looks at the file itself, and at who runs it; what follows is what follows of every finding.
fn judge(core: &Arc<Core>, place: &Place) {
    let Some((file, stat)) = super::inventory::open(&place.row.path) else { return };
    let identity = file_ref(&stat);
    let pid = runner(core, file.as_fd(), &identity);
    let origin = if pid.is_some() { Origin::Process } else { Origin::Scan };
    let file = OwnedFd::from(file);
    let Ok(copy) = file.try_clone() else { return };
    match look(core, Look { file: copy, origin, pid }, Priority::Event) {
        Seen::Passed(_) => release(core, place),
        Seen::Found(case) => {
            if !case.is_refusal() {
                release(core, place);
            }
            case.deny(core);
            if core.cases.send_timeout(*case, PATIENCE).is_err() {
                // The scan after lost events finds it again.
                core.gate.overflowed.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
        // Refused it stays as long as its content does; it is looked at again.
        Seen::Error(..) => examine(core, file, origin, pid, Priority::Event),
    }
}

/// It was refused for what its row said, and that does not hold.
fn release(core: &Core, place: &Place) {
    if let Some(denied) = &place.denied {
        core.gate.denied.remove_judged(denied);
    }
}

/// A process that runs the file: what it serves is a matter for the breaker.
fn runner(core: &Core, file: std::os::fd::BorrowedFd<'_>, identity: &FileRef) -> Option<i32> {
    let sought = Sought::open(file, identity);
    procfs::pids()
        .find(|pid| !core.gate.exempt.contains(*pid) && procfs::is_executed_by(&sought, *pid))
        .or_else(|| core.runners.of(identity).first().map(|h| h.process().pid))
}
