// SPDX-License-Identifier: Apache-2.0
//! Files that were closed after writing: scanned at once, isolated at once.

use crate::core::Core;
use crate::gate::Written;
use crate::log::{log, printable};
use crate::look::{Look, Seen, look};
use crate::respond::respond;
use crossbeam_channel::Receiver;
use lazaret_model::{Origin, ScanError};
use lazaret_pool::Priority;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A file whose scan failed for a passing reason is scanned again after this long, twice.
const AGAIN: Duration = Duration::from_millis(500);

/// Second scans that wait at once; more become one scan of what changed lately.
const MAX_WAITING: usize = 32;

/// How long a finding waits for a responder before that scan finds it again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Scans what the gate hands over until it is gone.
pub(crate) fn run(core: &Arc<Core>, written: &Receiver<Written>) {
    while let Ok(Written { file, pid }) = written.recv() {
        examine(core, file, Origin::Written, Some(pid), Priority::Event);
    }
}

/// Looks at one file that nobody waits for.
pub(crate) fn examine(core: &Arc<Core>, file: OwnedFd, origin: Origin, pid: Option<i32>, priority: Priority) {
    let again = file.try_clone();
    match look(core, Look { file, origin, pid }, priority) {
        Seen::Passed(_) => {}
        Seen::Found(case) => {
            case.deny(core);
            if origin == Origin::Written {
                // In this thread: the way through the queue costs time in which the file is live.
                core.in_flight.fetch_add(1, Ordering::Relaxed);
                respond(core, *case);
                core.in_flight.fetch_sub(1, Ordering::Relaxed);
            } else if core.cases.send_timeout(*case, PATIENCE).is_err() {
                core.gate.overflowed.store(true, Ordering::Relaxed);
            }
        }
        Seen::Error(e, path) => {
            let passing = matches!(
                e,
                ScanError::Changed
                    | ScanError::Crashed(_)
                    | ScanError::Deadline(_)
                    | ScanError::Unavailable(_)
            );
            core.events.tell("error", format!("{}: {e}", printable(&path)), None);
            match again {
                Ok(file) if passing => later(core, file, origin, pid),
                _ => log!("{} could not be scanned: {e}", printable(&path)),
            }
        }
    }
}

/// A scan error is never a verdict: the file stays and is asked about again.
fn later(core: &Arc<Core>, file: OwnedFd, origin: Origin, pid: Option<i32>) {
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    if WAITING.fetch_add(1, Ordering::AcqRel) >= MAX_WAITING {
        WAITING.fetch_sub(1, Ordering::AcqRel);
        core.gate.overflowed.store(true, Ordering::Relaxed);
        return;
    }
    let core = Arc::clone(core);
    let wait = move || {
        again(&core, &file, origin, pid);
        WAITING.fetch_sub(1, Ordering::AcqRel);
    };
    if let Err(e) = std::thread::Builder::new().name("again".into()).spawn(wait) {
        WAITING.fetch_sub(1, Ordering::AcqRel);
        log!("a second scan could not be started: {e}");
    }
}

fn again(core: &Core, file: &OwnedFd, origin: Origin, pid: Option<i32>) {
    for attempt in 1..=2 {
        std::thread::sleep(AGAIN * attempt);
        let Ok(copy) = file.try_clone() else { return };
        match look(core, Look { file: copy, origin, pid }, Priority::Background) {
            Seen::Passed(_) => return,
            Seen::Found(case) => {
                case.deny(core);
                if core.cases.send_timeout(*case, PATIENCE).is_err() {
                    core.gate.overflowed.store(true, Ordering::Relaxed);
                }
                return;
            }
            Seen::Error(e, path) => {
                if attempt == 2 {
                    log!("{} could not be scanned: {e}; it is judged when it is opened", printable(&path));
                }
            }
        }
    }
}
