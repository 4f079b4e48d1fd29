// SPDX-License-Identifier: Apache-2.0
//! `lazaret man`, for packaging.

use crate::cli::Cli;
use crate::error::CliError;
use clap::{Args, CommandFactory as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the man pages of all verbs into a folder
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder; it must exist
    dir: PathBuf,
}

/// # Errors
/// When the folder cannot be written.
pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, CliError> {
    clap_mangen::generate_to(Cli::command(), &args.dir)
        .map_err(|e| CliError::file("write man pages into", &args.dir, &e))?;
    Ok(ExitCode::SUCCESS)
}
