// SPDX-License-Identifier: Apache-2.0
//! What a server signs when it offers content: the same bytes on both sides.

use crate::v1;
use std::fmt::Write as _;

/// The statement that the signature of an offer is over: its fields in lines of text, so that no two offers
/// have the same.
#[must_use]
pub fn offer_statement(offer: &v1::ContentOffer) -> Vec<u8> {
    let digest = offer.sha256.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    });
    // A line break in a text would be a line of its own.
    let line =
        |text: &str| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>();
    format!(
        "lazaret content 1\nchannel {}\nnumber {}\nversion {}\nsha256 {digest}\nsize {}\nexpires {}\nreplaces {}\n",
        line(&offer.channel),
        offer.number,
        line(&offer.version),
        offer.size,
        offer.expires_ms,
        offer.replaces_up_to,
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_counts() {
        let offer = v1::ContentOffer {
            version: "1".into(),
            number: 2,
            sha256: vec![3; 32],
            size: 4,
            expires_ms: 5,
            replaces_up_to: 6,
            signature: vec![7],
            key: vec![8],
            channel: "9".into(),
        };
        let own = offer_statement(&offer);
        let others = [
            v1::ContentOffer { version: "1\nsha256 00".into(), ..offer.clone() },
            v1::ContentOffer { number: 3, ..offer.clone() },
            v1::ContentOffer { sha256: vec![4; 32], ..offer.clone() },
            v1::ContentOffer { size: 5, ..offer.clone() },
            v1::ContentOffer { expires_ms: 6, ..offer.clone() },
            v1::ContentOffer { replaces_up_to: 7, ..offer.clone() },
            v1::ContentOffer { channel: "8".into(), ..offer.clone() },
        ];
        for other in others {
            assert_ne!(offer_statement(&other), own, "{other:?}");
        }
        let same = v1::ContentOffer { signature: Vec::new(), key: Vec::new(), ..offer };
        assert_eq!(offer_statement(&same), own);
    }
}
