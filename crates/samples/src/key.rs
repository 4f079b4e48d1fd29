// SPDX-License-Identifier: Apache-2.0
//! Names of objects: `<project>/<first two hex>/<sha256>.age`. A project's id comes from our own database, and all the
//! same nothing in it can lead elsewhere.

use crate::SampleError;
use lazaret_model::Sha256;
use std::fmt::Write as _;

/// Of an id as it is written in names.
const MAX_PROJECT: usize = 100;
/// Before an id that is written as hexadecimal digits.
const ENCODED: &str = "x-";
const TAIL: &str = ".age";

/// A sample of a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    project: String,
    sha: Sha256,
}

impl Key {
    pub(crate) fn new(project: &str, sha: &[u8]) -> Result<Self, SampleError> {
        let sha = Sha256::from_slice(sha)
            .ok_or_else(|| SampleError::Invalid(format!("{} bytes are no SHA-256", sha.len())))?;
        // Checked here, so that all that follows can rely on it.
        folder(project)?;
        Ok(Self { project: project.to_owned(), sha })
    }

    /// Reads [`Self::object`] back; `None`: not one of ours.
    pub(crate) fn parse(object: &str) -> Option<Self> {
        let (folder, rest) = object.split_once('/')?;
        let (two, name) = rest.split_once('/')?;
        let hex = name.strip_suffix(TAIL)?;
        let sha: Sha256 = hex.parse().ok()?;
        let key = Self { project: project(folder)?, sha };
        (hex.get(..2) == Some(two) && key.object() == object).then_some(key)
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) const fn sha(&self) -> &Sha256 {
        &self.sha
    }

    /// The project as a folder's name.
    pub(crate) fn folder(&self) -> String {
        folder(&self.project).unwrap_or_default()
    }

    /// Without the prefix.
    pub(crate) fn object(&self) -> String {
        let hex = self.sha.to_string();
        format!("{}/{}/{hex}{TAIL}", self.folder(), hex.get(..2).unwrap_or_default())
    }

    /// The name of its parts, without the ending.
    pub(crate) fn flat(&self) -> String {
        format!("{}.{}", self.folder(), self.sha)
    }

    /// Reads [`Self::flat`] back.
    pub(crate) fn parse_flat(name: &str) -> Option<Self> {
        let (folder, hex) = name.rsplit_once('.')?;
        let key = Self { project: project(folder)?, sha: hex.parse().ok()? };
        (key.flat() == name).then_some(key)
    }
}

/// A project's id as a folder's name: itself where it is plain, else its bytes as digits.
pub(crate) fn folder(project: &str) -> Result<String, SampleError> {
    let out = if is_plain(project) {
        project.to_owned()
    } else {
        project.bytes().fold(ENCODED.to_owned(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    };
    if project.is_empty() || out.len() > MAX_PROJECT {
        let shown: String = project.chars().take(40).collect();
        return Err(SampleError::Invalid(format!(
            "the project id \"{}\" is empty or too long to keep samples for",
            shown.escape_default()
        )));
    }
    Ok(out)
}

fn is_plain(project: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    project.bytes().all(plain) && !project.starts_with('.') && !project.starts_with(ENCODED)
}

/// The way back from [`folder`].
fn project(name: &str) -> Option<String> {
    let out = match name.strip_prefix(ENCODED) {
        None => name.to_owned(),
        Some(hex) => {
            let digits = hex.as_bytes();
            if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).ok());
            let bytes = pairs.map(|p| u8::from_str_radix(p?, 16).ok()).collect::<Option<Vec<u8>>>()?;
            String::from_utf8(bytes).ok()?
        }
    };
    (folder(&out).ok()? == name).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: [u8; 32] = [0xab; 32];

    #[test]
    fn a_plain_project_stands_for_itself() {
        let key = Key::new("0198c5a7-1111-7000-8000-000000000001", &SHA).unwrap();
        let hex = "ab".repeat(32);
        assert_eq!(key.object(), format!("0198c5a7-1111-7000-8000-000000000001/ab/{hex}.age"));
        assert_eq!(Key::parse(&key.object()), Some(key.clone()));
        assert_eq!(Key::parse_flat(&key.flat()), Some(key));
    }

    #[test]
    fn no_project_leads_elsewhere_or_to_another_one() {
        let mut names = std::collections::HashSet::new();
        let ids =
            ["..", ".", "a/b", "a\0b", "A", "a", "x-61", "x-", "größe", "-", "a b", ".tmp", "x-782d3631"];
        for id in ids {
            let key = Key::new(id, &SHA).unwrap();
            let name = key.folder();
            assert!(
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                    && !name.starts_with('.'),
                "{id:?}: {name}"
            );
            assert!(names.insert(name), "{id:?} is written as another one");
            assert_eq!(Key::parse(&key.object()), Some(key.clone()), "{id:?}");
            assert_eq!(Key::parse_flat(&key.flat()), Some(key), "{id:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(Key::new("", &SHA).is_err() && Key::new(&"p".repeat(101), &SHA).is_err());
        assert!(Key::new("p", &[1; 31]).is_err() && Key::new("p", &[]).is_err());
        let hex = "ab".repeat(32);
        for bad in [
            String::new(),
            format!("p/cd/{hex}.age"),
            format!("p/ab/{hex}"),
            format!("p/ab/{}.age", hex.to_uppercase()),
            format!("../ab/{hex}.age"),
            format!("x-6g/ab/{hex}.age"),
            format!("x-70/ab/{hex}.age"),
            format!("p/q/ab/{hex}.age"),
            format!("p/ab/{hex}.age/"),
        ] {
            assert_eq!(Key::parse(&bad), None, "{bad}");
        }
    }
}
