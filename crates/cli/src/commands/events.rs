// SPDX-License-Identifier: Apache-2.0
//! `lazaret events`.

use super::show;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::Args;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::ops::ControlFlow;
use std::process::ExitCode;

/// Show what happened: alarms, actions, switches, mounts, content, the daemon itself
///
/// With --follow it goes on showing what happens until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Go on showing what happens
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Begin with this many of the latest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) past: u32,
}

/// # Errors
/// No daemon, or not permitted.
pub(crate) fn run(args: &EventsArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let verb = Verb::EventsFollow(v1::EventsFollow { past: args.past, no_follow: !args.follow });
    let patience = if args.follow { Patience::Endless } else { Patience::Short };
    Client::new(global)?.call(verb, patience, |answer| {
        show(out, &answer)?;
        // Each line at once, also into a pipe.
        out.flush()?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(ExitCode::SUCCESS)
}
