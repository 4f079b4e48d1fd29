// SPDX-License-Identifier: Apache-2.0
//! Folders and files of our own: closed to others, on disk when we say so, never the last free bytes.

use crate::SampleError;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstatvfs};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a folder with mode 0700; closes one that others could look into.
pub(crate) fn folder(path: &Path) -> Result<(), SampleError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(SampleError::file("making", path))?;
    let now = path.metadata().map_err(SampleError::file("looking at", path))?;
    if now.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .map_err(SampleError::file("closing to others", path))?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), SampleError> {
    File::open(path).and_then(|f| f.sync_all()).map_err(SampleError::file("syncing", path))
}

/// Refuses where `more` bytes would leave less than `percent` of the file system free.
pub(crate) fn room(on: &File, path: &Path, more: u64, percent: u8) -> Result<(), SampleError> {
    let fs = fstatvfs(on).map_err(|e| SampleError::file("looking at", path)(e.into()))?;
    let unit = fs.f_frsize.max(1);
    let free = fs.f_bavail.saturating_mul(unit);
    let reserve = fs.f_blocks.saturating_mul(unit) / 100 * u64::from(percent);
    if free < reserve.saturating_add(more) {
        return Err(SampleError::Full(format!(
            "{}: {more} bytes are needed, {free} are free, and {percent} % ([samples] free_percent) are left alone: \
             make room on its file system",
            path.display()
        )));
    }
    Ok(())
}

/// What came of [`open_locked`].
pub(crate) enum Locked {
    /// It is ours alone until it is closed.
    Ours(File),
    /// Another process has it.
    Busy,
    /// There is none, where none was to be made.
    Absent,
}

/// Opens a file that one process at a time works on; `create` makes one where there is none, mode 0600.
pub(crate) fn open_locked(path: &Path, create: bool) -> Result<Locked, SampleError> {
    // Whoever had it may have removed it between our opening and our locking.
    for _ in 0..8 {
        let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        if create {
            flags |= OFlags::CREATE;
        }
        let file = match rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)) {
            Ok(fd) => File::from(fd),
            Err(rustix::io::Errno::NOENT) if !create => return Ok(Locked::Absent),
            Err(e) => return Err(SampleError::file("opening", path)(e.into())),
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Locked::Busy),
            Err(e) => return Err(SampleError::file("locking", path)(e.into())),
        }
        let meta = file.metadata().map_err(SampleError::file("looking at", path))?;
        if !meta.is_file() {
            return Err(SampleError::Setup(format!("{} is no file: remove it", path.display())));
        }
        if meta.nlink() > 0 {
            return Ok(Locked::Ours(file));
        }
    }
    Ok(Locked::Busy)
}

/// Removes a file that need not be there.
pub(crate) fn remove(path: &Path) -> Result<(), SampleError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(SampleError::file("removing", path)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_folder_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        folder(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn one_at_a_time_has_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert!(matches!(open_locked(&path, false).unwrap(), Locked::Absent));
        let Locked::Ours(first) = open_locked(&path, true).unwrap() else { panic!("nobody else has it") };
        assert!(matches!(open_locked(&path, true).unwrap(), Locked::Busy));
        drop(first);
        assert!(matches!(open_locked(&path, false).unwrap(), Locked::Ours(_)));
        std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
        assert!(open_locked(&dir.path().join("link"), true).is_err(), "a link is not followed");
    }

    #[test]
    fn the_reserve_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let on = File::open(dir.path()).unwrap();
        assert!(room(&on, dir.path(), 0, 0).is_ok());
        let e = room(&on, dir.path(), u64::MAX / 2, 0).unwrap_err();
        assert!(e.is_retryable() && e.to_string().contains("free_percent"), "{e}");
    }
}
