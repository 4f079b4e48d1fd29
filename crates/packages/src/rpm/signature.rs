// SPDX-License-Identifier: Apache-2.0
//! Which key signed a package, and which keys are imported (packet format: RFC 4880 and 9580).

use super::header::{self, Header};
use std::fmt;

/// An OpenPGP key id: the last 8 bytes of a version 4 key's fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId([u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::digest::hex(&self.0))
    }
}

/// The key that signed the package; `None` when it carries no signature that can be understood.
pub(crate) fn signer(header: &Header<'_>) -> Option<KeyId> {
    header::SIGNATURES.iter().filter_map(|tag| header.bytes(*tag)).find_map(issuer)
}

/// Keys that one `gpg-pubkey` entry stands for. rpm provides `gpg(NAME) = 4:KEYID-CREATED`; since
/// rpm 4.20 the entry's version is the whole fingerprint.
pub(crate) fn imported(header: &Header<'_>) -> Vec<KeyId> {
    let versions = header.texts(header::PROVIDEVERSION).map(|v| v.rsplit(':').next().unwrap_or(v));
    let mut keys = Vec::new();
    for text in versions.chain(header.text(header::VERSION)) {
        let digits = text.split('-').next().unwrap_or(text);
        // Eight digits are too few to tell keys apart: colliding ones have been made.
        if let Some(key) = last_eight(digits)
            && !keys.contains(&key)
        {
            keys.push(key);
        }
    }
    keys
}

fn last_eight(digits: &str) -> Option<KeyId> {
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let tail = digits.get(digits.len().checked_sub(16)?..)?;
    u64::from_str_radix(tail, 16).ok().map(|n| KeyId(n.to_be_bytes()))
}

/// The issuer of the first signature packet.
fn issuer(packet: &[u8]) -> Option<KeyId> {
    let body = body(packet)?;
    match body.first()? {
        // Version 3: length 5, type, time, key id.
        3 => body.get(7..15)?.try_into().ok().map(KeyId),
        4 => {
            let hashed = usize::from(u16::from_be_bytes(body.get(4..6)?.try_into().ok()?));
            let unhashed_at = 6_usize.checked_add(hashed)?;
            let unhashed =
                usize::from(u16::from_be_bytes(body.get(unhashed_at..unhashed_at + 2)?.try_into().ok()?));
            let hashed = body.get(6..unhashed_at)?;
            let unhashed = body.get(unhashed_at + 2..unhashed_at + 2 + unhashed)?;
            subpackets(hashed).or_else(|| subpackets(unhashed))
        }
        _ => None,
    }
}

/// The body of a signature packet (tag 2) in the old or the new framing.
fn body(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    let (tag, start, length) = if first & 0xC0 == 0xC0 {
        let (length, used) = new_length(packet.get(1..)?)?;
        (first & 0x3F, 1 + used, length)
    } else if first & 0x80 != 0 {
        let (length, used) = match first & 3 {
            0 => (usize::from(*packet.get(1)?), 1),
            1 => (usize::from(u16::from_be_bytes(packet.get(1..3)?.try_into().ok()?)), 2),
            2 => (u32::from_be_bytes(packet.get(1..5)?.try_into().ok()?) as usize, 4),
            _ => return None,
        };
        ((first >> 2) & 15, 1 + used, length)
    } else {
        return None;
    };
    (tag == 2).then_some(())?;
    packet.get(start..start.checked_add(length)?)
}

fn new_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*bytes.first()?);
    match first {
        0..192 => Some((first, 1)),
        192..224 => Some((((first - 192) << 8) + usize::from(*bytes.get(1)?) + 192, 2)),
        255 => Some((u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?) as usize, 5)),
        _ => None,
    }
}

/// Issuer fingerprint (33) or issuer key id (16).
fn subpackets(mut bytes: &[u8]) -> Option<KeyId> {
    while !bytes.is_empty() {
        // Subpacket lengths have two-byte forms up to 254.
        let first = usize::from(*bytes.first()?);
        let (length, used) = match first {
            192..255 => (((first - 192) << 8) + usize::from(*bytes.get(1)?) + 192, 2),
            _ => new_length(bytes)?,
        };
        let packet = bytes.get(used..used.checked_add(length)?)?;
        bytes = bytes.get(used + length..)?;
        let Some((kind, value)) = packet.split_first() else { continue };
        match kind & 0x7F {
            16 => return value.try_into().ok().map(KeyId),
            33 if value.first() == Some(&4) && value.len() == 21 => {
                return value.get(13..21)?.try_into().ok().map(KeyId);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(hashed: &[u8], unhashed: &[u8]) -> Vec<u8> {
        let mut body = vec![4, 0, 1, 8];
        for part in [hashed, unhashed] {
            body.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
            body.extend(part);
        }
        body.extend([0; 10]);
        let mut packet = vec![0x89];
        packet.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        packet.extend(body);
        packet
    }

    #[test]
    fn issuers() {
        let id = [1, 2, 3, 4, 5, 6, 7, 8];
        let key = Some(KeyId(id));
        let by_id: Vec<u8> = [9, 16].into_iter().chain(id).collect();
        let by_print: Vec<u8> = [22, 33, 4].into_iter().chain([0; 12]).chain(id).collect();
        let time = [5, 2, 0, 0, 0, 1];
        assert_eq!(issuer(&v4(&time, &by_id)), key);
        assert_eq!(issuer(&v4(&[&time[..], &by_print].concat(), &[])), key);
        assert_eq!(issuer(&v4(&time, &[])), None);
        let mut v3 = vec![0x88, 19, 3, 5, 0, 0, 0, 0, 1];
        v3.extend(id);
        v3.extend([1, 8, 0, 0]);
        assert_eq!(issuer(&v3), key);
        let whole = v4(&time, &by_id);
        for cut in 0..whole.len() {
            assert_eq!(issuer(&whole[..cut]), None);
        }
    }

    #[test]
    fn short_key_ids_are_not_enough() {
        assert_eq!(last_eight("fd431d51"), None);
        assert_eq!(last_eight("199e2f91fd431d51").unwrap().to_string(), "199e2f91fd431d51");
        assert_eq!(
            last_eight("567e347ad0044ade55ba8a5f199e2f91fd431d51").unwrap().to_string(),
            "199e2f91fd431d51"
        );
        assert_eq!(last_eight("199e2f91fd431dzz"), None);
        assert_eq!(last_eight(""), None);
    }
}
