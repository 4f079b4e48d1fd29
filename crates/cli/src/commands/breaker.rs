// SPDX-License-Identifier: Apache-2.0
//! `lazaret breaker`.

use super::perform;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, Subcommand};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::process::ExitCode;

/// Re-arm rules that a circuit breaker has stopped: the same as `lazaret rules rearm`
///
/// A rule that hits many files of packages, old files or running services is more likely wrong than
/// the host is infected; then it only refuses and reports until a person has looked. `lazaret status`
/// names the open breakers.
#[derive(Debug, Args)]
pub(crate) struct BreakerArgs {
    #[command(subcommand)]
    verb: BreakerVerb,
}

#[derive(Debug, Subcommand)]
enum BreakerVerb {
    Rearm(RearmArgs),
}

/// Let a rule isolate and kill again
#[derive(Debug, Args)]
struct RearmArgs {
    /// The rule, as `lazaret status` names it; all without one
    rule: Option<String>,
}

/// # Errors
/// No daemon, not permitted, or no such breaker.
pub(crate) fn run(args: &BreakerArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let BreakerVerb::Rearm(RearmArgs { rule }) = &args.verb;
    let verb = Verb::BreakerRearm(v1::BreakerRearm { rule: rule.clone().unwrap_or_default() });
    perform(&Client::new(global)?, verb, Patience::Short, out)
}
