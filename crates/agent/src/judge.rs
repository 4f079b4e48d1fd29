// SPDX-License-Identifier: Apache-2.0
//! The judges: threads that answer what the gate could not answer from memory.

use crate::cloud::{Parked, Program, Settled, tell_refused};
use crate::config::OnError;
use crate::core::Core;
use crate::gate::{FileKey, Question, Reply};
use crate::log::{log, printable};
use crate::look::{Case, Look, Passed, Seen, look};
use crossbeam_channel::{Receiver, Sender};
use lazaret_model::{Origin, ScanError, Severity};
use lazaret_pool::Priority;
use lazaret_sys::fanotify::Answer;
use lazaret_sys::lease;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Answers questions until the gate is gone.
pub(crate) fn run(core: &Arc<Core>, questions: &Receiver<Question>, replies: &Sender<Reply>) {
    while let Ok(question) = questions.recv() {
        let ticket = question.ticket;
        let answer = judge(core, question, |answer| send(core, replies, Reply { ticket, answer }));
        if let Some(answer) = answer {
            send(core, replies, Reply { ticket, answer });
        }
    }
}

pub(crate) fn send(core: &Core, replies: &Sender<Reply>, reply: Reply) {
    if replies.send(reply).is_ok() {
        let _ = rustix::io::write(&core.gate.bell, &1_u64.to_ne_bytes());
    }
}

/// A file that changes while it is judged is judged again so often.
const LOOKS: usize = 3;

/// What a judge knows of a file in which it found nothing.
pub(crate) struct Clean {
    key: Option<FileKey>,
    /// In this state.
    state: FileKey,
    /// Of what may be remembered, when the look began.
    generation: u64,
    /// Of the server's verdicts, then.
    learned: u64,
    quiet: bool,
}

/// Either gives the answer back, or has given it to `early` because work is left to do after it, or has let
/// somebody else give it when a server has answered.
fn judge(core: &Core, question: Question, early: impl FnOnce(Answer)) -> Option<Answer> {
    let Question { file, exec, pid, at, ticket } = question;
    let (generation, learned) = (core.gate.allowed.generation(), core.cloud.verdicts.learned());
    let origin = if exec { Origin::Exec } else { Origin::Open };
    for _ in 0..LOOKS {
        let Ok(copy) = file.try_clone() else { return Some(on_error(core)) };
        // Before the scan as well as after it: a writable mapping that is dirty already could change
        // the content during the scan and be gone afterwards, and no number would tell.
        let quiet = lease::try_read_lease(file.as_fd()).unwrap_or(false);
        let before = rustix::fs::fstat(&file).map(|s| FileKey::of(&s));
        match look(core, Look { file: copy, origin, pid: Some(pid) }, Priority::Permission) {
            Seen::Passed(Passed { key, program }) => {
                let unchanged = rustix::fs::fstat(&file).map(|s| FileKey::of(&s)) == before;
                let writer_left = !quiet && lease::try_read_lease(file.as_fd()).unwrap_or(false);
                if !unchanged || writer_left {
                    // What was read is perhaps not what would run.
                    if at.elapsed() < core.config.deadline() {
                        continue;
                    }
                    return Some(on_error(core));
                }
                let state = before.unwrap_or_default();
                let clean = Clean { key, state, generation, learned, quiet };
                let question = Question { ticket, file, exec, pid, at };
                return match program.filter(|_| exec) {
                    Some(program) => settle(core, question, &program, clean),
                    None => Some(passed(core, &question, &clean)),
                };
            }
            Seen::Error(e, path) => return Some(unjudged(core, origin, &e, &path)),
            Seen::Found(case) => {
                found(core, *case, pid, early);
                return None;
            }
        }
    }
    // It changes faster than it can be read: whoever wants to run it can wait until it is written.
    let path = printable(&crate::look::path_of(&file));
    log!("{path} changed {LOOKS} times while it was judged: refused this once");
    Some(if exec && !core.live().dry_run { Answer::Deny } else { on_error(core) })
}

/// Lets the server be asked where a project wants that; without an answer of ours it is given later.
fn settle(core: &Core, question: Question, program: &Program, clean: Clean) -> Option<Answer> {
    let Ok(file) = question.file.try_clone().map(File::from) else {
        return Some(passed(core, &question, &clean));
    };
    match core.cloud.settle(core, program, &file, question.at) {
        Settled::Run => Some(passed(core, &question, &clean)),
        Settled::Refuse => {
            tell_refused(core, &program.path);
            Some(Answer::Deny)
        }
        Settled::Wait(until, refuse) => {
            let (sha256, path) = (program.sha256, program.path.clone());
            core.cloud.waiting.park(Parked { question, sha256, path, clean, until, refuse });
            None
        }
    }
}

