// SPDX-License-Identifier: Apache-2.0
//! What came of each process: gone, still there, not permitted; and of all of them together.

use crate::members::{Member, Members};
use lazaret_model::{KilledProcess, Outcome};
use lazaret_sys::process::Signal;
use lazaret_sys::procfs;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Outcomes by start time and pid.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(u64, i32), KilledProcess>);

fn key(member: &Member) -> (u64, i32) {
    (member.facts.process.start_time, member.facts.process.pid)
}

impl Tally {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends every member that was not ended before, all of them before waiting for the first, and
    /// waits `limit` at most.
    pub(crate) fn end(&mut self, members: &Members<'_>, limit: Duration) {
        let sent: Vec<(&Member, std::io::Result<()>)> = members
            .iter()
            .filter(|m| !self.0.contains_key(&key(m)))
            .map(|m| (m, m.handle.signal(Signal::KILL)))
            .collect();
        let mut signalled = Vec::new();
        for (m, sent) in sent {
            let outcome = match sent {
                Ok(()) => Outcome::Done,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Outcome::AlreadyGone,
                Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                    Outcome::Failed(format!("not permitted: {e}"))
                }
                Err(e) => Outcome::Failed(format!("SIGKILL: {e}")),
            };
            if outcome == Outcome::Done {
                signalled.push(m);
            }
            self.0.insert(key(m), m.record(outcome));
        }
        let until = Instant::now() + limit;
        for m in signalled {
            if m.handle.wait_gone(until.saturating_duration_since(Instant::now())) {
                continue;
            }
            if let Some(k) = self.0.get_mut(&key(m)) {
                k.outcome = still_there(m);
            }
        }
    }

    /// Everything, with what a guard kept alive. Who was still there is looked at once more.
    pub(crate) fn outcomes(mut self, members: &Members<'_>) -> Vec<KilledProcess> {
        for m in members.iter() {
            if let Some(k) = self.0.get_mut(&key(m))
                && matches!(k.outcome, Outcome::Partial(_))
                && m.handle.is_gone()
            {
                k.outcome = Outcome::Done;
            }
        }
        for refused in members.refused() {
            self.0.insert((refused.process.start_time, refused.process.pid), refused.clone());
        }
        self.0.into_values().collect()
    }
}

/// Signalled is not gone: a system call that cannot be interrupted goes on, and a tracer may hold
/// the process on its way out, where it runs none of its code any more.
fn still_there(member: &Member) -> Outcome {
    let pid = member.facts.process.pid;
    let state = procfs::stat(pid).map_or('?', |s| char::from(s.state));
    let held = procfs::tracer(pid).map_or_else(String::new, |t| format!(", held by its tracer, process {t}"));
    Outcome::Partial(format!("signalled, still there in state {state}{held}"))
}

/// What came of all of them.
pub(crate) fn summary(killed: &[KilledProcess]) -> Outcome {
    let count = |f: &dyn Fn(&Outcome) -> bool| killed.iter().filter(|k| f(&k.outcome)).count();
    let refused = count(&|o| matches!(o, Outcome::Refused(_)));
    let open = count(&|o| matches!(o, Outcome::Partial(_) | Outcome::Failed(_)));
    let first = |f: &dyn Fn(&Outcome) -> bool| {
        killed
            .iter()
            .find(|k| f(&k.outcome))
            .map_or_else(String::new, |k| format!("process {}: {}", k.process.pid, k.outcome.reason()))
    };
    let done = killed.len() - refused - open;
    if killed.iter().all(|k| k.outcome == Outcome::AlreadyGone) {
        Outcome::AlreadyGone
    } else if done == killed.len() {
        Outcome::Done
    } else if open > 0 {
        let why = first(&|o| matches!(o, Outcome::Partial(_) | Outcome::Failed(_)));
        Outcome::Partial(format!("{open} of {} are still there; {why}", killed.len()))
    } else if done == 0 {
        Outcome::Refused(first(&|o| matches!(o, Outcome::Refused(_))))
    } else {
        let why = first(&|o| matches!(o, Outcome::Refused(_)));
        Outcome::Partial(format!("{refused} of {} were left alone; {why}", killed.len()))
    }
}

/// The same, with something that is left to do.
pub(crate) fn but(outcome: Outcome, why: String) -> Outcome {
    match outcome {
        Outcome::Done | Outcome::AlreadyGone => Outcome::Partial(why),
        Outcome::Partial(w) | Outcome::Refused(w) => Outcome::Partial(format!("{w}; {why}")),
        Outcome::Failed(w) => Outcome::Failed(format!("{w}; {why}")),
    }
}
