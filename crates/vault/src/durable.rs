// SPDX-License-Identifier: Apache-2.0
//! Files that are there completely or not at all, also after a power cut.

use crate::VaultError;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Creates a file that must not exist; never follows a link.
pub(crate) fn create_new(path: &Path, mode: u32) -> Result<File, VaultError> {
    let fd: OwnedFd = rustix::fs::open(
        path,
        OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::from_raw_mode(mode),
    )
    .map_err(VaultError::io(format!("creating {}", path.display())))?;
    Ok(fd.into())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), VaultError> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(VaultError::io(format!("syncing {}", dir.display())))
}

/// Writes `path` through a temporary neighbour: content, sync, rename, sync of the folder.
pub(crate) fn replace(path: &Path, mode: u32, content: &[u8]) -> Result<(), VaultError> {
    replace_unsynced_name(path, mode, content)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// The same without the last step: the caller syncs the folder once for several names.
pub(crate) fn replace_unsynced_name(path: &Path, mode: u32, content: &[u8]) -> Result<(), VaultError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let tmp = Path::new(&name);
    // Left over from a crash.
    match std::fs::remove_file(tmp) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(VaultError::io(format!("removing {}", tmp.display()))(e));
        }
        _ => {}
    }
    let result = (|| {
        let mut file = create_new(tmp, mode)?;
        file.write_all(content)
            .and_then(|()| file.sync_all())
            .map_err(VaultError::io(format!("writing {}", tmp.display())))?;
        std::fs::rename(tmp, path).map_err(VaultError::io(format!("naming {}", path.display())))
    })();
    if result.is_err() {
        let _ = std::fs::remove_file(tmp);
    }
    result
}
