// SPDX-License-Identifier: Apache-2.0
//! The spawner's loop: forks a worker for each Spawn, reaps and reports those that end.

use lazaret_proto::{Message, v1};
use lazaret_sys::fd_passing;
use lazaret_sys::spawn::{self, Forked};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_send_signal, waitid};
use std::io;

/// Workers of one spawner; far more than any pool asks for.
const MAX_WORKERS: usize = 512;

/// What a worker is born with.
pub(crate) struct Birth {
    pub(crate) socket: OwnedFd,
    pub(crate) parent: i32,
    pub(crate) uid_gid: Option<(u32, u32)>,
    /// Where the worker tells the spawner that its jail is closed.
    pub(crate) report: OwnedFd,
}

/// What came of one turn of the loop.
pub(crate) enum Turn {
    Again,
    /// The pool hung up.
    End,
    /// This process is a new worker now.
    Worker(Birth),
}

pub(crate) struct Spawner {
    socket: OwnedFd,
    uid_gid: Option<(u32, u32)>,
    gaps: Vec<String>,
    workers: Vec<(i32, OwnedFd)>,
    buffer: Vec<u8>,
}

impl Spawner {
    pub(crate) fn new(socket: OwnedFd, uid_gid: Option<(u32, u32)>, gaps: Vec<String>) -> Self {
        Self { socket, uid_gid, gaps, workers: Vec::new(), buffer: vec![0; 4096] }
    }

    /// Ends and reaps the workers: nothing is left when the spawner is gone.
    pub(crate) fn end(self) {
        for (_, pidfd) in &self.workers {
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        for (_, pidfd) in &self.workers {
            let _ = rustix::io::retry_on_intr(|| waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED));
        }
    }

    /// Waits for the pool or the end of a worker, and does what is to be done.
    pub(crate) fn turn(&mut self) -> io::Result<Turn> {
        // A pidfd becomes readable when its process is gone.
        let mut waits: Vec<PollFd<'_>> = std::iter::once(&self.socket)
            .chain(self.workers.iter().map(|(_, pidfd)| pidfd))
            .map(|fd| PollFd::new(fd, PollFlags::IN))
            .collect();
        rustix::io::retry_on_intr(|| poll(&mut waits, None))?;
        let ready: Vec<bool> = waits.iter().map(|w| !w.revents().is_empty()).collect();
        drop(waits);
        let Some((socket, workers)) = ready.split_first() else { return Ok(Turn::Again) };
        for at in (0..workers.len()).rev().filter(|at| workers.get(*at) == Some(&true)) {
            let (pid, pidfd) = self.workers.swap_remove(at);
            self.reap(pid, &pidfd)?;
        }
        if *socket { self.hear() } else { Ok(Turn::Again) }
    }

    fn reap(&self, pid: i32, pidfd: &OwnedFd) -> io::Result<()> {
        let ended =
            rustix::io::retry_on_intr(|| waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED))?;
        let status = ended.as_ref().and_then(WaitIdStatus::exit_status).unwrap_or(0);
        let signal = ended.as_ref().and_then(WaitIdStatus::terminating_signal).unwrap_or(0);
        self.tell(v1::spawner_reply::Kind::Ended(v1::WorkerEnded { pid, status, signal }), &[])
    }

    fn tell(&self, kind: v1::spawner_reply::Kind, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let reply = v1::SpawnerReply { kind: Some(kind) }.encode_to_vec();
        match fd_passing::send(&self.socket, &reply, fds) {
            // The next turn sees the end.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    fn hear(&mut self) -> io::Result<Turn> {
        let mut files = Vec::new();
        let length = match fd_passing::receive(&self.socket, &mut self.buffer, &mut files) {
            Ok(0) => return Ok(Turn::End),
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(Turn::End),
            Err(e) => return Err(e),
        };
        let spawn =
            v1::Spawn::decode(self.buffer.get(..length).unwrap_or_default()).map_err(io::Error::other)?;
        let socket = files.pop().ok_or_else(|| io::Error::other("a Spawn came without a socket"))?;
        match self.fork(socket) {
            Ok(Born::Here(birth)) => Ok(Turn::Worker(birth)),
            Ok(Born::There { pid, jail_gaps }) => {
                let spawned = v1::Spawned { pid, error: String::new(), jail_gaps, number: spawn.number };
                let pidfd = self.workers.last().map(|(_, pidfd)| pidfd.as_fd());
                self.tell(v1::spawner_reply::Kind::Spawned(spawned), pidfd.as_slice())?;
                Ok(Turn::Again)
            }
            Err(e) => {
                let spawned = v1::Spawned {
                    pid: 0,
                    error: format!("a worker could not be started: {e}"),
                    jail_gaps: Vec::new(),
                    number: spawn.number,
                };
                self.tell(v1::spawner_reply::Kind::Spawned(spawned), &[])?;
                Ok(Turn::Again)
            }
        }
    }

    fn fork(&mut self, socket: OwnedFd) -> io::Result<Born> {
        if self.workers.len() >= MAX_WORKERS {
            return Err(io::Error::other(format!("{MAX_WORKERS} workers run already")));
        }
        let (report, theirs) = fd_passing::pair()?;
        let parent = rustix::process::getpid().as_raw_nonzero().get();
        match spawn::fork()? {
            Forked::Child => {
                // The end that the parent listens to would outlive it here.
                drop(report);
                Ok(Born::Here(Birth { socket, parent, uid_gid: self.uid_gid, report: theirs }))
            }
            Forked::Parent { pid, pidfd } => {
                drop((socket, theirs));
                match sealed(&report) {
                    Ok(gaps) => {
                        self.workers.push((pid, pidfd));
                        Ok(Born::There { pid, jail_gaps: self.gaps.iter().cloned().chain(gaps).collect() })
                    }
                    Err(e) => {
                        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
                        let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
                        Err(e)
                    }
                }
            }
        }
    }
}

enum Born {
    Here(Birth),
    There { pid: i32, jail_gaps: Vec<String> },
}

/// Waits until the new worker says that its jail is closed. A worker that cannot close it says why.
fn sealed(report: &OwnedFd) -> io::Result<Vec<String>> {
    let (mut buffer, mut files) = (vec![0; 16 * 1024], Vec::new());
    let length = fd_passing::receive(report, &mut buffer, &mut files)?;
    if length == 0 {
        return Err(io::Error::other("it ended before its jail was closed"));
    }
    let told = v1::Spawned::decode(buffer.get(..length).unwrap_or_default()).map_err(io::Error::other)?;
    if told.error.is_empty() { Ok(told.jail_gaps) } else { Err(io::Error::other(told.error)) }
}
