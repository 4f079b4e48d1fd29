// SPDX-License-Identifier: Apache-2.0
//! A private folder on a protected mount.

use crate::error::CliError;
use crate::escape;
use lazaret_proto::v1;
use rustix::fs::StatVfsMountFlags;
use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Tried before the mounts themselves, where they lie on a protected one.
const PREFERRED: [&str; 3] = ["/var/tmp", "/tmp", "/root"];

/// Makes a folder that only this user may enter, in `dir` or on a mount that is fully protected.
///
/// # Errors
/// When no folder can be made; says what was tried.
pub(super) fn private_folder(dir: Option<&Path>, status: &v1::Status) -> Result<PathBuf, CliError> {
    if let Some(dir) = dir {
        let dir = std::path::absolute(dir).map_err(|e| CliError::file("use", dir, &e))?;
        return make(&dir).map_err(|e| CliError::file("make a folder in", &dir, &e));
    }
    let mut tried = Vec::new();
    for parent in candidates(status) {
        match make(&parent) {
            Ok(folder) => return Ok(folder),
            Err(e) => tried.push(format!("{} ({e})", escape::path(&parent))),
        }
    }
    Err(CliError::Failed(if tried.is_empty() {
        "no mount has full protection (exec, open and write) in effect and lets programs run: see `lazaret \
         status`, or name a folder with --dir"
            .into()
    } else {
        format!("no folder could be made on a protected mount: {}. Name one with --dir", tried.join(", "))
    }))
}

/// Folders on mounts whose effective protection covers running and writing, best first.
fn candidates(status: &v1::Status) -> Vec<PathBuf> {
    let mounts: Vec<_> = status
        .mounts
        .iter()
        .filter(|m| ["exec", "write"].iter().all(|needed| m.effective.split('+').any(|word| word == *needed)))
        .map(|m| PathBuf::from(OsStr::from_bytes(&m.path)))
        .collect();
    let device = |path: &Path| path.metadata().ok().map(|m| m.dev());
    let on_one = |path: &PathBuf| {
        let own = device(path);
        own.is_some() && mounts.iter().any(|mount| device(mount) == own)
    };
    PREFERRED
        .iter()
        .map(PathBuf::from)
        .filter(on_one)
        .chain(mounts.iter().cloned())
        // There the kernel itself refuses to run anything.
        .filter(|path| {
            rustix::fs::statvfs(path)
                .is_ok_and(|s| !s.f_flag.intersects(StatVfsMountFlags::NOEXEC | StatVfsMountFlags::RDONLY))
        })
        .collect()
}

fn make(parent: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
    let folder = parent.join(format!("lazaret-self-test-{:016x}", u64::from_ne_bytes(random)));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(effective: &str, path: &Path) -> v1::Status {
        let mount = v1::MountStatus {
            path: path.as_os_str().as_bytes().to_vec(),
            effective: effective.into(),
            ..Default::default()
        };
        v1::Status { mounts: vec![mount], ..Default::default() }
    }

    #[test]
    fn only_a_fully_protected_mount_is_chosen() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(private_folder(None, &status("write", dir.path())).unwrap_err().exit_status(), 1);
        assert!(candidates(&status("none", dir.path())).is_empty());
        assert!(candidates(&status("exec+open+write", dir.path())).contains(&dir.path().to_owned()));
    }

    #[test]
    fn the_folder_is_private_and_new() {
        let dir = tempfile::tempdir().unwrap();
        let one = private_folder(Some(dir.path()), &v1::Status::default()).unwrap();
        let two = private_folder(Some(dir.path()), &v1::Status::default()).unwrap();
        assert_ne!(one, two);
        assert_eq!(one.metadata().unwrap().mode() & 0o777, 0o700);
        let error = private_folder(Some(Path::new("/nonexistent/x")), &v1::Status::default()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x"));
    }
}
