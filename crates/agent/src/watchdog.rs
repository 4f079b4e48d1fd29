// SPDX-License-Identifier: Apache-2.0
//! The watchdog: the parent process of the agent, without any fanotify descriptor.
//!
//! A stopped or spinning agent that holds unanswered questions would hang every exec and open on
//! the protected filesystems. When the gate's heartbeat stops, the watchdog kills the agent; the
//! kernel then allows whatever is pending, and the watchdog starts the agent again. After three
//! abnormal ends in ten minutes the agent starts in safe mode: it only notices, it is never asked.

use crate::abnormal::AbnormalEnds;
use crate::config::Config;
use crate::log::log;
use anyhow::{Context, Result};
use lazaret_response::ResponderConfig;
use lazaret_sys::process::ProcessHandle;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Without a heartbeat for this long the agent is killed. With the time that the kill takes, the
/// host is free again within 2 s.
pub(crate) const SILENCE: Duration = Duration::from_millis(1_400);

/// A clean stop finishes the isolation under way; longer than this is a hang.
const STOP: Duration = Duration::from_secs(15);

/// What the agent writes into the pipe that is its standard input.
pub(crate) const READY: u8 = b'R';

enum End {
    /// Asked to stop by a signal to us.
    Stopped,
    /// Ended by itself before it was ready: a configuration or permission problem.
    NeverReady(ExitStatus),
    /// Ended by itself or was killed because it was silent.
    Abnormal(String),
}

/// Runs until a signal or until the agent cannot start.
pub(crate) fn run(config_path: &Path, config: &Config) -> Result<ExitCode> {
    let ended = watch(config_path, config);
    if ended.is_err() {
        let_go(config);
    }
    ended
}

fn watch(config_path: &Path, config: &Config) -> Result<ExitCode> {
    let stop = stop_signals()?;
    let mut ends = AbnormalEnds::open(&config.paths.state)?;
    loop {
        let safe = ends.too_many();
        if safe {
            log!("three abnormal ends in ten minutes: starting in safe mode");
        }
        match supervise(config_path, safe, &stop)? {
            End::Stopped => {
                ends.forget()?;
                notify("STOPPING=1");
                return Ok(ExitCode::SUCCESS);
            }
            End::NeverReady(status) => {
                ends.close()?;
                let_go(config);
                return Ok(ExitCode::from(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1)));
            }
            End::Abnormal(how) => {
                log!("the agent ended abnormally: {how}; starting it again");
                ends.add()?;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// No agent is coming back: what the last one left frozen goes on.
fn let_go(config: &Config) {
    let journal = config.paths.state.join("journal");
    if !journal.is_dir() {
        return;
    }
    match lazaret_response::let_go_frozen(&journal, ResponderConfig::JOURNAL_BYTES) {
        Ok(0) => {}
        Ok(n) => log!("{n} frozen processes were let go: the agent does not start"),
        // Another daemon holds it, then nothing of it is ours.
        Err(e) => log!("whether anything is frozen cannot be told: {e}"),
    }
}

/// A pipe that becomes readable when we are asked to end.
fn stop_signals() -> Result<OwnedFd> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

fn start(config_path: &Path, safe: bool) -> Result<(Child, OwnedFd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    let mut command = Command::new("/proc/self/exe");
    command.arg("--agent").arg("--config").arg(config_path);
    if safe {
        command.arg("--safe-mode");
    }
    // Its own process group: Ctrl-C reaches us alone, and we stop it in order.
    let child =
        command.stdin(Stdio::from(write)).process_group(0).spawn().context("cannot start the agent")?;
    Ok((child, read))
}

fn supervise(config_path: &Path, safe: bool, stop: &OwnedFd) -> Result<End> {
    let (mut child, heartbeat) = start(config_path, safe)?;
    let agent = match ProcessHandle::open(i32::try_from(child.id())?) {
        Ok(agent) => agent,
        // Ended already: a configuration that it does not understand.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let status = child.wait()?;
            let by_itself = status.signal().is_none();
            return Ok(if by_itself { End::NeverReady(status) } else { End::Abnormal(status.to_string()) });
        }
        Err(e) => return Err(e).context("cannot hold the agent"),
    };
    let (mut ready, mut alive) = (false, false);
    let mut heard = Instant::now();
    loop {
        let mut fds = [PollFd::new(&heartbeat, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        match poll(&mut fds, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        if fds[1].revents().contains(PollFlags::IN) {
            return end_cleanly(&mut child, &agent);
        }
        if let Some(status) = child.try_wait()? {
            if !ready && status.signal().is_none() {
                return Ok(End::NeverReady(status));
            }
            return Ok(End::Abnormal(status.to_string()));
        }
        let mut beats = [0; 64];
        if let Ok(count @ 1..) = rustix::io::read(heartbeat.as_fd(), &mut beats) {
            heard = Instant::now();
            alive = true;
            if !ready && beats[..count].contains(&READY) {
                ready = true;
                notify("READY=1");
            }
        }
        // From the first beat on: marks are made before the agent is ready.
        if alive && heard.elapsed() > SILENCE {
            let _ = agent.signal(Signal::KILL);
            let status = child.wait()?;
            return Ok(End::Abnormal(format!("no heartbeat for {} ms ({status})", SILENCE.as_millis())));
        }
    }
}

fn end_cleanly(child: &mut Child, agent: &ProcessHandle) -> Result<End> {
    let _ = agent.signal(Signal::TERM);
    if !agent.wait_gone(STOP) {
        log!("the agent does not stop within {} s: killing it", STOP.as_secs());
        let _ = agent.signal(Signal::KILL);
    }
    child.wait()?;
    Ok(End::Stopped)
}

/// Tells systemd, where it asked to be told; `NOTIFY_SOCKET` is a path or, with `@`, abstract.
fn notify(state: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let bytes = name.as_encoded_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name),
        None => SocketAddr::from_pathname(&name),
    };
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        let _ = socket.send_to_addr(state.as_bytes(), &address);
    }
}
