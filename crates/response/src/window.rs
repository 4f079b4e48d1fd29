// SPDX-License-Identifier: Apache-2.0
//! The un-kill window: what would be killed is frozen, and killed only when nobody objects in time.
//!
//! The target set and the freezing are those of the kill. The file is denied and keeps its name until
//! the window ends. The intent is in the journal before anything is frozen, and closed after the
//! isolation that follows has its own outcome: a crash at any point leaves an open intent, and
//! [`Responder::interrupted`] hands it out at the next start.

use crate::freeze::Frozen;
use crate::intent;
use crate::isolate::judged;
use crate::journal::{Body, Intent, Progress, WindowIntent, now_ms};
use crate::members::{Members, Rules, Scope};
use crate::objection::{Answer, Objection};
use crate::open::Inode;
use crate::plan::{MayKill, Report, Target};
use crate::responder::Responder;
use lazaret_model::{Action, AlarmId, FileRef, IsolatedId, JournalId, Outcome};
use lazaret_sys::cgroup::Cgroup;
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs::{self, Sought};
use std::collections::HashSet;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two looks whether everything still stands, until somebody has woken one: who was woken
/// runs at most so long. A frozen control group is woken by nobody.
const CALM: Duration = Duration::from_millis(10);

/// The same from then on.
const WATCH: Duration = Duration::from_millis(2);

/// Between two looks for processes that joined the set.
const LOOK: Duration = Duration::from_millis(100);

/// How long let-go processes get to run again before the report says that they do not.
const THAW: Duration = Duration::from_millis(200);

/// Somebody who lets it go this often defeats the purpose: then it is killed at once. Each time it
/// runs for [`WATCH`] and a moment.
const MAX_WOKEN: u32 = 100;

/// What is known when everything stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standstill {
    /// Frozen processes.
    pub processes: usize,
    /// When they are killed, milliseconds UTC.
    pub until_ms: i64,
}

/// How long to wait for whom.
pub struct Window {
    /// From the moment in which everything stands still.
    pub wait: Duration,
    /// Where an objection comes from.
    pub objection: Arc<Objection>,
    /// Called once, when everything stands still. Not called when nothing runs the file: then
    /// nothing waits.
    pub on_frozen: Box<dyn FnOnce(Standstill) + Send>,
}

/// How a window ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowEnd {
    /// Nothing ran the file, so there was nothing to wait for.
    NothingRan,
    /// Nobody objected.
    Expired,
    /// Somebody ended it early: killed and isolated.
    Now(String),
    /// Somebody let everything go on.
    Thawed(String),
}

/// What stands still.
struct Held<'a> {
    members: Members<'a>,
    frozen: Vec<Frozen>,
    /// Stood still before we came, by pid and start time: they are not let go by us.
    before: HashSet<(i32, u64)>,
    /// Times that somebody else let one go.
    woken: u32,
}

impl Held<'_> {
    /// Stops again what was let go by somebody else.
    fn watch(&mut self) {
        let grouped = self.grouped();
        for m in self.members.iter() {
            let process = m.facts.process;
            let runs = || {
                !m.handle.is_gone()
                    && procfs::stat(process.pid).is_ok_and(|s| !s.is_stopped() && !s.is_dead())
            };
            if !grouped.contains(&process.pid) && runs() && m.handle.signal(Signal::STOP).is_ok() {
                self.woken = self.woken.saturating_add(1);
            }
        }
    }

    /// Members of frozen groups: the kernel holds them, whatever signals they get.
    fn grouped(&self) -> HashSet<i32> {
        let groups = self.frozen.iter().flat_map(|f| &f.0);
        groups.filter(|g| refreeze(g)).filter_map(|g| g.members().ok()).flatten().collect()
    }

    fn is_empty(&self) -> bool {
        self.members.iter().all(|m| m.handle.is_gone())
    }

    fn handles(&self) -> Vec<ProcessHandle> {
        self.members.iter().filter_map(|m| m.handle.try_clone().ok()).collect()
    }

    /// Lets everything go on that we have stopped. Says who does not.
    fn let_go(mut self) -> Outcome {
        let ours: Vec<_> = self
            .members
            .iter()
            .filter(|m| !self.before.contains(&key(&m.handle)))
            .map(|m| &m.handle)
            .collect();
        let wake = || ours.iter().for_each(|h| drop(h.signal(Signal::CONT)));
        // Before the groups: it takes back a stop that is pending in them. After them: for the rest.
        wake();
        self.frozen.clear();
        wake();
        let end = Instant::now() + THAW;
        let standing = || {
            let stands =
                |h: &&&ProcessHandle| !h.is_gone() && procfs::stat(h.pid()).is_ok_and(|s| s.state == b'T');
            ours.iter().filter(stands).count()
        };
        while standing() > 0 && Instant::now() < end {
            std::thread::sleep(WATCH);
        }
        match standing() {
            0 => Outcome::Done,
            n => Outcome::Partial(format!("{n} of {} stand still; somebody else stops them", ours.len())),
        }
    }
}

