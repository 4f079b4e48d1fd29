// SPDX-License-Identifier: Apache-2.0
//! Sealed samples in a folder: written aside, synced, renamed, synced again. What is written aside lies in `.tmp`, locked by
//! whoever writes it: what is there and not locked was left by a crash.

use super::{Found, bounded, tell};
use crate::SampleError;
use crate::disk::{self, Locked};
use crate::key::Key;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::Sender;

const ASIDE: &str = ".tmp";
const BUFFER: usize = 1 << 20;

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    handle: File,
    name: String,
    free_percent: u8,
}

impl Folder {
    /// Makes it, and removes what a crash left.
    pub(crate) fn open(root: &Path, free_percent: u8) -> Result<Self, SampleError> {
        disk::folder(root)?;
        let aside = root.join(ASIDE);
        disk::folder(&aside)?;
        for entry in std::fs::read_dir(&aside).map_err(SampleError::file("reading", &aside))? {
            let path = entry.map_err(SampleError::file("reading", &aside))?.path();
            if let Locked::Ours(file) = disk::open_locked(&path, false)? {
                disk::remove(&path)?;
                drop(file);
            }
        }
        Ok(Self(Arc::new(Inner {
            handle: File::open(root).map_err(SampleError::file("opening", root))?,
            root: root.to_owned(),
            name: format!("the folder {}", root.display()),
            free_percent,
        })))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.root.join(key.object())
    }

