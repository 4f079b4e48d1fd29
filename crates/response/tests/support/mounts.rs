// SPDX-License-Identifier: Apache-2.0
//! Mounts that are made of others: overlays, bind mounts, file systems served by a program.

use super::{Fs, os, run};
use std::path::{Path, PathBuf};

impl Fs {
    /// An overlay whose layers `low`, `up` and `work` lie on one filesystem of this kind; `fill`
    /// puts files into `low` first.
    pub(crate) fn overlay(kind: &'static str, fill: impl FnOnce(&Path)) -> Self {
        let base = Self::new(kind);
        let upper = base.dir.clone();
        Self::overlay_of(base, &upper, fill)
    }

    /// The same with the upper layer somewhere else.
    pub(crate) fn overlay_of(base: Self, upper: &Path, fill: impl FnOnce(&Path)) -> Self {
        let tmp = tempfile::Builder::new().prefix("lz-fs-").tempdir().unwrap();
        let dir = tmp.path().join("m");
        let low = base.dir.join("low");
        for d in [&dir, &low, &upper.join("up"), &upper.join("work")] {
            std::fs::create_dir(d).unwrap();
        }
        fill(&low);
        let options = format!(
            "noatime,lowerdir={},upperdir={},workdir={}",
            low.display(),
            upper.join("up").display(),
            upper.join("work").display()
        );
        run("mount", &[os("-t"), os("overlay"), os("overlay"), os("-o"), os(&options), dir.as_os_str()]);
        Self { kind: "overlay", dir, under: Some(Box::new(base)), tmp }
    }

    /// A path of the layers.
    pub(crate) fn layer(&self, path: &str) -> PathBuf {
        self.under.as_ref().unwrap().dir.join(path)
    }

    /// A folder served by a program, as network filesystems are: their stand-in.
    pub(crate) fn served() -> Self {
        let tmp = tempfile::Builder::new().prefix("lz-fs-").tempdir().unwrap();
        let (dir, source) = (tmp.path().join("m"), tmp.path().join("source"));
        std::fs::create_dir(&dir).unwrap();
        std::fs::create_dir(&source).unwrap();
        run("bindfs", &[source.as_os_str(), dir.as_os_str()]);
        Self { kind: "fuse", dir, under: None, tmp }
    }

    /// The folder beside the mount point.
    pub(crate) fn beside(&self) -> &Path {
        self.tmp.path()
    }

    pub(crate) fn unmount(&self) {
        run("umount", &[self.dir.as_os_str()]);
    }
}

/// A bind mount; taken off when dropped.
pub(crate) struct Bind(PathBuf);

impl Bind {
    pub(crate) fn new(from: &Path, to: &Path) -> Self {
        run("mount", &[os("--bind"), from.as_os_str(), to.as_os_str()]);
        Self(to.to_owned())
    }

    pub(crate) fn read_only(self) -> Self {
        run("mount", &[os("-o"), os("remount,bind,ro"), self.0.as_os_str()]);
        self
    }
}

impl Drop for Bind {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
