// SPDX-License-Identifier: Apache-2.0
//! Node packages: exactly what a lock file pins, in a folder of the cache.

use crate::cache;
use crate::cargo::root;
use crate::run::{self, Error};
use std::path::Path;
use std::process::{Command, Stdio};

/// Says for which lock file a folder was filled.
const MARK: &str = "installed.json";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];
/// The oldest Node.js that the tools of the console run on.
const OLDEST: u32 = 20;

/// Installs `tests/NAME/package-lock.json` into `tools/NAME` of the cache; nothing happens when it is there.
///
/// # Errors
/// There is no npm, no network, or the lock file and what npm gets differ.
pub(crate) fn install(name: &str) -> Result<(), Error> {
    install_into(&root().join("tests").join(name), &cache::folder()?.join("tools").join(name))
}

/// The same from one folder into another one.
///
/// # Errors
/// As [`install`].
pub(crate) fn install_into(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |what: &str, e: &std::io::Error| Error::failed(format!("{what} {}: {e}", to.display()));
    let wanted = std::fs::read(from.join(FILES[1]))
        .map_err(|e| Error::failed(format!("{}: {e}", from.join(FILES[1]).display())))?;
    if std::fs::read(to.join(MARK)).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    eprintln!("The Node packages of {} are installed into {} now.", from.display(), to.display());
    std::fs::create_dir_all(to).map_err(|e| failed("cannot make", &e))?;
    for file in FILES {
        std::fs::copy(from.join(file), to.join(file)).map_err(|e| failed("cannot fill", &e))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run::run(npm.current_dir(to).stdin(Stdio::null()))
        .map_err(|e| Error::failed(format!("{e}; is there a network?")))?;
    std::fs::write(to.join(MARK), wanted).map_err(|e| failed("cannot fill", &e))
}

/// Whether Node.js and npm are there and new enough.
///
/// # Errors
/// They are not; says what to do.
pub(crate) fn usable() -> Result<(), Error> {
    let way_out = "install Node.js 20 or later with npm (https://nodejs.org, or a Debian after 12)";
    if !run::in_path("node") || !run::in_path("npm") {
        return Err(Error::failed(format!("there is no Node.js or no npm here; {way_out}")));
    }
    let said = run::output(Command::new("node").arg("--version"))?;
    match major(&said) {
        Some(version) if version >= OLDEST => Ok(()),
        _ => Err(Error::failed(format!("Node.js here is {}, {OLDEST} is needed; {way_out}", said.trim()))),
    }
}

/// `v20.11.1` as 20.
fn major(said: &str) -> Option<u32> {
    said.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v18.0.0-nightly"), Some(18));
        assert_eq!(major("20"), None);
    }
}
