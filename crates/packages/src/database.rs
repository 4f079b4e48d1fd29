// SPDX-License-Identifier: Apache-2.0
//! Every package database of one root folder.

use crate::aliases::Aliases;
use crate::dpkg::Dpkg;
use crate::rpm::Rpm;
use crate::stamp::Stamp;
use crate::standing::{Manager, Standing};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What is installed under one root folder: dpkg, rpm, both or neither.
#[derive(Debug)]
pub struct PackageDb {
    root: PathBuf,
    aliases: Aliases,
    stamp: Stamp,
    dpkg: Option<Result<Dpkg, String>>,
    rpm: Option<Result<Rpm, String>>,
}

/// An absolute path below the root folder.
pub(crate) fn under(root: &Path, path: &[u8]) -> PathBuf {
    let relative =
        path.iter().position(|b| *b != b'/').map_or(&[][..], |i| path.get(i..).unwrap_or_default());
    root.join(OsStr::from_bytes(relative))
}

impl PackageDb {
    /// Reads the databases. Takes up to a second where apt keeps large indexes (each is read once to
    /// verify its digest): not for a thread that answers events. Having none of them is fine; one that
    /// cannot be read makes [`PackageDb::standing`] say so.
    #[must_use]
    pub fn open(root: &Path) -> Self {
        let mut stamp = Stamp::default();
        let aliases = Aliases::read(root);
        let dpkg = Dpkg::open(root, &aliases, &mut stamp);
        let rpm = Rpm::open(root, &aliases, &mut stamp);
        Self { root: root.to_owned(), aliases, stamp, dpkg, rpm }
    }

    /// Whether a database has changed since it was read. A few `stat` calls.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stamp.changed()
    }

    /// Reads again what has changed; `None` when nothing has. For callers that share the old one
    /// until the new one is there.
    #[must_use]
    pub fn refreshed(&self) -> Option<Self> {
        self.is_stale().then(|| Self::open(&self.root))
    }

    /// [`PackageDb::refreshed`] in place; whether anything had changed.
    pub fn refresh(&mut self) -> bool {
        match self.refreshed() {
            Some(new) => {
                *self = new;
                true
            }
            None => false,
        }
    }

    /// What the databases say about a file. `path` is absolute below the root folder, as the kernel
    /// names it; `file` is the opened file itself, whose content is read without moving its offset.
    ///
    /// While a database is being changed, a path that was nobody's when it was read is
    /// [`Standing::Unknown`], not unowned: it may be a file that is just being installed.
    #[must_use]
    pub fn standing(&self, path: &[u8], file: &File) -> Standing {
        if !path.starts_with(b"/") {
            return Standing::Unknown("the path is not absolute".to_owned());
        }
        let path = self.aliases.resolve(path);
        let mut unknown = None;
        for answer in [
            self.dpkg.as_ref().map(|d| match d {
                Ok(d) => d.standing(&path, &self.aliases, file),
                Err(why) => Standing::Unknown(format!("dpkg: {why}")),
            }),
            self.rpm.as_ref().map(|r| match r {
                Ok(r) => r.standing(&path, &self.aliases, file),
                Err(why) => Standing::Unknown(format!("rpm: {why}")),
            }),
        ]
        .into_iter()
        .flatten()
        {
            match answer {
                Standing::Owned { .. } => return answer,
                Standing::Unknown(why) => unknown = unknown.or(Some(why)),
                Standing::Unowned => {}
            }
        }
        match unknown {
            Some(why) => Standing::Unknown(why),
            None if self.is_stale() => {
                Standing::Unknown("the package database has changed and is yet to be read again".to_owned())
            }
            None => Standing::Unowned,
        }
    }

    /// Databases that were found, also those that could not be read.
    #[must_use]
    pub fn managers(&self) -> Vec<Manager> {
        let mut found = Vec::new();
        found.extend(self.dpkg.as_ref().map(|_| Manager::Dpkg));
        found.extend(self.rpm.as_ref().map(|_| Manager::Rpm));
        found
    }

    /// Installed packages that were read.
    #[must_use]
    pub fn packages(&self) -> usize {
        self.dpkg.iter().flatten().map(Dpkg::packages).sum::<usize>()
            + self.rpm.iter().flatten().map(Rpm::packages).sum::<usize>()
    }

    /// How many installed packages something signed vouches for.
    ///
    /// # Errors
    /// Why there are none: then only the critical programs are guarded, which `status` says.
    pub fn trust_available(&self) -> Result<usize, String> {
        let mut trusted = 0;
        let mut why = Vec::new();
        for answer in [
            self.dpkg.as_ref().map(|d| d.as_ref().map_err(Clone::clone).and_then(Dpkg::trust)),
            self.rpm.as_ref().map(|r| r.as_ref().map_err(Clone::clone).and_then(Rpm::trust)),
        ]
        .into_iter()
        .flatten()
        {
            match answer {
                Ok(n) => trusted += n,
                Err(reason) => why.push(reason),
            }
        }
        if trusted > 0 {
            return Ok(trusted);
        }
        Err(if why.is_empty() { "no package database was found".to_owned() } else { why.join("; ") })
    }

    /// What could not be read or verified, for `status`; empty when all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut all = Vec::new();
        match &self.dpkg {
            Some(Ok(d)) => all.extend(d.problems().iter().map(|p| format!("dpkg: {p}"))),
            Some(Err(why)) => all.push(format!("dpkg: {why}")),
            None => {}
        }
        match &self.rpm {
            Some(Ok(r)) => all.extend(r.problems().iter().map(|p| format!("rpm: {p}"))),
            Some(Err(why)) => all.push(format!("rpm: {why}")),
            None => {}
        }
        all
    }

    /// Paths known, and bytes the path index takes.
    #[must_use]
    pub fn index_size(&self) -> (usize, usize) {
        let indexes =
            self.dpkg.iter().flatten().map(Dpkg::index).chain(self.rpm.iter().flatten().map(Rpm::index));
        indexes.fold((0, 0), |(n, m), i| (n + i.len(), m + i.memory()))
    }
}
