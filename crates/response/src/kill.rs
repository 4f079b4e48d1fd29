// SPDX-License-Identifier: Apache-2.0
//! Freeze to a fixed point, kill by pidfd, confirm.

use crate::config::Step;
use crate::journal::{Body, Progress};
use crate::members::Members;
use crate::plan::{MayKill, Report};
use crate::responder::Responder;
use lazaret_model::{Action, FileRef, KilledProcess, Outcome};
use lazaret_sys::cgroup::Cgroup;
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs;
use lazaret_vault::RawPath;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Rounds of looking and stopping before killing what there is.
const ROUNDS: usize = 32;

/// Times that the whole is done again because something new appeared after the kill.
const PASSES: usize = 8;

/// How long stopped processes get to stand still, per round.
const SETTLE: Duration = Duration::from_millis(20);

/// Groups that are let go again whatever happens.
pub(crate) struct Frozen(pub(crate) Vec<Cgroup>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for group in &self.0 {
            let _ = group.freeze(false);
        }
    }
}

impl Responder {
    /// Ends everything that runs the file; adds what came of it to the report.
    pub(crate) fn kill(
        &self,
        report: &mut Report,
        file: FileRef,
        named: Vec<ProcessHandle>,
        may_kill: &MayKill,
        path: &[u8],
    ) {
        let shown = String::from_utf8_lossy(path);
        let exempt = |pid| (self.config.exempt)(pid);
        let mut members = Members::new(file, path, &exempt, may_kill);
        let mut outcomes: BTreeMap<(u64, i32), KilledProcess> = BTreeMap::new();
        let mut new: Vec<i32> = named.into_iter().filter_map(|h| members.name(h)).collect();
        let mut seen = false;
        for pass in 0..PASSES {
            new.extend(members.look(pass > 0));
            if new.is_empty() {
                break;
            }
            let _frozen = self.freeze(report, &mut members, &mut new);
            if !seen {
                report.record(Action::Freeze, Outcome::Done, shown.clone());
                self.step(Step::Frozen);
                seen = true;
            }
            self.end(&members, &mut outcomes);
            new.clear();
        }
        for refused in members.refused() {
            outcomes.insert((refused.process.start_time, refused.process.pid), refused.clone());
        }
        report.killed = outcomes.into_values().collect();
        report.record(Action::Kill, summary(&report.killed), shown);
        self.step(Step::Killed);
    }

    /// Stops the new ones and whatever they started meanwhile, until a look finds nothing new.
    pub(crate) fn freeze(&self, report: &Report, members: &mut Members<'_>, new: &mut Vec<i32>) -> Frozen {
        let mut frozen = Frozen(Vec::new());
        for _ in 0..ROUNDS {
            let groups = leaf_groups(members, new);
            self.write_down(report, members, new, &groups);
            for group in groups {
                if group.freeze(true).is_ok() {
                    frozen.0.push(group);
                }
            }
            for member in new.iter().filter_map(|pid| members.get(*pid)) {
                let _ = member.handle.signal(Signal::STOP);
            }
            settle(members, new);
            *new = members.look(false);
            if new.is_empty() {
                break;
            }
        }
        frozen
    }

    /// What replay must not leave stopped. Not synced: processes do not outlive a power cut.
    fn write_down(&self, report: &Report, members: &Members<'_>, new: &[i32], groups: &[Cgroup]) {
        let processes =
            new.iter().filter_map(|pid| members.get(*pid)).map(|m| m.facts.process.into()).collect();
        let groups = groups.iter().map(|g| RawPath(g.dir().as_os_str().as_bytes().to_vec())).collect();
        let progress = Progress::Freezing { processes, groups };
        // A journal that cannot be written does not stop a kill; the report says so already.
        let _ = self.journal.append(report.journal, Body::Progress(progress), false);
    }

    fn end(&self, members: &Members<'_>, outcomes: &mut BTreeMap<(u64, i32), KilledProcess>) {
        let mut signalled = Vec::new();
        for m in members.iter() {
            let process = m.facts.process;
            let key = (process.start_time, process.pid);
            if outcomes.get(&key).is_some_and(|k| k.outcome.is_settled()) {
                continue;
            }
            let (exe, cmdline) = (m.facts.exe.clone(), m.facts.cmdline.clone());
            let outcome = match m.handle.signal(Signal::KILL) {
                Ok(()) => Outcome::Done,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Outcome::AlreadyGone,
                Err(e) => Outcome::Failed(format!("SIGKILL: {e}")),
            };
            if outcome == Outcome::Done {
                signalled.push((key, m));
            }
            outcomes.insert(key, KilledProcess { process, exe, cmdline, outcome });
        }
        let until = Instant::now() + self.config.kill_wait;
        for (key, m) in signalled {
            if m.handle.wait_gone(until.saturating_duration_since(Instant::now())) {
                continue;
            }
            let state = procfs::stat(m.facts.process.pid).map_or('?', |s| char::from(s.state));
            if let Some(k) = outcomes.get_mut(&key) {
                k.outcome = Outcome::Partial(format!("signalled, still there in state {state}"));
            }
        }
    }
}

/// Leaf groups that hold members only: the kernel freezes those whole, children born meanwhile
/// included.
fn leaf_groups(members: &Members<'_>, new: &[i32]) -> Vec<Cgroup> {
    let mut groups: HashMap<std::path::PathBuf, Cgroup> = HashMap::new();
    for pid in new {
        if let Ok(Some(group)) = Cgroup::of(*pid) {
            groups.entry(group.dir().to_owned()).or_insert(group);
        }
    }
    groups
        .into_values()
        .filter(|g| {
            g.is_leaf().unwrap_or(false)
                && g.members().is_ok_and(|pids| !pids.is_empty() && pids.iter().all(|p| members.contains(*p)))
        })
        .collect()
}

/// Waits until the new members stand still: one that still runs may start another.
fn settle(members: &Members<'_>, new: &[i32]) {
    let until = Instant::now() + SETTLE;
    for member in new.iter().filter_map(|pid| members.get(*pid)) {
        while !member.handle.is_gone()
            && procfs::stat(member.facts.process.pid).is_ok_and(|s| !s.is_stopped() && !s.is_dead())
        {
            if Instant::now() >= until {
                return;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

fn summary(killed: &[KilledProcess]) -> Outcome {
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
    if killed.is_empty() || (done == killed.len() && killed.iter().all(|k| k.outcome == Outcome::AlreadyGone))
    {
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
