// SPDX-License-Identifier: Apache-2.0
//! Inodes that nobody may open or execute: what is being isolated, or could not be moved.

use super::FileKey;
use lazaret_model::FileRef;
use rustix::fs::{AtFlags, Stat, StatxFlags, statx};
use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

/// More than this are forgotten oldest first; by then they are in the vault.
const ROOM: usize = 8192;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Birth(Option<(i64, u32)>);

#[derive(Clone, Copy)]
struct Entry {
    birth: Birth,
    turn: u64,
    /// Only for the file in this state: a refusal by verdict ends when the content changes. `None`
    /// for what the responder holds, until it lets go.
    only: Option<FileKey>,
}

struct Table {
    by_inode: HashMap<(u64, u64), Entry>,
    turn: u64,
}

pub(crate) struct Denied {
    table: Mutex<Table>,
}

impl Denied {
    pub(crate) fn new() -> Self {
        Self { table: Mutex::new(Table { by_inode: HashMap::with_capacity(ROOM + 1), turn: 0 }) }
    }

    /// From now on every open and exec of this very inode is refused.
    pub(crate) fn add(&self, file: BorrowedFd<'_>) {
        let Ok(stat) = rustix::fs::fstat(file) else { return };
        self.insert((stat.st_dev, stat.st_ino), birth(file), None);
    }

    /// The same as long as the content stays what was judged.
    pub(crate) fn add_judged(&self, file: BorrowedFd<'_>) {
        let Ok(stat) = rustix::fs::fstat(file) else { return };
        self.insert((stat.st_dev, stat.st_ino), birth(file), Some(FileKey::of(&stat)));
    }

    /// Content, policy or whitelist changed: verdicts are made again, what the responder holds stays.
    pub(crate) fn forget_judged(&self) {
        self.lock().by_inode.retain(|_, e| e.only.is_none());
    }

    /// The same without a descriptor: the number alone, for a file that is known to stay.
    pub(crate) fn add_ref(&self, file: &FileRef) {
        if !self.lock().by_inode.contains_key(&(file.dev, file.ino)) {
            self.insert((file.dev, file.ino), Birth(None), None);
        }
    }

    fn insert(&self, inode: (u64, u64), birth: Birth, only: Option<FileKey>) {
        let mut table = self.lock();
        table.turn += 1;
        let turn = table.turn;
        table.by_inode.insert(inode, Entry { birth, turn, only });
        if table.by_inode.len() > ROOM
            && let Some(oldest) = table.by_inode.iter().min_by_key(|(_, e)| e.turn).map(|(k, _)| *k)
        {
            table.by_inode.remove(&oldest);
        }
    }

    /// Takes back a refusal by verdict; what the responder holds stays.
    pub(crate) fn remove_judged(&self, file: &FileRef) {
        let mut table = self.lock();
        if table.by_inode.get(&(file.dev, file.ino)).is_some_and(|e| e.only.is_some()) {
            table.by_inode.remove(&(file.dev, file.ino));
        }
    }

    pub(crate) fn remove(&self, file: &FileRef) {
        self.lock().by_inode.remove(&(file.dev, file.ino));
    }

    /// An inode number is reused after its file is gone: the birth time tells the new file apart.
    pub(crate) fn contains(&self, file: BorrowedFd<'_>, stat: &Stat) -> bool {
        let inode = (stat.st_dev, stat.st_ino);
        let Some(known) = self.lock().by_inode.get(&inode).copied() else { return false };
        let now = birth(file);
        let same_file = known.birth.0.is_none() || now.0.is_none() || known.birth == now;
        if same_file && known.only.is_none_or(|key| key == FileKey::of(stat)) {
            return true;
        }
        self.lock().by_inode.remove(&inode);
        false
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` on filesystems without birth times.
fn birth(file: BorrowedFd<'_>) -> Birth {
    let at = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME).ok();
    Birth(
        at.filter(|s| s.stx_mask & StatxFlags::BTIME.bits() != 0)
            .map(|s| (s.stx_btime.tv_sec, s.stx_btime.tv_nsec)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn refuses_the_inode_under_any_name() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "x").unwrap();
        std::fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
        std::fs::write(dir.path().join("c"), "x").unwrap();
        let denied = Denied::new();
        let open = |n: &str| File::open(dir.path().join(n)).unwrap();
        let asks = |f: &File| denied.contains(f.as_fd(), &rustix::fs::fstat(f).unwrap());
        denied.add(open("a").as_fd());
        assert!(asks(&open("b")));
        assert!(!asks(&open("c")));
    }

    #[test]
    fn a_refusal_by_verdict_ends_with_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "bad").unwrap();
        let denied = Denied::new();
        let asks = || {
            let file = File::open(&path).unwrap();
            denied.contains(file.as_fd(), &rustix::fs::fstat(&file).unwrap())
        };
        denied.add_judged(File::open(&path).unwrap().as_fd());
        assert!(asks());
        std::fs::write(&path, "good content").unwrap();
        assert!(!asks());
    }

    #[test]
    fn a_refusal_by_verdict_is_taken_back_and_one_of_the_responder_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "x").unwrap();
        let file = File::open(&path).unwrap();
        let stat = rustix::fs::fstat(&file).unwrap();
        let identity = crate::look::file_ref(&stat);
        let denied = Denied::new();
        denied.add_judged(file.as_fd());
        denied.remove_judged(&identity);
        assert!(!denied.contains(file.as_fd(), &stat));
        denied.add(file.as_fd());
        denied.remove_judged(&identity);
        assert!(denied.contains(file.as_fd(), &stat));
    }
}
