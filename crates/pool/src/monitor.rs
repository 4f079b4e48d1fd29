// SPDX-License-Identifier: Apache-2.0
//! The thread that hears a spawner: workers that came, workers that ended, its own end.

use crate::config::PidChange;
use crate::spawner::{End, Spawner, end_child};
use lazaret_proto::{Message, v1};
use lazaret_sys::fd_passing;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Signal, pidfd_send_signal};
use std::sync::Arc;

/// How long a killed worker, or a spawner that was told to end, may take to be gone.
const GONE_PATIENCE: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// Runs until the spawner is gone and reaped.
pub(crate) fn watch(spawner: &Arc<Spawner>, poke: &dyn Fn()) {
    let mut buffer = vec![0; 64 * 1024];
    let mut files = Vec::new();
    while let Ok(length @ 1..) = fd_passing::receive(&spawner.socket, &mut buffer, &mut files) {
        match v1::SpawnerReply::decode(buffer.get(..length).unwrap_or_default()).map(|r| r.kind) {
            Ok(Some(v1::spawner_reply::Kind::Spawned(spawned))) => came(spawner, spawned, files.pop()),
            Ok(Some(v1::spawner_reply::Kind::Ended(ended))) => {
                went(spawner, ended.pid, End { status: ended.status, signal: ended.signal });
                poke();
            }
            // It parses no untrusted bytes; one that talks nonsense is replaced like a dead one.
            Ok(None) | Err(_) => break,
        }
    }
    finish(spawner);
    poke();
}

fn came(spawner: &Spawner, spawned: v1::Spawned, pidfd: Option<OwnedFd>) {
    if spawned.error.is_empty() {
        // The worker opens nothing, neither before nor after it is sealed.
        spawner.config.tell(PidChange::Started(spawned.pid));
    }
    let mut status = spawner.status();
    let pidfd = pidfd.filter(|_| spawned.error.is_empty()).map(Arc::new);
    if let Some(pidfd) = &pidfd {
        status.ended.remove(&spawned.pid);
        status.alive.insert(spawned.pid, Arc::clone(pidfd));
    }
    status.spawned = Some((spawned, pidfd));
    drop(status);
    spawner.notify();
}

fn went(spawner: &Spawner, pid: i32, end: End) {
    spawner.config.tell(PidChange::Ended(pid));
    let mut status = spawner.status();
    status.alive.remove(&pid);
    status.ended.insert(pid, end);
    drop(status);
    spawner.notify();
}

/// The spawner hung up: its workers go with it.
fn finish(spawner: &Spawner) {
    let mut status = spawner.status();
    status.gone = true;
    let alive: Vec<_> = status.alive.drain().collect();
    drop(status);
    spawner.notify();
    for (_, pidfd) in &alive {
        let _ = pidfd_send_signal(&**pidfd, Signal::KILL);
    }
    for (pid, pidfd) in &alive {
        let _ = wait_gone(pidfd);
        spawner.config.tell(PidChange::Ended(*pid));
    }
    // Its socket is shut, so it ends by itself; one that does not is ended.
    let _ = wait_gone(&spawner.pidfd);
    end_child(&spawner.config, spawner.pid, &spawner.pidfd);
}

/// A pidfd becomes readable when its process is gone.
fn wait_gone(pidfd: &OwnedFd) -> rustix::io::Result<usize> {
    rustix::io::retry_on_intr(|| poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&GONE_PATIENCE)))
}
