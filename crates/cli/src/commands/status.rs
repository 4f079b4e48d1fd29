// SPDX-License-Identifier: Apache-2.0
//! `lazaret status`.

use super::show;
use crate::cli::Global;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use clap::Args;
use lazaret_proto::v1::response::Answer;
use std::process::ExitCode;

/// Show whether this host is protected, and if not wholly, why not
///
/// What is not as configured comes first. Then the switch, alarms, content, each mount with its
/// configured and its effective protection, the scanners and what happened since the daemon
/// started. The exit status is 0 whenever the daemon answers.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

/// # Errors
/// No daemon, or not permitted.
pub(crate) fn run(_: &StatusArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let status = Client::new(global)?.status()?;
    show(out, &Answer::Status(status))?;
    Ok(ExitCode::SUCCESS)
}
