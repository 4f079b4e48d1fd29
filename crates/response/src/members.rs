// SPDX-License-Identifier: Apache-2.0
//! Who belongs to what is being ended.
//!
//! Members are: processes named by the event; processes whose executable is the inode or that have
//! it mapped executable; and descendants of members, unless they are in another systemd unit than
//! the member they come from (a program that started a service does not take the service along).
//! A descendant that was given to another parent still counts when it is in the session of a member
//! that leads it. Readers do not count.

use crate::guard::Floor;
use crate::plan::MayKill;
use lazaret_model::{FileRef, KilledProcess, Outcome, ProcessFacts};
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs::{self, Stat};
use std::collections::{HashMap, HashSet};

/// A process that may be ended.
pub(crate) struct Member {
    pub(crate) handle: ProcessHandle,
    pub(crate) facts: ProcessFacts,
    session: i32,
}

/// The growing set.
pub(crate) struct Members<'a> {
    file: FileRef,
    /// Its path before it was moved: what /proc calls the executable now is the staged name.
    label: &'a [u8],
    floor: Floor,
    exempt: &'a dyn Fn(i32) -> bool,
    may_kill: &'a MayKill,
    set: HashMap<i32, Member>,
    looked_at: HashSet<(i32, u64)>,
    refused: HashMap<(i32, u64), KilledProcess>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(
        file: FileRef,
        label: &'a [u8],
        exempt: &'a dyn Fn(i32) -> bool,
        may_kill: &'a MayKill,
    ) -> Self {
        Self {
            file,
            label,
            floor: Floor::now(),
            exempt,
            may_kill,
            set: HashMap::new(),
            looked_at: HashSet::new(),
            refused: HashMap::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.set.values()
    }

    pub(crate) fn contains(&self, pid: i32) -> bool {
        self.set.contains_key(&pid)
    }

    pub(crate) fn get(&self, pid: i32) -> Option<&Member> {
        self.set.get(&pid)
    }

    /// What a guard kept alive.
    pub(crate) fn refused(&self) -> impl Iterator<Item = &KilledProcess> {
        self.refused.values()
    }

    /// Takes in a process that the event named.
    pub(crate) fn name(&mut self, handle: ProcessHandle) -> Option<i32> {
        self.admit(handle)
    }

    /// Looks through all processes once; gives the pids that are new in the set. With `thorough`,
    /// mappings of processes that were looked at before are looked at again.
    pub(crate) fn look(&mut self, thorough: bool) -> Vec<i32> {
        let mut new = Vec::new();
        let all: Vec<(i32, Stat)> =
            procfs::pids().filter_map(|pid| Some((pid, procfs::stat(pid).ok()?))).collect();
        for (pid, stat) in &all {
            let key = (*pid, stat.start_time);
            if stat.kernel_thread || stat.is_dead() || self.holds(key) || self.refused.contains_key(&key) {
                continue;
            }
            let first = self.looked_at.insert(key);
            let uses = if first || thorough {
                procfs::uses(*pid, &self.file, true).is_some()
            } else {
                procfs::executes(*pid, &self.file)
            };
            if uses {
                new.extend(self.take_user(*pid));
            }
        }
        // Children of new members may stand before them in the list: again until nothing is added.
        loop {
            let before = new.len();
            for (pid, stat) in &all {
                let key = (*pid, stat.start_time);
                if !stat.kernel_thread
                    && !stat.is_dead()
                    && !self.holds(key)
                    && !self.refused.contains_key(&key)
                    && self.is_descendant(*pid, stat)
                    && let Ok(handle) = ProcessHandle::open(*pid)
                    && handle.process().start_time == stat.start_time
                {
                    new.extend(self.admit(handle));
                }
            }
            if new.len() == before {
                return new;
            }
        }
    }

    fn holds(&self, (pid, start_time): (i32, u64)) -> bool {
        self.set.get(&pid).is_some_and(|m| m.facts.process.start_time == start_time)
    }

    /// Takes hold first and looks again then: what is held is what uses the file.
    fn take_user(&mut self, pid: i32) -> Option<i32> {
        let handle = ProcessHandle::open(pid).ok()?;
        procfs::uses(pid, &self.file, true)?;
        if handle.is_gone() { None } else { self.admit(handle) }
    }

    fn is_descendant(&self, pid: i32, stat: &Stat) -> bool {
        let from = |m: &Member| m.facts.process.start_time <= stat.start_time;
        let parent = self.set.get(&stat.ppid).filter(|m| from(m) && !m.handle.is_gone()).or_else(|| {
            let leader = self.set.get(&stat.session).filter(|m| from(m))?;
            (leader.session == leader.facts.process.pid).then_some(leader)
        });
        let Some(parent) = parent else { return false };
        let unit = procfs::control_group(pid).ok().and_then(|g| procfs::unit_of(&g.path));
        unit.is_none() || unit == parent.facts.unit
    }

    fn admit(&mut self, handle: ProcessHandle) -> Option<i32> {
        let process = handle.process();
        let key = (process.pid, process.start_time);
        if self.holds(key) || self.refused.contains_key(&key) {
            return None;
        }
        let mut facts = procfs::facts(process.pid).ok().filter(|f| f.process == process)?;
        if procfs::executes(process.pid, &self.file) {
            self.label.clone_into(&mut facts.exe);
        }
        let session = procfs::stat(process.pid).ok()?.session;
        if handle.is_gone() {
            return None;
        }
        let guard = self.floor.check(&facts, self.exempt).and_then(|()| (self.may_kill)(&facts));
        if let Err(guard) = guard {
            let outcome = Outcome::Refused(guard.to_string());
            self.refused
                .insert(key, KilledProcess { process, exe: facts.exe, cmdline: facts.cmdline, outcome });
            return None;
        }
        self.set.insert(process.pid, Member { handle, facts, session });
        Some(process.pid)
    }
}
