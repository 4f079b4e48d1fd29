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

/// Starts the watcher for process `pid` and returns; the watcher belongs to nobody then. `folder` is a
/// protected one, for the commands to try.
///
/// # Errors
/// This program cannot be started again.
pub(crate) fn beside(pid: u32, cli: &Path, config: &Path, folder: &Path, words: &Path) -> Result<(), Error> {
    let xtask = std::env::current_exe().map_err(|e| Error::failed(format!("finding this program: {e}")))?;
    let mut start = Command::new(xtask);
    start.args(["announce", "start"]).arg(pid.to_string()).arg(cli).arg(config).arg(folder).arg(words);
    crate::run::output(&mut start).map(drop)
}

/// `announce start|watch PID CLI CONFIG FOLDER WORDS`.
///
/// # Errors
/// The arguments are wrong, or this program cannot be started again.
pub(crate) fn announce(arguments: &[String]) -> Result<(), Error> {
    let [step, pid, cli, config, folder, words] = arguments else {
        return Err(Error::usage("announce is started by `up`"));
    };
    if step == "start" {
        let failed = |e: std::io::Error| Error::failed(format!("starting the watcher: {e}"));
        let xtask = std::env::current_exe().map_err(failed)?;
        let mut watch = Command::new(xtask);
        // Its words go to stderr: `up` reads our stdout to its end.
        watch
            .args(["announce", "watch", pid, cli, config, folder, words])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        return watch.spawn().map(drop).map_err(failed);
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && Path::new("/proc").join(pid).exists() {
        let mut status = Command::new(cli);
        status.args(["status", "--config", config]).stdin(Stdio::null()).stderr(Stdio::null());
        match status.output() {
            Ok(answer) if answer.status.success() => {
                // A one-time password may stand in it.
                let of_server = std::fs::read_to_string(words).unwrap_or_default();
                let _ = std::fs::remove_file(words);
                eprintln!(
                    "\n{}{}{of_server}",
                    String::from_utf8_lossy(&answer.stdout),
                    guide(Path::new(cli), config, folder)
                );
                return Ok(());
            }
            _ => std::thread::sleep(Duration::from_millis(500)),
        }
    }
    Ok(())
}

/// Commands to copy; the marker of the test program comes together only when they run.
fn guide(cli: &Path, config: &str, folder: &str) -> String {
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
  cd {folder}
  printf '#!/bin/sh\\n# %s/%s/%s/\\necho it ran\\n' \\
      LAZARET-TEST-PROGRAM-DO-NOT-DEPLOY miner high > try.sh
  chmod +x try.sh; ./try.sh                  # runs: isolate-and-kill is off, this is an alarm only
  lazaret alarms list

The whole answer, and its undoing, once you are signed in (below): the switch is the server's, which `up` started
  lazaret switch isolate-and-kill on --project 0
  ./try.sh                                   # refused, and gone a moment later
  lazaret isolated list
  lazaret isolated restore ID                # as it was, with a receipt
  rm try.sh; lazaret switch isolate-and-kill off --project 0
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_holds_no_marker() {
        let text = guide(Path::new("/x/lazaret"), "/run/lazaret/up.toml", "/srv");
        assert!(!text.contains("miner/high/"), "{text}");
        assert!(text.contains("dirname /x/lazaret"));
    }

    #[test]
    fn gives_up_when_the_daemon_is_gone() {
        let started = Instant::now();
        let arguments = ["watch", "4194305", "/bin/false", "x", "/srv", "/nonexistent"].map(String::from);
        announce(&arguments).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
