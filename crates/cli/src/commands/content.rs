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
use std::path::PathBuf;
use std::process::ExitCode;

/// Load the daemon's content anew, or change what a project of a fleet adds to it
#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    #[command(subcommand)]
    pub(crate) verb: ContentVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContentVerb {
    Reload(ReloadArgs),
    List(ListArgs),
    Add(AddArgs),
    Promote(PromoteArgs),
    Remove(RemoveArgs),
}

/// Show the content of a project, and what was added to it (fleet)
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

/// Add YARA rules, or digests, that others wrote to a project's content (fleet)
///
/// The server compiles them first and names the line that does not. Hosts of the project get them within
/// seconds. They reach the rating medium at most: an alarm, and no action, until they are promoted.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The file
    pub(crate) file: PathBuf,
    /// It is a list of digests: one SHA-256[,class[,family]] a line
    #[arg(long)]
    pub(crate) hashes: bool,
    /// What names it in evidence [default: the file's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// Let what was added reach the rating high, and so act by itself; or no longer (fleet)
#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// Its name, its id, or the unique beginning or end of it
    pub(crate) id: String,
    /// Take the promotion back
    #[arg(long)]
    pub(crate) no: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Take away what was added (fleet)
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Its name, its id, or the unique beginning or end of it
    pub(crate) id: String,
}

/// Read the content pack and the extra rules again (this host)
///
/// Protection goes on meanwhile. Content that does not load leaves the old one in force; a single
/// broken rule is named with file, line and column, and the others are loaded.
#[derive(Debug, Args)]
pub(crate) struct ReloadArgs {}

/// # Errors
/// No daemon, not permitted, or content that does not load.
pub(crate) fn run(args: &ContentArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let ContentVerb::Reload(ReloadArgs {}) = &args.verb else {
        return Err(CliError::Usage(
            "this verb is for a fleet's server: say which with --server, or sign in and give --project"
                .into(),
        ));
    };
    perform(&Client::new(global)?, Verb::ContentReload(v1::ContentReload {}), Patience::Long, out)
}
