// SPDX-License-Identifier: Apache-2.0
//! `lazaret content`.

use super::perform;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, Subcommand};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::process::ExitCode;

/// Load the daemon's content anew
#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    #[command(subcommand)]
    verb: ContentVerb,
}

#[derive(Debug, Subcommand)]
enum ContentVerb {
    Reload(ReloadArgs),
}

/// Read the content pack and the extra rules again
///
/// Protection goes on meanwhile. Content that does not load leaves the old one in force; a single
/// broken rule is named with file, line and column, and the others are loaded.
#[derive(Debug, Args)]
struct ReloadArgs {}

/// # Errors
/// No daemon, not permitted, or content that does not load.
pub(crate) fn run(args: &ContentArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let ContentVerb::Reload(ReloadArgs {}) = &args.verb;
    perform(&Client::new(global)?, Verb::ContentReload(v1::ContentReload {}), Patience::Long, out)
}
