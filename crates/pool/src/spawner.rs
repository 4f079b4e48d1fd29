// SPDX-License-Identifier: Apache-2.0
//! The spawner process: it has loaded the content and forks sealed workers.

use crate::config::{PidChange, PoolConfig};
use crate::connection::Connection;
use crate::error::PoolError;
use crate::monitor;
use lazaret_model::ContentInfo;
use lazaret_proto::{Message, v1};
use lazaret_sys::{fd_passing, spawn};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the content may take to load: large third-party rule sets take tens of seconds.
const LOAD_PATIENCE: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };
/// How long a fork and seal may take.
const SPAWN_PATIENCE: Duration = Duration::from_secs(10);

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) status: i32,
    pub(crate) signal: i32,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.signal, self.status) {
            (0, 71) => f.write_str("it needed more memory than the jail allows"),
            (0, status) => write!(f, "it ended with status {status}"),
            (4, _) => f.write_str("killed by SIGILL"),
            (6, _) => f.write_str("killed by SIGABRT"),
            (7, _) => f.write_str("killed by SIGBUS"),
            (9, _) => f.write_str("killed by SIGKILL"),
            (11, _) => f.write_str("killed by SIGSEGV"),
            (31, _) => f.write_str("jail violation: a forbidden system call (SIGSYS)"),
            (signal, _) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// What the monitor thread and the others share.
#[derive(Default)]
pub(crate) struct Status {
    /// Answer to the Spawn that waits.
    pub(crate) spawned: Option<(v1::Spawned, Option<Arc<OwnedFd>>)>,
    /// Workers that live.
    pub(crate) alive: HashMap<i32, Arc<OwnedFd>>,
    /// Workers that ended and were not asked about yet.
    pub(crate) ended: HashMap<i32, End>,
    /// The spawner is gone.
    pub(crate) gone: bool,
}

pub(crate) struct Spawner {
    pub(crate) pid: i32,
    pub(crate) pidfd: OwnedFd,
    pub(crate) socket: OwnedFd,
    pub(crate) config: PoolConfig,
    pub(crate) content: ContentInfo,
    status: Mutex<Status>,
    changed: Condvar,
    /// One Spawn at a time; the number of the last.
    request: Mutex<u64>,
}

impl Spawner {
    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        // Every change below is a single step, so a panic leaves it whole.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Whether it can still fork.
    pub(crate) fn is_gone(&self) -> bool {
        self.status().gone
    }

    pub(crate) fn has_ended(&self, pid: i32) -> bool {
        !self.status().alive.contains_key(&pid)
    }

    /// Drops what is known about a worker that ended.
    pub(crate) fn forget(&self, pid: i32) {
        self.status().ended.remove(&pid);
    }

    /// Waits until the end of a worker is reported.
    pub(crate) fn how_ended(&self, pid: i32, patience: Duration) -> Option<End> {
        let until = Instant::now() + patience;
        let mut status = self.status();
        loop {
            if let Some(end) = status.ended.remove(&pid) {
                return Some(end);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || (status.gone && !status.alive.contains_key(&pid)) {
                return None;
            }
            status = self.changed.wait_timeout(status, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Keeps a spawner; the last one to go lets the spawner and its monitor end.
pub(crate) struct Lease {
    spawner: Arc<Spawner>,
    monitor: Mutex<Option<JoinHandle<()>>>,
}

impl Deref for Lease {
    type Target = Spawner;

    fn deref(&self) -> &Spawner {
        &self.spawner
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Its end of file; the monitor then reaps it.
        let _ = rustix::net::shutdown(&self.spawner.socket, rustix::net::Shutdown::Both);
        let monitor = self.monitor.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(monitor) = monitor {
            let _ = monitor.join();
        }
    }
}

impl Lease {
    /// Starts a spawner and waits until its content is loaded. `poke` is called when a worker ends.
    pub(crate) fn start(
        config: &PoolConfig,
        poke: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Arc<Self>, PoolError> {
        let failed = |cause| PoolError::Start { program: config.scanner.clone(), cause };
        let (socket, theirs) = fd_passing::pair().map_err(failed)?;
        let mut announced = None;
        let child = spawn::exec(&config.scanner, &config.arguments(), &theirs, &mut |pid| {
            announced = Some(pid);
            config.tell(PidChange::Started(pid));
        });
        drop(theirs);
        let child = child.map_err(|cause| {
            if let Some(pid) = announced {
                config.tell(PidChange::Ended(pid));
            }
            failed(cause)
        })?;
        match hello(config, &socket) {
            Ok(content) => {
                let spawner = Arc::new(Spawner {
                    pid: child.pid,
                    pidfd: child.pidfd,
                    socket,
                    config: config.clone(),
                    content,
                    status: Mutex::default(),
                    changed: Condvar::new(),
                    request: Mutex::new(0),
                });
                let watched = Arc::clone(&spawner);
                let lease = Arc::new(Self { spawner, monitor: Mutex::new(None) });
                let monitor = std::thread::Builder::new()
                    .name("pool-monitor".into())
                    .spawn(move || monitor::watch(&watched, &*poke))
                    .map_err(failed);
                match monitor {
                    Ok(handle) => {
                        *lease.monitor.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
                        Ok(lease)
                    }
                    Err(e) => {
                        end_child(config, lease.pid, &lease.pidfd);
                        Err(e)
                    }
                }
            }
            Err(e) => {
                drop(socket);
                end_child(config, child.pid, &child.pidfd);
                Err(e)
            }
        }
    }

    /// Has a worker forked and sealed.
    pub(crate) fn worker(self: &Arc<Self>) -> Result<(Connection, Vec<String>), PoolError> {
        let mut number = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        let lost = |e: std::io::Error| PoolError::Worker(e.to_string());
        let (socket, theirs) = fd_passing::pair().map_err(lost)?;
        let spawn = v1::Spawn { number: *number }.encode_to_vec();
        fd_passing::send(&self.socket, &spawn, &[theirs.as_fd()]).map_err(lost)?;
        drop(theirs);
        let until = Instant::now() + SPAWN_PATIENCE;
        let mut status = self.status();
        loop {
            // An answer that came after its request had been given up is not ours.
            match status.spawned.take() {
                Some((spawned, pidfd)) if spawned.number == *number => {
                    let Some(pidfd) = pidfd.filter(|_| spawned.error.is_empty()) else {
                        return Err(PoolError::Worker(spawned.error));
                    };
                    drop(status);
                    let connection = Connection::new(spawned.pid, pidfd, socket, Arc::clone(self));
                    return Ok((connection, spawned.jail_gaps));
                }
                _ => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if status.gone {
                return Err(PoolError::Worker("the scanner's spawner is gone".into()));
            }
            if left.is_zero() {
                return Err(PoolError::Worker("the scanner's spawner does not answer".into()));
            }
            status = self.changed.wait_timeout(status, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Waits for the spawner's first word.
fn hello(config: &PoolConfig, socket: &OwnedFd) -> Result<ContentInfo, PoolError> {
    let silent = |reason: String| PoolError::Silent { program: config.scanner.clone(), reason };
    let ready =
        rustix::io::retry_on_intr(|| poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&LOAD_PATIENCE)));
    match ready {
        Ok(0) => return Err(silent("it loads the content for more than 120 s".into())),
        Ok(_) => {}
        Err(e) => return Err(silent(e.to_string())),
    }
    let (mut buffer, mut files) = (vec![0; 256 * 1024], Vec::new());
    let length = fd_passing::receive(socket, &mut buffer, &mut files).map_err(|e| silent(e.to_string()))?;
    if length == 0 {
        return Err(silent("it ended before its content was loaded".into()));
    }
    let hello = v1::SpawnerHello::decode(buffer.get(..length).unwrap_or_default())
        .map_err(|e| silent(e.to_string()))?;
    if !hello.fatal.is_empty() {
        return Err(PoolError::Content { content: config.content.clone(), reason: hello.fatal });
    }
    hello.content.map(Into::into).ok_or_else(|| silent("it does not say what it loaded".into()))
}

/// Ends and reaps the spawner, and says so.
pub(crate) fn end_child(config: &PoolConfig, pid: i32, pidfd: &OwnedFd) {
    let _ = pidfd_send_signal(pidfd, Signal::KILL);
    let _ = rustix::io::retry_on_intr(|| waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED));
    config.tell(PidChange::Ended(pid));
}
