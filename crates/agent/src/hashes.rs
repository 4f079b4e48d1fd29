// SPDX-License-Identifier: Apache-2.0
//! Hashes of the programs in process chains: the same few shells and services over and over.

use crate::gate::FileKey;
use lazaret_model::Sha256;
use lazaret_pool::{Job, Pool, Priority};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

const ROOM: usize = 1024;

/// Larger programs are not hashed for the record, bytes.
const MAX_SIZE: i64 = 64 << 20;

/// Keyed by everything that `fstat` tells. Good enough for a record; never used for a verdict.
#[derive(Default)]
pub(crate) struct Hashes {
    known: Mutex<HashMap<FileKey, Sha256>>,
}

impl Hashes {
    /// `None` when the file cannot be read, is large, or `left` new ones were hashed already.
    pub(crate) fn of(&self, pool: &Pool, program: OwnedFd, left: &mut usize) -> Option<Sha256> {
        let stat = rustix::fs::fstat(&program).ok()?;
        let key = FileKey::of(&stat);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = known().get(&key) {
            return Some(*hash);
        }
        if stat.st_size > MAX_SIZE {
            return None;
        }
        *left = left.checked_sub(1)?;
        let job = Job { file: program, name: Vec::new(), members: false };
        let hash = pool.scan(job, Priority::Event).ok()?.verdict.sha256;
        let mut known = known();
        if known.len() >= ROOM {
            known.clear();
        }
        known.insert(key, hash);
        Some(hash)
    }
}
