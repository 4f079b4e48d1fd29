// SPDX-License-Identifier: Apache-2.0
//! What must be read again and is not for the database's reader: the secrets of second factors, sealed
//! with a key that lies beside the authority.

use super::PeopleError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// Name of the key in the authority's folder.
const FILE: &str = "seal.key";
const KEY_LEN: usize = 32;

/// The key.
#[derive(Debug, Clone)]
pub(crate) struct Seal(Arc<RandomizedNonceKey>);

impl Seal {
    /// Reads the key, or makes one where there is none yet. Of several processes that start at once, one
    /// makes it.
    pub(crate) fn open(folder: &Path) -> Result<Self, PeopleError> {
        let path = folder.join(FILE);
        let failed = |what: &str, e: &dyn std::fmt::Display| {
            PeopleError::Failed(format!("cannot {what} {}: {e}", path.display()))
        };
        if let Err(e) = std::fs::metadata(&path) {
            if e.kind() != ErrorKind::NotFound {
                return Err(failed("read", &e));
            }
            let mut key = [0; KEY_LEN];
            aws_lc_rs::rand::fill(&mut key).map_err(|e| failed("make", &e))?;
            let beside = folder.join(format!("{FILE}.{}", uuid::Uuid::now_v7()));
            let write = || -> std::io::Result<()> {
                let mut file =
                    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
                file.write_all(&key)?;
                file.sync_all()?;
                // Unlike a rename this does not replace what another process made meanwhile.
                match std::fs::hard_link(&beside, &path) {
                    Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
                    _ => Ok(()),
                }
            };
            let made = write();
            let _ = std::fs::remove_file(&beside);
            made.map_err(|e| failed("make", &e))?;
        }
        let key = std::fs::read(&path).map_err(|e| failed("read", &e))?;
        if key.len() != KEY_LEN {
            return Err(failed("use", &format!("{} bytes, not {KEY_LEN}: restore it", key.len())));
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|e| failed("use", &e))?;
        Ok(Self(Arc::new(key)))
    }

    /// `about` is what it belongs to: sealed for one, it does not open for another.
    pub(crate) fn close(&self, about: &str, plain: &[u8]) -> Result<Vec<u8>, PeopleError> {
        let mut text = plain.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(about.as_bytes()), &mut text)
            .map_err(|_| PeopleError::Failed("sealing a secret failed".to_owned()))?;
        let mut out = nonce.as_ref().to_vec();
        out.extend(text);
        Ok(out)
    }

    /// What was sealed.
    pub(crate) fn read(&self, about: &str, sealed: &[u8]) -> Result<Vec<u8>, PeopleError> {
        let bad = || {
            PeopleError::Failed(
                "a sealed secret does not open: is authority/seal.key the one of this database?".to_owned(),
            )
        };
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or_else(bad)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| bad())?;
        let mut text = text.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(about.as_bytes()), &mut text).map_err(|_| bad())?;
        Ok(plain.to_vec())
    }
}

/// Of the targets of notifications and exports.
impl lazaret_notify::Seal for Seal {
    fn close(&self, about: &str, plain: &str) -> Result<String, String> {
        Self::close(self, about, plain.as_bytes()).map(|s| STANDARD.encode(s)).map_err(|e| e.to_string())
    }

    fn open(&self, about: &str, sealed: &str) -> Result<String, String> {
        let bytes =
            STANDARD.decode(sealed).map_err(|_| "a sealed secret is damaged: set it anew".to_owned())?;
        let plain = self.read(about, &bytes).map_err(|e| e.to_string())?;
        String::from_utf8(plain).map_err(|_| "a sealed secret is damaged: set it anew".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_whom_it_was_sealed_with_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let one = Seal::open(folder.path()).unwrap();
        let sealed = one.close("ann", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        let again = Seal::open(folder.path()).unwrap();
        assert_eq!(again.read("ann", &sealed).unwrap(), b"secret");
        assert!(again.read("bob", &sealed).is_err());
        assert!(again.read("ann", &sealed[..5]).is_err());
        let other = tempfile::tempdir().unwrap();
        assert!(Seal::open(other.path()).unwrap().read("ann", &sealed).is_err());
        std::fs::write(folder.path().join(FILE), b"short").unwrap();
        assert!(Seal::open(folder.path()).unwrap_err().to_string().contains("restore"));
    }
}
