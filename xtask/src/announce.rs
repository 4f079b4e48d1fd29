// SPDX-License-Identifier: Apache-2.0
//! Says when the protection of `up` is in force, and what to try.
//!
//! `up` becomes the daemon (`exec`), so that Ctrl-C and signals reach it directly; this runs beside
//! it, orphaned on purpose: the daemon must not find a child that it did not start.

use crate::run::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long to wait for the daemon to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts the watcher for process `pid` and returns; the watcher belongs to nobody then.
///
/// # Errors
/// This program cannot be started again.
pub(crate) fn beside(pid: u32, cli: &Path, config: &Path) -> Result<(), Error> {
    let xtask = std::env::current_exe().map_err(|e| Error::failed(format!("finding this program: {e}")))?;
    let mut start = Command::new(xtask);
    start.args(["announce", "start"]).arg(pid.to_string()).arg(cli).arg(config);
    crate::run::output(&mut start).map(drop)
}

/// `announce start|watch PID CLI CONFIG`.
///
/// # Errors
/// The arguments are wrong, or this program cannot be started again.
pub(crate) fn announce(arguments: &[String]) -> Result<(), Error> {
    let [step, pid, cli, config] = arguments else {
        return Err(Error::usage("announce is started by `up`"));
    };
    if step == "start" {
        let failed = |e: std::io::Error| Error::failed(format!("starting the watcher: {e}"));
        let xtask = std::env::current_exe().map_err(failed)?;
        let mut watch = Command::new(xtask);
        // Its words go to stderr: `up` reads our stdout to its end.
        watch.args(["announce", "watch", pid, cli, config]).stdin(Stdio::null()).stdout(Stdio::null());
        return watch.spawn().map(drop).map_err(failed);
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && Path::new("/proc").join(pid).exists() {
        let mut status = Command::new(cli);
        status.args(["status", "--config", config]).stdin(Stdio::null()).stderr(Stdio::null());
        match status.output() {
            Ok(answer) if answer.status.success() => {
                eprintln!("\n{}{}", String::from_utf8_lossy(&answer.stdout), guide(Path::new(cli), config));
                return Ok(());
            }
            _ => std::thread::sleep(Duration::from_millis(500)),
        }
    }
    Ok(())
}

/// Commands to copy; the marker of the test program comes together only when they run.
fn guide(cli: &Path, config: &str) -> String {
    let cli = cli.display();
    format!(
        "
This machine is protected until Ctrl-C here. Configuration: {config}
Control socket: /run/lazaret/control.sock. State, vault and journal: /var/lib/lazaret
In another terminal, as root (every command takes --help):

  export PATH=\"$PATH:$(dirname {cli})\"
  lazaret status
  lazaret events --follow                    # what happens, as it happens

A harmless test program that is rated like a miner, confidence 99:
  printf '#!/bin/sh\\n# %s/%s/%s/\\necho it ran\\n' \\
      LAZARET-TEST-PROGRAM-DO-NOT-DEPLOY miner high > /var/tmp/try.sh
  chmod +x /var/tmp/try.sh; /var/tmp/try.sh  # alarm only while isolate-and-kill is off
  lazaret alarms list

The same with the whole answer, and undone:
  lazaret switch isolate-and-kill on
  cp /var/tmp/try.sh /var/tmp/again.sh       # refused or gone at once
  lazaret isolated list
  lazaret isolated restore ID
  lazaret switch isolate-and-kill off
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_holds_no_marker() {
        let text = guide(Path::new("/x/lazaret"), "/run/lazaret/up.toml");
        assert!(!text.contains("miner/high/"), "{text}");
        assert!(text.contains("dirname /x/lazaret"));
    }

    #[test]
    fn gives_up_when_the_daemon_is_gone() {
        let started = Instant::now();
        let arguments = ["watch", "4194305", "/bin/false", "x"].map(String::from);
        announce(&arguments).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
