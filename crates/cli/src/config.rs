// SPDX-License-Identifier: Apache-2.0
//! Where the daemon's control socket and state are, from the options, `--config` or the installed
//! defaults.

use crate::cli::Global;
use crate::error::CliError;
use crate::escape;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The installed daemon's runtime folder.
const DEFAULT_RUN: &str = "/run/lazaret";

/// The installed daemon's state folder.
const DEFAULT_STATE: &str = "/var/lib/lazaret";

/// The part of the daemon's configuration that the command line needs. Every other key is the
/// daemon's business: it refuses unknown ones, this does not look at them.
#[derive(Deserialize)]
struct Config {
    paths: Option<Paths>,
}

#[derive(Default, Deserialize)]
struct Paths {
    run: Option<PathBuf>,
    state: Option<PathBuf>,
}

/// The control socket to talk to.
///
/// # Errors
/// When the configuration cannot be read or is not TOML; the message says where.
pub(crate) fn socket(global: &Global) -> Result<PathBuf, CliError> {
    if let Some(socket) = &global.socket {
        return Ok(socket.clone());
    }
    let run = match &global.config {
        Some(file) => paths(file)?.run,
        None => None,
    };
    Ok(run.unwrap_or_else(|| PathBuf::from(DEFAULT_RUN)).join("control.sock"))
}

/// The daemon's state folder.
///
/// # Errors
/// As [`socket`].
pub(crate) fn state(global: &Global) -> Result<PathBuf, CliError> {
    let state = match &global.config {
        Some(file) => paths(file)?.state,
        None => None,
    };
    Ok(state.unwrap_or_else(|| PathBuf::from(DEFAULT_STATE)))
}

fn paths(file: &Path) -> Result<Paths, CliError> {
    let text =
        std::fs::read_to_string(file).map_err(|e| CliError::file("read the configuration", file, &e))?;
    let config: Config = toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |s| text.as_bytes()[..s.start.min(text.len())].split(|b| *b == b'\n').count());
        CliError::Usage(format!(
            "the configuration {} is not valid in line {line}: {}. Correct the line, or name the socket with --socket (the state folder with --state)",
            escape::path(file),
            escape::text(e.message())
        ))
    })?;
    Ok(config.paths.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(config: Option<PathBuf>) -> Global {
        Global { config, ..Global::default() }
    }

    #[test]
    fn default_config_and_socket() {
        assert_eq!(socket(&global(None)).unwrap(), Path::new("/run/lazaret/control.sock"));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lazaretd.toml");
        std::fs::write(&file, "[paths]\nstate = \"/s\"\nrun = \"/r\"\n[protect]\nunknown = 1\n").unwrap();
        assert_eq!(socket(&global(Some(file.clone()))).unwrap(), Path::new("/r/control.sock"));
        assert_eq!(state(&global(Some(file.clone()))).unwrap(), Path::new("/s"));
        std::fs::write(&file, "[budget]\n").unwrap();
        assert_eq!(state(&global(Some(file.clone()))).unwrap(), Path::new("/var/lib/lazaret"));
        assert_eq!(socket(&global(Some(file))).unwrap(), Path::new("/run/lazaret/control.sock"));
    }

    #[test]
    fn a_broken_configuration_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("broken.toml");
        std::fs::write(&file, "[paths]\nrun = /r\n").unwrap();
        let error = socket(&global(Some(file))).unwrap_err();
        assert_eq!(error.exit_status(), 64);
        let text = error.to_string();
        assert!(text.contains("broken.toml") && text.contains("line 2"), "{text}");
        let error = socket(&global(Some("/nonexistent/lazaretd.toml".into()))).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/lazaretd.toml"));
    }
}
