// SPDX-License-Identifier: Apache-2.0
//! `[server]`: whom this host belongs to. `[local]`: what that server may not change here.

use super::ConfigError;
use serde::Deserialize;
use std::path::PathBuf;

/// Every key that a server can set, and that can be pinned.
pub(crate) const PINNABLE: [&str; 15] = [
    "response.isolate_and_kill",
    "response.classes",
    "response.high",
    "response.medium",
    "response.protect_mode",
    "response.dry_run",
    "response.freeze_seconds",
    "response.test_programs",
    "response.condemn_archives",
    "response.max_isolations_per_hour",
    "response.max_kills_per_hour",
    "protect.web_roots",
    "protect.exclude",
    "whitelist",
    "vault.recovery",
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// `wss://HOST[:PORT]`; the daemon enrols there at its first start.
    pub(crate) url: Option<String>,
    /// What `lazaret-server` gave out for that.
    pub(crate) token: Option<String>,
    /// A file that holds it, instead.
    pub(crate) token_file: Option<PathBuf>,
    /// SHA-256 of the server's authority, 64 hexadecimal digits.
    pub(crate) ca_fingerprint: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Local {
    /// Keys that stay as this host says, as `response.isolate_and_kill`.
    pub(crate) pin: Vec<String>,
}

impl Server {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |text: String| Err(ConfigError(format!("[server] {text}")));
        let enrols = self.token.is_some() || self.token_file.is_some();
        if self.token.is_some() && self.token_file.is_some() {
            return bad("token and token_file say the same: remove one".into());
        }
        if enrols && (self.url.is_none() || self.ca_fingerprint.is_none()) {
            return bad("a token needs url and ca_fingerprint beside it".into());
        }
        if let Some(url) = &self.url
            && let Err(e) = crate::uplink::Address::parse(url)
        {
            return bad(format!("url = \"{url}\": {e}"));
        }
        if let Some(text) = &self.ca_fingerprint
            && let Err(e) = crate::uplink::fingerprint(text)
        {
            return bad(format!("ca_fingerprint: {e}"));
        }
        if self.token_file.as_ref().is_some_and(|f| !f.is_absolute()) {
            return bad("token_file must be an absolute path".into());
        }
        Ok(())
    }

    /// The token, from wherever it stands; `None` where none is given.
    pub(crate) fn token(&self) -> Result<Option<String>, ConfigError> {
        let Some(file) = &self.token_file else { return Ok(self.token.clone()) };
        let text = std::fs::read_to_string(file).map_err(|e| {
            ConfigError(format!(
                "[server] token_file = {}: {e}; write the enrolment token there, or use lazaretd enroll",
                file.display()
            ))
        })?;
        Ok(Some(text.trim().to_owned()))
    }
}

impl Local {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.pin.iter().find(|key| !PINNABLE.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ConfigError(format!(
                "[local] pin: \"{key}\" is nothing that a server can set; known: {}",
                PINNABLE.join(", ")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn what_is_missing_is_said() {
        let refused = |text: &str| Config::parse(text).unwrap_err().to_string();
        let print = "ab".repeat(32);
        assert!(refused("[server]\ntoken = \"t\"").contains("ca_fingerprint"));
        assert!(refused("[server]\nurl = \"http://x\"").contains("wss://"));
        assert!(refused("[server]\nca_fingerprint = \"abc\"").contains("64"));
        let both = format!(
            "[server]\nurl = \"wss://s\"\nca_fingerprint = \"{print}\"\ntoken = \"t\"\ntoken_file = \"/t\""
        );
        assert!(refused(&both).contains("remove one"));
        assert!(refused("[local]\npin = [\"response.hihg\"]").contains("response.high"));
        let good = format!(
            "[server]\nurl = \"wss://s:8443\"\nca_fingerprint = \"{print}\"\ntoken = \"t\"\n[local]\npin = [\"whitelist\"]"
        );
        let c = Config::parse(&good).unwrap();
        assert_eq!(c.server.token().unwrap().as_deref(), Some("t"));
    }
}