fn key(handle: &ProcessHandle) -> (i32, u64) {
    (handle.process().pid, handle.process().start_time)
}

/// Whether the group is frozen; one that somebody let go is frozen again.
fn refreeze(group: &Cgroup) -> bool {
    match group.is_frozen() {
        Ok(true) => true,
        Ok(false) => group.freeze(true).is_ok(),
        Err(_) => false,
    }
}

/// What a window is about, without the open file.
pub(crate) struct Subject<'a> {
    pub(crate) file: FileRef,
    pub(crate) sought: Sought,
    pub(crate) label: &'a [u8],
    pub(crate) may_kill: &'a MayKill,
}

impl Responder {
    /// As `isolate_and_kill`, with a window before it where something runs the file.
    pub(crate) fn in_window(
        &self,
        alarm: Option<AlarmId>,
        who: &str,
        mut target: Target,
        window: Window,
        start: Instant,
    ) -> Report {
        let inode = Inode { dev: target.identity.dev, ino: target.identity.ino };
        let Ok(meta) = judged(&target, inode) else {
            return self.isolate_and_kill(alarm, who, target, start);
        };
        let mut report = Report::new(JournalId::new());
        let (label, may_kill) = (target.path.clone(), Arc::clone(&target.may_kill));
        let sought = Sought::open(target.file.as_fd(), &target.identity);
        let subject = Subject { file: target.identity, sought, label: &label, may_kill: &may_kill };
        let named = std::mem::replace(&mut target.processes, Box::new(Vec::new))();
        let manifest = intent::manifest(&target, &meta, alarm, who, IsolatedId::new(), report.journal, None);
        let wait_ms = i64::try_from(window.wait.as_millis()).unwrap_or(i64::MAX);
        let intent = WindowIntent { manifest, until_ms: now_ms().saturating_add(wait_ms), wait_ms };
        self.hold_open(&mut report, &subject, named, Vec::new(), Some(intent), window, |this, handles| {
            target.processes = Box::new(move || handles);
            this.isolate_and_kill(alarm, who, target, start)
        })
    }

