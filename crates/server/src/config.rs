// SPDX-License-Identifier: Apache-2.0
//! `lazaret-server.toml`. Unknown keys are refused with their line: a misspelt key that silently does
//! nothing is a server that is not as safe as its administrator believes.

mod deep_scan;
mod samples;
mod sign_on;

pub use deep_scan::{ConnectorConfig, DeepScan};
pub use samples::{S3, Samples};
pub(crate) use sign_on::safe_address;
pub use sign_on::{GroupRole, Provider, SignOn};

use crate::people::proxy::{ForwardedHeader, Prefix};
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The whole file; every key has a default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where things are.
    pub server: Server,
    /// Agents' side.
    pub gateway: Gateway,
    /// People's side.
    pub api: Api,
    /// For what watches the server.
    pub metrics: Metrics,
    /// How long things are kept.
    pub retention: Retention,
    /// How people come in.
    pub sign_on: SignOn,
    /// What new hosts get.
    pub install: Install,
    /// Notifications and exports.
    pub outbound: Outbound,
    /// Rules and digests for hosts.
    pub content: Content,
    /// How samples are scanned.
    pub deep_scan: DeepScan,
    /// Files that hosts gave.
    pub samples: Samples,
}

/// Rules and digests for hosts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Content {
    /// A content folder or pack that all hosts get, with what their project added; absent: hosts whose
    /// project added nothing use what is installed there.
    pub source: Option<PathBuf>,
    /// The `lazaret-scanner` that compiles what people add; absent: beside this program, or where it is
    /// installed.
    pub scanner: Option<PathBuf>,
}

/// Where things are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Authority, database; mode 0700.
    pub data: PathBuf,
    /// `sqlite:PATH` or `postgres://...`; empty: `server.db` in `data`.
    pub database: String,
    /// Connections at the same time.
    pub connections: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self { data: "/var/lib/lazaret-server".into(), database: String::new(), connections: 8 }
    }
}

/// Agents' side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// Where agents connect (mTLS).
    pub listen: SocketAddr,
    /// What agents are told to connect to: `https://NAME:PORT`; empty: made of `names` and `listen`.
    pub public: String,
    /// Names and addresses in the certificate of the gateway and the API; empty: the host's name, localhost and
    /// the loopback addresses.
    pub names: Vec<String>,
    /// Sessions at the same time.
    pub max_sessions: usize,
    /// A host that is not heard for so long, and did not say goodbye, raises an alarm; 2 to 3600.
    pub silence_seconds: u32,
    /// Agents say something at least this often, 1 to 300.
    pub keep_alive_seconds: u32,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 7443)),
            public: String::new(),
            names: Vec::new(),
            max_sessions: 20_000,
            silence_seconds: 60,
            keep_alive_seconds: 15,
        }
    }
}

/// People's side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Where people connect.
    pub listen: SocketAddr,
    /// What people and new hosts are told to connect to: `https://NAME:PORT`; empty: made of `[gateway]
    /// names` and `listen`.
    pub public: String,
    /// Without TLS; only on loopback.
    pub plain_http: bool,
    /// PEM chain; with `key` instead of one of the own authority.
    pub certificate: Option<PathBuf>,
    /// PEM key.
    pub key: Option<PathBuf>,
    /// Requests in a minute of one credential, 1 to 1,000,000.
    pub requests_per_minute: u32,
    /// Requests in a minute of one address, signed in or not, 1 to 1,000,000.
    pub requests_per_minute_address: u32,
    /// A sign-in ends after so many hours, 1 to 720.
    pub session_hours: u32,
    /// `/metrics` without credentials from these addresses beside loopback.
    pub metrics_from: Vec<IpAddr>,
    /// Addresses and networks of proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<Prefix>,
    /// The header that those proxies write; the other one may be the client's own and is not read.
    pub forwarded_header: ForwardedHeader,
    /// Whether programs written for HSS are answered, under /v5 and /v3/auth/tokens (docs/hss-api.md).
    pub hss: bool,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7080)),
            public: String::new(),
            plain_http: false,
            certificate: None,
            key: None,
            requests_per_minute: 1_200,
            requests_per_minute_address: 2_400,
            session_hours: 12,
            metrics_from: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            hss: true,
        }
    }
}

/// For what watches the server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// `/healthz`, `/readyz` and `/metrics` of a process of any role, without TLS; absent: nowhere beside
    /// people's port.
    pub listen: Option<SocketAddr>,
}

