// SPDX-License-Identifier: Apache-2.0
//! What hosts sent, as JSON: the same names as the command line's `--json`. Additive only.

mod alarm;
mod answer;
mod isolated;
mod persistence;
mod preview;

pub(crate) use alarm::{Alarm, Verdict};
pub(crate) use answer::{Receipt, Verify};
pub(crate) use isolated::IsolatedFull;
pub(crate) use preview::Preview;

use base64::Engine as _;

/// Raw bytes as JSON can hold them; what is not UTF-8 becomes U+FFFD, see [`exact`].
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exact bytes in base64, only where [`lossy`] lost something.
pub(crate) fn exact(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// Lower case hexadecimal digits; `None` for an absent digest.
pub(crate) fn hex(digest: &[u8]) -> Option<String> {
    lazaret_model::Sha256::from_slice(digest).map(|d| d.to_string())
}

/// `None` for the empty string, which stands for absence on the wire.
pub(crate) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The arguments of a kernel command line, without the empty piece behind the last NUL.
fn arguments(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    whole.split(|b| *b == 0).filter(move |_| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_utf8_has_exact_bytes() {
        assert_eq!(exact("\u{e9}".as_bytes()), None);
        assert_eq!(exact(b"\xff").as_deref(), Some("/w=="));
        assert_eq!(lossy(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn arguments_end_with_nul_or_not() {
        assert_eq!(arguments(b"a\0b\0").count(), 2);
        assert_eq!(arguments(b"a\0b").count(), 2);
        assert_eq!(arguments(b"").count(), 0);
    }
}
