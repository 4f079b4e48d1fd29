// SPDX-License-Identifier: Apache-2.0
//! Tokens, keys and one-time passwords: random, and kept only as SHA-256.

use super::PeopleError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// 256 random bits as text.
pub(crate) fn random() -> Result<String, PeopleError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| PeopleError::Failed("the system gave no random numbers".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The right of a machine to become a host, as text.
pub(crate) fn enrolment_token() -> Result<String, PeopleError> {
    Ok(format!("lzt_{}", random()?))
}

/// What is kept of a secret. A plain digest is enough: 256 random bits cannot be guessed.
pub(crate) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A password that a person can read out: 20 letters and digits without those that look alike,
/// in groups of five; 100 bits.
pub(crate) fn one_time_password() -> Result<String, PeopleError> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
    let mut bytes = [0; 20];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| PeopleError::Failed("the system gave no random numbers".to_owned()))?;
    let mut out = String::with_capacity(23);
    for (i, b) in bytes.iter().enumerate() {
        if i > 0 && i % 5 == 0 {
            out.push('-');
        }
        out.push(char::from(LETTERS[usize::from(b % 32)]));
    }
    Ok(out)
}

/// An access key's id: 20 capital letters and digits, the first two always `LZ`.
pub(crate) fn access_key_id() -> Result<String, PeopleError> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 18];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| PeopleError::Failed("the system gave no random numbers".to_owned()))?;
    Ok("LZ".chars().chain(bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)]))).collect())
}

/// An API key's parts: `lzk_<id>_<secret>`.
pub(crate) fn api_key(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("lzk_")?;
    // The id is a UUID with hyphens: it holds no underscore.
    let (id, secret) = rest.split_once('_')?;
    (id.len() == 36 && !secret.is_empty()).then_some((id, secret))
}

/// Compares without telling by its time where the two differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(random().unwrap(), random().unwrap());
        let p = one_time_password().unwrap();
        assert_eq!(p.len(), 23);
        assert_eq!(super::super::password::weakness(&p, "admin"), None);
    }

    #[test]
    fn keys_have_two_parts() {
        let id = "01890000-0000-7000-8000-000000000000";
        assert_eq!(api_key(&format!("lzk_{id}_se_cret")), Some((id, "se_cret")));
        for bad in ["", "lzk_", "lzk_x_y", "lzk_01890000-0000-7000-8000-000000000000_", "xyz"] {
            assert_eq!(api_key(bad), None, "{bad}");
        }
    }
}
