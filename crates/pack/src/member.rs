// SPDX-License-Identifier: Apache-2.0
//! The outer form of a pack, shared by the writer and the reader.
//!
//! ```text
//! magic            8 bytes   "LZRPACK" 0x01
//! manifest length  4 bytes   little endian, at most 1 MiB
//! manifest digest 32 bytes   SHA-256 of the manifest
//! manifest                   JSON: schema, version, members [name, length, sha256]
//! members                    one after the other, in the manifest's order, to the end of the file
//! ```
//! A member's digest is that of its stored bytes. Stored bytes are the member's own, each combined
//! by exclusive or with a fixed sequence, so that a pack never shows a pattern in plain form.

use serde::{Deserialize, Serialize};

pub(crate) const MAGIC: [u8; 8] = *b"LZRPACK\x01";
pub(crate) const SCHEMA: u32 = 1;
pub(crate) const MAX_MANIFEST: usize = 1 << 20;
pub(crate) const HEAD: usize = MAGIC.len() + 4 + 32;

pub(crate) const RULES: &str = "rules.json";
pub(crate) const KNOWN_BAD: &str = "known_bad.bin";
pub(crate) const KNOWN_GOOD: &str = "known_good.bin";
/// Only in packs of a project that has such.
pub(crate) const THIRD_PARTY: &str = "third_party.json";
/// Only in packs of a project that has such.
pub(crate) const LISTED: &str = "listed.json";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    pub(crate) version: String,
    pub(crate) members: Vec<MemberEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MemberEntry {
    pub(crate) name: String,
    pub(crate) length: u64,
    pub(crate) sha256: String,
}

/// Encodes and decodes a member: it is its own inverse.
pub(crate) fn veil(bytes: &[u8]) -> Vec<u8> {
    // splitmix64 (public domain, Vigna), one number for eight bytes: cheap, and without the short
    // period that would let a repeated pattern show through.
    let mut state = 0x4c5a_5250_4143_4b31_u64;
    let mut out = bytes.to_vec();
    for chunk in out.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        for (byte, key) in chunk.iter_mut().zip(z.to_le_bytes()) {
            *byte ^= key;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::veil;

    #[test]
    fn veil_is_its_own_inverse_and_hides() {
        let plain: Vec<u8> = b"pattern ".repeat(100);
        let stored = veil(&plain);
        assert_eq!(veil(&stored), plain);
        assert!(!stored.windows(7).any(|w| w == b"pattern"));
        assert_eq!(veil(b""), b"");
    }
}
