// SPDX-License-Identifier: Apache-2.0
//! Mounted filesystems as `/proc/self/mountinfo` lists them.

mod overlay;

pub(crate) use overlay::OVERLAY;
pub use overlay::{Layers, is_overlay};

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Mount id.
    pub id: u64,
    /// `st_dev` of the files on it, except on btrfs and overlayfs.
    pub dev: u64,
    /// The folder of the filesystem that is mounted here.
    pub root: PathBuf,
    /// Where.
    pub point: PathBuf,
    /// `ext4`, `tmpfs` ...
    pub fs_type: String,
    /// Device or label.
    pub source: String,
    /// Mounted or superblock read-only.
    pub read_only: bool,
    /// The superblock's options, escaped as the kernel writes them.
    pub options: Vec<u8>,
}

/// What protecting a filesystem makes sense for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Programs and data of this host.
    Local,
    /// Over a network or through a user-space server: its content can change behind the kernel.
    Remote,
    /// The kernel's own: no programs live there.
    Pseudo,
}

impl Mount {
    /// By filesystem type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.fs_type.as_str() {
            "proc" | "sysfs" | "cgroup" | "cgroup2" | "devpts" | "securityfs" | "debugfs" | "tracefs"
            | "pstore" | "bpf" | "configfs" | "fusectl" | "mqueue" | "hugetlbfs" | "autofs"
            | "binfmt_misc" | "efivarfs" | "nsfs" | "rpc_pipefs" | "selinuxfs" | "devtmpfs" => Kind::Pseudo,
            t if t.starts_with("nfs") || t.starts_with("fuse") => Kind::Remote,
            "cifs" | "smb3" | "9p" | "virtiofs" | "ceph" | "afs" | "glusterfs" | "lustre" | "coda" => {
                Kind::Remote
            }
            _ => Kind::Local,
        }
    }
}

/// Every mount of our own mount namespace, in the kernel's order.
///
/// # Errors
/// When mountinfo cannot be read.
pub fn mounts() -> io::Result<Vec<Mount>> {
    Ok(parse(&std::fs::read("/proc/self/mountinfo")?))
}

/// The filesystem id of an open file, as fanotify's records carry it.
///
/// # Errors
/// What `fstatfs` reports.
pub fn fsid(file: impl AsFd) -> io::Result<[i32; 2]> {
    let at = rustix::fs::fstatfs(file)?;
    // SAFETY: `__kernel_fsid_t` is two C ints; the type here has the same size and no padding, and
    // every bit pattern is a valid `[i32; 2]`.
    Ok(unsafe { std::mem::transmute_copy::<_, [i32; 2]>(&at.f_fsid) })
}

fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|b| *b == b'\n').filter_map(parse_line).collect()
}

/// `id parent major:minor root point options [optional]... - type source super-options`
fn parse_line(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    let dash = fields.iter().skip(6).position(|f| *f == b"-")? + 6;
    let number = |b: &[u8]| std::str::from_utf8(b).ok()?.parse::<u64>().ok();
    let mut dev = fields.get(2)?.split(|b| *b == b':');
    let (major, minor) = (number(dev.next()?)?, number(dev.next()?)?);
    let text = |b: &[u8]| String::from_utf8_lossy(&unescape(b)).into_owned();
    let path = |b: &[u8]| PathBuf::from(OsString::from_vec(unescape(b)));
    let read_only = |b: &[u8]| b.split(|c| *c == b',').any(|o| o == b"ro");
    Some(Mount {
        id: number(fields.first()?)?,
        dev: rustix::fs::makedev(u32::try_from(major).ok()?, u32::try_from(minor).ok()?),
        root: path(fields.get(3)?),
        point: path(fields.get(4)?),
        fs_type: text(fields.get(dash + 1)?),
        source: text(fields.get(dash + 2)?),
        read_only: read_only(fields.get(5)?) || fields.get(dash + 3).is_some_and(|o| read_only(o)),
        options: fields.get(dash + 3).map_or_else(Vec::new, |o| o.to_vec()),
    })
}

/// Space, tab, newline and backslash come as `\ooo`.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'\\'
            && let Some(octal) = tail.get(..3)
            && let Some(byte) = std::str::from_utf8(octal).ok().and_then(|o| u8::from_str_radix(o, 8).ok())
        {
            out.push(byte);
            rest = &tail[3..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_optional_fields_and_escapes() {
        let line =
            b"36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue";
        let m = parse_line(line).unwrap();
        assert_eq!(m.point, PathBuf::from("/mnt two"));
        assert_eq!((m.fs_type.as_str(), m.source.as_str()), ("ext3", "/dev/root"));
        assert_eq!(m.dev, rustix::fs::makedev(98, 0));
        assert!(!m.read_only);
    }

    #[test]
    fn broken_lines_are_skipped() {
        assert!(parse(b"\n1 2 3\n- - - - - - -\n").is_empty());
    }

    #[test]
    fn this_host_has_a_root() {
        assert!(mounts().unwrap().iter().any(|m| m.point == std::path::Path::new("/")));
    }
}