    fn aside(&self) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        self.0.root.join(ASIDE).join(format!("{}.{count}", std::process::id()))
    }

    pub(super) fn check(&self) -> Result<(), SampleError> {
        disk::room(&self.0.handle, &self.0.root, 0, self.0.free_percent)?;
        let path = self.aside();
        match disk::open_locked(&path, true)? {
            Locked::Ours(_) => disk::remove(&path),
            Locked::Busy | Locked::Absent => Ok(()),
        }
    }

    pub(super) fn put(&self, key: &Key, mut from: File) -> Result<(), SampleError> {
        let path = self.path(key);
        let size = from.metadata().map_err(SampleError::file("reading", &path))?.len();
        disk::room(&self.0.handle, &self.0.root, size, self.0.free_percent)?;
        let aside = self.aside();
        // Of an earlier process with our number; two processes on two machines may have the same.
        let Locked::Ours(mut file) = disk::open_locked(&aside, true)? else {
            return Err(SampleError::Busy(format!(
                "{} is being written by another machine",
                aside.display()
            )));
        };
        let written = self.write(&mut from, &mut file, &aside, &path);
        if written.is_err() {
            let _ = disk::remove(&aside);
        }
        written
    }

    fn write(&self, from: &mut File, to: &mut File, aside: &Path, path: &Path) -> Result<(), SampleError> {
        let failed = |e| SampleError::file("writing", aside)(e);
        to.set_len(0).map_err(failed)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let n = from.read(&mut buffer).map_err(failed)?;
            let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else { break };
            to.write_all(bytes).map_err(failed)?;
        }
        to.sync_all().map_err(failed)?;
        let folder = path.parent().unwrap_or(path);
        let project = folder.parent().unwrap_or(folder);
        if !folder.exists() {
            disk::folder(project)?;
            disk::folder(folder)?;
            disk::sync_folder(project)?;
            disk::sync_folder(&self.0.root)?;
        }
        std::fs::rename(aside, path).map_err(SampleError::file("naming", path))?;
        disk::sync_folder(folder)
    }

    pub(super) fn size(&self, key: &Key) -> Result<Option<u64>, SampleError> {
        let path = self.path(key);
        match path.symlink_metadata() {
            Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
            Ok(_) => Err(SampleError::Setup(format!("{} is no file: remove it", path.display()))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(SampleError::file("looking at", &path)(e)),
        }
    }

    pub(super) fn get(&self, key: &Key, most: u64) -> Result<File, SampleError> {
        let path = self.path(key);
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file =
            File::options().read(true).custom_flags(flags).open(&path).map_err(|e| match e.kind() {
                ErrorKind::NotFound => SampleError::NotFound(key.sha().to_string()),
                _ => SampleError::file("opening", &path)(e),
            })?;
        let size = file.metadata().map_err(SampleError::file("looking at", &path))?.len();
        bounded(key, size, most)?;
        Ok(file)
    }

    pub(super) fn delete(&self, key: &Key) -> Result<(), SampleError> {
        let path = self.path(key);
        disk::remove(&path)?;
        match path.parent() {
            Some(folder) if folder.exists() => disk::sync_folder(folder),
            _ => Ok(()),
        }
    }

    /// Strangers are passed over.
    pub(super) fn list(&self, folder: Option<&str>, out: &Sender<Found>) {
        let told = match folder {
            Some(folder) => self.project(folder, out),
            None => names(&self.0.root).and_then(|projects| {
                for project in projects.iter().filter(|p| *p != ASIDE) {
                    if !self.project(project, out)? {
                        break;
                    }
                }
                Ok(true)
            }),
        };
        if let Err(e) = told {
            tell(out, Err(SampleError::file("listing", &self.0.root)(e)));
        }
    }

    fn project(&self, project: &str, out: &Sender<Found>) -> io::Result<bool> {
        let folder = self.0.root.join(project);
        for two in names(&folder)? {
            for name in names(&folder.join(&two))? {
                let Some(key) = Key::parse(&format!("{project}/{two}/{name}")) else { continue };
                // One that goes while we are under way was not there.
                let Ok(Some(size)) = self.size(&key) else { continue };
                if !tell(out, Ok((key, size))) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Sorted; what is no folder has none.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        other => other?,
    };
    let mut out = Vec::new();
    for entry in entries {
        // All of ours are plain.
        out.extend(entry?.file_name().into_string().ok());
    }
    out.sort();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn object(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(io::SeekFrom::Start(0)).unwrap();
        file
    }

    fn all(folder: &Folder, project: Option<&str>) -> Vec<(String, u64)> {
        let (out, mut found) = tokio::sync::mpsc::channel(100);
        folder.list(project, &out);
        drop(out);
        std::iter::from_fn(|| found.blocking_recv())
            .map(|f| f.unwrap())
            .map(|(k, n)| (k.object(), n))
            .collect()
    }

    #[test]
    fn an_object_is_there_until_it_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("samples");
        let folder = Folder::open(&root, 0).unwrap();
        let key = Key::new("p", &[7; 32]).unwrap();
        assert_eq!(folder.size(&key).unwrap(), None);
        folder.put(&key, object(b"sealed")).unwrap();
        folder.put(&key, object(b"sealed again")).unwrap();
        folder.put(&Key::new("Q", &[8; 32]).unwrap(), object(b"other")).unwrap();
        let path = root.join(key.object());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let mut text = String::new();
        folder.get(&key, 100).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "sealed again");
        assert!(matches!(folder.get(&key, 5), Err(SampleError::Corrupt { .. })));
        std::fs::write(root.join("p/07/stranger"), "x").unwrap();
        std::fs::write(root.join("stranger"), "x").unwrap();
        assert_eq!(all(&folder, Some("p")), [(key.object(), 12)]);
        assert_eq!(all(&folder, None).len(), 2);
        folder.delete(&key).unwrap();
        folder.delete(&key).unwrap();
        assert!(matches!(folder.get(&key, 100), Err(SampleError::NotFound(_))));
        assert_eq!(all(&folder, Some("p")), []);
        assert_eq!(all(&folder, Some("nobody")), []);
    }

    #[test]
    fn what_a_crash_left_aside_is_removed_and_what_is_written_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), 0).unwrap();
        let aside = dir.path().join(ASIDE);
        std::fs::write(aside.join("1.0"), "half").unwrap();
        let busy = aside.join("2.0");
        let Locked::Ours(held) = disk::open_locked(&busy, true).unwrap() else { panic!("new") };
        drop(Folder::open(dir.path(), 0).unwrap());
        assert!(!aside.join("1.0").exists() && busy.exists());
        drop(held);
        drop(Folder::open(dir.path(), 0).unwrap());
        assert!(!busy.exists());
        folder.check().unwrap();
        assert_eq!(std::fs::read_dir(&aside).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_the_place_of_an_object_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("samples"), 0).unwrap();
        let key = Key::new("p", &[7; 32]).unwrap();
        folder.put(&key, object(b"x")).unwrap();
        folder.delete(&key).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        let path = dir.path().join("samples").join(key.object());
        std::os::unix::fs::symlink(dir.path().join("secret"), &path).unwrap();
        assert!(folder.get(&key, 100).is_err() && folder.size(&key).is_err());
    }
}
