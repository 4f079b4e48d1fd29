// SPDX-License-Identifier: Apache-2.0
//! Files of our own that are there completely or not at all, also after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes `path` (mode 0600) through a temporary neighbour: content, sync, rename, sync of the folder.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut temp = path.as_os_str().to_owned();
    temp.push(".new-");
    let temp = Path::new(&temp);
    // Left over from a crash.
    let _ = fs::remove_file(temp);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temp)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temp, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
