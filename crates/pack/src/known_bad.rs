// SPDX-License-Identifier: Apache-2.0
//! Digests of files that are known to be malicious.

use crate::hash_set::{HashTable, WordTable};
use lazaret_model::{CLASSES, MalwareClass, Sha256};

/// Digest 32, size 8, class 1, flags 1, unused 2, family 4, reference 4.
const WIDTH: usize = 52;
const FLAG_TEST: u8 = 1;

/// One known-bad file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBad {
    /// Digest.
    pub sha256: Sha256,
    /// Bytes; a file counts only when its size is the same.
    pub size: u64,
    /// What it is.
    pub class: MalwareClass,
    /// Family name.
    pub family: String,
    /// Harmless test object.
    pub test: bool,
    /// Public reference.
    pub reference: String,
}

/// A sorted set of known-bad digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownBadSet(HashTable<WIDTH>);

impl KnownBadSet {
    /// Of two entries with the same digest the first stays.
    #[must_use]
    pub fn new(entries: &[KnownBad]) -> Self {
        let mut words = WordTable::default();
        let mut records: Vec<[u8; WIDTH]> = entries
            .iter()
            .map(|e| {
                let mut r = [0; WIDTH];
                r[..32].copy_from_slice(&e.sha256.0);
                r[32..40].copy_from_slice(&e.size.to_le_bytes());
                r[40] = e.class as u8;
                r[41] = if e.test { FLAG_TEST } else { 0 };
                r[44..48].copy_from_slice(&words.number(&e.family).to_le_bytes());
                r[48..52].copy_from_slice(&words.number(&e.reference).to_le_bytes());
                r
            })
            .collect();
        records.sort_by(|a, b| a[..32].cmp(&b[..32]));
        records.dedup_by(|b, a| a[..32] == b[..32]);
        Self(HashTable { words: words.into_words(), records })
    }

    /// The entry of a digest; its size is the caller's to compare.
    #[must_use]
    pub fn get(&self, digest: &Sha256) -> Option<KnownBad> {
        let r = self.0.get(digest)?;
        let (_, rest) = r.split_first_chunk::<32>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let ([class, flags, _, _], rest) = rest.split_first_chunk::<4>()?;
        let (family, rest) = rest.split_first_chunk::<4>()?;
        let (reference, _) = rest.split_first_chunk::<4>()?;
        Some(KnownBad {
            sha256: *digest,
            size: u64::from_le_bytes(*size),
            class: CLASSES.get(usize::from(*class)).map_or(MalwareClass::Unclassified, |row| row.class),
            family: self.0.word(u32::from_le_bytes(*family)).to_owned(),
            test: flags & FLAG_TEST != 0,
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
        let table = HashTable::from_bytes(bytes)?;
        if let Some(at) = table.records.iter().position(|r| usize::from(r[40]) >= CLASSES.len()) {
            return Err(format!("record {at} has an unknown class"));
        }
        Ok(Self(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u8) -> KnownBad {
        KnownBad {
            sha256: Sha256([n; 32]),
            size: u64::from(n) * 1000,
            class: MalwareClass::Miner,
            family: format!("family{}", n % 3),
            test: n.is_multiple_of(2),
            reference: "https://example.org/".to_owned(),
        }
    }

    #[test]
    fn found_again_after_a_round_trip() {
        let all: Vec<KnownBad> = (0..50).rev().map(entry).collect();
        let set = KnownBadSet::from_bytes(&KnownBadSet::new(&all).to_bytes()).unwrap();
        assert_eq!(set.len(), 50);
        for e in &all {
            assert_eq!(set.get(&e.sha256).as_ref(), Some(e));
        }
        assert_eq!(set.get(&Sha256([77; 32])), None);
        let digests: Vec<Sha256> = set.digests().collect();
        assert!(digests.is_sorted());
    }

    #[test]
    fn damaged_bytes_are_refused_at_every_length_and_byte() {
        let bytes = KnownBadSet::new(&[entry(3), entry(4)]).to_bytes();
        for n in 0..bytes.len() {
            assert!(KnownBadSet::from_bytes(&bytes[..n]).is_err(), "length {n}");
            let mut changed = bytes.clone();
            changed[n] ^= 0xff;
            // A changed digest or word may still be a sound set: it must only never panic.
            let _sound = KnownBadSet::from_bytes(&changed);
        }
    }
}
