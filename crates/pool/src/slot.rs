// SPDX-License-Identifier: Apache-2.0
//! The place of one worker: what others may know about it while its thread works.

use crate::connection::Connection;
use rustix::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One worker, for `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    /// Its pid; 0 while it is being replaced.
    pub pid: i32,
    /// Files that this place has answered, replaced workers included.
    pub scanned: u64,
    /// Whether it scans something now.
    pub busy: bool,
    /// Whether it is kept free of background and large event jobs.
    pub reserved: bool,
}

/// What a reload or a stop leaves for the slot's thread.
#[derive(Default)]
pub(crate) struct Handover {
    /// A worker with newer content, to be taken before the next batch.
    pub(crate) next: Option<Connection>,
    /// The worker at work, to end it from outside.
    pub(crate) current: Option<Arc<OwnedFd>>,
}

pub(crate) struct Slot {
    pub(crate) reserved: bool,
    pub(crate) pid: AtomicI32,
    pub(crate) scanned: AtomicU64,
    pub(crate) busy: AtomicBool,
    handover: Mutex<Handover>,
}

impl Slot {
    pub(crate) fn new(reserved: bool) -> Self {
        Self {
            reserved,
            pid: AtomicI32::new(0),
            scanned: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            handover: Mutex::default(),
        }
    }

    pub(crate) fn handover(&self) -> MutexGuard<'_, Handover> {
        self.handover.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn info(&self) -> WorkerInfo {
        WorkerInfo {
            pid: self.pid.load(Ordering::Relaxed),
            scanned: self.scanned.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
            reserved: self.reserved,
        }
    }
}
