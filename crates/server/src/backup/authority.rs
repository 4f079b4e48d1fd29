// SPDX-License-Identifier: Apache-2.0
//! The authority's folder within an archive: an archive of its own, encrypted with age where a recipient
//! was given. With it anybody could be a host's server.

use super::archive::{self, Writer};
use anyhow::{Context as _, bail, ensure};
use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

pub(super) const PLAIN: &str = "authority.tar";
pub(super) const SEALED: &str = "authority.tar.age";
/// It holds a few keys and certificates.
pub(super) const MOST: u64 = 1 << 20;

/// The folder's files, as one part: name and bytes.
pub(super) fn pack(folder: &Path, recipient: Option<&str>) -> anyhow::Result<(&'static str, Vec<u8>)> {
    let read = |e: std::io::Error| anyhow::anyhow!("cannot read {}: {e}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.file_type().map_err(read)?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    ensure!(!names.is_empty(), "{} is empty: there is no authority to back up", folder.display());
    // A file without a name: keys must not lie about.
    let mut w = Writer::new(anonymous(folder)?);
    for name in names {
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        w.put(&name, &bytes)?;
    }
    let mut file = w.finish()?;
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MOST, "{} holds more than {MOST} bytes", folder.display());
    let Some(recipient) = recipient else { return Ok((PLAIN, bytes)) };
    let recipient = recipient
        .trim()
        .parse::<age::x25519::Recipient>()
        .map_err(|e| anyhow::anyhow!("--recipient: no age recipient (age1...): {e}"))?;
    let sealed = age::encrypt(&recipient, &bytes).context("cannot encrypt the authority")?;
    Ok((SEALED, sealed))
}

fn anonymous(folder: &Path) -> anyhow::Result<std::fs::File> {
    let path = folder.join(format!(".backup-{}", uuid::Uuid::now_v7()));
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Decrypts it where it is encrypted.
pub(super) fn open(name: &str, bytes: Vec<u8>, identity: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    if name == PLAIN {
        return Ok(bytes);
    }
    let Some(path) = identity else {
        bail!("the authority in it is encrypted: give the age identity with --identity FILE");
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = text.lines().find(|l| l.starts_with("AGE-SECRET-KEY-"));
    let identity = line
        .with_context(|| format!("{} holds no AGE-SECRET-KEY-", path.display()))?
        .trim()
        .parse::<age::x25519::Identity>()
        .map_err(|e| anyhow::anyhow!("{}: no age identity: {e}", path.display()))?;
    age::decrypt(&identity, &bytes)
        .with_context(|| format!("the authority in it cannot be decrypted with {}", path.display()))
}

/// Writes its files into a new folder.
pub(super) fn unpack(bytes: &[u8], folder: &Path) -> anyhow::Result<()> {
    let mut cursor = Cursor::new(bytes);
    let entries = archive::list(&mut cursor).context("the authority in it")?;
    std::fs::DirBuilder::new().mode(0o700).create(folder)?;
    for entry in entries {
        ensure!(!entry.name.contains('/'), "the authority in it holds folders");
        let bytes = archive::bytes(&mut cursor, &entry, MOST)?;
        let path = folder.join(&entry.name);
        // The certificate is no secret, and whoever reads it may not be root.
        let mode = if entry.name.ends_with(".pem") { 0o644 } else { 0o600 };
        let mut file = std::fs::File::options().write(true).create_new(true).mode(mode).open(&path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret as _;

    #[test]
    fn comes_back_from_both_forms() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("authority");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("authority.key"), b"a secret").unwrap();
        std::fs::write(folder.join("authority.pem"), b"a certificate").unwrap();
        let identity = age::x25519::Identity::generate();
        let file = dir.path().join("identity");
        std::fs::write(&file, format!("# a comment\n{}\n", identity.to_string().expose_secret())).unwrap();
        let recipient = identity.to_public().to_string();
        for (n, recipient) in [None, Some(recipient.as_str())].into_iter().enumerate() {
            let (name, bytes) = pack(&folder, recipient).unwrap();
            let hidden = !bytes.windows(8).any(|w| w == b"a secret");
            assert_eq!((name == SEALED, hidden), (recipient.is_some(), recipient.is_some()));
            if recipient.is_some() {
                assert!(open(name, bytes.clone(), None).unwrap_err().to_string().contains("--identity"));
                let mut tampered = bytes.clone();
                let last = tampered.len() - 1;
                tampered[last] ^= 1;
                assert!(open(name, tampered, Some(&file)).is_err());
            }
            let plain = open(name, bytes, Some(&file)).unwrap();
            let again = dir.path().join(format!("again-{n}"));
            unpack(&plain, &again).unwrap();
            assert_eq!(std::fs::read(again.join("authority.key")).unwrap(), b"a secret");
        }
        assert!(pack(&folder, Some("age1nonsense")).is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing lies about");
    }
}
