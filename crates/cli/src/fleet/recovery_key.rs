// SPDX-License-Identifier: Apache-2.0
//! `lazaret recovery-key`: whom the hosts of a fleet seal isolated files for besides their own keys.

use super::{Fleet, http::Method, shown};
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Show, set or remove the fleet's recovery key
///
/// Make it with `age-keygen -o FILE` on a machine that is none of the fleet, and keep FILE offline: whoever
/// has it can read what the hosts isolate from then on, and so can you when a host is gone.
#[derive(Debug, Args)]
pub(crate) struct RecoveryKeyArgs {
    #[command(subcommand)]
    verb: RecoveryKeyVerb,
}

#[derive(Debug, Subcommand)]
enum RecoveryKeyVerb {
    Show(ShowArgs),
    Set(SetArgs),
    Remove(RemoveArgs),
}

/// Show its public half
#[derive(Debug, Args)]
struct ShowArgs {}

/// Let hosts seal for it from now on; what is isolated already stays as it is
#[derive(Debug, Args)]
struct SetArgs {
    /// The public half, as `age-keygen -y FILE` prints it
    #[arg(value_name = "age1...")]
    recipient: String,
}

/// Let hosts seal for their own keys alone
#[derive(Debug, Args)]
struct RemoveArgs {}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &RecoveryKeyArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let put = |recipient: Value| {
        fleet.http.send(Method::Put, "/recovery-key", &[], Some(&json!({"recipient": recipient})))
    };
    let answer = match &args.verb {
        RecoveryKeyVerb::Show(ShowArgs {}) => fleet.http.get("/recovery-key", &[])?,
        RecoveryKeyVerb::Set(SetArgs { recipient }) => put(Value::String(recipient.clone()))?,
        RecoveryKeyVerb::Remove(RemoveArgs {}) => put(Value::Null)?,
    };
    if out.json {
        out.json(&answer)?;
    } else if answer["recipient"].is_null() {
        out.text("hosts seal isolated files for their own keys alone")?;
    } else {
        out.text(&format!("hosts seal isolated files for {} too", shown(&answer, "recipient")))?;
    }
    Ok(ExitCode::SUCCESS)
}
