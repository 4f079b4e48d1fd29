// SPDX-License-Identifier: Apache-2.0
//! `[sign_on]`: how people may come in, and by which providers.

use serde::Deserialize;
use std::path::PathBuf;

/// How people come in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignOn {
    /// Who signs in with a password needs a second factor, in every project.
    pub second_factor: bool,
    /// Passwords are taken; else only providers let people in, and break-glass.
    pub passwords: bool,
    /// Characters of a password at least, 8 to 64.
    pub password_length: u32,
    /// A new password is none of the last so many, 0 to 24.
    pub password_history: u32,
    /// A password is changed after so many days, 0 (never) to 3650.
    pub password_days: u32,
    /// Further passwords that are not taken, one in each line.
    pub refused_passwords: Option<PathBuf>,
    /// Wrong passwords or codes in a row until a user is locked, 3 to 100.
    pub failures: u32,
    /// Minutes of that, 1 to 1440.
    pub lock_minutes: u32,
    /// Where else people are known.
    pub providers: Vec<Provider>,
}

impl Default for SignOn {
    fn default() -> Self {
        Self {
            second_factor: false,
            passwords: true,
            password_length: 12,
            password_history: 5,
            password_days: 0,
            refused_passwords: None,
            failures: 10,
            lock_minutes: 15,
            providers: Vec::new(),
        }
    }
}

/// An OpenID provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// In addresses: small letters, digits and `-`.
    pub name: String,
    /// For people; empty: the name.
    #[serde(default)]
    pub title: String,
    /// As the provider writes it itself, to the letter.
    pub issuer: String,
    /// Of this server, at the provider.
    pub client_id: String,
    /// Empty for a public client.
    #[serde(default)]
    pub client_secret: String,
    /// A file with it, instead.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// Asked for; `openid` always is.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim that becomes the user's name.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// The claim with the groups.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// Signatures that are taken, as far as the provider offers them.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// PEM of the authority of its certificate; else those of the machine.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// What groups give. Who is in none of them is not let in.
    #[serde(default)]
    pub roles: Vec<GroupRole>,
}

/// What a group gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// As the provider writes it.
    pub group: String,
    /// Id of a project, or `*`.
    pub project: String,
    /// `viewer`, `operator`, `administrator`, `auditor`.
    pub role: String,
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email", "groups"].map(str::to_owned).to_vec()
}

