// SPDX-License-Identifier: Apache-2.0
//! Opening folders and names without ever following a link.

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Stat, openat, openat2, statat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// Which inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inode {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

impl From<&Stat> for Inode {
    fn from(s: &Stat) -> Self {
        Self { dev: s.st_dev, ino: s.st_ino }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The longest path that goes to the kernel in one piece; `PATH_MAX` is 4096 with the final NUL.
const PIECE: usize = 4000;

/// Opens an absolute folder; no component may be a symbolic link. The path may be longer than the
/// kernel takes at once.
///
/// # Errors
/// `ELOOP` for a link on the way, `EINVAL` for a path that is not absolute or climbs.
pub(crate) fn folder(path: &[u8]) -> Result<OwnedFd, Errno> {
    let Some(relative) = path.strip_prefix(b"/") else { return Err(Errno::INVAL) };
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    below(root, relative)
}

/// Opens a folder below another one in the same way; an empty path is that folder itself.
///
/// # Errors
/// As [`folder`].
pub(crate) fn below(root: OwnedFd, relative: &[u8]) -> Result<OwnedFd, Errno> {
    let parts: Vec<&[u8]> = relative.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".").collect();
    if parts.contains(&b"..".as_slice()) || relative.contains(&0) {
        return Err(Errno::INVAL);
    }
    let mut at = root;
    for piece in pieces(&parts) {
        at = step(&at, &piece, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC)?;
    }
    openat(&at, c".", DIRECTORY, Mode::empty())
}

/// Joins components to paths that the kernel takes.
fn pieces(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for part in parts {
        match out.last_mut() {
            Some(last) if last.len() + part.len() < PIECE => {
                last.push(b'/');
                last.extend_from_slice(part);
            }
            _ => out.push(part.to_vec()),
        }
    }
    out
}

fn step(at: &OwnedFd, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(at, relative, flags, Mode::empty(), resolve) {
        // Before Linux 5.6, or behind a filter that does not know it: component by component.
        Err(Errno::NOSYS | Errno::PERM) => {
            let mut at = openat(at, c".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            for part in relative.split(|b| *b == b'/') {
                at = openat(&at, part, flags | OFlags::NOFOLLOW, Mode::empty())?;
            }
            Ok(at)
        }
        opened => opened,
    }
}

/// Folder and last component of an absolute path.
pub(crate) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|b| *b == b'/')?;
    let name = path.get(slash + 1..)?;
    if path.first() != Some(&b'/') || name.is_empty() || name == b"." || name == b".." {
        return None;
    }
    Some((if slash == 0 { b"/" } else { path.get(..slash)? }, name))
}

/// `folder` and `name` as one path.
pub(crate) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = folder.to_vec();
    if out.last() != Some(&b'/') {
        out.push(b'/');
    }
    out.extend_from_slice(name);
    out
}

/// What a name leads to, itself a link or not; `None` when there is nothing.
pub(crate) fn look(dir: &OwnedFd, name: &[u8]) -> Result<Option<Stat>, Errno> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(s) => Ok(Some(s)),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether the name is this inode now.
pub(crate) fn is(dir: &OwnedFd, name: &[u8], inode: Inode) -> bool {
    matches!(look(dir, name), Ok(Some(s)) if Inode::from(&s) == inode)
}

/// Opens a regular file for reading, without following a link, without waiting for a FIFO, without
/// touching its access time.
pub(crate) fn file(dir: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    match openat(dir, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(dir, name, flags, Mode::empty()),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split() {
        assert_eq!(split(b"/a/b"), Some((b"/a".as_slice(), b"b".as_slice())));
        assert_eq!(split(b"/a"), Some((b"/".as_slice(), b"a".as_slice())));
        for bad in [b"".as_slice(), b"a", b"/", b"/a/", b"/a/..", b"a/b"] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
        assert_eq!(join(b"/", b"a"), b"/a");
        assert_eq!(join(b"/a", b"b"), b"/a/b");
    }

    #[test]
    fn links_are_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
        let path = |n: &str| dir.path().join(n).to_str().unwrap().as_bytes().to_vec();
        assert!(folder(&path("real")).is_ok());
        assert_eq!(folder(&path("link")).unwrap_err(), Errno::LOOP);
        assert_eq!(folder(&path("real/../real")).unwrap_err(), Errno::INVAL);
        assert_eq!(folder(b"relative").unwrap_err(), Errno::INVAL);
        assert!(folder(b"/").is_ok());
    }

    #[test]
    fn paths_longer_than_the_kernel_takes_are_walked_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let mut at = rustix::fs::open(dir.path(), DIRECTORY, Mode::empty()).unwrap();
        let mut path = dir.path().to_str().unwrap().as_bytes().to_vec();
        for _ in 0..30 {
            let name = [b'd'; 200];
            rustix::fs::mkdirat(&at, name.as_slice(), Mode::RWXU).unwrap();
            at = openat(&at, name.as_slice(), DIRECTORY, Mode::empty()).unwrap();
            path = join(&path, &name);
        }
        assert!(path.len() > 6000);
        let there = rustix::fs::fstat(folder(&path).unwrap()).unwrap();
        assert_eq!(Inode::from(&there), Inode::from(&rustix::fs::fstat(&at).unwrap()));
        // A link in a later piece is no way either.
        rustix::fs::symlinkat("/", &at, "link").unwrap();
        assert_eq!(folder(&join(&path, b"link")).unwrap_err(), Errno::LOOP);
    }
}
