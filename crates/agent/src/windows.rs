// SPDX-License-Identifier: Apache-2.0
//! Un-kill windows: what a high verdict froze, and who may still object.
//!
//! A window has a thread of its own, so that one does not hold up the next case; at most
//! [`MAX_OPEN`] are open, what comes then is killed at once. A clean stop of the daemon ends all
//! windows as if their time were over: nobody has objected.

use crate::alarms::{Done, finish, id_of, raise, tell_frozen};
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::Case;
use crate::respond::{at_once, complete_chain, count, target_of};
use crossbeam_channel::bounded;
use lazaret_model::{AlarmId, FileRef};
use lazaret_proto::v1;
use lazaret_response::{Answer, Interrupted, Objection, Order, Plan, Report, Standstill, Window};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// Windows at a time.
const MAX_OPEN: usize = 32;

/// One that is open.
pub(crate) struct Open {
    pub(crate) alarm: AlarmId,
    inode: (u64, u64),
    path: Vec<u8>,
    /// What condemned it; unknown for one that the last run left open.
    rules: Vec<String>,
    objection: Arc<Objection>,
    stands: Mutex<Option<Standstill>>,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Open {
    /// Ends it, and waits until what follows is done; false when that takes longer than `limit`.
    pub(crate) fn end(&self, answer: Answer, limit: Duration) -> bool {
        self.objection.answer(answer);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, _) =
            self.end.wait_timeout_while(ended, limit, |e| !*e).unwrap_or_else(PoisonError::into_inner);
        *ended
    }

    fn stands(&self) -> Option<Standstill> {
        *self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, standstill: Standstill) {
        *self.stands.lock().unwrap_or_else(PoisonError::into_inner) = Some(standstill);
    }
}

/// All that are open.
#[derive(Default)]
pub(crate) struct Windows {
    open: Mutex<Vec<Arc<Open>>>,
}

enum Admission {
    New(Arc<Open>),
    Known(Arc<Open>),
    Full,
}

impl Windows {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Open>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, alarm: AlarmId, file: FileRef, path: &[u8], rules: Vec<String>) -> Admission {
        let mut open = self.lock();
        let inode = (file.dev, file.ino);
        if let Some(known) = open.iter().find(|o| o.inode == inode) {
            return Admission::Known(Arc::clone(known));
        }
        if open.len() >= MAX_OPEN {
            return Admission::Full;
        }
        let new = Arc::new(Open {
            alarm,
            inode,
            path: path.to_vec(),
            rules,
            objection: Arc::default(),
            stands: Mutex::default(),
            ended: Mutex::default(),
            end: Condvar::new(),
        });
        open.push(Arc::clone(&new));
        Admission::New(new)
    }

    fn close(&self, gone: &Arc<Open>) {
        self.lock().retain(|o| !Arc::ptr_eq(o, gone));
        *gone.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        gone.end.notify_all();
    }

    pub(crate) fn of_alarm(&self, alarm: AlarmId) -> Option<Arc<Open>> {
        self.lock().iter().find(|o| o.alarm == alarm).cloned()
    }

    pub(crate) fn of_inode(&self, inode: (u64, u64)) -> Option<Arc<Open>> {
        self.lock().iter().find(|o| o.inode == inode).cloned()
    }

    /// Ends all of them; nobody waits here.
    pub(crate) fn answer_all(&self, answer: &Answer) {
        for open in self.lock().iter() {
            open.objection.answer(answer.clone());
        }
    }

    /// Ends those that nothing but such rules opened; nobody waits here.
    pub(crate) fn answer_of_rules(&self, is_disarmed: impl Fn(&str) -> bool, answer: &Answer) {
        for open in self.lock().iter() {
            if !open.rules.is_empty() && open.rules.iter().all(|r| is_disarmed(r)) {
                open.objection.answer(answer.clone());
            }
        }
    }

    pub(crate) fn status(&self) -> Vec<v1::OpenWindow> {
        let open = self.lock();
        let frozen = open.iter().filter_map(|o| Some((o, o.stands()?)));
        frozen
            .map(|(o, s)| v1::OpenWindow {
                alarm: o.alarm.to_string(),
                path: o.path.clone(),
                until_ms: s.until_ms,
                processes: u32::try_from(s.processes).unwrap_or(u32::MAX),
            })
            .collect()
    }
}

