// SPDX-License-Identifier: Apache-2.0
//! Who belongs to what is being ended (docs/adr/0007-who-is-killed.md).
//!
//! Members are: processes named by the event; processes whose executable is the inode; processes
//! that have it mapped executable, unless it is a library to an innocent program; descendants of
//! members, unless they are in another systemd unit than the member they come from (a program that
//! started a service does not take the service along); and who keeps bringing killed members back.
//! A descendant that was given to another parent still counts when it is in the session of a member
//! that leads it. Readers do not count.

use crate::bystanders;
use crate::config::ResponderConfig;
use crate::guard::Floor;
use crate::plan::MayKill;
use lazaret_model::{KilledProcess, Outcome, ProcessFacts};
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs::{self, Overlays, Sought, Stat, Use};
use std::collections::{HashMap, HashSet};

/// Why a process is a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The event named it: an interpreter of the script.
    Named,
    /// Its executable is the file.
    Executes,
    /// It has the file mapped executable.
    Maps,
    /// A member started it.
    Descendant,
    /// It brings killed members back. What else it started is let be.
    Respawner,
}

/// A process that may be ended.
pub(crate) struct Member {
    pub(crate) handle: ProcessHandle,
    pub(crate) facts: ProcessFacts,
    pub(crate) relation: Relation,
    /// The host's service that it belongs to.
    service: Option<String>,
    session: i32,
}

impl Member {
    pub(crate) fn record(&self, outcome: Outcome) -> KilledProcess {
        record(&self.facts, self.service.clone(), outcome)
    }
}

/// Which processes a look is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    /// Those that the look before did not list: a millisecond less.
    New,
}

/// What the set is made of; all for one file.
pub(crate) struct Rules<'a> {
    pub(crate) file: Sought,
    /// Its path before it was moved: what /proc calls the executable now is the staged name.
    pub(crate) label: &'a [u8],
    /// Who is never touched, and who is spared although it has the file loaded.
    pub(crate) config: &'a ResponderConfig,
    pub(crate) may_kill: &'a MayKill,
    /// Called for each new member at once: it is to be stopped.
    pub(crate) hold: &'a dyn Fn(&Member),
}

