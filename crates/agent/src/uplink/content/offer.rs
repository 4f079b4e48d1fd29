// SPDX-License-Identifier: Apache-2.0
//! Whether an offer is one to fetch: signature, end, size, and no step back.

use super::kept::Kept;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use lazaret_proto::{offer_statement, v1};

/// Bytes of an Ed25519 key.
pub(super) const KEY: usize = 32;
/// Larger packs are not fetched, bytes.
pub(super) const MAX_SIZE: u64 = 256 << 20;

pub(super) fn check(offer: &v1::ContentOffer, key: &[u8], kept: &Kept, now_ms: i64) -> Result<(), String> {
    if key.len() != KEY {
        return Err(
            "this host knows no key of its server: enrol it again with lazaretd enroll --again".into()
        );
    }
    if offer.key != key {
        return Err(
            "it names another key than the one that this host got when it enrolled; if the server got a \
                    new key, enrol this host again with lazaretd enroll --again"
                .into(),
        );
    }
    UnparsedPublicKey::new(&ED25519, key)
        .verify(&offer_statement(offer), &offer.signature)
        .map_err(|_| "its signature is not the server's".to_owned())?;
    if offer.sha256.len() != 32 || offer.version.len() > 200 || offer.channel.len() > 64 {
        return Err("it is not of the form of an offer".into());
    }
    if offer.size == 0 || offer.size > MAX_SIZE {
        return Err(format!("it has {} bytes, and 1 to {MAX_SIZE} are taken", offer.size));
    }
    if offer.expires_ms <= now_ms {
        return Err(
            "it has expired: let the server sign it anew (it does so by itself while it runs), or set this \
                    host's clock"
                .into(),
        );
    }
    let known = kept.number(&offer.channel);
    if offer.number < known && known > offer.replaces_up_to {
        return Err(format!(
            "it is older (number {}) than what this host had (number {known}), and does not say that it replaces that",
            offer.number
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn signed(change: impl FnOnce(&mut v1::ContentOffer)) -> v1::ContentOffer {
        let pair = pair(1);
        let mut offer = v1::ContentOffer {
            version: "2026.11.1".into(),
            number: 10,
            sha256: vec![5; 32],
            size: 100,
            expires_ms: 1_000,
            replaces_up_to: 0,
            signature: Vec::new(),
            key: pair.public_key().as_ref().to_vec(),
            channel: "0".into(),
        };
        change(&mut offer);
        offer.signature = pair.sign(&offer_statement(&offer)).as_ref().to_vec();
        offer
    }

    fn key() -> Vec<u8> {
        pair(1).public_key().as_ref().to_vec()
    }

    fn had(number: u64) -> Kept {
        let mut kept = Kept::default();
        kept.take(&signed(|o| o.number = number), "before");
        kept
    }

    #[test]
    fn the_servers_own_is_taken() {
        assert_eq!(check(&signed(|_| {}), &key(), &Kept::default(), 999), Ok(()));
        assert_eq!(check(&signed(|_| {}), &key(), &had(9), 0), Ok(()));
        assert_eq!(check(&signed(|_| {}), &key(), &had(10), 0), Ok(()), "once more the same");
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let says = |offer: &v1::ContentOffer, key: &[u8], kept: &Kept, word: &str| {
            let why = check(offer, key, kept, 999).unwrap_err();
            assert!(why.contains(word), "{word}: {why}");
        };
        let (good, none) = (signed(|_| {}), Kept::default());
        says(&good, &[], &none, "knows no key");
        let other = pair(2).public_key().as_ref().to_vec();
        says(&good, &other, &none, "another key");
        // With another's key and signature, the key that is pinned decides.
        let mut foreign = v1::ContentOffer { key: other, ..good.clone() };
        foreign.signature = pair(2).sign(&offer_statement(&foreign)).as_ref().to_vec();
        says(&foreign, &key(), &none, "another key");
        foreign.key = key();
        says(&foreign, &key(), &none, "signature");
        for tampered in [
            v1::ContentOffer { size: 101, ..good.clone() },
            v1::ContentOffer { number: 11, ..good.clone() },
            v1::ContentOffer { expires_ms: i64::MAX, ..good.clone() },
            v1::ContentOffer { signature: Vec::new(), ..good.clone() },
        ] {
            says(&tampered, &key(), &none, "signature");
        }
        says(&signed(|o| o.size = MAX_SIZE + 1), &key(), &none, "bytes");
        says(&signed(|o| o.size = 0), &key(), &none, "bytes");
        says(&signed(|o| o.sha256 = vec![1; 31]), &key(), &none, "form");
        says(&signed(|o| o.expires_ms = 999), &key(), &none, "expired");
        says(&good, &key(), &had(11), "older");
    }

    #[test]
    fn a_step_back_needs_the_servers_word_for_it() {
        assert!(check(&signed(|o| o.replaces_up_to = 11), &key(), &had(11), 0).is_ok());
        assert!(check(&signed(|o| o.replaces_up_to = 11), &key(), &had(12), 0).is_err());
        // Another project's numbers are others.
        assert!(check(&signed(|o| o.channel = "p".into()), &key(), &had(12), 0).is_ok());
    }
}
