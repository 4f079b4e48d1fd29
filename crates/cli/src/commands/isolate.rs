// SPDX-License-Identifier: Apache-2.0
//! `lazaret isolate`.

use super::show;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::{CliError, EXIT_FOUND};
use crate::output::Output;
use clap::Args;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Isolate a file by hand and kill what runs it
///
/// The file is moved into the vault with everything that is needed to restore it. Programs that
/// the host needs to start, to be logged into or to be repaired, parts of intact packages, and
/// files that carry other people's data are refused; the message says which guard it was.
#[derive(Debug, Args)]
pub(crate) struct IsolateArgs {
    /// The file; symbolic links are not followed
    path: PathBuf,
    /// Isolate it although a guard says no; the host may not start or be logged into afterwards
    #[arg(long)]
    override_guards: bool,
    /// Isolate it although so many actions lately are beyond the limit of this host
    #[arg(long)]
    override_limits: bool,
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    remark: String,
}

/// # Errors
/// No daemon, not permitted, or the daemon refuses.
pub(crate) fn run(args: &IsolateArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    // The daemon has another working folder. Links and `..` stay as they are: it opens the path itself.
    let path = std::path::absolute(&args.path).map_err(|e| CliError::file("use", &args.path, &e))?;
    let verb = Verb::IsolatePath(v1::IsolatePath {
        path: path.into_os_string().into_vec(),
        override_guards: args.override_guards,
        remark: args.remark.clone(),
        override_limits: args.override_limits,
    });
    let mut isolated = true;
    Client::new(global)?.call(verb, Patience::Long, |answer| {
        isolated &= show(out, &answer)?;
        // The alarm says what became of it; one that names no isolated file is a failure.
        isolated &= !matches!(&answer, Answer::Alarm(alarm) if alarm.isolated.is_none());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(if isolated { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}
