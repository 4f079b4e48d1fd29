// SPDX-License-Identifier: Apache-2.0
//! The keys of a vault: `host.key` (age identity, mode 0400) and `recovery.pub` (age recipients).

use crate::{VaultError, durable};
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

const HOST_KEY: &str = "host.key";
const RECOVERY_PUB: &str = "recovery.pub";

/// The secret half of the recovery key. It exists only here: print it, then drop it.
pub struct RecoveryKey {
    secret: age::secrecy::SecretString,
    recipient: String,
}

impl RecoveryKey {
    /// The line that goes into an identity file for `age -d -i`.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The public half, as kept in `recovery.pub`.
    #[must_use]
    pub fn recipient(&self) -> &str {
        &self.recipient
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryKey({})", self.recipient)
    }
}

/// What sealing and opening need.
pub(crate) struct Keys {
    identities: Vec<Identity>,
    /// Whom objects are sealed for; why not where that is not known.
    recipients: Result<Vec<Recipient>, (PathBuf, String)>,
    /// Sealed for besides: whoever keeps the fleet's recovery key.
    further: RwLock<Option<Recipient>>,
}

/// Reads an age recipient as a vault can seal for it; gives it as it is written.
///
/// # Errors
/// For people: what it should be.
pub fn check_recipient(text: &str) -> Result<String, String> {
    let parsed: Recipient = text.parse().map_err(|e: &str| {
        let shown: String = text.chars().take(80).filter(|c| !c.is_control()).collect();
        format!("\"{shown}\" is no age X25519 recipient (age1..., as age-keygen -y prints it): {e}")
    })?;
    Ok(parsed.to_string())
}

impl Keys {
    /// Whether the folder holds the keys of a vault.
    pub(crate) fn exist(dir: &Path) -> bool {
        dir.join(HOST_KEY).exists()
    }

    /// Makes new keys. `host.key` is written last: without it the folder counts as no vault yet.
    pub(crate) fn create(dir: &Path) -> Result<(Self, RecoveryKey), VaultError> {
        let host = Identity::generate();
        let recovery = Identity::generate();
        let recipient = recovery.to_public().to_string();
        let public = format!("# recovery key of this vault, public half\n{recipient}\n");
        durable::replace(&dir.join(RECOVERY_PUB), 0o400, public.as_bytes())?;
        let text = format!(
            "# host key of this vault; with it `age -d -i` opens every object\n# public key: {}\n{}\n",
            host.to_public(),
            host.to_string().expose_secret()
        );
        durable::replace(&dir.join(HOST_KEY), 0o400, text.as_bytes())?;
        let recipients = Ok(vec![host.to_public(), recovery.to_public()]);
        Ok((
            Self { identities: vec![host], recipients, further: RwLock::default() },
            RecoveryKey { secret: recovery.to_string(), recipient },
        ))
    }

    /// Reads the keys, and closes a host key that others could read.
    pub(crate) fn load(dir: &Path) -> Result<Self, VaultError> {
        close(dir).map_err(|(path, why)| VaultError::Key { path, why })?;
        Self::look(dir)
    }

    /// Reads the keys and changes nothing: the folder may be a copy on a read-only filesystem.
    pub(crate) fn look(dir: &Path) -> Result<Self, VaultError> {
        let host = host(dir).map_err(|(path, why)| VaultError::Key { path, why })?;
        let recipients = recipients(dir, &host).map_err(|(path, why)| VaultError::Key { path, why })?;
        Ok(Self { identities: vec![host], recipients: Ok(recipients), further: RwLock::default() })
    }

    /// Opens with the keys in `file` (the recovery key's secret half, or a host key from a backup).
    /// Where the folder has no usable host key, nothing can be sealed with these.
    pub(crate) fn with_identity(dir: &Path, file: &Path) -> Result<Self, VaultError> {
        let bad = |why: String| VaultError::Key { path: file.to_owned(), why };
        let text = std::fs::read_to_string(file).map_err(|e| bad(e.to_string()))?;
        let mut identities = Vec::new();
        for line in key_lines(&text) {
            let wrong = |e: &str| bad(format!("{e}; a key is a line that begins with AGE-SECRET-KEY-1"));
            identities.push(line.parse().map_err(wrong)?);
        }
        if identities.is_empty() {
            return Err(bad("holds no key; a key is a line that begins with AGE-SECRET-KEY-1".to_owned()));
        }
        let recipients = host(dir).and_then(|h| recipients(dir, &h));
        Ok(Self { identities, recipients, further: RwLock::default() })
    }

    /// Whom to seal for, and which of them are none of the vault's own keys.
    ///
    /// # Errors
    /// [`VaultError::Key`] when the host key or the recovery key's public half is not there.
    pub(crate) fn recipients(&self) -> Result<(Vec<Recipient>, Vec<String>), VaultError> {
        let mut all = match &self.recipients {
            Ok(own) => own.clone(),
            Err((path, why)) => return Err(VaultError::Key { path: path.clone(), why: why.clone() }),
        };
        let further = self.further.read().unwrap_or_else(PoisonError::into_inner).clone();
        let names: Vec<String> = further.iter().map(ToString::to_string).collect();
        all.extend(further);
        Ok((all, names))
    }

    /// The one besides the vault's own, as it is written.
    pub(crate) fn further(&self) -> Option<String> {
        self.further.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(ToString::to_string)
    }

    /// Seals for `text` too from now on; the vault's own keys are always among them.
    pub(crate) fn set_further(&self, text: Option<&str>) -> Result<(), String> {
        let parsed = text.map(|t| check_recipient(t).and_then(|t| t.parse().map_err(|e: &str| e.to_owned())));
        *self.further.write().unwrap_or_else(PoisonError::into_inner) = parsed.transpose()?;
        Ok(())
    }

    pub(crate) fn identities(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.identities.iter().map(|i| -> &dyn age::Identity { i })
    }
}

/// A file and what is wrong with it.
type Bad = (PathBuf, String);

fn close(dir: &Path) -> Result<(), Bad> {
    let path = dir.join(HOST_KEY);
    // Where there is none, reading it says so.
    let Ok(meta) = std::fs::metadata(&path) else { return Ok(()) };
    if meta.permissions().mode() & 0o077 != 0 {
        // Closing it again is right, refusing to isolate because of it would not be.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400))
            .map_err(|e| (path, format!("is open to others and cannot be closed: {e}")))?;
    }
    Ok(())
}

fn host(dir: &Path) -> Result<Identity, Bad> {
    let path = dir.join(HOST_KEY);
    let bad = |why: String| (path.clone(), why);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        bad(format!("{e}; bring it back from a backup, or open objects with the recovery key (--identity)"))
    })?;
    key_lines(&text)
        .next()
        .ok_or_else(|| bad("holds no key; restore it from a backup".to_owned()))?
        .parse()
        .map_err(|e: &str| bad(format!("{e}; restore it from a backup")))
}

fn recipients(dir: &Path, host: &Identity) -> Result<Vec<Recipient>, Bad> {
    let path = dir.join(RECOVERY_PUB);
    let bad = |why: String| (path.clone(), why);
    let text = std::fs::read_to_string(&path).map_err(|e| bad(e.to_string()))?;
    let mut recipients = vec![host.to_public()];
    for line in key_lines(&text) {
        recipients.push(line.parse().map_err(|e: &str| bad(format!("\"{line}\": {e}")))?);
    }
    if recipients.len() < 2 {
        return Err(bad("holds no recovery key; restore it from a backup".to_owned()));
    }
    Ok(recipients)
}

fn key_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'))
}
