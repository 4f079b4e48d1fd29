// SPDX-License-Identifier: Apache-2.0
//! Digest lists: a small filter says "certainly not" for nearly every file without touching the list,
//! which stays out of the processor's cache; the list itself then says yes or no exactly.

use lazaret_model::Sha256;
use lazaret_pack::{KnownBad, KnownBadSet, KnownGood, KnownGoodSet};
use xorf::{BinaryFuse8, Filter};

/// A filter over digests: false positives 1 in 256, no false negatives.
enum DigestFilter {
    Nothing,
    Fuse(BinaryFuse8),
    /// The filter could not be built: everything goes to the list.
    Everything,
}

impl DigestFilter {
    fn new(digests: impl Iterator<Item = Sha256>) -> Self {
        let mut keys: Vec<u64> = digests.map(|d| key(&d)).collect();
        if keys.is_empty() {
            return Self::Nothing;
        }
        keys.sort_unstable();
        keys.dedup();
        BinaryFuse8::try_from(&keys).map_or(Self::Everything, Self::Fuse)
    }

    fn may_contain(&self, digest: &Sha256) -> bool {
        match self {
            Self::Nothing => false,
            Self::Fuse(filter) => filter.contains(&key(digest)),
            Self::Everything => true,
        }
    }
}

/// A digest is uniform: its first eight bytes are as good a key as any hash of it.
fn key(digest: &Sha256) -> u64 {
    digest.0.first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b))
}

/// Both lists with their filters.
pub(crate) struct HashFilter {
    bad_filter: DigestFilter,
    bad: KnownBadSet,
    good_filter: DigestFilter,
    good: KnownGoodSet,
}

impl HashFilter {
    pub(crate) fn new(bad: KnownBadSet, good: KnownGoodSet) -> Self {
        Self {
            bad_filter: DigestFilter::new(bad.digests()),
            bad,
            good_filter: DigestFilter::new(good.digests()),
            good,
        }
    }

    /// The known-bad entry of this digest and size.
    pub(crate) fn bad(&self, digest: &Sha256, size: u64) -> Option<KnownBad> {
        self.bad_filter.may_contain(digest).then(|| self.bad.get(digest))?.filter(|e| e.size == size)
    }

    /// The known-good entry of this digest.
    pub(crate) fn good(&self, digest: &Sha256) -> Option<KnownGood> {
        self.good_filter.may_contain(digest).then(|| self.good.get(digest))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u32) -> Sha256 {
        let mut bytes = [0; 32];
        // Spread as digests are; the filter takes uniform keys.
        let spread = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bytes[..8].copy_from_slice(&spread.to_le_bytes());
        bytes[8..12].copy_from_slice(&n.to_le_bytes());
        Sha256(bytes)
    }

    #[test]
    fn all_that_are_listed_are_found_and_few_others_reach_the_list() {
        let good: Vec<KnownGood> = (0..10_000)
            .map(|n| KnownGood { sha256: digest(n), name: "n".to_owned(), reference: "r".to_owned() })
            .collect();
        let filter = HashFilter::new(KnownBadSet::default(), KnownGoodSet::new(&good));
        assert!((0..10_000).all(|n| filter.good(&digest(n)).is_some()));
        assert!((10_000..20_000).all(|n| filter.good(&digest(n)).is_none()));
        let through = (10_000..20_000).filter(|&n| filter.good_filter.may_contain(&digest(n))).count();
        assert!(through < 200, "{through} of 10000 pass the filter");
        assert!(filter.bad(&digest(1), 1).is_none());
    }
}
