// SPDX-License-Identifier: Apache-2.0
//! The copy from which a sample is sent: an unlinked file of our own that holds what was asked for and
//! nothing else. A file that is changed or swapped meanwhile never leaves in part.

use lazaret_model::{IsolatedId, Sha256};
use lazaret_vault::{Reader, VaultError};
use rustix::fs::{CWD, Mode, OFlags};
use sha2::Digest as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Bytes at a time.
const PIECE: usize = 64 << 10;

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoCopy {
    /// What lies there is not what was asked for (any more).
    Other(String),
    /// Our own trouble, which passes.
    Trouble(String),
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Copy {
    file: File,
    size: u64,
}

impl Copy {
    /// Copies what the path leads to. It is opened without following a link at its end, read once to its
    /// end, and taken only if it has this size and this digest.
    pub(super) fn of(path: &[u8], wanted: Sha256, size: u64, folder: &Path) -> Result<Self, NoCopy> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let source = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| NoCopy::Other(format!("it cannot be opened: {}", io::Error::from(e))))?;
        let mut source = File::from(source);
        let there = source.metadata().map_err(|e| NoCopy::Other(format!("it cannot be looked at: {e}")))?;
        if !there.is_file() {
            return Err(NoCopy::Other("it is no regular file any more".into()));
        }
        if there.len() != size {
            return Err(changed());
        }
        let trouble =
            |e: io::Error| NoCopy::Trouble(format!("it cannot be copied to {}: {e}", folder.display()));
        let mut file = unnamed(folder).map_err(trouble)?;
        let mut digest = sha2::Sha256::new();
        let mut piece = vec![0; PIECE];
        let mut length = 0_u64;
        loop {
            let n = match source.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(NoCopy::Other(format!("it cannot be read: {e}"))),
            };
            length += n as u64;
            if length > size {
                return Err(changed());
            }
            digest.update(&piece[..n]);
            file.write_all(&piece[..n]).map_err(trouble)?;
        }
        if length != size || digest.finalize().as_slice() != wanted.0 {
            return Err(changed());
        }
        Ok(Self { file, size })
    }

    /// Copies what an isolated file held, out of the vault.
    pub(super) fn of_isolated(
        vault: &Reader,
        id: IsolatedId,
        wanted: Sha256,
        size: u64,
        folder: &Path,
    ) -> Result<Self, NoCopy> {
        let other = |e: VaultError| NoCopy::Other(format!("isolated file {id}: {e}"));
        let manifest = vault.manifest(id).map_err(other)?;
        if (manifest.sha256, manifest.size) != (wanted, size) {
            return Err(NoCopy::Other(format!("isolated file {id} is another one")));
        }
        let mut file = unnamed(folder)
            .map_err(|e| NoCopy::Trouble(format!("it cannot be copied to {}: {e}", folder.display())))?;
        vault.take(id, &mut file).map_err(other)?;
        Ok(Self { file, size })
    }

    /// A part of it: shorter only at its end.
    pub(super) fn part(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut out = vec![0; length.min(left)];
        self.file.read_exact_at(&mut out, offset)?;
        Ok(out)
    }
}

fn changed() -> NoCopy {
    NoCopy::Other("it was changed since it was looked at".into())
}

/// A file without a name: nothing of it stays when we end, however that is.
fn unnamed(folder: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(file.into()),
        // A filesystem that has no such files.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            let path = folder.join(format!(".sample-{}", uuid::Uuid::now_v7()));
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
            std::fs::remove_file(&path)?;
            Ok(file)
        }
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;

    fn digest(bytes: &[u8]) -> Sha256 {
        Sha256(sha2::Sha256::digest(bytes).into())
    }

    fn other(result: Result<Copy, NoCopy>) -> String {
        match result {
            Err(NoCopy::Other(why)) => why,
            Err(NoCopy::Trouble(why)) => panic!("our trouble: {why}"),
            Ok(_) => panic!("it was taken"),
        }
    }

    #[test]
    fn what_was_asked_for_comes_in_parts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let copy = Copy::of(path.as_os_str().as_bytes(), digest(&bytes), 200_000, dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "the copy has no name");
        // Whatever becomes of the file, this is what was asked for.
        std::fs::write(&path, b"other").unwrap();
        assert_eq!(copy.part(0, 100_000).unwrap(), &bytes[..100_000]);
        assert_eq!(copy.part(199_999, 100_000).unwrap(), &bytes[199_999..]);
        assert!(copy.part(200_000, 10).unwrap().is_empty() && copy.part(u64::MAX, 10).unwrap().is_empty());
    }

    #[test]
    fn another_content_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let name = path.as_os_str().as_bytes();
        std::fs::write(&path, b"program").unwrap();
        let wanted = digest(b"program");
        std::fs::write(&path, b"prograX").unwrap();
        assert!(other(Copy::of(name, wanted, 7, dir.path())).contains("changed"), "same size");
        std::fs::write(&path, b"prog").unwrap();
        assert!(other(Copy::of(name, wanted, 7, dir.path())).contains("changed"), "truncated");
        std::fs::write(&path, b"program and more").unwrap();
        assert!(other(Copy::of(name, wanted, 7, dir.path())).contains("changed"), "longer");
        std::fs::remove_file(&path).unwrap();
        assert!(other(Copy::of(name, wanted, 7, dir.path())).contains("opened"));
    }

    #[test]
    fn links_and_what_is_no_file_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, b"program").unwrap();
        let path = dir.path().join("x");
        let name = path.as_os_str().as_bytes();
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        // Even where the content is the very one that was asked for.
        assert!(other(Copy::of(name, digest(b"program"), 7, dir.path())).contains("opened"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(other(Copy::of(name, digest(b""), 0, dir.path())).contains("regular"));
        std::fs::remove_dir(&path).unwrap();
        rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(other(Copy::of(name, digest(b""), 0, dir.path())).contains("regular"), "and does not hang");
    }

    #[test]
    fn no_room_is_our_own_trouble() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, b"program").unwrap();
        let missing = dir.path().join("missing");
        let e = Copy::of(path.as_os_str().as_bytes(), digest(b"program"), 7, &missing).unwrap_err();
        assert!(matches!(&e, NoCopy::Trouble(why) if why.contains("missing")), "{e:?}");
    }
}
