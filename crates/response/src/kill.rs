// SPDX-License-Identifier: Apache-2.0
//! Freeze to a fixed point, kill by pidfd, confirm, and look whether somebody brings it back.

use crate::bounded::Pending;
use crate::bystanders;
use crate::config::Step;
use crate::freeze::{self, Frozen};
use crate::look::{MAPPINGS, ROUNDS, ask_mappers};
use crate::members::{Members, Rules, Scope};
use crate::plan::{MayKill, Report, Target};
use crate::respawn::Comebacks;
use crate::responder::Responder;
use crate::tally::{self, Tally};
use lazaret_model::{Action, FileRef, JournalId, KilledProcess, Outcome, ProcessFacts};
use lazaret_sys::lease::is_open_nowhere_else;
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs::Sought;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Looks at processes that have just begun, while some have and none of them runs the file: one that
/// hops from number to number is between two of them at the first look.
const HOPS: usize = 12;

/// Times that the whole is done again because something new appeared after the kill.
const PASSES: usize = 32;

/// How long the kernel gets to let go of a dead process's program.
const LET_GO: Duration = Duration::from_millis(4);

/// Pause between two looks for what comes back.
const PAUSE: Duration = Duration::from_millis(4);

/// One kill under way.
struct Hunt<'a> {
    responder: &'a Responder,
    journal: JournalId,
    target: &'a Target,
    members: Members<'a>,
    comebacks: Comebacks,
    /// Memory maps could not be looked at in time.
    unseen: bool,
}

impl Responder {
    /// Ends everything that runs the file; adds what came of it to the report.
    pub(crate) fn kill(
        &self,
        report: &mut Report,
        target: &Target,
        named: Vec<ProcessHandle>,
        path: &[u8],
        start: Instant,
    ) {
        let shown = String::from_utf8_lossy(path);
        let journal = report.journal;
        let rules = Rules {
            file: Sought::open(target.file.as_fd(), &target.identity),
            label: path,
            config: &self.config,
            may_kill: &target.may_kill,
            hold: &|member| self.hold(journal, member),
        };
        let members = Members::new(rules);
        let mut hunt =
            Hunt { responder: self, journal, target, members, comebacks: Comebacks::new(), unseen: false };
        let mut tally = Tally::default();
        let mut seeds = Vec::new();
        for handle in named {
            match hunt.members.name(handle) {
                Ok(pid) => seeds.extend(pid),
                Err(other) => report.left_alone.push(other_identity(&other)),
            }
        }
        let names_left = report.timings.name_gone.is_none()
            || rustix::fs::fstat(&target.file).is_ok_and(|s| s.st_nlink > 1);
        // When nobody else has it open nobody runs it: microseconds instead of a walk through /proc.
        let mut everywhere = !hunt.is_alone();
        for _ in 0..PASSES {
            if hunt.members.is_empty() && !everywhere {
                break;
            }
            let (new, frozen) = hunt.close_ranks(std::mem::take(&mut seeds), everywhere, !tally.is_empty());
            if new.is_empty() {
                if tally.is_empty() || !(everywhere || names_left) {
                    break;
                }
                seeds = hunt.watch(names_left);
                if seeds.is_empty() {
                    break;
                }
                continue;
            }
            if tally.is_empty() {
                report.record(Action::Freeze, Outcome::Done, shown.clone());
                self.step(Step::Frozen);
            }
            hunt.comebacks.after_kill();
            tally.end(&hunt.members, self.config.kill_wait);
            report.timings.last_gone = Some(start.elapsed());
            drop(frozen);
            everywhere = !hunt.is_let_go();
        }
        if !seeds.is_empty() {
            // It came back more often than there are passes: nobody stays stopped.
            tally.end(&hunt.members, self.config.kill_wait);
        }
        hunt.conclude(report, tally, everywhere, &shown);
        self.step(Step::Killed);
    }

    /// Ends processes of a file that is gone: those named, and who still executes the inode.
    pub(crate) fn end_known(
        &self,
        report: &mut Report,
        file: FileRef,
        named: Vec<ProcessHandle>,
        may_kill: &MayKill,
        path: &[u8],
    ) {
        let journal = report.journal;
        let rules = Rules {
            file: Sought::from(&file),
            label: path,
            config: &self.config,
            may_kill,
            hold: &|member| self.hold(journal, member),
        };
        let mut members = Members::new(rules);
        for handle in named {
            let _ = members.name(handle);
        }
        members.look_everywhere();
        let mut tally = Tally::default();
        tally.end(&members, self.config.kill_wait);
        report.killed = tally.outcomes(&members);
        report.record(Action::Kill, tally::summary(&report.killed), String::from_utf8_lossy(path));
    }
}

