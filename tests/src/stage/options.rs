// SPDX-License-Identifier: Apache-2.0
//! The command line of the stage.

use anyhow::{Context as _, Result, bail, ensure};
use std::path::PathBuf;

/// What `--help` says.
pub const USAGE: &str = "\
A real server with real enrolled hosts on this machine, steered by lines of JSON.

  lazaret-stage [options]

  --hosts N         hosts at the beginning, 0 to 16 (1)
  --postgres        keep everything in a PostgreSQL of its own instead of SQLite
  --plain-http      no TLS for people
  --first-login     the administrator still has the one-time password
  --oidc            people may sign in at an OpenID provider too; needs --plain-http
  --deep-scan       the server scans samples itself (Malware Cloud Scan)
  --outbound        notifications may go to this machine
  --config FILE     sections that are added to the server's configuration

It runs as root, and ends when its standard input does. What it reads and writes stands in
tests/src/stage/mod.rs.
";

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Hosts at the beginning.
    pub hosts: usize,
    /// PostgreSQL instead of SQLite.
    pub postgres: bool,
    /// No TLS for people.
    pub plain_http: bool,
    /// The administrator has not signed in.
    pub first_login: bool,
    /// With an OpenID provider.
    pub oidc: bool,
    /// With a worker for samples.
    pub deep_scan: bool,
    /// Notifications to the loopback.
    pub outbound: bool,
    /// Further sections of the server's configuration.
    pub config: Option<PathBuf>,
}

/// What the command line wants.
#[derive(Debug)]
pub enum Wanted {
    /// The usage.
    Help,
    /// A stage.
    Run(Options),
}

/// Reads the arguments behind the program's name.
///
/// # Errors
/// Names the option and what is wrong with it.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Wanted> {
    let mut rest = arguments.into_iter();
    let mut options = Options {
        hosts: 1,
        postgres: false,
        plain_http: false,
        first_login: false,
        oidc: false,
        deep_scan: false,
        outbound: false,
        config: None,
    };
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--help" | "-h" => return Ok(Wanted::Help),
            "--hosts" => {
                let number = rest.next().and_then(|w| w.parse().ok()).filter(|n| *n <= 16);
                options.hosts = number.context("--hosts: a number is wanted, 0 to 16")?;
            }
            "--postgres" => options.postgres = true,
            "--plain-http" => options.plain_http = true,
            "--first-login" => options.first_login = true,
            "--oidc" => options.oidc = true,
            "--deep-scan" => options.deep_scan = true,
            "--outbound" => options.outbound = true,
            "--config" => options.config = Some(rest.next().context("--config needs a file")?.into()),
            other => bail!("{other} is not known; see --help"),
        }
    }
    // The provider knows this server by an address of the loopback with any port, which only HTTP has.
    ensure!(!options.oidc || options.plain_http, "--oidc needs --plain-http");
    Ok(Wanted::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Wanted> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_line_and_what_is_wrong_with_one() {
        let Ok(Wanted::Run(plain)) = parsed("") else { panic!("nothing is an option too") };
        assert_eq!((plain.hosts, plain.postgres, plain.plain_http), (1, false, false));
        let Ok(Wanted::Run(full)) = parsed("--hosts 2 --postgres --plain-http --oidc --config /c") else {
            panic!("a whole line")
        };
        assert_eq!((full.hosts, full.postgres, full.oidc), (2, true, true));
        assert_eq!(full.config, Some("/c".into()));
        assert!(matches!(parsed("--hosts 0 --help"), Ok(Wanted::Help)));
        for (line, said) in [
            ("--hosts", "--hosts"),
            ("--hosts 17", "0 to 16"),
            ("--oidc", "--plain-http"),
            ("--dance", "--dance"),
            ("--config", "--config needs"),
        ] {
            let e = parsed(line).err().map(|e| format!("{e:#}")).unwrap_or_default();
            assert!(e.contains(said), "{line}: {e}");
        }
    }
}
