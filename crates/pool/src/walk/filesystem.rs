// SPDX-License-Identifier: Apache-2.0
//! Filesystems that hold no files in the sense of a scan.

use rustix::fd::AsFd;
use rustix::fs::fstatfs;

/// `f_type` of filesystems whose files are views into the kernel, from linux/magic.h.
const PSEUDO: [i64; 20] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x1cd1,      // devpts
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0x6265_6570, // configfs
    0x1980_0202, // mqueue
    0x6573_5543, // fusectl
    0x4249_4e4d, // binfmt_misc
    0x0187,      // autofs: looking in would mount
    0x6759_6969, // rpc_pipefs
    0x6e73_6673, // nsfs
];

/// `f_type` of filesystems whose inode numbers and change times mean what they say: a verdict may be
/// kept for them. Network and user-space filesystems answer what they like.
const TRUSTED: [i64; 9] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683e, // btrfs
    0x0102_1994, // tmpfs
    0x794c_7630, // overlay
    0xf2f5_2010, // f2fs
    0x7371_7368, // squashfs
    0xe0f5_e1e2, // erofs
    0x2fc1_2fc1, // zfs
];

/// What a filesystem is to a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pseudo,
    /// Inode numbers and times can be trusted.
    Local,
    Other,
}

/// Of the filesystem that a descriptor is on.
pub(crate) fn kind(fd: impl AsFd) -> Kind {
    // The kernel's numbers are 32 bits wide; the C type is signed, and wider on some architectures.
    #[allow(clippy::useless_conversion, reason = "not on 32-bit architectures")]
    let f_type = fstatfs(fd).map_or(0, |s| i64::from(s.f_type) & 0xffff_ffff);
    if PSEUDO.contains(&f_type) {
        Kind::Pseudo
    } else if TRUSTED.contains(&f_type) {
        Kind::Local
    } else {
        Kind::Other
    }
}