/// The growing set.
pub(crate) struct Members<'a> {
    rules: Rules<'a>,
    floor: Floor,
    set: HashMap<i32, Member>,
    listed: HashSet<i32>,
    refused: HashMap<(i32, u64), KilledProcess>,
    innocent: HashMap<(i32, u64), KilledProcess>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(rules: Rules<'a>) -> Self {
        Self {
            rules,
            floor: Floor::now(),
            set: HashMap::new(),
            listed: HashSet::new(),
            refused: HashMap::new(),
            innocent: HashMap::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.set.values()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.refused.is_empty() && self.innocent.is_empty()
    }

    pub(crate) fn contains(&self, pid: i32) -> bool {
        self.set.contains_key(&pid)
    }

    pub(crate) fn get(&self, pid: i32) -> Option<&Member> {
        self.set.get(&pid)
    }

    pub(crate) fn file(&self) -> &Sought {
        &self.rules.file
    }

    /// Not to be touched by anybody here.
    pub(crate) fn is_own(&self, pid: i32) -> bool {
        self.floor.is_own(pid) || (self.rules.config.exempt)(pid)
    }

    /// What a guard kept alive.
    pub(crate) fn refused(&self) -> impl Iterator<Item = &KilledProcess> {
        self.refused.values()
    }

    /// Programs that have the file loaded as a library and were left alive.
    pub(crate) fn innocent(&self) -> impl Iterator<Item = &KilledProcess> {
        self.innocent.values()
    }

    /// Takes in a process that the event named; `Err` when its number means another one by now.
    pub(crate) fn name(&mut self, handle: ProcessHandle) -> Result<Option<i32>, ProcessHandle> {
        let process = handle.process();
        match procfs::stat(process.pid) {
            Ok(s) if s.start_time != process.start_time => Err(handle),
            _ => Ok(self.admit(handle, Relation::Named)),
        }
    }

    /// Takes in those whose executable is the file; gives the pids that are new in the set.
    pub(crate) fn look_at_programs(&mut self, scope: Scope) -> Vec<i32> {
        let pids = self.list(scope);
        if scope == Scope::All {
            // Who is listed now and becomes a user later is found by the next look at all.
            self.listed = pids.iter().copied().collect();
        }
        let mut new = Vec::new();
        for pid in pids {
            if !self.has_living(pid) && procfs::is_executed_by(&self.rules.file, pid) {
                new.extend(self.take(pid, Relation::Executes));
            }
        }
        new
    }

    /// Takes in children of members, and theirs, without looking at anybody else; `None` where the
    /// kernel does not tell.
    pub(crate) fn look_at_children(&mut self, of: &[i32]) -> Option<Vec<i32>> {
        let mut new: Vec<i32> = Vec::new();
        let mut parents = of.to_vec();
        while let Some(parent) = parents.pop() {
            let children = match procfs::children(parent) {
                Ok(c) => c,
                Err(_) if procfs::stat(parent).is_err() => continue,
                Err(_) => return None,
            };
            for pid in children {
                if let Ok(stat) = procfs::stat(pid)
                    && !stat.is_dead()
                    && !self.knows((pid, stat.start_time))
                    && self.is_descendant(pid, &stat)
                    && let Ok(handle) = ProcessHandle::open(pid)
                    && handle.process().start_time == stat.start_time
                    && let Some(pid) = self.admit(handle, Relation::Descendant)
                {
                    new.push(pid);
                    parents.push(pid);
                }
            }
        }
        Some(new)
    }

    /// Takes in descendants of members, and users whose first thread has exited.
    pub(crate) fn look_at_families(&mut self, scope: Scope) -> Vec<i32> {
        let pids = self.list(scope);
        if self.listed.is_empty() {
            self.listed = pids.iter().copied().collect();
        }
        let all: Vec<(i32, Stat)> = pids
            .into_iter()
            .filter_map(|pid| Some((pid, procfs::stat(pid).ok()?)))
            .filter(|(_, s)| !s.kernel_thread && !s.is_dead())
            .collect();
        let mut new = Vec::new();
        for (pid, stat) in &all {
            if stat.is_leaderless()
                && !self.knows((*pid, stat.start_time))
                && procfs::is_executed_by(&self.rules.file, procfs::of_a_thread(*pid, stat))
            {
                new.extend(self.take(*pid, Relation::Executes));
            }
        }
        // Children of new members may stand before them in the list: again until nothing is added.
        loop {
            let before = new.len();
            for (pid, stat) in &all {
                if !self.knows((*pid, stat.start_time))
                    && self.is_descendant(*pid, stat)
                    && let Ok(handle) = ProcessHandle::open(*pid)
                    && handle.process().start_time == stat.start_time
                {
                    new.extend(self.admit(handle, Relation::Descendant));
                }
            }
            if new.len() == before {
                return new;
            }
        }
    }

    /// Takes in processes that were seen to have it mapped executable.
    pub(crate) fn take_mappers(&mut self, pids: &[i32]) -> Vec<i32> {
        pids.iter()
            .filter_map(|pid| if self.has_living(*pid) { None } else { self.take(*pid, Relation::Maps) })
            .collect()
    }

    /// Takes in who brings members back.
    pub(crate) fn take_respawner(&mut self, handle: ProcessHandle) -> Option<i32> {
        self.admit(handle, Relation::Respawner)
    }

    /// Processes that a look is for.
    pub(crate) fn list(&self, scope: Scope) -> Vec<i32> {
        procfs::pids().filter(|p| scope == Scope::All || !self.listed.contains(p)).collect()
    }

    fn has_living(&self, pid: i32) -> bool {
        self.set.get(&pid).is_some_and(|m| !m.handle.is_gone())
    }

    fn knows(&self, key: (i32, u64)) -> bool {
        self.set.get(&key.0).is_some_and(|m| m.facts.process.start_time == key.1)
            || self.refused.contains_key(&key)
            || self.innocent.contains_key(&key)
    }

    /// Takes hold first and looks again then: what is held is what uses the file.
    fn take(&mut self, pid: i32, relation: Relation) -> Option<i32> {
        let handle = ProcessHandle::open(pid).ok()?;
        if self.knows((pid, handle.process().start_time)) {
            return None;
        }
        let file = &self.rules.file;
        let stat = procfs::stat(pid).ok()?;
        let shown = procfs::of_a_thread(pid, &stat);
        let still = procfs::is_executed_by(file, shown)
            || (relation == Relation::Maps
                && procfs::mapped(file, shown, true, &mut Overlays::new())
                    .is_ok_and(|u| u == Some(Use::Maps)));
        if !still || handle.is_gone() { None } else { self.admit(handle, relation) }
    }

    fn is_descendant(&self, pid: i32, stat: &Stat) -> bool {
        let from = |m: &Member| m.facts.process.start_time <= stat.start_time;
        let parent = self.set.get(&stat.ppid).filter(|m| from(m) && !m.handle.is_gone()).or_else(|| {
            let leader = self.set.get(&stat.session).filter(|m| from(m))?;
            (leader.session == leader.facts.process.pid).then_some(leader)
        });
        let Some(parent) = parent else { return false };
        if parent.relation == Relation::Respawner {
            // It keeps malware alive, but what else it started may be anybody's.
            return false;
        }
        let unit = procfs::control_group(pid).ok().and_then(|g| procfs::unit_of(&g.path));
        unit.is_none() || unit == parent.facts.unit
    }

    fn admit(&mut self, handle: ProcessHandle, relation: Relation) -> Option<i32> {
        let process = handle.process();
        let key = (process.pid, process.start_time);
        if self.knows(key) {
            return None;
        }
        // Without the arguments: reading those can wait for the process.
        let mut facts = procfs::outline(process.pid).ok().filter(|f| f.process == process)?;
        let executes = procfs::is_executed_by(&self.rules.file, process.pid);
        if executes {
            self.rules.label.clone_into(&mut facts.exe);
        }
        let session = procfs::stat(process.pid).ok()?.session;
        let service = service(&facts);
        if handle.is_gone() {
            return None;
        }
        let guard =
            self.floor.check(&facts, &*self.rules.config.exempt).and_then(|()| (self.rules.may_kill)(&facts));
        if let Err(guard) = guard {
            self.refused.insert(key, record(&facts, service, Outcome::Refused(guard.to_string())));
            return None;
        }
        if relation == Relation::Maps
            && !executes
            && let Some(why) = bystanders::innocent(&facts, &*self.rules.config.spare)
        {
            let why = library(&facts, service.as_deref(), &why);
            self.innocent.insert(key, record(&facts, service, Outcome::Refused(why)));
            return None;
        }
        let member = Member { handle, facts, relation, service, session };
        (self.rules.hold)(&member);
        self.set.insert(process.pid, member);
        Some(process.pid)
    }

    /// Arguments of members, asked once they stand still.
    pub(crate) fn describe(&mut self, arguments: Vec<(i32, Vec<u8>)>) {
        for (pid, cmdline) in arguments {
            if let Some(m) = self.set.get_mut(&pid)
                && m.facts.cmdline.is_empty()
            {
                m.facts.cmdline = cmdline;
            }
        }
    }
}

/// The service that can be started again by its name, asked only where there may be one.
pub(crate) fn service(facts: &ProcessFacts) -> Option<String> {
    facts.unit.as_ref().filter(|u| u.ends_with(".service"))?;
    procfs::service_of(&procfs::control_group(facts.process.pid).ok()?.path)
}

/// What is said of a program that has the file loaded and is left alive, with the way out.
fn library(facts: &ProcessFacts, service: Option<&str>, why: &str) -> String {
    let restart = match (service, &facts.container) {
        (Some(unit), _) => format!("systemctl restart {unit}"),
        (None, Some(id)) => format!("restart container {id}"),
        (None, None) => format!("end process {} and start it again", facts.process.pid),
    };
    format!("has it loaded as a library, but {why}: left alive; to be rid of it: {restart}")
}

/// The record of a process.
pub(crate) fn record(facts: &ProcessFacts, unit: Option<String>, outcome: Outcome) -> KilledProcess {
    KilledProcess {
        process: facts.process,
        exe: facts.exe.clone(),
        cmdline: facts.cmdline.clone(),
        outcome,
        unit,
        container: facts.container.clone(),
    }
}
