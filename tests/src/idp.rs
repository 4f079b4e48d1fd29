// SPDX-License-Identifier: Apache-2.0
//! A real OpenID provider: `oidc-provider` from npm, installed by `cargo xtask test` into the cache with what
//! `tests/idp/package-lock.json` pins. Who signs in there is whom [`Idp::who`] named last.

use crate::binaries;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The client that it knows.
pub const CLIENT: &str = "lazaret";
/// The client's secret.
pub const SECRET: &str = "geheim";

/// The provider; it ends when its standard input is closed, at the latest with us.
pub struct Idp {
    child: Child,
    issuer: String,
}

impl Idp {
    /// Starts it on the loopback.
    ///
    /// # Panics
    /// When it is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let home = std::env::var_os("HOME").expect("HOME");
        let modules: PathBuf = Path::new(&home).join(".cache/lazaret/tools/idp/node_modules");
        assert!(modules.join("oidc-provider").is_dir(), "no oidc-provider: cargo xtask test installs it");
        let mut child = Command::new("node")
            .arg(binaries::repository().join("tests/idp/provider.mjs"))
            .arg(modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = lines.next().and_then(Result::ok).unwrap_or_default();
        let issuer =
            ready.strip_prefix("ready ").unwrap_or_else(|| panic!("the provider said {ready:?}")).to_owned();
        // It writes notices, and ends when nobody could read them.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, issuer }
    }

    /// Its address, as it writes it itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where a request decides who signs in: `eve` of the group `soc`, `ann` of `web`, `bob` of neither.
    #[must_use]
    pub fn who(&self, name: &str) -> String {
        format!("{}/test/who?{name}", self.issuer)
    }

    /// The provider `corp` in a server's configuration: `soc` operates everything, `web` views project 0.
    #[must_use]
    pub fn section(&self) -> String {
        format!(
            "[[sign_on.providers]]\nname = \"corp\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret = \"{SECRET}\"\nscopes = [\"profile\", \"groups\"]\n\
             roles = [{{ group = \"soc\", project = \"*\", role = \"operator\" }}, \
             {{ group = \"web\", project = \"0\", role = \"viewer\" }}]\n",
            self.issuer
        )
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
