// SPDX-License-Identifier: Apache-2.0
//! Filesystems of their own for each story: a bug in the daemon must not freeze the machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A mounted filesystem; unmounted when dropped.
pub struct Volume {
    /// Holds the image and the mount point.
    folder: TempDir,
    point: PathBuf,
}

/// Runs a program to its end.
///
/// # Panics
/// When it fails, with what it said.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        out.status.success(),
        "{program} {arguments:?}: {}\n{said}{}",
        out.status,
        String::from_utf8_lossy(&out.stderr)
    );
    said
}

impl Volume {
    fn prepare() -> (TempDir, PathBuf) {
        let folder =
            tempfile::Builder::new().prefix("lazaret-").tempdir_in("/var/tmp").expect("temporary folder");
        let point = folder.path().join("mnt");
        std::fs::create_dir(&point).expect("mount point");
        (folder, point)
    }

    fn text(path: &Path) -> &str {
        path.to_str().expect("temporary paths are text")
    }

    /// In memory.
    #[must_use]
    pub fn tmpfs() -> Self {
        let (folder, point) = Self::prepare();
        run("mount", &["-t", "tmpfs", "-o", "size=256m,mode=0755", "lazaret-test", Self::text(&point)]);
        Self { folder, point }
    }

    /// ext4 on a loop device.
    #[must_use]
    pub fn ext4() -> Self {
        Self::ext4_of(128)
    }

    /// The same with so many megabytes.
    #[must_use]
    pub fn ext4_of(megabytes: u64) -> Self {
        Self::image(megabytes, &["mkfs.ext4", "-q", "-F"])
    }

    /// xfs on a loop device; smaller than 300 MB it refuses to be.
    #[must_use]
    pub fn xfs() -> Self {
        Self::image(320, &["mkfs.xfs", "-q", "-f"])
    }

    fn image(megabytes: u64, mkfs: &[&str]) -> Self {
        let (folder, point) = Self::prepare();
        let image = folder.path().join("image");
        std::fs::File::create(&image).and_then(|f| f.set_len(megabytes << 20)).expect("image");
        let mut arguments = mkfs[1..].to_vec();
        arguments.push(Self::text(&image));
        run(mkfs[0], &arguments);
        run("mount", &["-o", "loop", Self::text(&image), Self::text(&point)]);
        Self { folder, point }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.point
    }

    /// A path on it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.point.join(name)
    }

    /// A folder beside the mount, not on it.
    #[must_use]
    pub fn beside(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        for arguments in [&[][..], &["-l"][..]] {
            let done = Command::new("umount").args(arguments).arg(&self.point).output();
            if done.is_ok_and(|o| o.status.success()) {
                return;
            }
        }
    }
}
