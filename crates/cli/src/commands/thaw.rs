// SPDX-License-Identifier: Apache-2.0
//! `lazaret thaw`.

use super::{alarms, is_whole_id, perform};
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::Args;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::process::ExitCode;

/// Let what an alarm has frozen go on, and leave its file alone on this host
///
/// Only where the daemon freezes before it kills (`[response] freeze_seconds`), and only until the
/// deadline that the alarm names; then the processes are killed and the file is isolated. The content
/// of the file is not judged again on this host until `lazaret exception remove`.
#[derive(Debug, Args)]
pub(crate) struct ThawArgs {
    /// The alarm's id, or its unique beginning or end
    pub(crate) alarm: String,
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) remark: String,
}

/// # Errors
/// No daemon, not permitted, no such alarm, nothing is frozen for it, or too late.
pub(crate) fn run(args: &ThawArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    let id =
        if is_whole_id(&args.alarm) { args.alarm.clone() } else { alarms::find(&client, &args.alarm)?.id };
    perform(&client, Verb::Thaw(v1::Thaw { id, remark: args.remark.clone() }), Patience::Long, out)
}
