// SPDX-License-Identifier: Apache-2.0
//! `lazaret preview`.

use super::perform;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, Subcommand};
use lazaret_proto::v1;
use lazaret_proto::v1::preview_isolate::What;
use lazaret_proto::v1::request::Verb;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what an action would touch, and do nothing
#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    #[command(subcommand)]
    verb: PreviewVerb,
}

#[derive(Debug, Subcommand)]
enum PreviewVerb {
    Isolate(IsolateArgs),
}

/// Show what isolating a file would touch: its processes with their units and ports, its names, and
/// what would refuse it
///
/// The processes are found by the code that would kill them. Neither the file nor a process nor the
/// daemon's journal is changed. A process that starts later is not in it.
#[derive(Debug, Args)]
struct IsolateArgs {
    /// The file; symbolic links are not followed
    #[arg(required_unless_present = "alarm", conflicts_with = "alarm")]
    path: Option<PathBuf>,
    /// The file of this alarm, by the alarm's id or its unique beginning or end
    #[arg(long, value_name = "ALARM")]
    alarm: Option<String>,
}

/// # Errors
/// No daemon, not permitted, no such file or alarm.
pub(crate) fn run(args: &PreviewArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let PreviewVerb::Isolate(IsolateArgs { path, alarm }) = &args.verb;
    let what = match (path, alarm) {
        (Some(path), _) => {
            // The daemon has another working folder. Links and `..` stay: it opens the path itself.
            let path = std::path::absolute(path).map_err(|e| CliError::file("use", path, &e))?;
            What::Path(path.into_os_string().into_vec())
        }
        (None, Some(alarm)) => What::Alarm(alarm.clone()),
        (None, None) => return Err(CliError::Usage("name a path, or an alarm with --alarm".into())),
    };
    let verb = Verb::PreviewIsolate(v1::PreviewIsolate { what: Some(what) });
    perform(&Client::new(global)?, verb, Patience::Long, out)
}
