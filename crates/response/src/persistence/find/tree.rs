// SPDX-License-Identifier: Apache-2.0
//! Opening and reading below a root folder, bounded, and without ever leaving it.

use super::{Limits, join};
use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2, readlinkat};
use rustix::io::Errno;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

/// Names of one folder that are looked at.
const MAX_NAMES: usize = 8192;

/// Links on the way to one file, as the kernel has it.
const MAX_LINKS: usize = 40;

/// Problems that are kept.
const MAX_PROBLEMS: usize = 50;

/// A folder that reading does not leave.
pub(super) struct Base {
    dir: OwnedFd,
    /// Absolute below the root; empty for the root itself.
    pub(super) path: Vec<u8>,
    inside: ResolveFlags,
}

/// A regular file that was read.
pub(super) struct TextFile {
    /// Absolute.
    pub(super) path: Vec<u8>,
    pub(super) uid: u32,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
    /// Reached through a link.
    pub(super) by_link: bool,
}

/// A symbolic link.
pub(super) struct Link {
    pub(super) path: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) uid: u32,
}

impl TextFile {
    /// A link that is itself the entry.
    pub(super) fn of_link(link: Link) -> Self {
        Self { path: link.path, uid: link.uid, mode: 0, bytes: Vec::new(), by_link: true }
    }
}

/// The root folder and what is left of the limits.
pub(super) struct Tree {
    system: Rc<Base>,
    limits: Limits,
    until: Instant,
    read: Cell<usize>,
    problems: RefCell<Vec<String>>,
    resolved: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Base {
    fn absolute(&self, path: &[u8]) -> Vec<u8> {
        join(&self.path, path)
    }

    /// Only names the file: opens neither FIFOs nor devices.
    fn name(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
        match openat2(&self.dir, path, flags, Mode::empty(), self.inside | ResolveFlags::NO_MAGICLINKS) {
            // Before Linux 5.6, or behind a filter that does not know it: part by part, no links.
            Err(Errno::NOSYS | Errno::PERM) => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mut at = openat(&self.dir, c".", flags | OFlags::DIRECTORY, Mode::empty())?;
                for part in path.split(|b| *b == b'/').filter(|p| !p.is_empty()) {
                    if part == b".." {
                        return Err(Errno::LOOP);
                    }
                    at = openat(&at, part, flags, Mode::empty())?;
                }
                Ok(at)
            }
            opened => opened,
        }
    }
}

fn reopen(name: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", name.as_raw_fd());
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(&path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::open(&path, flags, Mode::empty()),
        opened => opened,
    }
}

fn is_absent(e: Errno) -> bool {
    matches!(e, Errno::NOENT | Errno::NOTDIR)
}

fn lossy(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}

