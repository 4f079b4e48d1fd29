// SPDX-License-Identifier: Apache-2.0
//! When a new object is refused. What is stored is never dropped to make room.

use std::collections::BTreeMap;

/// How much of the vault the files of one uid may take. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Bytes in the vault; a blob that several of its files share counts once.
    pub bytes: Option<u64>,
    /// Objects whose content the vault holds.
    pub objects: Option<u64>,
}

/// When to refuse new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all blobs together, each counted once.
    pub total_bytes: u64,
    /// Bytes of one file.
    pub object_bytes: u64,
    /// Bytes that stay free on the vault's filesystem.
    pub keep_free: u64,
    /// For every uid but root that has no quota of its own.
    pub user: Quota,
    /// Of single uids, root's too; goes before `user`.
    pub users: BTreeMap<u32, Quota>,
}

impl Default for Limits {
    /// 20 GiB, 8 GiB a file, 16 MiB stay free, no quotas.
    fn default() -> Self {
        Self {
            total_bytes: 20 << 30,
            object_bytes: 8 << 30,
            keep_free: 16 << 20,
            user: Quota::default(),
            users: BTreeMap::new(),
        }
    }
}

impl Limits {
    /// What holds for the files of a uid.
    #[must_use]
    pub fn quota(&self, uid: u32) -> Quota {
        match self.users.get(&uid) {
            Some(own) => *own,
            None if uid == 0 => Quota::default(),
            None => self.user,
        }
    }
}

/// What the vault holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Objects with content.
    pub objects: u64,
    /// Sealed files; fewer than objects where some share one.
    pub blobs: u64,
    /// Bytes of all blobs, each counted once.
    pub bytes: u64,
}

/// What the vault holds of one uid's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owned {
    /// Objects with content.
    pub objects: u64,
    /// Bytes of the blobs that it has objects on, each counted once.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_no_quota_unless_it_is_given_one() {
        let some = Quota { bytes: Some(1), objects: Some(2) };
        let mut limits = Limits { user: some, ..Limits::default() };
        assert_eq!(limits.quota(0), Quota::default());
        assert_eq!(limits.quota(1000), some);
        limits.users.insert(33, Quota { objects: Some(9), ..Quota::default() });
        limits.users.insert(0, some);
        assert_eq!(limits.quota(33), Quota { bytes: None, objects: Some(9) });
        assert_eq!(limits.quota(0), some);
    }
}
