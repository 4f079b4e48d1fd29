// SPDX-License-Identifier: Apache-2.0
//! Upkeep on the library's own functions: backups that come back and backups that are refused, and what
//! leaves the machine in diagnostics.

mod backup;
mod diagnose;

use lazaret_server::config::Config;
use lazaret_server::init;
use std::path::{Path, PathBuf};

/// A server's folder, initialised.
struct Place {
    folder: tempfile::TempDir,
    config: Config,
    text: String,
    fingerprint: String,
    password: String,
}

fn text(data: &Path) -> String {
    format!("[server]\ndata = \"{}\"\n", data.display())
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = text(&folder.path().join("data"));
        let config = Config::parse(&text).unwrap();
        let made = init::init(&config).await.unwrap();
        let password = made.one_time_password.unwrap();
        Self { folder, config, text, fingerprint: made.fingerprint, password }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Another folder, in which nothing is yet.
    fn elsewhere(&self, name: &str) -> Config {
        Config::parse(&text(&self.path(name))).unwrap()
    }
}

/// Every file below a folder with its bytes: what must not change.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") {
                out.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    out.sort();
    out
}
