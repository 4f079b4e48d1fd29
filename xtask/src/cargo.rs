// SPDX-License-Identifier: Apache-2.0
//! Child cargo calls: one target folder for all of them, one environment.

use crate::cache;
use crate::run::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // xtask/ stands directly in it; known since compile time, whatever folder we are called from.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A cargo call in the root of the workspace.
///
/// # Errors
/// There is no place for the target folder.
pub(crate) fn cargo() -> Result<Command, Error> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", cache::target()?);
    // `cargo run` describes xtask to us in the environment; to a child cargo that is a change of
    // its surroundings, which makes some build scripts run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.env_remove("LD_LIBRARY_PATH");
    Ok(command)
}
