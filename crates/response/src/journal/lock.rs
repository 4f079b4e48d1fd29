// SPDX-License-Identifier: Apache-2.0
//! The lock of a state folder: who has a journal open holds it.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const NAME: &str = "lock";

/// Takes the lock, waiting a second: a process that was just killed, or a child of ours that has
/// not executed its program yet, may hold it for another moment.
pub(super) fn take(dir: &Path) -> io::Result<File> {
    let lock = File::create(dir.join(NAME))?;
    let end = Instant::now() + Duration::from_secs(1);
    loop {
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            held => return held.map(|()| lock).map_err(Into::into),
        }
    }
}

/// Whether another process has the journal in `dir` open: a daemon that runs, or a restore. Changes
/// nothing; a folder without a journal is held by nobody.
///
/// # Errors
/// When the lock cannot be opened, as by a user who may not.
pub fn is_held(dir: &Path) -> io::Result<bool> {
    let lock = match File::open(dir.join(NAME)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        lock => lock?,
    };
    // Shared, for this moment: two who only ask do not take each other for a daemon.
    match flock(&lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(e) => Err(e.into()),
    }
}
