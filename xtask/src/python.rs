// SPDX-License-Identifier: Apache-2.0
//! Python packages that the tests need: pinned in `tests/requirements.txt`, in a folder of the cache.

use crate::run::{self, Error};
use crate::{cache, cargo, packages};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the folder, or makes it anew when the list has changed. Nothing happens when it is there.
///
/// # Errors
/// There is no Python, or no network and nothing from before.
pub(crate) fn install() -> Result<(), Error> {
    let wanted = cargo::root().join("tests/requirements.txt");
    let text = std::fs::read_to_string(&wanted)
        .map_err(|e| Error::failed(format!("cannot read {}: {e}", wanted.display())))?;
    let folder = folder()?;
    // Written last: a folder without it is one that was not finished.
    let done = folder.join("requirements.txt");
    if std::fs::read_to_string(&done).is_ok_and(|there| there == text) {
        return Ok(());
    }
    eprintln!("The tests' Python packages are installed into {} now.", folder.display());
    let _ = std::fs::remove_dir_all(&folder);
    if run::run(&mut environment(&folder)).is_err() {
        packages::install(&[packages::VENV])?;
        let _ = std::fs::remove_dir_all(&folder);
        run::run(&mut environment(&folder))?;
    }
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
    run::run(pip.arg("--requirement").arg(&wanted))?;
    std::fs::write(&done, text).map_err(|e| Error::failed(format!("cannot write {}: {e}", done.display())))
}

/// Python with these packages.
///
/// # Errors
/// There is no place for the cache.
pub(crate) fn program() -> Result<PathBuf, Error> {
    Ok(folder()?.join("bin/python"))
}

fn folder() -> Result<PathBuf, Error> {
    Ok(cache::folder()?.join("python"))
}

fn environment(folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "venv"]).arg(folder);
    command
}