/// How long things are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days that alarms are kept, 1 to 3650. Isolated files outlive them.
    pub alarm_days: u32,
    /// Days that hosts' histories and ended orders are kept, 30 to 3650.
    pub history_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { alarm_days: 30, history_days: 180 }
    }
}

/// What new hosts get.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Install {
    /// Folder with `lazaretd`, `lazaret`, `lazaret-scanner` and `lazaret.pack`, for hosts whose own package
    /// sources have no `lazaret`; anybody who reaches `[api] listen` can read these files.
    pub programs: Option<PathBuf>,
}

/// Notifications and exports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Addresses that are not public and may be sent to all the same: `10.1.0.0/16`, `127.0.0.1`.
    pub allow: Vec<String>,
    /// Where targets of the kind `file` write; empty: `ocsf` in `[server] data`.
    pub folder: Option<PathBuf>,
    /// Beginning of links to alarms in messages; empty: `[api] public`, or no links.
    pub console: String,
    /// Tries of a message before it is laid aside, 1 to 100.
    pub attempts: u32,
    /// Days that events are kept for a target that does not take them, 1 to 90.
    pub keep_days: u32,
}

impl Default for Outbound {
    fn default() -> Self {
        Self { allow: Vec::new(), folder: None, console: String::new(), attempts: 14, keep_days: 7 }
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// Names the file, the line and what is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| ConfigError(format!("cannot read the configuration {}: {e}", path.display())))?;
        Self::parse(&text).map_err(|e| ConfigError(format!("{}: {e}", path.display())))
    }

    /// Checks the text of a file.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|s| text.get(..s.start).unwrap_or_default().matches('\n').count() + 1);
            let place = line.map(|l| format!("line {l}: ")).unwrap_or_default();
            ConfigError(format!("{place}{}", e.message()))
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let api = &self.api;
        for path in [
            Some(&self.server.data),
            api.certificate.as_ref(),
            api.key.as_ref(),
            self.install.programs.as_ref(),
            self.outbound.folder.as_ref(),
            self.content.source.as_ref(),
            self.content.scanner.as_ref(),
        ]
        .into_iter()
        .flatten()
        .chain(self.samples.paths())
        {
            if !path.is_absolute() {
                return Err(ConfigError(format!("\"{}\" must be an absolute path", path.display())));
            }
        }
        if api.plain_http && !api.listen.ip().is_loopback() {
            return Err(ConfigError(format!(
                "[api] plain_http = true with listen = \"{}\": passwords would go over the network as they are; listen on 127.0.0.1, or leave plain_http off",
                api.listen
            )));
        }
        if api.certificate.is_some() != api.key.is_some() {
            return Err(ConfigError(
                "[api] certificate and key: one without the other; give both or neither".to_owned(),
            ));
        }
        for (key, public) in [("gateway", &self.gateway.public), ("api", &api.public)] {
            // It stands in lines that people paste into a shell.
            let plain = |c: char| c.is_ascii_alphanumeric() || ".-:/[]_".contains(c);
            let good = public.starts_with("https://") && public.chars().all(plain);
            if !public.is_empty() && !good {
                return Err(ConfigError(format!("[{key}] public = \"{public}\": must be https://NAME:PORT")));
            }
        }
        lazaret_notify::Guard::new(&self.outbound.allow)
            .map_err(|e| ConfigError(format!("[outbound] allow: {e}")))?;
        let console = &self.outbound.console;
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:/[]_".contains(c);
        let good = console.starts_with("https://") && console.chars().all(plain);
        if !console.is_empty() && !good {
            return Err(ConfigError(format!(
                "[outbound] console = \"{console}\": must be https://NAME:PORT"
            )));
        }
        let d = &self.server.database;
        if !d.is_empty() && !["sqlite:", "postgres://", "postgresql://"].iter().any(|p| d.starts_with(p)) {
            return Err(ConfigError(
                "[server] database: must be sqlite:PATH, postgres://... or empty".to_owned(),
            ));
        }
        let bounds = [
            ("[gateway] silence_seconds", self.gateway.silence_seconds, 2, 3_600),
            ("[gateway] keep_alive_seconds", self.gateway.keep_alive_seconds, 1, 300),
            ("[server] connections", self.server.connections, 1, 200),
            ("[api] requests_per_minute", api.requests_per_minute, 1, 1_000_000),
            ("[api] requests_per_minute_address", api.requests_per_minute_address, 1, 1_000_000),
            ("[api] session_hours", api.session_hours, 1, 720),
            ("[retention] alarm_days", self.retention.alarm_days, 1, 3_650),
            ("[outbound] attempts", self.outbound.attempts, 1, 100),
            ("[outbound] keep_days", self.outbound.keep_days, 1, 90),
            ("[retention] history_days", self.retention.history_days, 30, 3_650),
        ];
        for (key, given, least, most) in bounds {
            if !(least..=most).contains(&given) {
                return Err(ConfigError(format!("{key} = {given}: must be {least} to {most}")));
            }
        }
        self.deep_scan.check().map_err(ConfigError)?;
        self.samples.check().map_err(ConfigError)?;
        self.sign_on.check().map_err(ConfigError)
    }

    /// The database to open.
    #[must_use]
    pub fn database(&self) -> String {
        if self.server.database.is_empty() {
            format!("sqlite:{}", self.server.data.join("server.db").display())
        } else {
            self.server.database.clone()
        }
    }

    /// What agents connect to.
    #[must_use]
    pub fn public_gateway(&self) -> String {
        self.public("https", &self.gateway.public, self.gateway.listen)
    }

    /// What people connect to.
    #[must_use]
    pub fn public_api(&self) -> String {
        self.public(if self.api.plain_http { "http" } else { "https" }, &self.api.public, self.api.listen)
    }

    fn public(&self, scheme: &str, given: &str, listen: SocketAddr) -> String {
        if !given.is_empty() {
            return given.trim_end_matches('/').to_owned();
        }
        let name = match self.gateway.names.first() {
            Some(name) if !listen.ip().is_loopback() => name.clone(),
            None if listen.ip().is_unspecified() => host_name(),
            _ => return format!("{scheme}://{listen}"),
        };
        format!("{scheme}://{name}:{}", listen.port())
    }

    /// What the certificate of gateway and API is for.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        if self.gateway.names.is_empty() {
            let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
            let own = host_name();
            if !names.contains(&own) {
                names.insert(0, own);
            }
            for ip in [self.gateway.listen.ip(), self.api.listen.ip()] {
                let ip = ip.to_string();
                if !ip.starts_with("0.0.0.0") && ip != "::" && !names.contains(&ip) {
                    names.push(ip);
                }
            }
            names
        } else {
            self.gateway.names.clone()
        }
    }
}

