// SPDX-License-Identifier: Apache-2.0
//! What is asked of the running service manager, and of cron. Programs are called with their
//! arguments, never through a shell.

use super::record::UnitState;
use lazaret_sys::spawn;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// systemctl waits for the manager, not for units: seconds at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the rest of a target's line reads when nobody was asked.
const NOT_RUNNING: &str = " (no service manager runs here: it holds from its next start)";
const USERS: &str = " (the user's service manager sees it at its next start, or after \
                     `systemctl --user daemon-reload`)";

fn runs(root: &Path) -> bool {
    // As sd_booted(3) asks.
    root == Path::new("/") && Path::new("/run/systemd/system").is_dir()
}

fn systemctl(arguments: &[&str]) -> Result<i32, String> {
    let program = ["/usr/bin/systemctl", "/bin/systemctl"].into_iter().map(Path::new).find(|p| p.exists());
    let program = program.ok_or("there is no systemctl")?;
    let all: Vec<OsString> =
        ["--no-ask-password", "--quiet"].iter().chain(arguments).map(Into::into).collect();
    spawn::run(program, &all, PATIENCE).map_err(|e| format!("systemctl {}: {e}", arguments.join(" ")))
}

/// Whether a unit of the system runs or waits; false where that cannot be asked.
pub(super) fn is_active(root: &Path, unit: &str) -> bool {
    runs(root) && systemctl(&["is-active", "--", unit]) == Ok(0)
}

/// After the files of a unit have changed: what there is to add to the line about it.
///
/// # Errors
/// For people, when the manager does not do it.
pub(super) fn reload(root: &Path, unit: &UnitState, disabled: bool) -> Result<&'static str, String> {
    if !unit.system {
        return Ok(USERS);
    }
    if !runs(root) {
        return Ok(NOT_RUNNING);
    }
    let ok = |arguments: &[&str]| match systemctl(arguments)? {
        0 => Ok(()),
        code => Err(format!("systemctl {} ended with status {code}", arguments.join(" "))),
    };
    if disabled {
        // Before the reload: a masked unit can be stopped as well, but by fewer versions.
        if unit.was_active {
            ok(&["stop", "--no-block", "--", &stopped_as(&unit.name)])?;
        }
        ok(&["daemon-reload"])?;
    } else {
        ok(&["daemon-reload"])?;
        // A service is started by a person; a timer only waits.
        if unit.was_active && unit.name.ends_with(".timer") {
            ok(&["start", "--no-block", "--", &unit.name])?;
        }
    }
    Ok("")
}

/// All instances of a template.
pub(super) fn stopped_as(unit: &str) -> String {
    unit.replacen("@.", "@*.", 1)
}

/// cron looks for changed crontabs only after its spool folder has changed: crontab(1) touches it
/// for the same reason.
pub(super) fn poke_cron(root: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let now = Timestamps { last_access: now, last_modification: now };
    for spool in ["var/spool/cron/crontabs", "var/spool/cron"] {
        let _ = utimensat(CWD, root.join(spool), &now, AtFlags::SYMLINK_NOFOLLOW);
    }
}
