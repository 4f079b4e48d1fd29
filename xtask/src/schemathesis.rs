// SPDX-License-Identifier: Apache-2.0
//! schemathesis, which tests the API by its document, in a virtual environment in the cache.

use crate::packages::{self, VENV};
use crate::run::{self, Error};
use crate::{cache, cargo};
use std::path::Path;
use std::process::Command;

/// It with all that it needs, each of one version.
const PINNED: &str = include_str!("../schemathesis.txt");

/// Installs it where it is missing; afterwards nothing of it needs a network.
///
/// # Errors
/// There is no Python, or no network.
pub(crate) fn install() -> Result<(), Error> {
    let folder = cache::folder()?.join("tools").join(format!("schemathesis-{}", version()));
    // Written last: what was begun and not ended counts as missing.
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(());
    }
    eprintln!("schemathesis is missing and is installed into {} now.", folder.display());
    let made = fresh(&folder).and_then(|()| {
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
        run::run(pip.arg(cargo::root().join("xtask/schemathesis.txt")))
    });
    let made = made.and_then(|()| {
        std::fs::write(&complete, "")
            .map_err(|e| Error::failed(format!("{} cannot be written: {e}", complete.display())))
    });
    if made.is_err() {
        let _ = std::fs::remove_dir_all(&folder);
    }
    made
}

/// An empty environment; Debian keeps what makes one in a package of its own.
fn fresh(folder: &Path) -> Result<(), Error> {
    let venv = || {
        let _ = std::fs::remove_dir_all(folder);
        run::run(Command::new("python3").args(["-m", "venv"]).arg(folder))
    };
    venv().or_else(|_| packages::install(&[VENV]).and_then(|()| venv()))
}

fn version() -> &'static str {
    PINNED.lines().find_map(|line| line.strip_prefix("schemathesis==")).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_pinned() {
        assert!(version().starts_with(|c: char| c.is_ascii_digit()), "{:?}", version());
        let lines: Vec<&str> = PINNED.lines().filter(|l| !l.starts_with('#')).collect();
        assert!(lines.len() > 10 && lines.iter().all(|l| l.split_once("==").is_some()), "{lines:?}");
    }
}
