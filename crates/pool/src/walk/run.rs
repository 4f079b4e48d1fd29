// SPDX-License-Identifier: Apache-2.0
//! The walk itself.

use super::entry::{Entry, join};
use super::filesystem::{Kind, kind};
use super::folder::{Folder, open_in};
use super::pending::{Task, Tasks};
use super::reopened::Reopened;
use super::{MAX_DEPTH, Visitor, WalkOptions, WalkSummary};
use crate::job::type_word;
use lazaret_model::ScanError;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, RawDir, fstat, statat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Walks everything below `roots` with one thread for each visitor (at least one), and returns when
/// all is seen.
///
/// A root that is a file is visited; one that is a link, FIFO, socket or device is a
/// [`ScanError::NotAFile`], one that cannot be looked at a [`ScanError::Unreadable`].
pub fn walk<V: Visitor>(roots: &[PathBuf], options: &WalkOptions, visitors: &mut [V]) -> WalkSummary {
    let shared = Shared {
        tasks: Tasks::default(),
        one_file_system: options.one_file_system,
        exclude: options.exclude.iter().map(|p| plain(p.as_os_str().as_bytes()).to_vec()).collect(),
        open: Arc::new(AtomicUsize::new(0)),
        // Only the owner and root may leave the access time alone.
        noatime: rustix::process::geteuid().is_root(),
    };
    let Some((first, rest)) = visitors.split_first_mut() else { return WalkSummary::default() };
    let mut total = WalkSummary::default();
    let mut walker = Walker::new(&shared, first);
    for root in roots {
        walker.root(root);
    }
    std::thread::scope(|scope| {
        for _ in 0..=rest.len() {
            shared.tasks.enter();
        }
        let others: Vec<_> = rest
            .iter_mut()
            .map(|visitor| {
                let shared = &shared;
                scope.spawn(move || Walker::new(shared, visitor).run())
            })
            .collect();
        total += walker.run();
        for other in others {
            // A visitor's panic goes on in the caller.
            match other.join() {
                Ok(summary) => total += summary,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    total
}

/// Without the slashes at its end.
fn plain(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let [rest @ .., b'/'] = path
        && !rest.is_empty()
    {
        path = rest;
    }
    path
}

struct Shared {
    tasks: Tasks,
    one_file_system: bool,
    exclude: HashSet<Vec<u8>>,
    open: Arc<AtomicUsize>,
    noatime: bool,
}

struct Walker<'a, V: Visitor> {
    shared: &'a Shared,
    visitor: &'a mut V,
    summary: WalkSummary,
    buffer: Vec<MaybeUninit<u8>>,
    reopened: Reopened,
}

impl<'a, V: Visitor> Walker<'a, V> {
    fn new(shared: &'a Shared, visitor: &'a mut V) -> Self {
        let buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        Self { shared, visitor, summary: WalkSummary::default(), buffer, reopened: Reopened::default() }
    }

    fn root(&mut self, root: &std::path::Path) {
        let path = root.as_os_str().as_bytes();
        let Ok(name) = CString::new(path) else {
            let why = "the name has a NUL byte".to_owned();
            return self.visitor.problem(path.to_vec(), ScanError::Unreadable(why));
        };
        let stat = match statat(CWD, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(e) => return self.visitor.problem(path.to_vec(), ScanError::Unreadable(e.to_string())),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                match rustix::fs::openat(CWD, &name, super::folder::flags(false), rustix::fs::Mode::empty()) {
                    // A pseudo filesystem that was named is walked.
                    Ok(fd) => self.folder(None, name, fd),
                    Err(e) => self.visitor.problem(path.to_vec(), ScanError::Unreadable(e.to_string())),
                }
            }
            FileType::RegularFile => {
                self.summary.files += 1;
                let local = local_of(&name, self.shared.noatime);
                self.visitor.file(&Entry {
                    folder: CWD,
                    folder_path: b"",
                    name: &name,
                    named: true,
                    local,
                    noatime: self.shared.noatime,
                });
            }
            other => self.visitor.problem(path.to_vec(), ScanError::NotAFile(type_word(other).into())),
        }
    }

    fn run(mut self) -> WalkSummary {
        loop {
            let task = match self.shared.tasks.try_next() {
                Some(task) => task,
                None => {
                    self.visitor.idle();
                    match self.shared.tasks.next() {
                        Some(task) => task,
                        None => break,
                    }
                }
            };
            self.enter(task);
        }
        self.visitor.idle();
        self.summary
    }

    /// Opens a folder that was found, and reads it.
    fn enter(&mut self, task: Task) {
        let Task { parent, name } = task;
        let noatime = self.shared.noatime;
        let opened = self.reopened.open(&parent, noatime).and_then(|fd| open_in(fd, &name, noatime));
        match opened {
            Ok(fd) => self.folder(Some(parent), name, fd),
            // Gone, or exchanged for something else that is no folder.
            Err(Errno::NOENT | Errno::STALE | Errno::LOOP | Errno::NOTDIR) => self.summary.vanished += 1,
            Err(e) => self.visitor.problem(join(&parent.path(), &name), ScanError::Unreadable(e.to_string())),
        }
    }

    /// Reads an open folder: visits its files, and puts its folders down for later.
    fn folder(&mut self, parent: Option<Arc<Folder>>, name: CString, fd: OwnedFd) {
        let path = match &parent {
            Some(parent) => join(&parent.path(), &name),
            None => name.to_bytes().to_vec(),
        };
        if self.is_excluded(&path) {
            return self.summary.left_out += 1;
        }
        let dev = match fstat(&fd) {
            Ok(stat) => stat.st_dev,
            Err(e) => return self.visitor.problem(path, ScanError::Unreadable(e.to_string())),
        };
        let local = match &parent {
            Some(parent) if parent.dev == dev => parent.local,
            Some(parent) => {
                let kind = kind(&fd);
                if kind == Kind::Pseudo || (self.shared.one_file_system && dev != parent.root_dev) {
                    return self.summary.left_out += 1;
                }
                kind == Kind::Local
            }
            None => kind(&fd) == Kind::Local,
        };
        let depth = parent.as_ref().map_or(0, |p| p.depth + 1);
        self.summary.folders += 1;
        let folders = self.read(&fd, &path, local);
        if folders.is_empty() {
            return;
        }
        if depth >= MAX_DEPTH {
            let why = format!("what is below lies more than {MAX_DEPTH} folders deep");
            return self.visitor.problem(path, ScanError::Unreadable(why));
        }
        let open = Arc::clone(&self.shared.open);
        let (folder, fd) = Folder::new(parent, name, fd, dev, local, open);
        let folder = Arc::new(folder);
        if let Some(fd) = fd {
            self.reopened.put(&folder, fd);
        }
        self.shared.tasks.push(folders.into_iter().map(|name| Task { parent: Arc::clone(&folder), name }));
    }

    fn read(&mut self, fd: &OwnedFd, path: &[u8], local: bool) -> Vec<CString> {
        let mut folders = Vec::new();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut entries = RawDir::new(fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                // The folder itself was removed meanwhile.
                Err(Errno::NOENT) => break,
                Err(e) => {
                    self.visitor.problem(path.to_vec(), ScanError::Unreadable(e.to_string()));
                    break;
                }
            };
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let file_type = match entry.file_type() {
                FileType::Unknown => match statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(_) => {
                        self.summary.vanished += 1;
                        continue;
                    }
                },
                known => known,
            };
            match file_type {
                FileType::Directory => folders.push(name.to_owned()),
                FileType::RegularFile => self.file(fd, path, name, local),
                _ => self.summary.other += 1,
            }
        }
        self.buffer = buffer;
        folders
    }

    fn file(&mut self, fd: &OwnedFd, path: &[u8], name: &CStr, local: bool) {
        if !self.shared.exclude.is_empty() && self.is_excluded(&join(path, name)) {
            return self.summary.left_out += 1;
        }
        self.summary.files += 1;
        let noatime = self.shared.noatime;
        let folder = fd.as_fd();
        self.visitor.file(&Entry { folder, folder_path: path, name, named: false, local, noatime });
    }

    fn is_excluded(&self, path: &[u8]) -> bool {
        !self.shared.exclude.is_empty() && self.shared.exclude.contains(plain(path))
    }
}

/// Whether a named file lies on a filesystem whose numbers can be trusted.
fn local_of(name: &CStr, noatime: bool) -> bool {
    let entry = Entry { folder: CWD, folder_path: b"", name, named: true, local: false, noatime };
    entry.open().is_ok_and(|(file, _)| kind(&file) == Kind::Local)
}
