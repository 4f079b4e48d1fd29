// SPDX-License-Identifier: Apache-2.0
//! `lazaret exception`.

use super::perform;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, Subcommand};
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::process::ExitCode;

/// Take back what a restore granted
///
/// A restored file is left alone on this host, so that it is not isolated again at once.
#[derive(Debug, Args)]
pub(crate) struct ExceptionArgs {
    #[command(subcommand)]
    verb: ExceptionVerb,
}

#[derive(Debug, Subcommand)]
enum ExceptionVerb {
    Remove(RemoveArgs),
}

/// Let files with this content be judged again
#[derive(Debug, Args)]
struct RemoveArgs {
    /// The content's digest, as `lazaret isolated show` names it
    sha256: Sha256,
}

/// # Errors
/// No daemon, not permitted, or no such exception.
pub(crate) fn run(args: &ExceptionArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let ExceptionVerb::Remove(RemoveArgs { sha256 }) = &args.verb;
    let verb = Verb::ExceptionRemove(v1::ExceptionRemove { sha256: sha256.0.to_vec() });
    perform(&Client::new(global)?, verb, Patience::Short, out)
}
