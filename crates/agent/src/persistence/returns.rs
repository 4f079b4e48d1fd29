// SPDX-License-Identifier: Apache-2.0
//! The same content is back at the same path: counted on the alarm that it first had, with what
//! brought it back where that can be told.

use super::Inquiry;
use crate::alarms::{decode, update};
use crate::core::Core;
use crate::log::{log, printable};
use lazaret_model::{Alarm, AlarmId, ProcessFacts, Return};
use lazaret_response::persistence::Started;

/// Returns that are kept one by one; all are counted.
const KEPT: usize = 20;

const CRON: [&[u8]; 4] = [b"cron", b"crond", b"anacron", b"fcron"];

/// Units that start things for others.
const HOSTS: [&str; 6] =
    ["cron.service", "crond.service", "atd.service", "anacron.service", "ssh.service", "sshd.service"];

/// Counts a return. True when the file of this alarm has come back.
pub(super) fn note(core: &Core, job: &Inquiry) -> bool {
    let Some(mut alarm) = load(core, job.alarm) else { return false };
    let Some(first) = first(core, &alarm) else { return false };
    let Some(mut root) = load(core, first) else { return false };
    let by = describe(&job.chain);
    let p = &mut root.forensics.persistence;
    p.returns += 1;
    p.returned.push(Return { at_ms: alarm.at_ms, alarm: alarm.id, by: by.clone() });
    if p.returned.len() > KEPT {
        p.returned.remove(0);
    }
    let text = format!(
        "{} came back {} times{}",
        alarm.forensics.file.as_ref().map(|f| printable(&f.path)).unwrap_or_default(),
        p.returns,
        if by.is_empty() { String::new() } else { format!(", brought by {by}") }
    );
    alarm.forensics.persistence.return_of = Some(first);
    for changed in [&root, &alarm] {
        if let Err(e) = update(core, changed) {
            log!("{e}");
        }
    }
    core.events.tell("alarm", text, Some(first.to_string()));
    true
}

pub(super) fn load(core: &Core, id: AlarmId) -> Option<Alarm> {
    match core.database.alarm(id) {
        Ok(row) => row.and_then(|row| decode(&row).map_err(|e| log!("{e}")).ok()),
        Err(e) => {
            log!("{e}");
            None
        }
    }
}

/// The first alarm of this content at this path whose watch time has not run out: every return
/// begins it anew.
fn first(core: &Core, alarm: &Alarm) -> Option<AlarmId> {
    let watch_ms = i64::try_from(core.config.response.watch_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    let file = alarm.forensics.file.as_ref()?;
    let since = alarm.at_ms.saturating_sub(watch_ms);
    let row =
        core.database.isolated_before(alarm.id, file.sha256?, &file.path, since).unwrap_or_else(|e| {
            log!("{e}");
            None
        })?;
    let before = decode(&row).ok()?;
    Some(before.forensics.persistence.return_of.unwrap_or(before.id))
}

fn is_cron(process: &ProcessFacts) -> bool {
    let name = process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
    CRON.contains(&name)
}

/// The command that cron gave to the shell, and the process that runs it.
fn from_cron(chain: &[ProcessFacts]) -> Option<(&ProcessFacts, Vec<u8>)> {
    let at = chain.iter().position(is_cron)?;
    let job = chain.get(at.checked_sub(1)?)?;
    let mut arguments = job.cmdline.split(|b| *b == 0);
    let command = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(_), Some(b"-c"), Some(command)) => command.to_vec(),
        _ => job.cmdline.split(|b| *b == 0).collect::<Vec<_>>().join(&b' '),
    };
    Some((job, command))
}

fn own_unit(chain: &[ProcessFacts]) -> Option<&str> {
    let unit = chain.iter().find_map(|p| p.unit.as_deref())?;
    (unit.ends_with(".service") && !unit.starts_with("user@") && !HOSTS.contains(&unit)).then_some(unit)
}

/// What acted, for people.
fn describe(chain: &[ProcessFacts]) -> String {
    if let Some((job, command)) = from_cron(chain) {
        return format!("cron, for uid {}: {}", job.uid, printable(&command));
    }
    let Some(acting) = chain.first() else { return String::new() };
    let program = printable(&acting.exe);
    if chain.iter().any(|p| p.exe.ends_with(b"/atd")) {
        return format!("a job of at, for uid {}: {program}", acting.uid);
    }
    match own_unit(chain) {
        Some(unit) => format!("unit {unit}: {program}"),
        None => format!("{program}, process {} of uid {}", acting.process.pid, acting.uid),
    }
}

/// What to look for. A service is suspected only once the file has come back: before that it may
/// be what was attacked.
pub(super) fn started(chain: &[ProcessFacts], returned: bool) -> Started {
    let commands = from_cron(chain).map(|(_, command)| command).into_iter().collect();
    let units = own_unit(chain).filter(|_| returned).map(str::to_owned).into_iter().collect();
    Started { commands, units }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_sys::procfs;

    fn process(exe: &str, cmdline: &[u8], unit: Option<&str>) -> ProcessFacts {
        let mut p = procfs::facts(std::process::id().cast_signed()).unwrap();
        p.exe = exe.as_bytes().to_vec();
        p.cmdline = cmdline.to_vec();
        p.unit = unit.map(str::to_owned);
        p.uid = 33;
        p
    }

    #[test]
    fn cron_units_and_others_are_told_apart() {
        let cron = process("/usr/sbin/cron", b"/usr/sbin/cron\0-f", Some("cron.service"));
        let sh = process("/bin/dash", b"/bin/sh\0-c\0curl x | sh", Some("cron.service"));
        let cp = process("/bin/cp", b"cp\0a\0b", Some("cron.service"));
        let chain = [cp.clone(), sh, cron.clone(), cron];
        assert_eq!(describe(&chain), "cron, for uid 33: curl x | sh");
        assert_eq!(started(&chain, false).commands, [b"curl x | sh".to_vec()]);
        assert!(started(&chain, true).units.is_empty());
        let updater = [process("/opt/u", b"/opt/u", Some("u.service"))];
        assert_eq!(describe(&updater), "unit u.service: /opt/u");
        assert!(started(&updater, false).units.is_empty());
        assert_eq!(started(&updater, true).units, ["u.service"]);
        let shell = [process("/bin/bash", b"bash", Some("session-3.scope"))];
        assert!(describe(&shell).starts_with("/bin/bash, process"));
        assert!(started(&shell, true).units.is_empty());
        assert_eq!(describe(&[]), "");
    }
}
