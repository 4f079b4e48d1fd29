// SPDX-License-Identifier: Apache-2.0
//! Events as lines of a file below the server's folder: written through to the disk before the cursor moves on,
//! begun anew when it is large.

use crate::failure::Failure;
use crate::outbound::Outbound;
use crate::settings::ToFile;
use serde_json::Value;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Owner writes, group reads.
const MODE: u32 = 0o640;

/// Where a target's file is. Projects are apart, so that none writes into another's.
pub(crate) fn path(out: &Outbound, project: &str, file: &ToFile) -> PathBuf {
    let project = if project.is_empty() { "all" } else { project };
    let plain: String =
        project.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    out.folder.join(plain).join(&file.name)
}

/// Appends events.
pub(crate) async fn send(
    out: &Outbound,
    project: &str,
    file: &ToFile,
    events: &[Value],
) -> Result<(), Failure> {
    let path = path(out, project, file);
    let mut bytes = Vec::new();
    for event in events {
        bytes.extend_from_slice(event.to_string().as_bytes());
        bytes.push(b'\n');
    }
    let most = u64::from(file.max_megabytes) << 20;
    let keep = file.keep;
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || append(&path, &bytes, most, keep)).await;
    written
        .map_err(|_| Failure::new(format!("{shown}: the writer failed")))?
        .map_err(|e| Failure::new(format!("{shown}: cannot be written: {e}")))
}

fn append(path: &Path, bytes: &[u8], most: u64, keep: u32) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    let mut file = open(path)?;
    let mut size = whole_lines(&mut file)?;
    if size > 0 && size + bytes.len() as u64 > most {
        drop(file);
        rotate(path, keep)?;
        file = open(path)?;
        size = whole_lines(&mut file)?;
    }
    file.seek(SeekFrom::Start(size))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

fn open(path: &Path) -> io::Result<File> {
    // No link is followed out of the folder: what is there must be a file of ours.
    if std::fs::symlink_metadata(path).is_ok_and(|m| !m.is_file()) {
        return Err(io::Error::other("there is something else than a file"));
    }
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    Ok(file)
}

/// Cuts off a line that a crash or a full disk left without its end: it was never counted as delivered.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut part = [0; 4096];
    while end > 0 {
        let from = end.saturating_sub(part.len() as u64);
        let length = usize::try_from(end - from).unwrap_or(part.len());
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut part[..length])?;
        if let Some(at) = part[..length].iter().rposition(|b| *b == b'\n') {
            end = from + at as u64 + 1;
            break;
        }
        end = from;
    }
    if end < file.metadata()?.len() {
        file.set_len(end)?;
    }
    Ok(end)
}

/// `name` becomes `name.1`, and so on; the last one goes.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return std::fs::remove_file(path);
    }
    for n in (1..=keep).rev() {
        let from = if n == 1 { path.to_owned() } else { numbered(n - 1) };
        match std::fs::rename(&from, numbered(n)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotates_by_size_and_mends_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p/a.jsonl");
        append(&path, b"one\n", 12, 2).unwrap();
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"torn").unwrap();
        append(&path, b"two\n", 12, 2).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        append(&path, b"three\n", 12, 2).unwrap();
        append(&path, b"four....\n", 12, 2).unwrap();
        append(&path, b"five....\n", 12, 2).unwrap();
        let read = |n: &str| std::fs::read_to_string(folder.path().join(n)).unwrap();
        assert_eq!(
            (read("p/a.jsonl"), read("p/a.jsonl.1"), read("p/a.jsonl.2")),
            ("five....\n".to_owned(), "four....\n".to_owned(), "three\n".to_owned())
        );
        assert!(!folder.path().join("p/a.jsonl.3").exists(), "what is over the number goes");
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, b"theirs\n").unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("a")).unwrap();
        assert!(append(&folder.path().join("a"), b"ours\n", 100, 1).is_err());
        assert_eq!(std::fs::read(&elsewhere).unwrap(), b"theirs\n");
    }
}
