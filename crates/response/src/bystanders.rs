// SPDX-License-Identifier: Apache-2.0
//! Processes that have to do with the file and are left alone: readers, and innocent programs that
//! load it as a library.

use crate::bounded;
use crate::config::SpareProcess;
use crate::members::{Members, Scope, record, service};
use lazaret_model::{KilledProcess, Outcome, ProcessFacts};
use lazaret_sys::procfs::{self, Overlays, Sought};
use std::time::{Duration, Instant};

/// How long to look for readers; nobody dies of not being listed.
const LOOK: Duration = Duration::from_millis(500);

/// More readers than this are not listed one by one.
const MAX_READERS: usize = 64;

/// Why a program that maps the file executable is let live: it is a service's or a container's,
/// or the host says so. The dynamic linker is never innocent: what it maps is the program.
pub(crate) fn innocent(process: &ProcessFacts, spare: &dyn SpareProcess) -> Option<String> {
    let name = process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
    if name.starts_with(b"ld-") || name == b"ld.so" || process.exe.is_empty() {
        return None;
    }
    if let Some(unit) = process.unit.as_ref().filter(|u| u.ends_with(".service")) {
        return Some(format!("it is a process of {unit}"));
    }
    if let Some(id) = &process.container {
        return Some(format!("it is a process of container {id}"));
    }
    spare.as_library_host(process)
}

/// Who holds the file open or mapped without being a member.
pub(crate) fn readers(members: &Members<'_>) -> Vec<ProcessFacts> {
    let pids: Vec<i32> = members
        .list(Scope::All)
        .into_iter()
        .filter(|p| !members.is_own(*p) && members.get(*p).is_none_or(|m| m.handle.is_gone()))
        .collect();
    let file = members.file().clone();
    let found = bounded::ask(move || who_reads(&file, pids)).until(Instant::now() + LOOK);
    let known = |pid: i32, start: u64| {
        let same = |k: &KilledProcess| k.process.pid == pid && k.process.start_time == start;
        members.refused().any(same) || members.innocent().any(same)
    };
    let mut found = found.unwrap_or_default();
    found.retain(|f| !known(f.process.pid, f.process.start_time));
    found
}

/// What the report says of a reader.
pub(crate) fn left_alone(reader: &ProcessFacts) -> KilledProcess {
    record(reader, service(reader), Outcome::Refused("reads it, left alone".to_owned()))
}

fn who_reads(file: &Sought, pids: Vec<i32>) -> Vec<ProcessFacts> {
    let mut overlays = Overlays::new();
    pids.into_iter()
        .filter(|pid| {
            procfs::is_open_in(file, *pid)
                || procfs::mapped(file, *pid, false, &mut overlays).is_ok_and(|u| u.is_some())
        })
        .filter_map(|pid| procfs::facts(pid).ok())
        .take(MAX_READERS)
        .collect()
}