/// Nothing speaks against it: it is remembered where that is safe.
fn passed(core: &Core, question: &Question, clean: &Clean) -> Answer {
    let file = question.file.as_fd();
    // A verdict of the server that came meanwhile may be about this very file.
    let news = || core.cloud.verdicts.learned() != clean.learned;
    if !news() {
        remember(core, file, clean.key, clean.generation, clean.quiet);
        if news() {
            core.judge_again();
        }
    }
    core.runners.note_if_script(file, question.pid);
    Answer::Allow
}

/// What was found clean a while ago may run if it still is that file.
pub(crate) fn passed_late(core: &Core, question: &Question, clean: &Clean) -> Option<Answer> {
    let file = question.file.as_fd();
    let same = rustix::fs::fstat(file).is_ok_and(|s| clean.state == FileKey::of(&s));
    let writer_left = !clean.quiet && lease::try_read_lease(file).unwrap_or(false);
    (same && !writer_left).then(|| passed(core, question, clean))
}

/// What cannot be judged is allowed or refused as configured, and a person hears of it when it was
/// about to run. A file too large to be judged is no program that anybody needs.
fn unjudged(core: &Core, origin: Origin, error: &ScanError, path: &[u8]) -> Answer {
    let place = printable(path);
    log!("{place} could not be judged before it was opened: {error}");
    core.events.tell("error", format!("{place}: {error}"), None);
    if origin != Origin::Exec {
        return on_error(core);
    }
    let too_large = matches!(error, ScanError::TooLarge { .. });
    let refuse = too_large && !core.live().dry_run;
    let answer = if refuse { Answer::Deny } else { on_error(core) };
    let done = if answer == Answer::Deny { "refused" } else { "allowed" };
    crate::alarms::about_daemon_once(
        core,
        Severity::Medium,
        format!("{place} was {done} to run without a verdict"),
        vec![error.to_string()],
    );
    answer
}

/// Refuses before anything else: deny first, then isolate and kill.
fn found(core: &Core, mut case: Case, pid: i32, early: impl FnOnce(Answer)) {
    if case.is_refusal() {
        case.deny(core);
        case.refused = true;
        early(Answer::Deny);
    } else {
        core.runners.note(case.facts.file.dev, case.facts.file.ino, pid);
        early(Answer::Allow);
    }
    if core.cases.try_send(case).is_err() {
        // Never waits: eight waiting judges would be a host without judges. The refusal stands, and
        // the scan after the burst finds the file again.
        core.gate.overflowed.store(true, Ordering::Relaxed);
    }
}

/// Remembers a clean file: in the kernel where nobody untrusted can write it, in memory elsewhere.
fn remember(core: &Core, file: BorrowedFd<'_>, key: Option<FileKey>, generation: u64, quiet: bool) {
    let Some(key) = key else { return };
    let Ok(stat) = rustix::fs::fstat(file) else { return };
    if FileKey::of(&stat) != key {
        return;
    }
    // An ACL that lets others write shows in the group bits, which are its mask.
    let only_root_writes = stat.st_uid == 0 && stat.st_mode & 0o022 == 0;
    // Nobody may still hold it open or mapped from before it became root's.
    let sealed = quiet && lease::try_read_lease(file).unwrap_or(false);
    if only_root_writes && sealed && core.gate.group.ignore_inode(file).is_ok() {
        // Written to between the scan and the mark? The mark is then taken back by forgetting all:
        // rare, and dearer than this one file, but never wrong.
        let changed = rustix::fs::fstat(file).map_or(true, |s| FileKey::of(&s) != key);
        if changed || generation != core.gate.allowed.generation() {
            let _ = core.gate.group.forget_ignored();
        }
        return;
    }
    if sealed && rustix::fs::fstat(file).is_ok_and(|s| FileKey::of(&s) == key) {
        core.gate.allowed.insert(key, generation);
    }
}

pub(crate) fn on_error(core: &Core) -> Answer {
    match core.config.budget.on_error {
        OnError::Deny if core.live().dry_run => Answer::Allow,
        OnError::Allow => Answer::Allow,
        OnError::Deny => Answer::Deny,
    }
}
