// SPDX-License-Identifier: Apache-2.0
//! Before `up` marks a real file system, the daemon proves itself on a tmpfs of its own.
//!
//! The tmpfs lives in a private mount namespace: however this ends, the kernel takes it away with
//! the last process in it.

use crate::build::Built;
use crate::config::Config;
use crate::run::{self, Error};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The empty folder that the tmpfs covers in its namespace.
const FOLDER: &str = "/run/lazaret-preflight";
/// From start to `ready`: loading the content takes a second, a slow disk ten.
const READY: Duration = Duration::from_secs(60);
/// From SIGTERM to the end.
const STOP: Duration = Duration::from_secs(20);

/// Runs the self-test in a mount namespace of its own.
///
/// # Errors
/// The namespace cannot be made, or the self-test failed; the text says what.
pub(crate) fn preflight() -> Result<(), Error> {
    let xtask = std::env::current_exe().map_err(|e| Error::failed(format!("finding this program: {e}")))?;
    let mut unshare = Command::new("unshare");
    eprintln!("\nSelf-test on a private tmpfs, with a vault and keys of its own that vanish with it:");
    unshare.args(["--mount", "--propagation", "private", "--"]).arg(xtask).arg("preflight");
    run::run(&mut unshare).map_err(|_| {
        Error::failed(
            "the self-test on a private tmpfs did not pass (its output is above), so no file system of this \
             machine was touched; `lazaret scan PATH` works without protection",
        )
    })
}

/// The part inside the namespace; `preflight` is a verb only for that.
///
/// # Errors
/// As [`preflight`].
pub(crate) fn inside(arguments: &[String]) -> Result<(), Error> {
    if !arguments.is_empty() {
        return Err(Error::usage("preflight is started by `up` and takes no arguments"));
    }
    let built = Built::here()?;
    let folder = Path::new(FOLDER);
    let mount = |path: &Path, options: &str| {
        std::fs::create_dir_all(path).map_err(|e| Error::failed(format!("{}: {e}", path.display())))?;
        run::run(Command::new("mount").args(["-t", "tmpfs", "-o", options, "lazaret-preflight"]).arg(path))
    };
    mount(folder, "size=256m,mode=0755,nodev")?;
    // A second file system, so that the daemon's own files are not on the protected one.
    let protected = folder.join("protected");
    mount(&protected, "size=256m,mode=1777,nodev")?;
    let config = Config {
        state: &folder.join("state"),
        run: &folder.join("run"),
        mounts: std::slice::from_ref(&protected),
        isolate_and_kill: true,
        server: "",
    };
    let file = folder.join("lazaretd.toml");
    std::fs::write(&file, config.toml(&built)?)
        .map_err(|e| Error::failed(format!("{}: {e}", file.display())))?;

    let mut daemon = start(&built, &file)?;
    let tested = wait_ready(&mut daemon).and_then(|()| self_test(&built, &file, &protected));
    let stopped = stop(&mut daemon);
    tested.and(stopped)
}

fn start(built: &Built, config: &Path) -> Result<Child, Error> {
    let mut daemon = Command::new(built.path("lazaretd"));
    daemon.arg("--config").arg(config).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    daemon.stdin(Stdio::null()).stdout(Stdio::piped());
    run::say(&daemon);
    daemon.spawn().map_err(|e| Error::failed(format!("lazaretd could not be started: {e}")))
}

/// Waits for the line `ready`; what else the daemon says passes through.
fn wait_ready(daemon: &mut Child) -> Result<(), Error> {
    let stdout = daemon.stdout.take().ok_or_else(|| Error::failed("the daemon has no stdout"))?;
    let (send, lines) = mpsc::channel();
    // Reads until the daemon ends, so that a full pipe never blocks it.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = writeln!(std::io::stdout(), "lazaretd: {line}");
            let _ = send.send(line);
        }
    });
    let end = Instant::now() + READY;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) if line.split_whitespace().next() == Some("ready") => return Ok(()),
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(Error::failed(format!("the daemon was not ready after {} s", READY.as_secs())));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Error::failed("the daemon ended before it was ready"));
            }
        }
    }
}

fn self_test(built: &Built, config: &Path, protected: &PathBuf) -> Result<(), Error> {
    let mut test = Command::new(built.path("lazaret"));
    test.arg("self-test").arg("--config").arg(config).current_dir(protected).stdin(Stdio::null());
    run::run(&mut test)
}

/// SIGTERM and a clean end; SIGKILL when that takes too long, which is an error.
fn stop(daemon: &mut Child) -> Result<(), Error> {
    let waiting = |e: std::io::Error| Error::failed(format!("waiting for the daemon: {e}"));
    if daemon.try_wait().map_err(waiting)?.is_none() {
        run::terminate(daemon.id())?;
    }
    let end = Instant::now() + STOP;
    while Instant::now() < end {
        match daemon.try_wait().map_err(waiting)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(Error::failed(format!("the daemon ended with {status}"))),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    let _ = daemon.kill();
    let _ = daemon.wait();
    Err(Error::failed(format!(
        "the daemon did not end within {} s after SIGTERM and was killed",
        STOP.as_secs()
    )))
}
