// SPDX-License-Identifier: Apache-2.0
//! What is recorded of the folders that a file lies in, for a restore that has to make them again.

use crate::filesystem;
use crate::stage::Place;
use lazaret_vault::{Folder, RawPath, Surroundings};
use rustix::fs::{Mode, OFlags, fstat, openat};
use std::os::unix::ffi::OsStrExt;

/// Folders farther up than these are not recorded.
pub(crate) const MAX_FOLDERS: usize = 64;

/// Owner and mode of each folder, nearest first, by climbing from the opened one: whoever renames
/// one of them meanwhile changes what is recorded, not what is touched.
pub(crate) fn of(place: &Place) -> Vec<Folder> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let depth = place.dir_path.split(|b| *b == b'/').filter(|p| !p.is_empty()).count();
    let mut out = Vec::new();
    let mut at = place.dir.try_clone();
    for _ in 0..depth.min(MAX_FOLDERS) {
        let Ok(dir) = &at else { break };
        let Ok(s) = fstat(dir) else { break };
        out.push(Folder { uid: s.st_uid, gid: s.st_gid, mode: s.st_mode });
        at = openat(dir, c"..", flags, Mode::empty()).map_err(Into::into);
    }
    out
}

/// Everything around a name that is worth a record. Asked when the name is gone: it reads the mount
/// table.
pub(crate) fn around(place: &Place) -> Surroundings {
    let mount = filesystem::mount_of(&place.dir);
    Surroundings {
        filesystem: mount.as_ref().map(|m| m.fs_type.clone()).unwrap_or_default(),
        mount: mount.map(|m| RawPath(m.point.as_os_str().as_bytes().to_vec())),
        folders: of(place),
        layers: Vec::new(),
    }
}
