// SPDX-License-Identifier: Apache-2.0
//! Digests of files that are known to be harmless.

use crate::hash_set::{HashTable, WordTable};
use lazaret_model::Sha256;

/// Digest 32, name 4, reference 4.
const WIDTH: usize = 40;

/// One known-good file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGood {
    /// Digest.
    pub sha256: Sha256,
    /// What it is.
    pub name: String,
    /// Where that is said.
    pub reference: String,
}

/// A sorted set of known-good digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownGoodSet(HashTable<WIDTH>);

impl KnownGoodSet {
    /// Of two entries with the same digest the first stays.
    #[must_use]
    pub fn new(entries: &[KnownGood]) -> Self {
        let mut words = WordTable::default();
        let mut records: Vec<[u8; WIDTH]> = entries
            .iter()
            .map(|e| {
                let mut r = [0; WIDTH];
                r[..32].copy_from_slice(&e.sha256.0);
                r[32..36].copy_from_slice(&words.number(&e.name).to_le_bytes());
                r[36..40].copy_from_slice(&words.number(&e.reference).to_le_bytes());
                r
            })
            .collect();
        records.sort_by(|a, b| a[..32].cmp(&b[..32]));
        records.dedup_by(|b, a| a[..32] == b[..32]);
        Self(HashTable { words: words.into_words(), records })
    }

    /// The entry of a digest.
    #[must_use]
    pub fn get(&self, digest: &Sha256) -> Option<KnownGood> {
        let (_, rest) = self.0.get(digest)?.split_first_chunk::<32>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let (reference, _) = rest.split_first_chunk::<4>()?;
        Some(KnownGood {
            sha256: *digest,
            name: self.0.word(u32::from_le_bytes(*name)).to_owned(),
            reference: self.0.word(u32::from_le_bytes(*reference)).to_owned(),
        })
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.records.is_empty()
    }

    /// All digests, ascending.
    pub fn digests(&self) -> impl ExactSizeIterator<Item = Sha256> + '_ {
        self.0.digests()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        HashTable::from_bytes(bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_stays() {
        let entry = |name: &str| KnownGood {
            sha256: Sha256([9; 32]),
            name: name.to_owned(),
            reference: "https://example.org/".to_owned(),
        };
        let set = KnownGoodSet::new(&[entry("first"), entry("second")]);
        let again = KnownGoodSet::from_bytes(&set.to_bytes()).unwrap();
        assert_eq!(again.len(), 1);
        assert_eq!(again.get(&Sha256([9; 32])).map(|e| e.name), Some("first".to_owned()));
    }
}
