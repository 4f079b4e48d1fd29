// SPDX-License-Identifier: Apache-2.0
//! What brings a killed program back: found, and where it is a line of cron or a unit of systemd,
//! taken out of force so that it can be put back exactly.
//!
//! [`find`] only reads. A change is a list of [`Edit`]s; each knows how the host looks before and
//! after it, so that it can be done again or taken back at any point. The list is in the journal
//! before the first of them, and in a record of its own until it is taken back.

mod crontab;
mod disable;
mod edit;
mod enable;
mod find;
mod inverse;
mod manager;
mod record;
mod rewrite;
mod unit;

pub use disable::{DisableTarget, MayDisable, is_script};
pub use edit::{Edit, FileImage, LinkImage};
pub use find::{Found, Limits, Started, find};
pub use record::{DisabledRecord, UnitState};

pub(crate) use record::Records;

use crate::open;
use crate::stage::Place;
use lazaret_vault::RawPath;
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Changes to cron and units are made one after the other: two to one file must not meet.
pub(crate) const TURN: (u64, u64) = (u64::MAX, 0);

/// Why something was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotChanged {
    /// Nothing was tried, or all was taken back.
    Refused(String),
    /// There is nothing left to change.
    Gone,
    /// It was tried.
    Failed(String),
}

/// The place of an absolute path below `root`; no part of the way may be a link.
pub(crate) fn place(root: &Path, path: &RawPath) -> Result<Place, String> {
    let root = root.as_os_str().as_bytes();
    let root = root.strip_suffix(b"/").unwrap_or(root);
    let whole = [root, path.0.as_slice()].concat();
    let shown = path.lossy();
    let Some((folder, name)) = open::split(&whole) else {
        return Err(format!("{shown} is no path of a file"));
    };
    let dir = open::folder(folder).map_err(|e| match e {
        Errno::LOOP | Errno::NOTDIR => {
            format!("{shown} is reached through a link, which is never followed: change it yourself")
        }
        e => format!("the folder of {shown} cannot be opened: {e}"),
    })?;
    Ok(Place { dir, dir_path: folder.to_vec(), name: name.to_vec() })
}
