// SPDX-License-Identifier: Apache-2.0
//! `lazaret vault`: what can be done with a state folder while no daemon runs.

mod export;
mod list;
mod object;
mod restore;
mod verify;

use crate::cli::Global;
use crate::error::CliError;
use crate::output::Output;
use crate::{config, escape};
use clap::{Args, Subcommand};
use lazaret_response::journal;
use lazaret_vault::{Listed, Reader, VaultError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Look into the vault, and get files out of it, without the daemon
///
/// For a host whose daemon does not start, and for the state folder of a host that is gone. While
/// the daemon runs, use `lazaret isolated`: these verbs refuse then.
#[derive(Debug, Args)]
pub(crate) struct VaultArgs {
    /// The daemon's state folder [default: `[paths] state` of --config, or /var/lib/lazaret]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Open the content with the keys in this file instead of the host key: the recovery key, as it
    /// was shown when the vault was made
    #[arg(long, global = true, value_name = "FILE")]
    identity: Option<PathBuf>,
    #[command(subcommand)]
    verb: VaultVerb,
}

#[derive(Debug, Subcommand)]
enum VaultVerb {
    List(list::ListArgs),
    Verify(verify::VerifyArgs),
    Export(export::ExportArgs),
    Restore(restore::RestoreArgs),
}

/// A state folder and how to open what is in it.
struct Place {
    state: PathBuf,
    identity: Option<PathBuf>,
}

/// # Errors
/// A daemon runs, there is no vault, the key does not open it, or what the verb says.
pub(crate) fn run(args: &VaultArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let state = match &args.state {
        Some(state) => state.clone(),
        None => config::state(global)?,
    };
    let place = Place { state, identity: args.identity.clone() };
    match &args.verb {
        VaultVerb::List(_) => list::run(&place, out),
        VaultVerb::Verify(args) => verify::run(&place, args, out),
        VaultVerb::Export(args) => export::run(&place, args, out),
        VaultVerb::Restore(args) => restore::run(&place, args, out),
    }
}

impl Place {
    fn vault(&self) -> PathBuf {
        self.state.join("vault")
    }

    fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// There is a vault, and nobody else is at work in it. `instead` is what to do while a daemon is.
    fn ready(&self, instead: &str) -> Result<(), CliError> {
        let objects = self.vault().join("objects");
        if let Err(e) = std::fs::metadata(&objects) {
            if e.kind() == std::io::ErrorKind::PermissionDenied {
                return Err(CliError::file("look into", &objects, &e));
            }
            return Err(CliError::Failed(format!(
                "there is no vault in {}: {e}. Name the daemon's state folder with --state, or its \
                 configuration with --config",
                escape::path(&self.state)
            )));
        }
        match journal::is_held(&self.journal()) {
            Ok(false) => Ok(()),
            Ok(true) => Err(self.busy(instead)),
            Err(e) => Err(CliError::file("ask for the lock in", &self.journal(), &e)),
        }
    }

    fn busy(&self, instead: &str) -> CliError {
        CliError::Failed(format!(
            "a running daemon holds {}: use {instead}, or stop it first (`systemctl stop lazaretd`)",
            escape::path(&self.state)
        ))
    }

    /// To look at it; writes nothing.
    fn reader(&self) -> Result<Reader, CliError> {
        match &self.identity {
            Some(file) => Reader::with_identity(&self.vault(), file),
            None => Reader::open(&self.vault()),
        }
        .map_err(failed)
    }
}

/// The vault names thing, cause and way out itself; file names in it are made harmless here.
fn failed(e: VaultError) -> CliError {
    if let VaultError::Io { source, .. } = &e
        && source.kind() == std::io::ErrorKind::PermissionDenied
    {
        return CliError::NotPermitted(escape::text(&e.to_string()));
    }
    CliError::Failed(escape::text(&e.to_string()))
}

/// The one object whose id is `given`, or begins or ends with it.
fn find(reader: &Reader, given: &str) -> Result<Listed, CliError> {
    let mut all = reader.list().map_err(failed)?;
    let id = super::one_of(given, "isolated file", all.iter().map(|l| l.id.to_string()))?;
    let at = all.iter().position(|l| l.id.to_string() == id);
    at.map(|at| all.swap_remove(at))
        .ok_or_else(|| CliError::Failed(format!("there is no isolated file \"{}\"", escape::text(given))))
}

/// Where this process is, the daemon would not be: paths are made absolute at once.
fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|e| CliError::file("use", path, &e))
}
