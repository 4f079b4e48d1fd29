// SPDX-License-Identifier: Apache-2.0
//! Denying again, after a start, what could not be moved away; and letting go of all of it.

use crate::layers;
use crate::names;
use crate::open;
use crate::responder::Responder;
use lazaret_model::{FileRef, IsolatedStatus};
use lazaret_sys::mounts::{self, Kind, Mount};
use lazaret_vault::Manifest;
use std::os::unix::ffi::OsStrExt;

impl Responder {
    pub(crate) fn deny_again(&self) {
        let mut table = None;
        for listed in self.vault.list().into_iter().flatten() {
            if let Ok(m) = listed.manifest
                && m.status == IsolatedStatus::IsolatedInPlace
            {
                let mounts = table.get_or_insert_with(|| mounts::mounts().unwrap_or_default());
                refs(&m, mounts).iter().for_each(|file| self.config.deny.deny(file));
            }
        }
    }

    /// What is denied of an object; asked before its names change.
    pub(crate) fn denied_of(&self, manifest: &Manifest) -> Vec<FileRef> {
        let mut all = vec![manifest.file_ref()];
        all.extend(refs(manifest, &mounts::mounts().unwrap_or_default()));
        all
    }

    /// Nothing of it is denied any more.
    pub(crate) fn release_all(&self, files: &[FileRef]) {
        files.iter().for_each(|file| self.config.deny.release(file));
    }
}

/// The inodes of an object that lies in place. A device may have another number after a reboot: as
/// long as the name leads to the same inode number and size, what `stat` says now counts.
fn refs(manifest: &Manifest, mounts: &[Mount]) -> Vec<FileRef> {
    let recorded = manifest.file_ref();
    let named = manifest.staged.iter().chain([&manifest.path]).chain(&manifest.links);
    let now = named.filter(|p| !is_remote(&p.0, mounts)).find_map(|p| {
        let place = names::place(&p.0)?;
        let s = open::look(&place.dir, &place.name).ok().flatten()?;
        let same = s.st_ino == recorded.ino && u64::try_from(s.st_size) == Ok(recorded.size);
        same.then_some(FileRef { dev: s.st_dev, ..recorded })
    });
    [now.unwrap_or(recorded)].into_iter().chain(layers::refs(&manifest.around.layers)).collect()
}

/// A server that does not answer must not hold up the start.
fn is_remote(path: &[u8], mounts: &[Mount]) -> bool {
    let below = |m: &&Mount| {
        let point = m.point.as_os_str().as_bytes();
        point == b"/" || path.strip_prefix(point).is_some_and(|rest| rest.first() == Some(&b'/'))
    };
    let nearest = mounts.iter().filter(below).max_by_key(|m| m.point.as_os_str().len());
    nearest.is_some_and(|m| m.kind() == Kind::Remote)
}
