// SPDX-License-Identifier: Apache-2.0
//! The keys of a vault: `host.key` (age identity, mode 0400) and `recovery.pub` (age recipients).

use crate::{VaultError, durable};
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
    host: Identity,
    recipients: Vec<Recipient>,
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
        let recipients = vec![host.to_public(), recovery.to_public()];
        Ok((Self { host, recipients }, RecoveryKey { secret: recovery.to_string(), recipient }))
    }

    /// Reads the keys.
    pub(crate) fn load(dir: &Path) -> Result<Self, VaultError> {
        let path = dir.join(HOST_KEY);
        let bad = |path: &Path, why: String| VaultError::Key { path: path.to_owned(), why };
        let text = std::fs::read_to_string(&path).map_err(|e| bad(&path, e.to_string()))?;
        let mode = std::fs::metadata(&path).map_err(|e| bad(&path, e.to_string()))?.permissions().mode();
        if mode & 0o077 != 0 {
            // Closing it again is right, refusing to isolate because of it would not be.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400))
                .map_err(|e| bad(&path, format!("is open to others and cannot be closed: {e}")))?;
        }
        let host: Identity = key_lines(&text)
            .next()
            .ok_or_else(|| bad(&path, "holds no key; restore it from a backup".to_owned()))?
            .parse()
            .map_err(|e: &str| bad(&path, format!("{e}; restore it from a backup")))?;
        let path = dir.join(RECOVERY_PUB);
        let text = std::fs::read_to_string(&path).map_err(|e| bad(&path, e.to_string()))?;
        let mut recipients = vec![host.to_public()];
        for line in key_lines(&text) {
            let r = line.parse().map_err(|e: &str| bad(&path, format!("\"{line}\": {e}")))?;
            recipients.push(r);
        }
        if recipients.len() < 2 {
            return Err(bad(&path, "holds no recovery key; restore it from a backup".to_owned()));
        }
        Ok(Self { host, recipients })
    }

    pub(crate) fn recipients(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.recipients.iter().map(|r| -> &dyn age::Recipient { r })
    }

    pub(crate) fn identity(&self) -> &dyn age::Identity {
        &self.host
    }
}

fn key_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'))
}