impl Hunt<'_> {
    fn is_alone(&self) -> bool {
        is_open_nowhere_else(self.target.file.as_fd()).unwrap_or(false)
    }

    /// A dead process's program stays open for a moment.
    fn is_let_go(&self) -> bool {
        let end = Instant::now() + LET_GO;
        loop {
            let alone = self.is_alone();
            if alone || Instant::now() >= end {
                return alone;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Finds and stops members until a look finds nothing new. Gives those that are new, all of them
    /// stopped. Not `everywhere`: nobody runs the file itself, only families are looked at. `again`:
    /// members were killed already; then every process of the host is asked for its family, which takes
    /// as long as all the rest and is not to hold up the first kill.
    fn close_ranks(&mut self, seeds: Vec<i32>, everywhere: bool, again: bool) -> (Vec<i32>, Frozen) {
        let mut frozen = Frozen::default();
        // Who was not answered once is not waited for again.
        let mut mappers = (everywhere && !self.unseen).then(|| ask_mappers(&self.members));
        let mut fresh = seeds;
        if everywhere {
            fresh.extend(self.members.look_at_programs(Scope::All));
        }
        if again || fresh.is_empty() {
            fresh.extend(self.members.look_at_families(Scope::All));
        }
        let (mut all, mut hops) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let spare = &*self.responder.config.spare;
            fresh.extend(self.comebacks.look(&mut self.members, &fresh, spare));
            self.responder.freeze_groups(self.journal, &self.members, &fresh, &mut frozen);
            freeze::settle(&self.members, &fresh);
            all.extend(&fresh);
            let mut next = mappers.take().map_or_else(Vec::new, |m| self.take_mappers(&m));
            let nothing = next.is_empty() && fresh.is_empty();
            let hopping = nothing && everywhere && hops < HOPS && !self.members.list(Scope::New).is_empty();
            hops += usize::from(hopping);
            if !nothing || hopping {
                if everywhere {
                    next.extend(self.members.look_at_programs(Scope::New));
                }
                next.extend(self.look_at_families(&all, &next));
            }
            if next.is_empty() && !hopping {
                break;
            }
            fresh = next;
        }
        self.members.tell_arguments(&all);
        (all, frozen)
    }

    fn look_at_families(&mut self, all: &[i32], next: &[i32]) -> Vec<i32> {
        let parents: Vec<i32> = all.iter().chain(next).copied().collect();
        match self.members.look_at_children(&parents) {
            Some(new) => new,
            None => self.members.look_at_families(Scope::All),
        }
    }

    fn take_mappers(&mut self, asked: &Pending<Vec<i32>>) -> Vec<i32> {
        let Some(pids) = asked.until(Instant::now() + MAPPINGS) else {
            self.unseen = true;
            return Vec::new();
        };
        self.members.take_mappers(&pids)
    }

    /// Looks for a while whether something brings it back; gives what came, stopped.
    fn watch(&mut self, names_left: bool) -> Vec<i32> {
        let end = Instant::now() + self.responder.config.watch;
        loop {
            if !names_left && self.is_alone() {
                return Vec::new();
            }
            let new = self.members.look_at_programs(Scope::All);
            if !new.is_empty() || Instant::now() >= end {
                return new;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn conclude(self, report: &mut Report, tally: Tally, everywhere: bool, shown: &str) {
        report.killed = tally.outcomes(&self.members);
        let mut outcome = tally::summary(&report.killed);
        let alive: Vec<KilledProcess> =
            self.members.innocent().chain(self.comebacks.spared()).cloned().collect();
        if let Some(k) = alive.first() {
            outcome = tally::but(outcome, format!("process {} {}", k.process.pid, k.outcome.reason()));
        }
        if self.unseen {
            let why = "the memory maps of some processes could not be looked at in time";
            outcome = tally::but(outcome, why.to_owned());
        }
        if everywhere {
            let readers = bystanders::readers(&self.members);
            let unknown = |r: &&ProcessFacts| !alive.iter().any(|a| a.process == r.process);
            report.left_alone.extend(readers.iter().filter(unknown).map(bystanders::left_alone));
        }
        report.left_alone.extend(alive);
        report.record(Action::Kill, outcome, shown);
    }
}

/// The number means another process by now.
fn other_identity(named: &ProcessHandle) -> KilledProcess {
    let why = "it is gone, and its number means another process by now: left alone";
    KilledProcess {
        process: named.process(),
        exe: Vec::new(),
        cmdline: Vec::new(),
        outcome: Outcome::Refused(why.to_owned()),
        unit: None,
        container: None,
    }
}
