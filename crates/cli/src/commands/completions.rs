// SPDX-License-Identifier: Apache-2.0
//! `lazaret completions`.

use crate::cli::Cli;
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::process::ExitCode;

/// Print a shell's completion script
///
/// For bash: lazaret completions bash > /usr/share/bash-completion/completions/lazaret
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// # Errors
/// When stdout does not take it.
pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    // Into memory first: the generator panics when its writer fails, and a pipe may be closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lazaret", &mut script);
    out.text(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
