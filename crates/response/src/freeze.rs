// SPDX-License-Identifier: Apache-2.0
//! Stopping members so that none of them sees another one go, and letting go what must not stay
//! stopped.

use crate::journal::{Body, Progress};
use crate::members::{Member, Members};
use crate::responder::Responder;
use lazaret_model::JournalId;
use lazaret_sys::cgroup::Cgroup;
use lazaret_sys::process::Signal;
use lazaret_sys::procfs;
use lazaret_vault::RawPath;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// How long stopped processes get to stand still, per round.
const SETTLE: Duration = Duration::from_millis(20);

/// Groups that are let go again whatever happens.
#[derive(Default)]
pub(crate) struct Frozen(pub(crate) Vec<Cgroup>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for group in &self.0 {
            let _ = group.freeze(false);
        }
    }
}

impl Responder {
    /// Writes down that it is stopped, then stops it. Not synced: processes do not outlive a power
    /// cut. A journal that cannot be written does not stop a kill; the report says so already.
    pub(crate) fn hold(&self, journal: JournalId, member: &Member) {
        let processes = vec![member.facts.process.into()];
        let progress = Progress::Freezing { processes, groups: Vec::new() };
        let _ = self.journal.append(journal, Body::Progress(progress), false);
        let _ = member.handle.signal(Signal::STOP);
    }

    /// Freezes the groups that hold members only: the kernel freezes those whole, children born
    /// meanwhile included.
    pub(crate) fn freeze_groups(
        &self,
        journal: JournalId,
        members: &Members<'_>,
        new: &[i32],
        frozen: &mut Frozen,
    ) {
        let groups = leaf_groups(members, new);
        if groups.is_empty() {
            return;
        }
        let dirs = groups.iter().map(|g| RawPath(g.dir().as_os_str().as_bytes().to_vec())).collect();
        let progress = Progress::Freezing { processes: Vec::new(), groups: dirs };
        let _ = self.journal.append(journal, Body::Progress(progress), false);
        for group in groups {
            if group.freeze(true).is_ok() {
                frozen.0.push(group);
            }
        }
    }
}

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

/// Waits until the new members stand still, all their threads: one that still runs may start
/// another process.
pub(crate) fn settle(members: &Members<'_>, new: &[i32]) {
    let until = Instant::now() + SETTLE;
    for member in new.iter().filter_map(|pid| members.get(*pid)) {
        while !member.handle.is_gone()
            && procfs::stands_still(member.facts.process.pid).is_ok_and(|still| !still)
        {
            if Instant::now() >= until {
                return;
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}
