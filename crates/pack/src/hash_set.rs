// SPDX-License-Identifier: Apache-2.0
//! The stored form of a hash set: a table of words, then sorted records of one fixed length that
//! begin with the digest. Looked up in place by binary search: loading allocates nothing per record.
//!
//! ```text
//! word count     4 bytes LE
//! words          2 bytes LE length, then UTF-8, each
//! record count   8 bytes LE
//! records        W bytes each, ascending by their first 32 bytes, no digest twice
//! ```

use lazaret_model::Sha256;

/// A table is one of names and references: more than this many is not one that we wrote.
const MAX_WORDS: usize = 1 << 24;

/// Sorted records of `W` bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HashTable<const W: usize> {
    pub(crate) words: Vec<String>,
    pub(crate) records: Vec<[u8; W]>,
}

impl<const W: usize> HashTable<W> {
    pub(crate) fn get(&self, digest: &Sha256) -> Option<&[u8; W]> {
        let at = self.records.binary_search_by(|r| r[..32].cmp(&digest.0[..])).ok()?;
        self.records.get(at)
    }

    pub(crate) fn word(&self, index: u32) -> &str {
        self.words.get(index as usize).map_or("", String::as_str)
    }

    pub(crate) fn digests(&self) -> impl ExactSizeIterator<Item = Sha256> + '_ {
        self.records.iter().map(|r| {
            let mut digest = [0; 32];
            digest.copy_from_slice(&r[..32]);
            Sha256(digest)
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12 + self.records.len() * W);
        out.extend_from_slice(&(self.words.len() as u32).to_le_bytes());
        for word in &self.words {
            // Words come from lines of a list; the reader of lists keeps them below this length.
            let bytes = &word.as_bytes()[..word.len().min(usize::from(u16::MAX))];
            out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        out.extend_from_slice(&(self.records.len() as u64).to_le_bytes());
        for record in &self.records {
            out.extend_from_slice(record);
        }
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let mut rest = bytes;
        let count = u32::from_le_bytes(take(&mut rest)?) as usize;
        // Each word takes two bytes at least, so that a false count cannot make us allocate.
        if count > MAX_WORDS || count > rest.len() / 2 {
            return Err(format!("says it has {count} words, more than fit"));
        }
        let mut words = Vec::with_capacity(count);
        for i in 0..count {
            let length = usize::from(u16::from_le_bytes(take(&mut rest)?));
            let (word, tail) =
                rest.split_at_checked(length).ok_or_else(|| format!("ends inside word {i}"))?;
            words.push(std::str::from_utf8(word).map_err(|_| format!("word {i} is not UTF-8"))?.to_owned());
            rest = tail;
        }
        let count = u64::from_le_bytes(take(&mut rest)?);
        if count.checked_mul(W as u64) != Some(rest.len() as u64) {
            return Err(format!("says it has {count} records of {W} bytes, but holds {} bytes", rest.len()));
        }
        let records: Vec<[u8; W]> = rest.as_chunks::<W>().0.to_vec();
        if let Some(at) = records.windows(2).position(|w| w[0][..32] >= w[1][..32]) {
            return Err(format!("record {} is out of order", at + 1));
        }
        Ok(Self { words, records })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or("is truncated")?;
    *rest = tail;
    Ok(*head)
}

/// Gives each different word one number.
#[derive(Default)]
pub(crate) struct WordTable {
    words: Vec<String>,
    numbers: std::collections::HashMap<String, u32>,
}

impl WordTable {
    pub(crate) fn number(&mut self, word: &str) -> u32 {
        if let Some(&n) = self.numbers.get(word) {
            return n;
        }
        let n = self.words.len() as u32;
        self.words.push(word.to_owned());
        self.numbers.insert(word.to_owned(), n);
        n
    }

    pub(crate) fn into_words(self) -> Vec<String> {
        self.words
    }
}
