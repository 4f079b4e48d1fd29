// SPDX-License-Identifier: Apache-2.0
//! The binary frame around an entry.
//!
//! Little-endian: magic `LZF1`, u32 length of the payload, u64 epoch, u64 seq, 32 bytes hash of
//! the frame before, 32 bytes SHA-256 over everything up to here and the payload, payload (JSON),
//! zeros up to a multiple of 8. A frame proves itself, and with its predecessor the order.

use sha2::Digest;

const MAGIC: [u8; 4] = *b"LZF1";
const HASHED_HEAD: usize = 56;

/// Bytes before the payload.
pub(super) const HEAD: usize = 88;

/// Frames begin at multiples of this.
pub(super) const ALIGN: usize = 8;

/// A frame that proved itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) epoch: u64,
    pub(super) seq: u64,
    pub(super) previous: [u8; 32],
    pub(super) hash: [u8; 32],
    pub(super) payload: &'a [u8],
    /// Bytes with padding.
    pub(super) size: usize,
}

/// Bytes a payload of this length takes.
pub(super) const fn size_of(payload: usize) -> usize {
    (HEAD + payload).next_multiple_of(ALIGN)
}

fn digest(head: &[u8], payload: &[u8]) -> [u8; 32] {
    let mut h = sha2::Sha256::new();
    h.update(head);
    h.update(payload);
    h.finalize().into()
}

/// Builds a frame; gives its bytes and its hash.
pub(super) fn encode(epoch: u64, seq: u64, previous: &[u8; 32], payload: &[u8]) -> (Vec<u8>, [u8; 32]) {
    let mut out = Vec::with_capacity(size_of(payload.len()));
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&epoch.to_le_bytes());
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(previous);
    let hash = digest(&out, payload);
    out.extend_from_slice(&hash);
    out.extend_from_slice(payload);
    out.resize(size_of(payload.len()), 0);
    (out, hash)
}

/// Reads the frame at the beginning of `bytes`; `None` unless it proves itself.
pub(super) fn decode(bytes: &[u8]) -> Option<Frame<'_>> {
    let head = bytes.get(..HEAD)?;
    if head[..4] != MAGIC {
        return None;
    }
    let len = usize::try_from(u32::from_le_bytes(head[4..8].try_into().ok()?)).ok()?;
    let payload = bytes.get(HEAD..HEAD.checked_add(len)?)?;
    let hash: [u8; 32] = head[HASHED_HEAD..].try_into().ok()?;
    if digest(&head[..HASHED_HEAD], payload) != hash {
        return None;
    }
    Some(Frame {
        epoch: u64::from_le_bytes(head[8..16].try_into().ok()?),
        seq: u64::from_le_bytes(head[16..24].try_into().ok()?),
        previous: head[24..HASHED_HEAD].try_into().ok()?,
        hash,
        payload,
        size: size_of(len),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (bytes, hash) = encode(3, 7, &[9; 32], b"{\"a\":1}");
        let f = decode(&bytes).unwrap();
        assert_eq!((f.epoch, f.seq, f.previous, f.hash), (3, 7, [9; 32], hash));
        assert_eq!(f.payload, b"{\"a\":1}");
        assert_eq!(f.size, bytes.len());
        for i in 0..HEAD + 7 {
            for bit in 0..8 {
                let mut broken = bytes.clone();
                broken[i] ^= 1 << bit;
                assert!(decode(&broken).is_none(), "byte {i} bit {bit}");
            }
        }
        for cut in 0..HEAD + 7 {
            assert!(decode(&bytes[..cut]).is_none(), "{cut}");
        }
    }
}
