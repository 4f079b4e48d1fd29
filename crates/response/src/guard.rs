// SPDX-License-Identifier: Apache-2.0
//! Processes that are never touched, whoever asks.

use lazaret_model::{Guard, ProcessFacts};
use lazaret_sys::procfs;
use std::collections::HashSet;

/// The floor under every other guard.
pub(crate) struct Floor {
    own: HashSet<i32>,
}

impl Floor {
    /// This process and its ancestors, as of now.
    pub(crate) fn now() -> Self {
        let mut own = HashSet::from([1]);
        let mut pid = i32::try_from(std::process::id()).unwrap_or(1);
        while pid > 1 && own.insert(pid) {
            pid = procfs::stat(pid).map_or(1, |s| s.ppid);
        }
        Self { own }
    }

    /// This process or one of its ancestors.
    pub(crate) fn is_own(&self, pid: i32) -> bool {
        self.own.contains(&pid)
    }

    /// Whether the process may be touched at all.
    pub(crate) fn check(&self, facts: &ProcessFacts, exempt: &dyn Fn(i32) -> bool) -> Result<(), Guard> {
        let pid = facts.process.pid;
        let refuse = |what: &str| Err(Guard::Untouchable(format!("process {pid} is {what}")));
        if pid <= 1 {
            return refuse("the init process");
        }
        if self.own.contains(&pid) {
            return refuse("Lazaret itself or one of its ancestors");
        }
        if exempt(pid) {
            return refuse("part of Lazaret");
        }
        match procfs::stat(pid) {
            Ok(s) if s.kernel_thread => refuse("a kernel thread"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ancestors_and_init_are_floor() {
        let floor = Floor::now();
        let me = i32::try_from(std::process::id()).unwrap();
        for f in procfs::chain(me, 64) {
            assert!(matches!(floor.check(&f, &|_| false), Err(Guard::Untouchable(_))), "{f:?}");
        }
        let mut other = procfs::facts(me).unwrap();
        other.process.pid = i32::MAX;
        assert_eq!(floor.check(&other, &|_| false), Ok(()));
        assert!(floor.check(&other, &|p| p == i32::MAX).is_err());
    }
}