impl Tree {
    pub(super) fn open(root: &Path, limits: Limits, now: Instant) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(root, flags, Mode::empty())?;
        Ok(Self {
            system: Rc::new(Base { dir, path: Vec::new(), inside: ResolveFlags::IN_ROOT }),
            limits,
            until: now + limits.time,
            read: Cell::new(0),
            problems: RefCell::new(Vec::new()),
            resolved: RefCell::new(HashMap::new()),
        })
    }

    /// The root folder: only root writes what leads on from there, so links are followed, as if
    /// the root folder were `/`.
    pub(super) fn system(&self) -> Rc<Base> {
        Rc::clone(&self.system)
    }

    pub(super) fn read(&self) -> usize {
        self.read.get()
    }

    pub(super) fn into_problems(self) -> Vec<String> {
        self.problems.into_inner()
    }

    pub(super) fn problem(&self, what: String) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MAX_PROBLEMS && !problems.contains(&what) {
            problems.push(what);
        }
    }

    /// False when a limit is reached; said once.
    fn may_go_on(&self) -> bool {
        if Instant::now() >= self.until {
            self.problem(format!("not everything was looked at within {:?}", self.limits.time));
            return false;
        }
        if self.read.get() >= self.limits.files {
            self.problem(format!("only {} files were looked at", self.limits.files));
            return false;
        }
        true
    }

    /// Reads a regular file; `None` where there is none. What is there and cannot be read is a
    /// problem.
    pub(super) fn text(&self, base: &Base, path: &[u8]) -> Option<TextFile> {
        if !self.may_go_on() {
            return None;
        }
        let shown = || lossy(&base.absolute(path));
        let name = match base.name(path, OFlags::empty()) {
            Ok(name) => name,
            Err(e) if is_absent(e) => return None,
            Err(Errno::LOOP | Errno::XDEV) => {
                self.problem(format!("{}: its link leads out of its folder and is not followed", shown()));
                return None;
            }
            Err(e) => {
                self.problem(format!("{} cannot be opened: {e}", shown()));
                return None;
            }
        };
        let stat = fstat(&name).ok()?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return None,
            // The usual way to mask something.
            FileType::CharacterDevice if stat.st_rdev == rustix::fs::makedev(1, 3) => return None,
            _ => {
                self.problem(format!("{} is no regular file and is not opened", shown()));
                return None;
            }
        }
        self.read.set(self.read.get() + 1);
        let limit = self.limits.file_bytes;
        let mut bytes = Vec::new();
        let read = reopen(&name, OFlags::empty())
            .map_err(Into::into)
            .and_then(|f| File::from(f).take(limit as u64 + 1).read_to_end(&mut bytes));
        if let Err(e) = read {
            self.problem(format!("{} cannot be read: {e}", shown()));
            return None;
        }
        if bytes.len() > limit {
            self.problem(format!("{} is longer than {limit} bytes and is not searched", shown()));
            return None;
        }
        let by_link = base.name(path, OFlags::NOFOLLOW).and_then(|own| fstat(&own));
        let by_link = by_link.map_or(true, |own| own.st_ino != stat.st_ino || own.st_dev != stat.st_dev);
        let path = base.absolute(path);
        Some(TextFile { path, uid: stat.st_uid, mode: stat.st_mode, bytes, by_link })
    }

    /// Reads a script that something else runs: text of at most a quarter of a file's limit. What
    /// cannot be read is no problem of the search.
    pub(super) fn script(&self, base: &Base, path: &[u8]) -> Option<TextFile> {
        let name = base.name(path, OFlags::empty()).ok()?;
        let stat = fstat(&name).ok()?;
        let size = usize::try_from(stat.st_size).ok()?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
            || size > self.limits.file_bytes / 4
            || !self.may_go_on()
        {
            return None;
        }
        self.read.set(self.read.get() + 1);
        let file = File::from(reopen(&name, OFlags::empty()).ok()?);
        let mut bytes = Vec::new();
        (&file).take(512).read_to_end(&mut bytes).ok()?;
        if bytes.contains(&0) {
            return None;
        }
        file.take(size as u64).read_to_end(&mut bytes).ok()?;
        Some(TextFile {
            path: base.absolute(path),
            uid: stat.st_uid,
            mode: stat.st_mode,
            bytes,
            by_link: false,
        })
    }

    /// The link that a name is, if it is one.
    pub(super) fn link(&self, base: &Base, path: &[u8]) -> Option<Link> {
        let name = base.name(path, OFlags::NOFOLLOW).ok()?;
        let stat = fstat(&name).ok()?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return None;
        }
        let target = readlinkat(&name, c"", Vec::new()).ok()?.into_bytes();
        Some(Link { path: base.absolute(path), target, uid: stat.st_uid })
    }

    /// The names in a folder, sorted, without `.` and `..`; none where there is no folder.
    pub(super) fn names(&self, base: &Base, path: &[u8]) -> Vec<Vec<u8>> {
        if !self.may_go_on() {
            return Vec::new();
        }
        let opened = base.name(path, OFlags::DIRECTORY).and_then(|d| reopen(&d, OFlags::DIRECTORY));
        let listing = match opened.and_then(Dir::new) {
            Ok(listing) => listing,
            Err(e) if is_absent(e) => return Vec::new(),
            Err(e) => {
                self.problem(format!("{} cannot be listed: {e}", lossy(&base.absolute(path))));
                return Vec::new();
            }
        };
        let mut names: Vec<Vec<u8>> = listing
            .flatten()
            .map(|e| e.file_name().to_bytes().to_vec())
            .filter(|n| n != b"." && n != b"..")
            .take(MAX_NAMES + 1)
            .collect();
        if names.len() > MAX_NAMES {
            names.truncate(MAX_NAMES);
            self.problem(format!("{}: only {MAX_NAMES} names were looked at", lossy(&base.absolute(path))));
        }
        names.sort();
        names
    }

    /// Device and inode of a folder, to look at it once where it has two names.
    pub(super) fn identity(&self, base: &Base, path: &[u8]) -> Option<(u64, u64)> {
        let stat = fstat(base.name(path, OFlags::DIRECTORY).ok()?).ok()?;
        Some((stat.st_dev, stat.st_ino))
    }

    /// Where an absolute path leads when every link on the way is followed below the root; what is
    /// not there (the file is gone) stays as it is written.
    pub(super) fn resolve(&self, path: &[u8]) -> Vec<u8> {
        if let Some(known) = self.resolved.borrow().get(path) {
            return known.clone();
        }
        let mut left = MAX_LINKS;
        let mut parts: Vec<Vec<u8>> = path.split(|b| *b == b'/').rev().map(<[u8]>::to_vec).collect();
        let mut real: Vec<u8> = Vec::new();
        while let Some(part) = parts.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    let parent = real.iter().rposition(|b| *b == b'/').unwrap_or(0);
                    real.truncate(parent);
                    continue;
                }
                _ => {}
            }
            let next = join(&real, &part);
            let relative = next.get(1..).unwrap_or_default();
            match readlinkat(&self.system.dir, relative, Vec::new()) {
                Ok(target) if left > 0 => {
                    left -= 1;
                    let target = target.into_bytes();
                    if target.first() == Some(&b'/') {
                        real.clear();
                    }
                    parts.extend(target.split(|b| *b == b'/').rev().map(<[u8]>::to_vec));
                }
                _ => real = next,
            }
        }
        let mut known = self.resolved.borrow_mut();
        if known.len() > 65_536 {
            known.clear();
        }
        known.insert(path.to_vec(), real.clone());
        real
    }

    /// Users and their home folders, root first. Read from the list itself as bytes: no NSS.
    pub(super) fn users(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut users = vec![(b"root".to_vec(), b"/root".to_vec())];
        let list = self.text(&self.system, b"etc/passwd").map(|f| f.bytes).unwrap_or_default();
        for line in list.split(|b| *b == b'\n') {
            let mut fields = line.split(|b| *b == b':');
            let (Some(name), Some(home)) = (fields.next(), fields.nth(4)) else { continue };
            let home = home.strip_suffix(b"/").unwrap_or(home);
            if home.len() > 1 && home.first() == Some(&b'/') && !name.is_empty() {
                users.push((name.to_vec(), home.to_vec()));
            }
        }
        users
    }

    /// The home folders, each once.
    pub(super) fn homes(&self, users: &[(Vec<u8>, Vec<u8>)], most: usize) -> Vec<Rc<Base>> {
        let system = self.system();
        let mut known = HashSet::new();
        let mut homes: Vec<Vec<u8>> =
            users.iter().map(|(_, home)| home.clone()).filter(|h| known.insert(h.clone())).collect();
        if homes.len() > most {
            homes.truncate(most);
            self.problem(format!("only {most} home folders were looked at"));
        }
        let mut seen = HashSet::new();
        homes
            .into_iter()
            .filter_map(|path| {
                let name = system.name(path.get(1..)?, OFlags::DIRECTORY).ok()?;
                let stat = fstat(&name).ok()?;
                let inside = ResolveFlags::BENEATH;
                seen.insert((stat.st_dev, stat.st_ino)).then(|| Rc::new(Base { dir: name, path, inside }))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree(root: &Path) -> Tree {
        Tree::open(root, Limits::default(), Instant::now()).unwrap()
    }

    #[test]
    fn nothing_is_read_outside_and_nothing_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let (root, out) = (dir.path().join("root"), dir.path().join("secret"));
        std::fs::create_dir_all(root.join("home/u")).unwrap();
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::write(&out, "secret").unwrap();
        std::fs::write(root.join("etc/passwd"), "u:x:1:1::/home/u:/bin/sh\nbroken\n").unwrap();
        std::fs::write(root.join("etc/real"), "real").unwrap();
        symlink("/etc/real", root.join("etc/link")).unwrap();
        symlink(&out, root.join("etc/outside")).unwrap();
        symlink("../../../etc/real", root.join("home/u/climbs")).unwrap();
        symlink("/etc/real", root.join("home/u/absolute")).unwrap();
        std::fs::write(root.join("home/u/own"), "own").unwrap();
        symlink("own", root.join("home/u/inside")).unwrap();
        let fifo = root.join("etc/fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        let t = tree(&root);
        let system = t.system();
        let text = |base: &Base, name: &[u8]| t.text(base, name).map(|f| f.bytes);
        assert_eq!(text(&system, b"etc/link").as_deref(), Some(&b"real"[..]), "as if the root were /");
        assert_eq!(text(&system, b"etc/outside"), None);
        assert_eq!(text(&system, b"etc/fifo"), None);
        let homes = t.homes(&t.users(), 10);
        let [home] = homes.as_slice() else { panic!("one home") };
        assert_eq!(home.path, b"/home/u");
        assert_eq!(text(home, b"inside").as_deref(), Some(&b"own"[..]));
        assert_eq!(text(home, b"climbs"), None);
        assert_eq!(text(home, b"absolute"), None);
        let problems = t.into_problems().join("\n");
        for part in ["etc/fifo is no regular file", "u/climbs: its link leads out", "u/absolute"] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
    }

    #[test]
    fn links_lead_to_what_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("usr/bin")).unwrap();
        symlink("usr/bin", root.join("bin")).unwrap();
        symlink("/bin/../bin/gone", root.join("usr/bin/alias")).unwrap();
        symlink("/loop", root.join("loop")).unwrap();
        let t = tree(root);
        assert_eq!(t.resolve(b"/bin/alias"), b"/usr/bin/gone");
        assert_eq!(t.resolve(b"//usr/./bin/x/../y"), b"/usr/bin/y");
        assert_eq!(t.resolve(b"/../../etc"), b"/etc");
        assert_eq!(t.resolve(b"/loop/x"), b"/loop/x", "bounded");
    }
}
