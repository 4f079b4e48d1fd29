// SPDX-License-Identifier: Apache-2.0
//! What kind of filesystem a file is on, as far as taking files away differs.

use lazaret_sys::mounts::{self, Mount};
use rustix::fs::{AtFlags, StatxFlags, fstatfs, statx};
use std::os::fd::AsFd;

/// Numbers from `linux/magic.h` and the filesystems' own headers.
const OVERLAY: u32 = 0x794c_7630;
const BTRFS: u32 = 0x9123_683e;
const REMOTE: [(u32, &str); 10] = [
    (0x6573_5546, "FUSE"),
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
];

/// Kinds that need different care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One device number, inode numbers that stay.
    Plain,
    /// A name may stand for a file of a lower layer, which a move copies.
    Overlay,
    /// Each subvolume has a device number of its own and is a filesystem to `rename`.
    Btrfs,
    /// A server decides what a name leads to.
    Remote(&'static str),
}

/// Of an open file. What cannot be asked counts as plain: every step is checked anyway.
pub(crate) fn kind(file: impl AsFd) -> Kind {
    // The type is a word of the platform's size, the number has 32 bits.
    let number = fstatfs(file).map_or(0, |s| (s.f_type & 0xffff_ffff) as u32);
    match number {
        OVERLAY => Kind::Overlay,
        BTRFS => Kind::Btrfs,
        n => REMOTE.iter().find(|(r, _)| *r == n).map_or(Kind::Plain, |(_, name)| Kind::Remote(name)),
    }
}

/// Why a file of this filesystem is not taken away, where that is so.
pub(crate) fn remote(file: impl AsFd) -> Option<String> {
    let Kind::Remote(name) = kind(file) else { return None };
    Some(format!(
        "it lies on a network or user-space filesystem ({name}), whose server decides what a name leads to: \
         it is not moved from here, remove it on the server"
    ))
}

/// Id of the mount through which a file was opened.
pub(crate) fn mount_id(file: impl AsFd) -> Option<u64> {
    let s = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    (s.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(s.stx_mnt_id)
}

/// The mount through which a file was opened; `None` when it is one of another mount namespace or
/// was taken off meanwhile.
pub(crate) fn mount_of(file: impl AsFd) -> Option<Mount> {
    let id = mount_id(file)?;
    mounts::mounts().ok()?.into_iter().find(|m| m.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn local_filesystems_are_not_remote() {
        for path in ["/proc/self/exe", "/dev/shm", "/"] {
            let kind = kind(File::open(path).unwrap());
            assert!(!matches!(kind, Kind::Remote(_)), "{path}: {kind:?}");
        }
        let root = File::open("/").unwrap();
        assert_eq!(mount_of(&root).unwrap().point, std::path::Path::new("/"));
    }
}
