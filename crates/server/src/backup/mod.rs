// SPDX-License-Identifier: Apache-2.0
//! Backup and restore: one archive with everything that a server is (docs/adr/0012).

mod archive;
mod authority;
mod manifest;
mod restore;
mod samples;
mod write;

pub use restore::{Restored, restore};
pub use write::{Backed, backup, backup_with};

use anyhow::{Context as _, bail};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Held by every server on a data folder, and alone by a restore.
const LOCK_FILE: &str = "lock";

fn lock_file(data: &Path) -> anyhow::Result<File> {
    let path = data.join(LOCK_FILE);
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// Marks a data folder as in use, as long as the file lives; several servers may.
pub(crate) fn hold(data: &Path) -> anyhow::Result<File> {
    let file = lock_file(data)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("a restore works on {} now: start the server when it is done", data.display())
        }
        Err(TryLockError::Error(e)) => Err(e).with_context(|| format!("cannot lock {}", data.display())),
    }
}

/// Has a data folder for oneself.
fn hold_alone(data: &Path) -> anyhow::Result<File> {
    let file = lock_file(data)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("a server runs on {}: stop it first (systemctl stop lazaret-server)", data.display())
        }
        Err(TryLockError::Error(e)) => Err(e).with_context(|| format!("cannot lock {}", data.display())),
    }
}