/// As the machine calls itself, or `localhost`.
fn host_name() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = read.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn empty_is_the_default() {
        let c = Config::parse("").unwrap();
        assert_eq!(c.database(), "sqlite:/var/lib/lazaret-server/server.db");
        assert!(c.api.listen.ip().is_loopback(), "nothing is open to the network until somebody says so");
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let e = refused("[api]\nlisten = \"127.0.0.1:1\"\nplainhttp = true\n");
        assert!(e.contains("line 3") && e.contains("plainhttp"), "{e}");
    }

    #[test]
    fn passwords_never_go_over_the_network_as_they_are() {
        let e = refused("[api]\nlisten = \"0.0.0.0:80\"\nplain_http = true\n");
        assert!(e.contains("plain_http"), "{e}");
    }

    #[test]
    fn values_out_of_bounds_are_refused() {
        assert!(refused("[retention]\nalarm_days = 0\n").contains("1 to 3650"));
        assert!(refused("[server]\ndatabase = \"mysql://x\"\n").contains("postgres"));
        assert!(refused("[server]\ndata = \"here\"\n").contains("absolute"));
        assert!(refused("[api]\nkey = \"/k\"\n").contains("both"));
        assert!(refused("[install]\nprograms = \"here\"\n").contains("absolute"));
        assert!(refused("[gateway]\npublic = \"http://x\"\n").contains("https://"));
        assert!(refused("[outbound]\nallow = [\"10.0.0.0/40\"]\n").contains("10.0.0.0/40"));
        assert!(refused("[outbound]\nattempts = 0\n").contains("1 to 100"));
    }

    #[test]
    fn agents_are_told_a_name_where_one_is_given() {
        let c = Config::parse("[gateway]\nlisten = \"0.0.0.0:9\"\nnames = [\"fleet.example\"]\n").unwrap();
        assert_eq!(c.public_gateway(), "https://fleet.example:9");
        let c = Config::parse("[gateway]\nlisten = \"10.0.0.1:9\"\n").unwrap();
        assert_eq!(c.public_gateway(), "https://10.0.0.1:9");
    }
}
