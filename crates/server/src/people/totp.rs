// SPDX-License-Identifier: Apache-2.0
//! One-time codes by the clock (RFC 6238): SHA-1, six digits, thirty seconds, as every app has them.

use super::{PeopleError, secret};
use aws_lc_rs::hmac;

/// Of a code.
const STEP_MS: i64 = 30_000;
/// A clock may be off by so many steps.
const WINDOW: i64 = 1;
/// Bytes of a secret: those of the hash.
const SECRET_LEN: usize = 20;
/// Recovery codes at a time.
const CODES: usize = 10;
/// Digits of a code.
const DIGITS: usize = 6;

/// A new secret.
pub(crate) fn new_secret() -> Result<Vec<u8>, PeopleError> {
    let mut bytes = vec![0; SECRET_LEN];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| PeopleError::Failed("the system gave no random numbers".to_owned()))?;
    Ok(bytes)
}

/// New recovery codes, to be shown once, with what is kept of them.
pub(crate) fn recovery_codes() -> Result<(Vec<String>, Vec<Vec<u8>>), PeopleError> {
    let codes: Vec<String> =
        (0..CODES).map(|_| secret::one_time_password()).collect::<Result<_, PeopleError>>()?;
    let kept = codes.iter().map(|c| recovery_digest(c)).collect();
    Ok((codes, kept))
}

/// However a person types it.
pub(crate) fn recovery_digest(code: &str) -> Vec<u8> {
    let plain: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    secret::digest(&plain)
}

/// The step whose code this is, near now; `None`: of none.
pub(crate) fn step(key: &[u8], code: &str, now_ms: i64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != DIGITS || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let now = now_ms.div_euclid(STEP_MS);
    // All are computed: its time does not tell which one it was.
    let mut found = None;
    for step in now - WINDOW..=now + WINDOW {
        if secret::same(at(key, step).as_bytes(), code.as_bytes()) {
            found = Some(step);
        }
    }
    found
}

/// The code of a step.
fn at(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let mut four = [0; 4];
    four.copy_from_slice(&tag[from..from + 4]);
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// Without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            out.push(char::from(LETTERS[((bits >> held) & 31) as usize]));
        }
        bits &= 0xff;
    }
    if held > 0 {
        out.push(char::from(LETTERS[((bits << (5 - held)) & 31) as usize]));
    }
    out
}

/// What a QR code holds.
pub(crate) fn uri(user: &str, key: &[u8]) -> String {
    // Names hold letters, digits and . _ @ -: only @ would need an escape.
    let user = user.replace('@', "%40");
    format!(
        "otpauth://totp/Lazaret:{user}?secret={}&issuer=Lazaret&algorithm=SHA1&digits=6&period=30",
        base32(key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_of_the_standard() {
        // RFC 6238, appendix B, the last six of the eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step(KEY, code, second * 1000), Some(second / 30), "{second}");
        }
    }

    #[test]
    fn a_clock_may_be_off_a_little() {
        let at_ms = 1_111_111_109_000;
        assert_eq!(step(KEY, "081 804", at_ms + STEP_MS), Some(1_111_111_109 / 30));
        assert_eq!(step(KEY, "081804", at_ms - STEP_MS), Some(1_111_111_109 / 30));
        assert_eq!(step(KEY, "081804", at_ms + 3 * STEP_MS), None);
        for bad in ["", "81804", "0818041", "08180a", "٠٨١٨٠٤"] {
            assert_eq!(step(KEY, bad, at_ms), None, "{bad}");
        }
    }

    #[test]
    fn base32_of_the_standard() {
        // RFC 4648, section 10, without padding.
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
        assert!(uri("eve@x", KEY).starts_with("otpauth://totp/Lazaret:eve%40x?secret=GEZDGNBVGY3TQOJQ"));
    }

    #[test]
    fn recovery_codes_are_ten_and_differ() {
        let (codes, kept) = recovery_codes().unwrap();
        assert_eq!((codes.len(), kept.len()), (CODES, CODES));
        assert_eq!(recovery_digest(&codes[0].replace('-', " ")), kept[0]);
        let mut all = kept.clone();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), CODES);
    }
}
