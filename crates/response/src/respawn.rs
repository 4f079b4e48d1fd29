// SPDX-License-Identifier: Apache-2.0
//! Who brings killed members back while they are being killed.
//!
//! A watchdog of another executable is found by what it does: it is the parent of a process that
//! runs the file and was started after the kill, twice. Who starts programs for a living (a service
//! manager, a service, the shell of a person) is not killed for that but reported.

use crate::config::SpareProcess;
use crate::members::{Member, Members, record, service};
use lazaret_model::{KilledProcess, Outcome, ProcessFacts};
use lazaret_sys::process::ProcessHandle;
use lazaret_sys::procfs;
use std::collections::HashMap;

/// Once may be chance: a script that starts a program twice in a row is no watchdog.
const TIMES: u32 = 2;

/// Programs that start others because they were told to.
const SUPERVISORS: [&[u8]; 37] = [
    b"systemd",
    b"init",
    b"cron",
    b"crond",
    b"atd",
    b"anacron",
    b"fcron",
    b"supervisord",
    b"runsv",
    b"runsvdir",
    b"s6-supervise",
    b"s6-svscan",
    b"supervise",
    b"svscan",
    b"monit",
    b"tini",
    b"dumb-init",
    b"docker-init",
    b"catatonit",
    b"openrc-run",
    b"supervise-daemon",
    b"start-stop-daemon",
    b"inetd",
    b"xinetd",
    b"sshd",
    b"sshd-session",
    b"login",
    b"sudo",
    b"su",
    b"screen",
    b"tmux",
    b"containerd-shim",
    b"containerd-shim-runc-v2",
    b"conmon",
    b"runc",
    b"crun",
    b"systemd-nspawn",
];

/// Times that a process was seen to bring a member back, by its identity.
pub(crate) struct Comebacks {
    /// Start times above this are after the kill, clock ticks since boot.
    killed_at: Option<u64>,
    counted: HashMap<(i32, u64), Vec<i32>>,
    spared: HashMap<(i32, u64), KilledProcess>,
}

impl Comebacks {
    pub(crate) fn new() -> Self {
        Self { killed_at: None, counted: HashMap::new(), spared: HashMap::new() }
    }

    /// From now on what runs the file was started again.
    pub(crate) fn after_kill(&mut self) {
        self.killed_at.get_or_insert_with(ticks);
    }

    /// Respawners that were left alone.
    pub(crate) fn spared(&self) -> impl Iterator<Item = &KilledProcess> {
        self.spared.values()
    }

    /// Looks at the parents of new members; takes in those that are respawners.
    pub(crate) fn look(
        &mut self,
        members: &mut Members<'_>,
        new: &[i32],
        spare: &dyn SpareProcess,
    ) -> Vec<i32> {
        let Some(killed_at) = self.killed_at else { return Vec::new() };
        let parents: Vec<(i32, i32, u64)> = new
            .iter()
            .filter_map(|pid| members.get(*pid))
            .filter(|m| m.facts.process.start_time > killed_at)
            .map(|m: &Member| (m.facts.process.pid, m.facts.ppid, m.facts.process.start_time))
            .collect();
        let mut taken = Vec::new();
        for (child, parent, started) in parents {
            if parent <= 1 || members.contains(parent) || members.is_own(parent) {
                continue;
            }
            let Ok(handle) = ProcessHandle::open(parent) else { continue };
            let process = handle.process();
            // A parent is older than its child; and still is the parent, now that it is held.
            let still = procfs::stat(child).is_ok_and(|s| s.ppid == parent && s.start_time == started);
            if process.start_time > started || !still {
                continue;
            }
            let key = (process.pid, process.start_time);
            let seen = self.counted.entry(key).or_default();
            seen.push(child);
            if seen.len() < TIMES as usize || self.spared.contains_key(&key) {
                continue;
            }
            let Ok(facts) = procfs::outline(parent) else { continue };
            if let Some(why) = starts_others(&facts, spare) {
                let why = format!("starts it again, but {why}: left alive; what it starts is ended");
                let unit = service(&facts);
                self.spared.insert(key, record(&facts, unit, Outcome::Refused(why)));
            } else {
                taken.extend(members.take_respawner(handle));
            }
        }
        taken
    }
}

/// Why a process is expected to start others again.
fn starts_others(process: &ProcessFacts, spare: &dyn SpareProcess) -> Option<String> {
    let name = process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
    if SUPERVISORS.contains(&name) {
        return Some("it starts programs for the system".to_owned());
    }
    if let Some(unit) = process.unit.as_ref().filter(|u| u.ends_with(".service")) {
        return Some(format!("it is a process of {unit}; to stop it: systemctl stop {unit}"));
    }
    if let Some(id) = &process.container {
        return Some(format!("it is a process of container {id}"));
    }
    if procfs::is_namespace_init(process.process.pid) {
        return Some("its end would end everything in its pid namespace".to_owned());
    }
    let stat = procfs::stat(process.process.pid).ok()?;
    if stat.terminal != 0 && stat.session == process.process.pid {
        return Some("somebody works in it on a terminal".to_owned());
    }
    spare.as_supervisor(process)
}

/// Clock ticks since boot, as start times are given.
fn ticks() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let whole = u64::try_from(now.tv_sec).unwrap_or(0).saturating_mul(per_second);
    let part = u64::try_from(now.tv_nsec).unwrap_or(0).saturating_mul(per_second) / 1_000_000_000;
    whole.saturating_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SpareNobody;

    #[test]
    fn ticks_agree_with_start_times() {
        let mut child = std::process::Command::new("sleep").arg("20").spawn().unwrap();
        let started = procfs::stat(child.id().cast_signed()).unwrap().start_time;
        let now = ticks();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(now >= started && now - started < 500, "{now} {started}");
    }

    #[test]
    fn supervisors_are_known_and_strangers_are_not() {
        let me = procfs::outline(std::process::id().cast_signed()).unwrap();
        let called = |exe: &str| ProcessFacts { exe: exe.into(), unit: None, container: None, ..me.clone() };
        assert!(starts_others(&called("/usr/lib/systemd/systemd"), &SpareNobody).is_some());
        assert!(starts_others(&called("/usr/bin/tmux"), &SpareNobody).is_some());
        assert_eq!(starts_others(&called("/tmp/watchdog"), &SpareNobody), None);
        let unit = ProcessFacts { unit: Some("web.service".into()), ..called("/tmp/watchdog") };
        assert!(starts_others(&unit, &SpareNobody).unwrap().contains("systemctl stop web.service"));
    }
}
