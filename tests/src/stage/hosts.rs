// SPDX-License-Identifier: Apache-2.0
//! The hosts of a stage: each with a volume that it protects, a name and a way to the server of its own.

use crate::passage::Passage;
use crate::{Daemon, Server, Setup, Volume, eventually};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

/// For a host to be connected.
const PATIENCE: Duration = Duration::from_secs(30);

/// How hosts are called that nobody named.
const NAMES: [&str; 8] =
    ["web-01", "db-01", "app-01", "web-02", "cache-01", "mail-01", "build-01", "files-01"];

/// One host; it stops and is cleaned up when dropped, the daemon first.
pub(super) struct Host {
    daemon: Option<Daemon>,
    way: Passage,
    pub(super) volume: Volume,
    /// What the daemon knows, over its restarts.
    state: TempDir,
    section: String,
    name: String,
    project: String,
    pub(super) id: String,
}

/// The name of the host with this number.
pub(super) fn name_of(number: usize) -> String {
    NAMES.get(number).map_or_else(|| format!("host-{:02}", number + 1), |n| (*n).to_owned())
}

impl Host {
    /// Enrols it with a token and waits until the server has it.
    pub(super) fn new(server: &Server, name: &str, project: &str, token: &str) -> Result<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        ensure!(
            (1..=60).contains(&name.len()) && name.chars().all(fits),
            "name {}: up to 60 letters, digits, dots and dashes",
            name.escape_debug()
        );
        let port = server.agents.rsplit_once(':').and_then(|(_, p)| p.parse().ok());
        let way = Passage::to(port.context("the server has no port for agents")?);
        let section = format!(
            "[server]\nurl = \"https://127.0.0.1:{}\"\ntoken = {token:?}\nca_fingerprint = \"{}\"\n",
            way.port(),
            server.authority
        );
        let state = tempfile::Builder::new().prefix("lazaret-state-").tempdir_in("/var/tmp")?;
        let mut host = Self {
            daemon: None,
            way,
            volume: Volume::tmpfs(),
            state,
            section,
            name: name.to_owned(),
            project: project.to_owned(),
            id: String::new(),
        };
        host.start()?;
        let id = host.daemon()?.status()["server"]["host"].as_str().unwrap_or_default().to_owned();
        server.eventually(&format!("/hosts/{id}"), "the host", |h| h["host"]["status"] == "online");
        host.id = id;
        Ok(host)
    }

    /// Begins with what it knew when it stopped.
    pub(super) fn start(&mut self) -> Result<()> {
        ensure!(self.daemon.is_none(), "the host runs");
        let daemon = Daemon::start(&Setup {
            mounts: vec![self.volume.path().to_owned()],
            more: self.section.clone(),
            state: Some(self.state.path().join("state")),
            host_name: Some(self.name.clone()),
            ..Setup::default()
        });
        let connected = || daemon.status()["server"]["connected"] == true;
        ensure!(eventually(PATIENCE, connected), "the host does not connect: {}", daemon.log());
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Stops it in order.
    pub(super) fn stop(&mut self) -> Result<()> {
        let Some(daemon) = self.daemon.take() else { bail!("the host does not run") };
        drop(daemon.stop());
        Ok(())
    }

    /// Nobody is told: its packets are lost.
    pub(super) fn cut(&self) {
        self.way.close();
    }

    /// Its way is open again.
    pub(super) fn heal(&self) {
        self.way.open();
    }

    /// Whether the daemon runs.
    pub(super) fn runs(&self) -> bool {
        self.daemon.is_some()
    }

    /// Its daemon.
    pub(super) fn daemon(&self) -> Result<&Daemon> {
        self.daemon.as_ref().context("the host does not run: start-host")
    }

    /// For answers.
    pub(super) fn told(&self, number: usize) -> Value {
        json!({
            "host": number,
            "id": self.id,
            "name": self.name,
            "project": self.project,
            "folder": self.volume.path(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_repeat() {
        let all: std::collections::BTreeSet<String> = (0..16).map(name_of).collect();
        assert_eq!(all.len(), 16);
        assert_eq!(name_of(8), "host-09");
    }
}
