// SPDX-License-Identifier: Apache-2.0
//! Looking for who belongs to the set: the parts that a kill, a window and a preview share.

use crate::bounded::{self, Pending};
use crate::freeze::{self, Frozen};
use crate::members::{Members, Scope};
use crate::responder::Responder;
use lazaret_model::JournalId;
use lazaret_sys::procfs::{self, Overlays, Use};
use std::time::{Duration, Instant};

/// How long the mappings of all processes may take to look at; a hostile one can make it for ever.
pub(crate) const MAPPINGS: Duration = Duration::from_secs(2);

/// Rounds of looking and stopping before going on with what there is.
pub(crate) const ROUNDS: usize = 32;

/// How long members may take to tell their arguments.
const ARGUMENTS: Duration = Duration::from_millis(50);

/// Who has the file mapped executable, asked beside the look at the programs.
pub(crate) fn ask_mappers(members: &Members<'_>) -> Pending<Vec<i32>> {
    let file = members.file().clone();
    let mut pids = members.list(Scope::All);
    pids.retain(|p| !members.is_own(*p));
    bounded::ask(move || {
        let mut overlays = Overlays::new();
        let mut maps = |pid| procfs::mapped(&file, pid, true, &mut overlays);
        pids.retain(|pid| {
            maps(*pid)
                .or_else(|e| {
                    // The memory of a process whose first thread has exited shows under another's number.
                    let stat = procfs::stat(*pid)?;
                    if stat.is_leaderless() { maps(procfs::of_a_thread(*pid, &stat)) } else { Err(e) }
                })
                .is_ok_and(|u| u == Some(Use::Maps))
        });
        pids
    })
}

impl Members<'_> {
    /// Takes in everybody who belongs to the set now; gives those that are new.
    pub(crate) fn look_everywhere(&mut self) -> Vec<i32> {
        let mappers = ask_mappers(self);
        let mut new = self.look_at_programs(Scope::All);
        if let Some(pids) = mappers.until(Instant::now() + MAPPINGS) {
            new.extend(self.take_mappers(&pids));
        }
        new.extend(self.look_at_families(Scope::All));
        new
    }

    /// Asks those that are new for their arguments; one that does not tell is left without.
    pub(crate) fn tell_arguments(&mut self, new: &[i32]) {
        if new.is_empty() {
            return;
        }
        let pids = new.to_vec();
        let asked =
            bounded::ask(move || pids.into_iter().map(|p| (p, procfs::arguments(p))).collect::<Vec<_>>());
        self.describe(asked.until(Instant::now() + ARGUMENTS).unwrap_or_default());
    }
}

impl Responder {
    /// Stops the new ones (each is held as it joins) and whatever joins meanwhile, until a look finds
    /// nothing new.
    pub(crate) fn stand_still(
        &self,
        journal: JournalId,
        members: &mut Members<'_>,
        mut fresh: Vec<i32>,
    ) -> Frozen {
        let mut frozen = Frozen::default();
        for _ in 0..ROUNDS {
            self.freeze_groups(journal, members, &fresh, &mut frozen);
            freeze::settle(members, &fresh);
            fresh = members.look_at_programs(Scope::All);
            fresh.extend(members.look_at_families(Scope::All));
            if fresh.is_empty() {
                break;
            }
        }
        frozen
    }
}
