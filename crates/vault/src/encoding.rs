// SPDX-License-Identifier: Apache-2.0
//! How raw bytes, identifiers and words are written in JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes that need not be text; standard base64 with padding in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawBytes(pub Vec<u8>);

impl Serialize for RawBytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for RawBytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

/// A path: any bytes but NUL. In JSON `{"raw": base64, "text": for people}`; only `raw` counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RawPath(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
struct PathForm {
    raw: RawBytes,
    #[serde(default)]
    text: String,
}

impl RawPath {
    /// For people: what is not UTF-8 is replaced.
    #[must_use]
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl From<&[u8]> for RawPath {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for RawPath {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        PathForm { raw: RawBytes(self.0.clone()), text: self.lossy() }.serialize(s)
    }
}

impl<'de> Deserialize<'de> for RawPath {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self(PathForm::deserialize(d)?.raw.0))
    }
}

/// Types with `Display` and `FromStr`, as text.
pub mod text {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use std::fmt::Display;
    use std::str::FromStr;

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn serialize<T: Display, S: Serializer>(v: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(v)
    }

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn deserialize<'de, T, D>(d: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// The same, optional.
pub mod optional_text {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};
    use std::fmt::Display;
    use std::str::FromStr;

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn serialize<T: Display, S: Serializer>(v: &Option<T>, s: S) -> Result<S::Ok, S::Error> {
        v.as_ref().map(ToString::to_string).serialize(s)
    }

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn deserialize<'de, T, D>(d: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Option::<String>::deserialize(d)?.map(|t| t.parse().map_err(D::Error::custom)).transpose()
    }
}

/// [`lazaret_model::IsolatedStatus`] by its word.
pub mod status {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use lazaret_model::IsolatedStatus;

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn serialize<S: Serializer>(v: &IsolatedStatus, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(v.word())
    }

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<IsolatedStatus, D::Error> {
        let word = String::deserialize(d)?;
        IsolatedStatus::from_word(&word).ok_or_else(|| D::Error::custom(format!("unknown status \"{word}\"")))
    }
}

/// [`lazaret_model::Confidence`] as a number.
pub mod confidence {
    use super::{Deserialize, Deserializer, Serializer};
    use lazaret_model::Confidence;

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn serialize<S: Serializer>(v: &Confidence, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(v.value())
    }

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Confidence, D::Error> {
        u8::deserialize(d).map(Confidence::new)
    }
}

/// [`lazaret_model::Outcome`] as a word and a reason.
pub mod outcome {
    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};
    use lazaret_model::Outcome;

    #[derive(Serialize, Deserialize)]
    struct Form {
        word: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    }

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn serialize<S: Serializer>(v: &Outcome, s: S) -> Result<S::Ok, S::Error> {
        Form { word: v.word().to_owned(), reason: v.reason().to_owned() }.serialize(s)
    }

    #[allow(missing_docs, reason = "the shape is serde's")]
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Outcome, D::Error> {
        let f = Form::deserialize(d)?;
        Outcome::from_word(&f.word, &f.reason)
            .ok_or_else(|| D::Error::custom(format!("unknown outcome \"{}\"", f.word)))
    }
}
