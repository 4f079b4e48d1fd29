// SPDX-License-Identifier: Apache-2.0
//! The key with which content is signed: Ed25519, in the authority's folder, made once. Hosts keep its
//! public half from their enrolment on.

use super::ContentError;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use lazaret_proto::{offer_statement, v1};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Its file within the authority's folder, PKCS #8, mode 0600.
pub const KEY_FILE: &str = "content.key";

/// The key.
pub struct ContentKey(Ed25519KeyPair);

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContentKey")
    }
}

impl ContentKey {
    /// Reads it, or makes it where there is none yet.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn load_or_make(folder: &Path) -> Result<Self, ContentError> {
        let path = folder.join(KEY_FILE);
        let own = |e: &dyn std::fmt::Display| ContentError::Own(format!("{}: {e}", path.display()));
        // Several processes of one authority may start at once: whose file is there first counts.
        for _ in 0..2 {
            match std::fs::read(&path) {
                Ok(bytes) => {
                    return Ed25519KeyPair::from_pkcs8(&bytes).map(Self).map_err(|e| {
                        own(&format!("no Ed25519 key ({e}): put the file back from a backup of this server"))
                    });
                }
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(own(&e)),
            }
            let made = Ed25519KeyPair::generate().and_then(|k| k.to_pkcs8());
            let made = made.map_err(|_| own(&"no key can be made"))?;
            let fresh = folder.join(format!("{KEY_FILE}.{}", std::process::id()));
            let written = write_new(&fresh, made.as_ref()).and_then(|()| std::fs::hard_link(&fresh, &path));
            let _ = std::fs::remove_file(&fresh);
            match written {
                Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(own(&e)),
                _ => {}
            }
        }
        Err(own(&"it comes and goes"))
    }

    /// What hosts keep.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    /// Signs an offer; `key` and `signature` are set.
    pub(crate) fn sign(&self, offer: &mut v1::ContentOffer) {
        offer.key = self.public();
        offer.signature = self.0.sign(&offer_statement(offer)).as_ref().to_vec();
    }

    /// Whether this key signed an offer.
    pub(crate) fn signed(&self, offer: &v1::ContentOffer) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public())
            .verify(&offer_statement(offer), &offer.signature)
            .is_ok()
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let _ = std::fs::remove_file(path);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn is_made_once_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let first = ContentKey::load_or_make(folder.path()).unwrap();
        let again = ContentKey::load_or_make(folder.path()).unwrap();
        assert_eq!((first.public().len(), first.public()), (32, again.public()));
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut offer = v1::ContentOffer { number: 1, ..v1::ContentOffer::default() };
        first.sign(&mut offer);
        assert!(again.signed(&offer) && !again.signed(&v1::ContentOffer { number: 2, ..offer }));
        std::fs::write(folder.path().join(KEY_FILE), b"no key").unwrap();
        let e = ContentKey::load_or_make(folder.path()).unwrap_err().to_string();
        assert!(e.contains(KEY_FILE) && e.contains("backup"), "{e}");
    }
}