/// Freezes what runs the case's file, tells, waits, and ends it unless somebody objects.
pub(crate) fn begin(core: &Arc<Core>, mut case: Case, wait: Duration) {
    let id = id_of(core, &case);
    let verdict = case.decided.verdict(&case.report);
    let rules = verdict.evidence.iter().filter(|e| e.decisive && e.is_bad()).map(|e| e.id.clone()).collect();
    let open = match core.windows.admit(id, case.facts.file, &case.facts.path, rules) {
        Admission::New(open) => open,
        Admission::Known(open) => {
            // Seen again while it is frozen: nothing more is to be done for it.
            let window = open.stands().map(|s| s.until_ms);
            raise(core, id, &case, Done { window, ..Done::default() });
            return;
        }
        Admission::Full => {
            case.decided.reasons.push(format!("{MAX_OPEN} programs are frozen already: killed at once"));
            at_once(core, case);
            return;
        }
    };
    core.in_flight.fetch_add(1, Ordering::Relaxed);
    let (core_too, open_too) = (Arc::clone(core), Arc::clone(&open));
    let run = move || {
        run(&core_too, case, &open_too, wait);
        core_too.windows.close(&open_too);
        core_too.in_flight.fetch_sub(1, Ordering::Relaxed);
    };
    if let Err(e) = Builder::new().name("window".into()).spawn(run) {
        // The case is gone with the thread that was not made: the file stays denied and is judged
        // again by the scan that follows.
        core.windows.close(&open);
        core.in_flight.fetch_sub(1, Ordering::Relaxed);
        core.gate.overflowed.store(true, Ordering::Relaxed);
        log!("a window for {} could not be opened: {e}", printable(&open.path));
    }
}

fn run(core: &Arc<Core>, mut case: Case, open: &Arc<Open>, wait: Duration) {
    let Some(target) = target_of(core, &mut case) else { return };
    let mut raised = false;
    let report = executed(
        core,
        open,
        wait,
        |window| Order::Window(target, window),
        "policy",
        |standstill| {
            complete_chain(core, &mut case);
            let window = Some(standstill.until_ms);
            raise(core, open.alarm, &case, Done { window, ..Done::default() });
            tell_frozen(core, open.alarm, &case.facts.path, standstill);
            raised = true;
        },
    );
    count(core, &report);
    if raised {
        finish(core, open.alarm, &open.path, &report);
    } else {
        crate::respond::concluded(core, open.alarm, case, report);
    }
}

/// Executes, and does `frozen` in this thread when everything stands still, so that the one that
/// watches over it is not held up.
fn executed(
    core: &Core,
    open: &Open,
    wait: Duration,
    order: impl FnOnce(Window) -> Order,
    who: &str,
    mut frozen: impl FnMut(Standstill),
) -> Report {
    let (tell, told) = bounded(1);
    let on_frozen = Box::new(move |standstill| {
        // The other end waits until this one is dropped.
        let _ = tell.send(standstill);
    });
    let window = Window { wait, objection: Arc::clone(&open.objection), on_frozen };
    let plan = Plan { alarm: Some(open.alarm), who: who.to_owned(), order: order(window) };
    std::thread::scope(|scope| {
        let executing = scope.spawn(|| core.responder.execute(plan));
        if let Ok(standstill) = told.recv() {
            open.note(standstill);
            frozen(standstill);
        }
        executing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Goes on with the windows that the last run left open.
pub(crate) fn resume(core: &Arc<Core>) {
    for cut in core.responder.interrupted() {
        let alarm = cut.alarm().unwrap_or_else(AlarmId::new);
        log!("a window of {} goes on for {} ms", printable(cut.path()), cut.left().as_millis());
        // There are never more of them than were open.
        let Admission::New(open) = core.windows.admit(alarm, cut.file(), cut.path(), Vec::new()) else {
            continue;
        };
        core.in_flight.fetch_add(1, Ordering::Relaxed);
        let core_too = Arc::clone(core);
        let run = move || {
            go_on(&core_too, &open, cut);
            core_too.windows.close(&open);
            core_too.in_flight.fetch_sub(1, Ordering::Relaxed);
        };
        if let Err(e) = Builder::new().name("window".into()).spawn(run) {
            core.in_flight.fetch_sub(1, Ordering::Relaxed);
            log!("an interrupted window could not be gone on with: {e}; it is ended at the next start");
        }
    }
}

fn go_on(core: &Arc<Core>, open: &Arc<Open>, cut: Interrupted) {
    let may_kill = core.guards.kill_guard(&core.gate.exempt);
    let order = |window| Order::Resume(cut, may_kill, window);
    // Resume shortens it to what was left.
    let report = executed(core, open, Duration::MAX, order, "policy", |standstill| {
        tell_frozen(core, open.alarm, &open.path, standstill);
    });
    count(core, &report);
    finish(core, open.alarm, &open.path, &report);
}
