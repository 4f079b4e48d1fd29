// SPDX-License-Identifier: Apache-2.0
//! Scans that people have paused. They leave their thread to the next scan, survive restarts of the
//! daemon, and go on from the last folder that they finished.

use super::commands::Job;
use super::orders::Ended;
use crate::core::Core;
use crate::log::{log, printable};
use lazaret_proto::v1::command::Verb;
use lazaret_proto::{Message as _, v1};
use lazaret_state::StateError;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a task's id.
const MAX_TASK: usize = 128;

fn key(task: &str) -> String {
    format!("scan-paused:{task}")
}

#[derive(Default)]
struct Inner {
    /// By task.
    paused: HashSet<String>,
    /// Begun, and waiting to be resumed.
    parked: Vec<Job>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Pauses(Mutex<Inner>);

fn task_of(job: &Job) -> Option<&str> {
    match &job.command.verb {
        Some(Verb::Scan(scan)) => Some(&scan.task),
        _ => None,
    }
}

impl Pauses {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_paused(&self, task: &str) -> bool {
        self.lock().paused.contains(task)
    }

    /// After a start: as it was.
    pub(super) fn remember(&self, core: &Core, task: &str) {
        if matches!(core.database.setting(&key(task)), Ok(Some(_))) {
            self.lock().paused.insert(task.to_owned());
        }
    }

    /// The scan is over.
    pub(super) fn forget(&self, core: &Core, task: &str) {
        if self.lock().paused.remove(task)
            && let Err(e) = core.database.remove_setting(&key(task))
        {
            log!("{e}");
        }
    }

    /// Keeps a scan that stopped because it is paused. Gives it back where that is over by now.
    pub(super) fn park(&self, job: Job) -> Option<Job> {
        let mut inner = self.lock();
        let paused = task_of(&job).is_some_and(|task| inner.paused.contains(task));
        if !paused || job.cancel.load(Ordering::Relaxed) {
            return Some(job);
        }
        inner.parked.push(job);
        None
    }

    /// The parked scan of this command.
    pub(super) fn take(&self, command: &str) -> Option<Job> {
        let mut inner = self.lock();
        let at = inner.parked.iter().position(|job| job.command.id == command)?;
        Some(inner.parked.swap_remove(at))
    }

    fn set(&self, task: &str, paused: bool) -> Vec<Job> {
        let mut inner = self.lock();
        if paused {
            inner.paused.insert(task.to_owned());
            return Vec::new();
        }
        inner.paused.remove(task);
        let (now, still) = std::mem::take(&mut inner.parked)
            .into_iter()
            .partition(|job| task_of(job).is_some_and(|t| t == task));
        inner.parked = still;
        now
    }
}

/// Pauses a scan, or lets it go on.
pub(super) fn run(core: &Core, request: &v1::ScanPause) -> Ended {
    let shown: String = printable(request.task.as_bytes()).chars().take(MAX_TASK).collect();
    match is_open(core, &request.task) {
        Ok(true) => {}
        Ok(false) => return Ended::refused(format!("no scan {shown} is under way on this host")),
        Err(e) => return Ended::failed(e.to_string()),
    }
    // Kept first: a pause that does not outlive a restart is none.
    let kept = if request.resume {
        core.database.remove_setting(&key(&request.task)).map(drop)
    } else {
        core.database.set_setting(&key(&request.task), "paused")
    };
    if let Err(e) = kept {
        return Ended::failed(e.to_string());
    }
    let commands = &core.uplink.commands;
    for job in commands.pauses.set(&request.task, !request.resume) {
        commands.go_on(core, job);
    }
    Ended::new("done", if request.resume { "the scan goes on" } else { "the scan stops where it is" })
}

fn is_open(core: &Core, task: &str) -> Result<bool, StateError> {
    if task.is_empty() || task.len() > MAX_TASK {
        return Ok(false);
    }
    let is_it = |bytes: &[u8]| {
        v1::Command::decode(bytes)
            .is_ok_and(|c| matches!(&c.verb, Some(Verb::Scan(scan)) if scan.task == task))
    };
    Ok(core.database.open_commands()?.iter().any(|row| is_it(&row.command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, task: &str) -> Job {
        let scan = v1::ScanCommand { task: task.into(), ..v1::ScanCommand::default() };
        let command = v1::Command { id: id.into(), verb: Some(Verb::Scan(scan)), ..v1::Command::default() };
        Job { command, cancel: crate::uplink::commands::Cancel::default(), again: true }
    }

    #[test]
    fn what_is_parked_comes_back_once() {
        let pauses = Pauses::default();
        assert!(pauses.park(job("a", "t")).is_some(), "not paused");
        assert!(pauses.set("t", true).is_empty() && pauses.is_paused("t"));
        assert!(pauses.park(job("a", "t")).is_none() && pauses.park(job("b", "u")).is_some());
        let cancelled = job("c", "t");
        cancelled.cancel.store(true, Ordering::Relaxed);
        assert!(pauses.park(cancelled).is_some(), "it ends instead");
        assert!(pauses.set("u", false).is_empty());
        let back = pauses.set("t", false);
        assert!(back.len() == 1 && back[0].command.id == "a" && !pauses.is_paused("t"));
        assert!(pauses.set("t", false).is_empty() && pauses.take("a").is_none());
        pauses.set("t", true);
        assert!(pauses.park(job("a", "t")).is_none());
        assert_eq!(pauses.take("a").map(|j| j.command.id).as_deref(), Some("a"));
    }
}
