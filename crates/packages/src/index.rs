// SPDX-License-Identifier: Apache-2.0
//! Paths to packages in 12 bytes a path: 100,000 paths cost 1.2 MB.
//!
//! Only a keyed 64-bit hash of the path is kept. A hit is a hint: the caller confirms it with the
//! package's own list, so that a path made to collide is nobody's.

use std::hash::{BuildHasher as _, RandomState};

/// Collects paths.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    key: RandomState,
    entries: Vec<(u64, u32)>,
}

impl Builder {
    /// Adds one path of a package.
    pub(crate) fn add(&mut self, path: &[u8], package: u32) {
        self.entries.push((self.key.hash_one(path), package));
    }

    /// Sorts and packs.
    pub(crate) fn build(mut self) -> PathIndex {
        self.entries.sort_unstable();
        self.entries.dedup();
        let (hashes, packages) = self.entries.iter().copied().unzip::<u64, u32, Vec<_>, Vec<_>>();
        PathIndex { key: self.key, hashes: hashes.into_boxed_slice(), packages: packages.into_boxed_slice() }
    }
}

/// Which packages may own a path.
#[derive(Debug)]
pub(crate) struct PathIndex {
    key: RandomState,
    hashes: Box<[u64]>,
    packages: Box<[u32]>,
}

impl PathIndex {
    /// Packages whose list may hold the path, to be confirmed.
    pub(crate) fn candidates(&self, path: &[u8]) -> impl Iterator<Item = u32> {
        let hash = self.key.hash_one(path);
        let from = self.hashes.partition_point(|h| *h < hash);
        let to = self.hashes.partition_point(|h| *h <= hash);
        self.packages.get(from..to).unwrap_or_default().iter().copied()
    }

    /// Paths in it.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Bytes it holds.
    pub(crate) fn memory(&self) -> usize {
        self.hashes.len() * size_of::<u64>() + self.packages.len() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_owner_and_stays_small() {
        let mut b = Builder::default();
        for i in 0..100_000_u32 {
            b.add(format!("/usr/share/doc/package-{i}/copyright").as_bytes(), i % 700);
        }
        b.add(b"/shared", 1);
        b.add(b"/shared", 2);
        b.add(b"/shared", 2);
        let index = b.build();
        assert_eq!(index.candidates(b"/shared").collect::<Vec<_>>(), [1, 2]);
        assert_eq!(index.candidates(b"/usr/share/doc/package-77000/copyright").collect::<Vec<_>>(), [0]);
        assert_eq!(index.candidates(b"/nobody").count(), 0);
        assert_eq!(index.len(), 100_002);
        assert!(index.memory() < 2 * 1024 * 1024, "{}", index.memory());
    }
}