    /// Freezes, waits, and lets go or does `then`. The records of both are one report.
    #[allow(clippy::too_many_arguments, reason = "one call for a fresh window, one for an interrupted")]
    pub(crate) fn hold_open(
        &self,
        report: &mut Report,
        subject: &Subject<'_>,
        named: Vec<ProcessHandle>,
        stood: Vec<(i32, u64)>,
        intent: Option<WindowIntent>,
        window: Window,
        then: impl FnOnce(&Self, Vec<ProcessHandle>) -> Report,
    ) -> Report {
        let shown = String::from_utf8_lossy(subject.label).into_owned();
        let journal = report.journal;
        let rules = |hold| Rules {
            file: subject.sought.clone(),
            label: subject.label,
            config: &self.config,
            may_kill: subject.may_kill,
            hold,
        };
        // First a look that touches nobody: without anybody there is no window.
        let mut seen = Members::new(rules(&|_| {}));
        let find = |members: &mut Members<'_>| {
            let handles = named.iter().filter_map(|h| h.try_clone().ok());
            let mut new: Vec<i32> = handles.filter_map(|h| members.name(h).ok().flatten()).collect();
            new.extend(members.look_everywhere());
            new
        };
        let new = find(&mut seen);
        let resumed = intent.is_none();
        if new.is_empty() && !resumed {
            let mut done = then(self, named);
            done.window = Some(WindowEnd::NothingRan);
            return done;
        }
        let journaled = match intent {
            Some(intent) => {
                self.journal.append(report.journal, Body::Intent(Intent::Window(intent)), true).is_ok()
            }
            None => true,
        };
        self.config.deny.deny(&subject.file);
        report.record(Action::Deny, Outcome::Done, shown.clone());
        if !journaled {
            // Nothing may stand still that replay would not know of: no window then.
            drop(seen);
            let mut done = then(self, named);
            done.window = Some(WindowEnd::Expired);
            return done;
        }
        let stopped = |pid: &i32| procfs::stat(*pid).is_ok_and(|s| s.is_stopped());
        let mut before: HashSet<(i32, u64)> = stood.into_iter().collect();
        if !resumed {
            before.extend(new.iter().filter(|p| stopped(p)).filter_map(|p| Some(key(&seen.get(*p)?.handle))));
            self.write_down_stood(report, &seen, &before);
        }
        drop(seen);
        let hold = |member: &_| self.hold(journal, member);
        let mut members = Members::new(rules(&hold));
        let new = find(&mut members);
        let frozen = vec![self.stand_still(journal, &mut members, new)];
        let mut held = Held { members, frozen, before, woken: 0 };
        let processes = held.members.iter().count();
        let wait_ms = i64::try_from(window.wait.as_millis()).unwrap_or(i64::MAX);
        (window.on_frozen)(Standstill { processes, until_ms: now_ms().saturating_add(wait_ms) });
        let end = self.wait(report, &mut held, window.wait, &window.objection);
        let froze = match held.woken {
            0 => Outcome::Done,
            n => Outcome::Partial(format!("let go from outside {n} times, and stopped again each time")),
        };
        report.record(Action::Freeze, froze, format!("{shown}: {processes} processes"));
        self.end_window(report, held, subject, end, then)
    }

    fn end_window(
        &self,
        report: &mut Report,
        held: Held<'_>,
        subject: &Subject<'_>,
        end: WindowEnd,
        then: impl FnOnce(&Self, Vec<ProcessHandle>) -> Report,
    ) -> Report {
        let shown = String::from_utf8_lossy(subject.label).into_owned();
        if let WindowEnd::Thawed(who) = &end {
            // First, or what goes on is refused what it opens next.
            self.config.deny.release(&subject.file);
            let outcome = held.let_go();
            report.record(Action::Thaw, outcome, format!("{shown} ({who})"));
            self.close(report, "thawed", None, false);
            let mut done = report.clone();
            done.window = Some(end);
            return done;
        }
        let mut done = then(self, held.handles());
        // Whom a guard kept, and who outlives SIGKILL: nothing stays frozen.
        let _ = held.let_go();
        self.close(report, "the window ended", None, false);
        let mut records = std::mem::take(&mut report.records);
        // Both parts deny and freeze the same; once is enough to read.
        records.extend(
            std::mem::take(&mut done.records)
                .into_iter()
                .filter(|r| !matches!(r.action, Action::Deny | Action::Freeze)),
        );
        done.records = records;
        done.window = Some(end);
        done
    }

    fn wait(
        &self,
        report: &Report,
        held: &mut Held<'_>,
        limit: Duration,
        objection: &Objection,
    ) -> WindowEnd {
        let until = Instant::now() + limit;
        let mut looked = Instant::now();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let pause = if held.woken == 0 { CALM } else { WATCH };
            match objection.wait(left.min(pause)) {
                Some(Answer::Thaw(who)) => return WindowEnd::Thawed(who),
                Some(Answer::Now(who)) => return WindowEnd::Now(who),
                None if Instant::now() >= until => return WindowEnd::Expired,
                None => {}
            }
            held.watch();
            if held.woken >= MAX_WOKEN {
                return WindowEnd::Now("it was let go from outside again and again".to_owned());
            }
            if looked.elapsed() >= LOOK {
                let mut new = held.members.look_at_programs(Scope::All);
                new.extend(held.members.look_at_families(Scope::All));
                if !new.is_empty() {
                    held.frozen.push(self.stand_still(report.journal, &mut held.members, new));
                }
                if held.is_empty() {
                    // Somebody killed them: nothing is left to wait for.
                    return WindowEnd::Expired;
                }
                looked = Instant::now();
            }
        }
    }

    fn write_down_stood(&self, report: &Report, members: &Members<'_>, before: &HashSet<(i32, u64)>) {
        if before.is_empty() {
            return;
        }
        let processes = members
            .iter()
            .filter(|m| before.contains(&key(&m.handle)))
            .map(|m| m.facts.process.into())
            .collect();
        let progress = Progress::StoodStill { processes };
        // Lost, they would be let go with the others: said nowhere, harmless.
        let _ = self.journal.append(report.journal, Body::Progress(progress), false);
    }
}
