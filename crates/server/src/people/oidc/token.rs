// SPDX-License-Identifier: Apache-2.0
//! An ID token, and whether it is what it should be (OpenID Connect Core 1.0, 3.1.3.7). The algorithm is
//! one that we, the configuration and the provider all name; it is one of public keys, never `none`, never
//! a shared secret; and the key is the one that the token names, of the kind that the algorithm takes.

use super::provider::Metadata;
use super::{OidcError, refused};
use crate::people::secret;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation};
use serde_json::{Map, Value};

/// Clocks may be off by so many seconds.
const LEEWAY: i64 = 60;
/// A token is older than that only when somebody kept it.
const OLDEST: i64 = 600;
/// Longer than any token that a provider means.
const MOST: usize = 64 << 10;

/// What a token says of itself, before it is believed.
pub(super) struct Head {
    pub(super) kid: Option<String>,
    algorithm: Algorithm,
}

/// What must stand in it.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    /// Seconds since the epoch.
    pub(super) now: i64,
}

/// What a provider says of a person.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    all: Map<String, Value>,
}

impl Claims {
    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    /// What the token has goes before what comes later.
    pub(super) fn add(&mut self, more: Map<String, Value>) {
        for (name, value) in more {
            self.all.entry(name).or_insert(value);
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.as_str()
    }

    /// A text, or a list of texts.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        match self.all.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

fn family(algorithm: Algorithm) -> Option<AlgorithmFamily> {
    use Algorithm as A;
    Some(match algorithm {
        A::RS256 | A::RS384 | A::RS512 | A::PS256 | A::PS384 | A::PS512 => AlgorithmFamily::Rsa,
        A::ES256 | A::ES384 => AlgorithmFamily::Ec,
        A::EdDSA => AlgorithmFamily::Ed,
        _ => return None,
    })
}

/// The head, when its algorithm may be.
pub(super) fn head(token: &str, allowed: &[String], metadata: &Metadata) -> Result<Head, OidcError> {
    if token.len() > MOST {
        return refused("the token is over 64 KiB");
    }
    let Ok(header) = jsonwebtoken::decode_header(token) else {
        return refused("the token is none, or not signed with an algorithm that is taken");
    };
    let algorithm = header.alg;
    let word = format!("{algorithm:?}");
    let offered = &metadata.id_token_signing_alg_values_supported;
    let offers = offered.contains(&word) || (offered.is_empty() && word == "RS256");
    if family(algorithm).is_none() || !allowed.contains(&word) || !offers {
        return refused(format!("the token is signed with {word}, which is not taken from this provider"));
    }
    Ok(Head { kid: header.kid, algorithm })
}

/// Whether a key is for signatures of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = matches!(
        (&key.algorithm, family(algorithm)),
        (AlgorithmParameters::RSA(_), Some(AlgorithmFamily::Rsa))
            | (AlgorithmParameters::EllipticCurve(_), Some(AlgorithmFamily::Ec))
            | (AlgorithmParameters::OctetKeyPair(_), Some(AlgorithmFamily::Ed))
    );
    let purpose = key.common.public_key_use.as_ref().is_none_or(|u| *u == PublicKeyUse::Signature);
    let named =
        key.common.key_algorithm.as_ref().is_none_or(|a| format!("{a:?}") == format!("{algorithm:?}"));
    kind && purpose && named
}

fn key<'k>(keys: &'k JwkSet, head: &Head) -> Result<&'k Jwk, OidcError> {
    let mut fitting = keys.keys.iter().filter(|k| {
        fits(k, head.algorithm) && (head.kid.is_none() || k.common.key_id.as_deref() == head.kid.as_deref())
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => refused("the token is signed with a key that the provider does not have"),
        (Some(_), Some(_)) => refused("the token does not say with which of several keys it is signed"),
    }
}

/// The claims, when signature and claims are right.
pub(super) fn verify(
    token: &str,
    head: &Head,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Claims, OidcError> {
    let key = key(keys, head)?;
    let Ok(key) = DecodingKey::from_jwk(key) else {
        return refused("the provider's key cannot be used");
    };
    let mut validation = Validation::new(head.algorithm);
    // All claims are looked at below, by one clock and with words that say which one it was.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let Ok(data) = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation) else {
        return refused("the token's signature is not the provider's");
    };
    check(data.claims, expected)
}

