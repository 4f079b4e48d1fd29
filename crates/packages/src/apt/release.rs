// SPDX-License-Identifier: Apache-2.0
//! Signed release files as apt keeps them: `InRelease` (clear-signed), or `Release` with
//! `Release.gpg` beside it.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Release files are some hundred KiB; a longer one is refused.
const MAX_RELEASE: u64 = 32 * 1024 * 1024;

/// The digests that a release signs.
pub(crate) struct Release {
    pub(crate) path: PathBuf,
    /// What the names of its indexes begin with in the lists folder.
    pub(crate) prefix: String,
    by_path: HashMap<String, [u8; 32]>,
}

impl Release {
    /// # Errors
    /// When it is unsigned, unreadable, or others than root can write it.
    pub(crate) fn read(path: &Path, prefix: &str) -> Result<Self, String> {
        only_root_writes(path)?;
        let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
        if size > MAX_RELEASE {
            return Err(format!("it is {size} bytes long, over the limit of {MAX_RELEASE}"));
        }
        let text = std::fs::read(path).map_err(|e| format!("it could not be read: {e}"))?;
        let text = String::from_utf8_lossy(&text);
        let signed = if path.to_string_lossy().ends_with("InRelease") {
            clear_signed(&text).ok_or("it carries no signature")?
        } else {
            let signature = path.with_extension("gpg");
            only_root_writes(&signature)?;
            if !std::fs::metadata(&signature).is_ok_and(|m| m.len() > 0) {
                return Err("it carries no signature".to_owned());
            }
            &text
        };
        Ok(Self { path: path.to_owned(), prefix: prefix.to_owned(), by_path: digests(signed) })
    }

    /// The signed digest of an index by its name in the lists folder (without packing suffix). apt
    /// makes that name of the address: `/` becomes `_`, and a real `_` becomes `%5f`.
    pub(crate) fn digest_of(&self, name: &str) -> Option<[u8; 32]> {
        let rest = name.strip_prefix(&self.prefix)?;
        let path = rest.replace('_', "/").replace("%5f", "_").replace("%5F", "_");
        self.by_path.get(&path).copied()
    }
}

/// The text between the header and the signature; whatever stands outside is not signed.
fn clear_signed(text: &str) -> Option<&str> {
    let body = text.strip_prefix("-----BEGIN PGP SIGNED MESSAGE-----")?;
    let start = body.find("\n\n")? + 2;
    let body = body.get(start..)?;
    let (signed, signature) = body.split_once("\n-----BEGIN PGP SIGNATURE-----")?;
    signature.contains("-----END PGP SIGNATURE-----").then_some(signed)
}

/// The lines of the SHA256 section: ` digest size path`.
fn digests(text: &str) -> HashMap<String, [u8; 32]> {
    let mut found = HashMap::new();
    let mut inside = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            inside = line.trim_end() == "SHA256:";
            continue;
        }
        if !inside {
            continue;
        }
        let mut words = line.split_ascii_whitespace();
        let (digest, path) = (words.next().and_then(unhex), words.nth(1));
        if let (Some(digest), Some(path)) = (digest, path)
            && path.ends_with("Packages")
        {
            found.insert(path.strip_prefix("./").unwrap_or(path).to_owned(), digest);
        }
    }
    found
}

fn unhex(word: &str) -> Option<[u8; 32]> {
    word.parse::<lazaret_model::Sha256>().ok().map(|h| h.0)
}

/// A file that others can write vouches for nothing.
///
/// # Errors
/// When that is so, or the file is not there.
pub(crate) fn only_root_writes(path: &Path) -> Result<(), String> {
    let m = std::fs::metadata(path).map_err(|e| format!("{} could not be looked at: {e}", path.display()))?;
    let ours = m.uid() == 0 || m.uid() == rustix::process::geteuid().as_raw();
    if ours && m.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(format!("{} can be written by others than root", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "515e692f2c4121c6fcec444ef100cc18f79a991910615f3a88c8b7becfc94d2f";

    #[test]
    fn only_what_is_signed_counts() {
        let signed = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: x\nMD5Sum:\n d 1 main/Packages\nSHA256:\n \
             {DIGEST} 50060337 main/binary-amd64/Packages\n {DIGEST} 1 main/binary-amd64/Packages.xz\n\
             -----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n"
        );
        let found = digests(clear_signed(&signed).unwrap());
        assert_eq!(found.len(), 1);
        assert!(found.contains_key("main/binary-amd64/Packages"));
        assert_eq!(clear_signed(&format!("SHA256:\n x\n{signed}")), None, "text before the message");
        assert_eq!(clear_signed(&signed.replace("-----BEGIN PGP SIGNATURE-----", "")), None);
        let after = format!("{signed}SHA256:\n {DIGEST} 1 evil/Packages\n");
        assert_eq!(digests(clear_signed(&after).unwrap()).len(), 1);
    }

    #[test]
    fn names_in_the_lists_folder() {
        let by_path =
            [("non_free/binary-all/Packages".to_owned(), [1; 32]), ("Packages".to_owned(), [2; 32])].into();
        let r = Release { path: PathBuf::new(), prefix: "host_debian_dists_x_".into(), by_path };
        assert_eq!(r.digest_of("host_debian_dists_x_non%5ffree_binary-all_Packages"), Some([1; 32]));
        assert_eq!(r.digest_of("host_debian_dists_x_Packages"), Some([2; 32]));
        assert_eq!(r.digest_of("other_Packages"), None);
    }
}
