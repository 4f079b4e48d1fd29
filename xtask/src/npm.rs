// SPDX-License-Identifier: Apache-2.0
//! Node packages that tests need: exactly what a lock file pins, in a folder of the cache.

use crate::cache;
use crate::cargo::root;
use crate::run::{self, Error};
use std::process::Command;

/// Says for which lock file a folder was filled.
const MARK: &str = "installed.json";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs `tests/NAME/package-lock.json` into `tools/NAME` of the cache; nothing happens when it is there.
///
/// # Errors
/// There is no npm, no network, or the lock file and what npm gets differ.
pub(crate) fn install(name: &str) -> Result<(), Error> {
    let from = root().join("tests").join(name);
    let to = cache::folder()?.join("tools").join(name);
    let failed = |what: &str, e: &std::io::Error| Error::failed(format!("{what} {}: {e}", to.display()));
    let wanted = std::fs::read(from.join(FILES[1]))
        .map_err(|e| Error::failed(format!("{}: {e}", from.join(FILES[1]).display())))?;
    if std::fs::read(to.join(MARK)).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    eprintln!("The Node packages of tests/{name} are installed into {} now.", to.display());
    std::fs::create_dir_all(&to).map_err(|e| failed("cannot make", &e))?;
    for file in FILES {
        std::fs::copy(from.join(file), to.join(file)).map_err(|e| failed("cannot fill", &e))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run::run(npm.current_dir(&to).stdin(std::process::Stdio::null()))
        .map_err(|e| Error::failed(format!("{e}; is there a network?")))?;
    std::fs::write(to.join(MARK), wanted).map_err(|e| failed("cannot fill", &e))
}
