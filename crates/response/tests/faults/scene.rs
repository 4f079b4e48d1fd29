// SPDX-License-Identifier: Apache-2.0
//! Filesystems in memory, and on them a state folder and a bad file, always at the same paths.

use rustix::fs::{
    Gid, IFlags, Mode, Timespec, Timestamps, Uid, XattrFlags, fchmod, fchown, fsetxattr, futimens,
    ioctl_getflags, ioctl_setflags,
};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const SIZE: usize = 64 * 1024;

/// Runs a program to its end.
pub(crate) fn run(program: &str, arguments: &[&OsStr]) {
    let out = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(
        out.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

fn os(s: &str) -> &OsStr {
    OsStr::new(s)
}

/// A mounted filesystem; unmounted when dropped.
pub(crate) struct Mount {
    kind: &'static str,
    pub(crate) point: PathBuf,
    image: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    /// `tmpfs`, `ext4` or `xfs`; the image of the latter two lies in memory, because the disk below is not what
    /// is tested.
    pub(crate) fn new(kind: &'static str) -> Self {
        let mount = Self::unmounted(kind);
        if kind != "tmpfs" {
            mount.make();
        }
        mount.mount();
        mount
    }

    fn unmounted(kind: &'static str) -> Self {
        let folder = tempfile::Builder::new().prefix("lz-fault-").tempdir_in("/dev/shm").unwrap();
        let point = folder.path().join("m");
        std::fs::create_dir(&point).unwrap();
        Self { kind, point, image: folder.path().join("image"), _folder: folder }
    }

    fn make(&self) {
        let megabytes = if self.kind == "xfs" { 320 } else { 48 };
        File::create(&self.image).unwrap().set_len(megabytes << 20).unwrap();
        let force = if self.kind == "xfs" { "-f" } else { "-F" };
        run(&format!("mkfs.{}", self.kind), &[os("-q"), os(force), self.image.as_os_str()]);
    }

    pub(crate) fn mount(&self) {
        if self.kind == "tmpfs" {
            let options = [os("-t"), os("tmpfs"), os("-o"), os("noatime,size=128m"), os("none")];
            run("mount", &[&options[..], &[self.point.as_os_str()]].concat());
        } else {
            let options = [os("-o"), os("loop,noatime"), self.image.as_os_str(), self.point.as_os_str()];
            run("mount", &options);
        }
    }

    pub(crate) fn unmount(&self) {
        run("umount", &[self.point.as_os_str()]);
    }

    /// The power goes: what was not flushed is gone. With `log` the filesystem's own log still gets out.
    pub(crate) fn cut(&self, log: bool) {
        let command = if log { "shutdown -f" } else { "shutdown" };
        run("xfs_io", &[os("-x"), os("-c"), os(command), self.point.as_os_str()]);
        self.unmount();
        self.mount();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        for lazy in [false, true] {
            let mut umount = Command::new("umount");
            if lazy {
                umount.arg("-l");
            }
            if umount.arg(&self.point).output().is_ok_and(|o| o.status.success()) {
                return;
            }
        }
    }
}

/// State folder and bad file; both on one mount, or each on its own.
pub(crate) struct Scene {
    pub(crate) home: Mount,
    apart: Option<Mount>,
    /// Whether the bad file is immutable.
    locked: bool,
    /// A copy of the state folder as it is before the verb.
    template: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new(kind: &'static str, apart: Option<&'static str>, locked: bool) -> Self {
        let template = tempfile::Builder::new().prefix("lz-template-").tempdir_in("/dev/shm").unwrap();
        Self { home: Mount::new(kind), apart: apart.map(Mount::new), locked, template }
    }

    pub(crate) fn files(&self) -> &Mount {
        self.apart.as_ref().unwrap_or(&self.home)
    }

    pub(crate) fn mounts(&self) -> impl Iterator<Item = &Mount> {
        std::iter::once(&self.home).chain(self.apart.as_ref())
    }

    /// Everything there is becomes durable.
    pub(crate) fn sync(&self) {
        for mount in self.mounts().filter(|m| m.kind != "tmpfs") {
            rustix::fs::syncfs(File::open(&mount.point).unwrap()).unwrap();
        }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.home.point.join("state")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.state().join("vault/objects")
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.files().point.join("d")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join("f")
    }

    /// Another name of the same inode.
    pub(crate) fn second(&self) -> PathBuf {
        self.folder().join("g")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.template.path().join("strace")
    }

    /// Keeps the state folder as it is now.
    pub(crate) fn keep(&self) {
        let kept = self.template.path().join("state");
        let _ = std::fs::remove_dir_all(&kept);
        copy(&self.state(), &kept);
    }

    /// Empties both mounts, brings the kept state folder back, and makes an empty folder for the file.
    pub(crate) fn reset(&self) {
        for mount in self.mounts() {
            empty(&mount.point);
        }
        let kept = self.template.path().join("state");
        if kept.exists() {
            copy(&kept, &self.state());
        }
        std::fs::create_dir(self.folder()).unwrap();
    }

    /// The bad file with everything that a file can have, under two names.
    pub(crate) fn furnish(&self) {
        let path = self.path();
        let mut file = File::create_new(&path).unwrap();
        file.write_all(&content()).unwrap();
        fchown(&file, Some(Uid::from_raw(1234)), Some(Gid::from_raw(5678))).unwrap();
        for (name, value) in attributes() {
            fsetxattr(&file, name, &value, XattrFlags::empty()).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        fchmod(&file, Mode::from_raw_mode(0o6751)).unwrap();
        let at = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
        let times =
            Timestamps { last_access: at(-1, 987_654_321), last_modification: at(981_173_106, 123_456_789) };
        futimens(&file, &times).unwrap();
        std::fs::hard_link(&path, self.second()).unwrap();
        // No-dump, and immutable: renames refuse until that is lifted.
        set_flags(&file, if self.locked { 0x10 | 0x40 } else { 0x40 }).unwrap();
    }
}

/// What a bad file holds: no zeros, nothing twice.
pub(crate) fn content() -> Vec<u8> {
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    let mut out = Vec::with_capacity(SIZE);
    while out.len() < SIZE {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out.extend_from_slice(&x.to_le_bytes());
    }
    out
}

/// A capability, an ACL and two plain ones, as the kernel stores them.
fn attributes() -> Vec<(&'static str, Vec<u8>)> {
    let mut capability = 0x0200_0001_u32.to_le_bytes().to_vec();
    capability.extend(0x2000_u32.to_le_bytes());
    capability.extend([0; 12]);
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permission, id) in
        [(1_u16, 7_u16, u32::MAX), (2, 7, 4321), (4, 5, u32::MAX), (16, 5, u32::MAX), (32, 1, u32::MAX)]
    {
        acl.extend(tag.to_le_bytes());
        acl.extend(permission.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    vec![
        ("trusted.note", vec![0, 255, 16]),
        ("security.selinux", b"system_u:object_r:bin_t:s0\0".to_vec()),
        ("system.posix_acl_access", acl),
        ("security.capability", capability),
    ]
}

fn copy(from: &Path, to: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

/// Of the flags that are tried here; those of the filesystem stay.
fn set_flags(file: &File, wanted: u32) -> Result<(), rustix::io::Errno> {
    let now = ioctl_getflags(file)?.bits();
    ioctl_setflags(file, IFlags::from_bits_retain((now & !0x70) | wanted))
}

/// Removes everything below, locked or not.
fn empty(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            if entry.file_name() == "lost+found" {
                continue;
            }
            empty(&path);
            std::fs::remove_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        } else {
            if kind.is_file()
                && let Ok(file) = File::open(&path)
            {
                let _ = set_flags(&file, 0);
            }
            std::fs::remove_file(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
}