fn check(all: Map<String, Value>, expected: &Expected<'_>) -> Result<Claims, OidcError> {
    let text = |name: &str| all.get(name).and_then(Value::as_str);
    // NumericDate may have a fraction.
    #[allow(clippy::cast_possible_truncation, reason = "a cast of a float ends at the bounds of the integer")]
    let number = |name: &str| all.get(name).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)));
    if text("iss") != Some(expected.issuer) {
        return refused("the token is of another issuer");
    }
    let audience: Vec<&str> = match all.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect()
        }
        _ => Vec::new(),
    };
    if !audience.contains(&expected.client) {
        return refused("the token is for another audience");
    }
    match all.get("azp") {
        Some(party) if party.as_str() != Some(expected.client) => {
            return refused("the token was made for another party");
        }
        None if audience.len() > 1 => return refused("the token is for several and does not say for whom"),
        _ => {}
    }
    let now = expected.now;
    if number("exp").is_none_or(|t| now >= t.saturating_add(LEEWAY)) {
        return refused("the token has expired");
    }
    if number("iat").is_none_or(|t| t > now + LEEWAY || t < now - OLDEST - LEEWAY) {
        return refused("the token was not made just now");
    }
    if number("nbf").is_some_and(|t| t > now + LEEWAY) || (all.contains_key("nbf") && number("nbf").is_none())
    {
        return refused("the token is not good yet");
    }
    if !text("nonce").is_some_and(|n| secret::same(n.as_bytes(), expected.nonce.as_bytes())) {
        return refused("the token answers another sign-in");
    }
    let subject = text("sub").unwrap_or_default().to_owned();
    if subject.is_empty() || subject.len() > 255 || subject.contains('\0') {
        return refused("the token does not say who it is about");
    }
    Ok(Claims { subject, all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_700_000_000;

    fn good() -> Value {
        json!({ "iss": "https://id", "aud": "lazaret", "sub": "1", "nonce": "n", "iat": NOW, "exp": NOW + 300 })
    }

    fn checked(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Claims, OidcError> {
        let mut all = good().as_object().cloned().unwrap();
        change(&mut all);
        check(all, &Expected { issuer: "https://id", client: "lazaret", nonce: "n", now: NOW })
    }

    #[test]
    fn each_claim_counts() {
        assert_eq!(checked(|_| {}).unwrap().subject, "1");
        let bad: [(&str, Value, &str); 16] = [
            ("iss", json!("https://id/"), "issuer"),
            ("iss", Value::Null, "issuer"),
            ("aud", json!("other"), "audience"),
            ("aud", json!(["other"]), "audience"),
            ("aud", json!(["lazaret", 1]), "audience"),
            ("aud", json!(["lazaret", "other"]), "several"),
            ("azp", json!("other"), "party"),
            ("azp", json!(1), "party"),
            ("exp", json!(NOW - 60), "expired"),
            ("exp", Value::Null, "expired"),
            ("iat", json!(NOW + 61), "just now"),
            ("iat", json!(NOW - 700), "just now"),
            ("nbf", json!(NOW + 61), "good yet"),
            ("nbf", json!("soon"), "good yet"),
            ("nonce", json!("m"), "another sign-in"),
            ("sub", json!(""), "who"),
        ];
        for (name, value, part) in bad {
            let e = checked(|all| {
                all.insert(name.to_owned(), value.clone());
            });
            let text = e.unwrap_err().to_string();
            assert!(text.contains(part), "{name} {value}: {text}");
        }
        for name in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
            assert!(checked(|all| drop(all.remove(name))).is_err(), "{name}");
        }
        let both = checked(|all| {
            all.insert("aud".to_owned(), json!(["lazaret", "other"]));
            all.insert("azp".to_owned(), json!("lazaret"));
        });
        assert!(both.is_ok());
        assert!(checked(|all| drop(all.insert("exp".to_owned(), json!(NOW - 59)))).is_ok(), "leeway");
    }
}