fn name_claim() -> String {
    "preferred_username".to_owned()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

/// Those whose public key proves who signed; a shared secret proves nothing.
const KNOWN: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

fn algorithms() -> Vec<String> {
    KNOWN.map(str::to_owned).to_vec()
}

/// HTTPS, or HTTP that does not leave the machine.
pub(crate) fn safe_address(url: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}#".contains(c);
    if !url.chars().all(plain) {
        return false;
    }
    match reqwest::Url::parse(url) {
        Ok(u) if !u.username().is_empty() || u.password().is_some() => false,
        Ok(u) if u.scheme() == "https" => u.host_str().is_some(),
        Ok(u) if u.scheme() == "http" => match u.host_str() {
            Some("localhost") => true,
            Some(host) => {
                host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
            None => false,
        },
        _ => false,
    }
}

impl SignOn {
    /// Bounds and words.
    pub(super) fn check(&self) -> Result<(), String> {
        let bounds = [
            ("password_length", self.password_length, 8, 64),
            ("password_history", self.password_history, 0, 24),
            ("password_days", self.password_days, 0, 3_650),
            ("failures", self.failures, 3, 100),
            ("lock_minutes", self.lock_minutes, 1, 1_440),
        ];
        for (key, given, least, most) in bounds {
            if !(least..=most).contains(&given) {
                return Err(format!("[sign_on] {key} = {given}: must be {least} to {most}"));
            }
        }
        if let Some(path) = self.refused_passwords.as_ref().filter(|p| !p.is_absolute()) {
            return Err(format!("[sign_on] refused_passwords = \"{}\": must be absolute", path.display()));
        }
        if !self.passwords && self.providers.is_empty() {
            return Err("[sign_on] passwords = false without a provider: nobody could sign in".to_owned());
        }
        for (i, p) in self.providers.iter().enumerate() {
            p.check().map_err(|e| format!("[[sign_on.providers]] {}: {e}", p.name.escape_default()))?;
            if self.providers.iter().take(i).any(|o| o.name == p.name) {
                return Err(format!("[[sign_on.providers]] {}: two of this name", p.name));
            }
        }
        Ok(())
    }
}

impl Provider {
    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(plain) {
            return Err("name: 1 to 32 small letters, digits and -".to_owned());
        }
        if !safe_address(&self.issuer) || self.issuer.contains('?') {
            return Err(format!(
                "issuer = \"{}\": must be https://... (http:// only on this machine)",
                self.issuer.escape_default()
            ));
        }
        if self.client_id.is_empty() {
            return Err("client_id is empty".to_owned());
        }
        if !self.client_secret.is_empty() && self.client_secret_file.is_some() {
            return Err("client_secret and client_secret_file: one or the other".to_owned());
        }
        for path in [&self.client_secret_file, &self.authority].into_iter().flatten() {
            if !path.is_absolute() {
                return Err(format!("\"{}\" must be an absolute path", path.display()));
            }
        }
        if self.algorithms.is_empty() {
            return Err("algorithms: name one at least".to_owned());
        }
        if let Some(bad) = self.algorithms.iter().find(|a| !KNOWN.contains(&a.as_str())) {
            return Err(format!("algorithms: \"{}\" is none of {}", bad.escape_default(), KNOWN.join(", ")));
        }
        for r in &self.roles {
            if crate::api::permission::Role::from_word(&r.role).is_none() {
                return Err(format!("roles: there is no role \"{}\"", r.role.escape_default()));
            }
            if r.group.is_empty() || r.project.is_empty() {
                return Err("roles: group and project must not be empty".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn provider(line: &str) -> Result<Config, crate::config::ConfigError> {
        Config::parse(&format!(
            "[[sign_on.providers]]\nname = \"corp\"\nissuer = \"https://id.example/\"\nclient_id = \"l\"\n{line}\n"
        ))
    }

    #[test]
    fn a_provider_in_few_lines() {
        let c = provider("roles = [{ group = \"soc\", project = \"*\", role = \"operator\" }]").unwrap();
        let p = &c.sign_on.providers[0];
        assert_eq!((p.groups_claim.as_str(), p.name_claim.as_str()), ("groups", "preferred_username"));
        assert!(p.scopes.contains(&"openid".to_owned()));
    }

    #[test]
    fn what_would_not_be_safe_is_refused() {
        for (line, part) in [
            ("algorithms = [\"HS256\"]", "HS256"),
            ("algorithms = [\"none\"]", "none"),
            ("algorithms = []", "one at least"),
            ("roles = [{ group = \"g\", project = \"0\", role = \"king\" }]", "king"),
            ("client_secret = \"s\"\nclient_secret_file = \"/s\"", "one or the other"),
            ("authority = \"ca.pem\"", "absolute"),
        ] {
            let e = provider(line).unwrap_err().to_string();
            assert!(e.contains(part), "{line}: {e}");
        }
        let plain =
            "[[sign_on.providers]]\nname = \"a\"\nissuer = \"http://id.example\"\nclient_id = \"l\"\n";
        assert!(Config::parse(plain).unwrap_err().to_string().contains("https"));
        let nobody = Config::parse("[sign_on]\npasswords = false\n").unwrap_err().to_string();
        assert!(nobody.contains("nobody could sign in"), "{nobody}");
    }

    #[test]
    fn addresses() {
        for good in
            ["https://a.example/x?y=z", "http://127.0.0.1:1/", "http://[::1]:9/a", "http://localhost:3/"]
        {
            assert!(safe_address(good), "{good}");
        }
        for bad in ["http://a.example", "https://u:p@a.example/", "file:///etc", "ftp://x", "https://a b", ""]
        {
            assert!(!safe_address(bad), "{bad}");
        }
    }
}
