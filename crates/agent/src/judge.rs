// SPDX-License-Identifier: Apache-2.0
//! The judges: threads that answer what the gate could not answer from memory.

use crate::config::OnError;
use crate::core::Core;
use crate::gate::{FileKey, Question, Reply};
use crate::log::{log, printable};
use crate::look::{Case, Look, Seen, look};
use crossbeam_channel::{Receiver, Sender};
use lazaret_model::Origin;
use lazaret_pool::Priority;
use lazaret_sys::fanotify::Answer;
use lazaret_sys::lease;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

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

fn send(core: &Core, replies: &Sender<Reply>, reply: Reply) {
    if replies.send(reply).is_ok() {
        let _ = rustix::io::write(&core.gate.bell, &1_u64.to_ne_bytes());
    }
}

/// Either gives the answer back, or has given it to `early` because work is left to do after it.
fn judge(core: &Core, question: Question, early: impl FnOnce(Answer)) -> Option<Answer> {
    let Question { file, exec, pid, at, .. } = question;
    if at.elapsed() > core.config.deadline() {
        // The gate has answered already.
        return Some(on_error(core));
    }
    let generation = core.gate.allowed.generation();
    let origin = if exec { Origin::Exec } else { Origin::Open };
    let Ok(copy) = file.try_clone() else { return Some(on_error(core)) };
    // Before the scan as well as after it: a writable mapping that is dirty already could change the
    // content during the scan and be gone afterwards, and no number would tell.
    let quiet = lease::try_read_lease(file.as_fd()).unwrap_or(false);
    match look(core, Look { file: copy, origin, pid: Some(pid) }, Priority::Permission) {
        Seen::Passed(key) => {
            remember(core, file.as_fd(), key, generation, quiet);
            core.runners.note_if_script(file.as_fd(), pid);
            Some(Answer::Allow)
        }
        Seen::Error(e, path) => {
            log!("{} could not be judged before it was opened: {e}", printable(&path));
            core.events.tell("error", format!("{}: {e}", printable(&path)), None);
            Some(on_error(core))
        }
        Seen::Found(case) => {
            found(core, *case, pid, early);
            None
        }
    }
}

/// Refuses before anything else: deny first, then isolate and kill.
fn found(core: &Core, mut case: Case, pid: i32, early: impl FnOnce(Answer)) {
    if case.is_refusal() {
        if let Some(file) = &case.file {
            core.gate.denied.add(file.as_fd());
        }
        case.refused = true;
        early(Answer::Deny);
    } else {
        core.runners.note(case.facts.file.dev, case.facts.file.ino, pid);
        early(Answer::Allow);
    }
    let _ = core.cases.send(case);
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
    if only_root_writes && core.gate.group.ignore_inode(file).is_ok() {
        // Written to between the scan and the mark? The mark is then taken back by forgetting all:
        // rare, and dearer than this one file, but never wrong.
        let changed = rustix::fs::fstat(file).map_or(true, |s| FileKey::of(&s) != key);
        if changed || generation != core.gate.allowed.generation() {
            let _ = core.gate.group.forget_ignored();
        }
        return;
    }
    if quiet
        && lease::try_read_lease(file).unwrap_or(false)
        && rustix::fs::fstat(file).is_ok_and(|s| FileKey::of(&s) == key)
    {
        core.gate.allowed.insert(key, generation);
    }
}

fn on_error(core: &Core) -> Answer {
    match core.config.budget.on_error {
        OnError::Allow => Answer::Allow,
        OnError::Deny => Answer::Deny,
    }
}
