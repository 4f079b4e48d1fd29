// SPDX-License-Identifier: Apache-2.0
//! `lazaret switch`.

use super::perform;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::{Args, ValueEnum};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::process::ExitCode;

/// Turn automatic isolation and killing, the test programs, or a dry run on or off
///
/// isolate-and-kill on: a file whose confidence is high is refused before it runs, moved into the
/// vault, and every process that runs it is killed, at once and without asking. Everything else is
/// reported only. It is off after installation, and then everything is reported only.
///
/// test-programs on: files that carry the Lazaret test program marker are treated as what they
/// claim to be, so that an installation can be tried out with harmless files.
///
/// dry-run on: everything is judged and decided, alarms and journal say what would have been done, and
/// nothing is refused, isolated or killed. What is frozen at that moment is let go; what was isolated
/// before stays so.
///
/// malware-cloud-scan and high-detection are switches of a fleet's project only. high-detection on:
/// the ratings medium and high begin at a lower confidence, so that there is more to look at.
#[derive(Debug, Args)]
pub(crate) struct SwitchArgs {
    /// Which one
    pub(crate) name: Name,
    /// How it is to stand
    pub(crate) position: Position,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// Isolate files of high confidence and kill what runs them
    #[value(alias = "isolate_and_kill")]
    IsolateAndKill,
    /// Treat the Lazaret test programs as what they claim to be
    #[value(alias = "test_programs")]
    TestPrograms,
    /// Decide and report everything, and do nothing
    #[value(alias = "dry_run")]
    DryRun,
    /// Of a fleet: unknown programs may be sent to the server for a closer look
    #[value(alias = "malware_cloud_scan")]
    MalwareCloudScan,
    /// Of a fleet: find more, at the price of more false positives
    #[value(alias = "malware_sample_high_detect")]
    HighDetection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Position {
    On,
    Off,
}

impl Name {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::IsolateAndKill => "isolate_and_kill",
            Self::TestPrograms => "test_programs",
            Self::DryRun => "dry_run",
            Self::MalwareCloudScan => "malware_cloud_scan",
            Self::HighDetection => "malware_sample_high_detect",
        }
    }
}

pub(crate) const MEANING: &str = "\
From now on a file whose confidence is high is refused before it runs and moved into the vault,
and every process that runs it is killed, at once and without asking. Whatever is isolated can be
restored (lazaret isolated restore). What is rated lower is only reported.
Turn isolate and kill on?";

/// # Errors
/// No daemon, not permitted, or the daemon refuses.
pub(crate) fn run(args: &SwitchArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    if matches!(args.name, Name::MalwareCloudScan | Name::HighDetection) {
        return Err(CliError::Usage(
            "this switch is a project's: lazaret switch ... --project PROJECT (docs/cli.md)".into(),
        ));
    }
    let client = Client::new(global)?;
    let on = args.position == Position::On;
    // Only this one makes the host act by itself.
    if on && args.name == Name::IsolateAndKill && !args.yes && !out.confirm(MEANING)? {
        return Err(CliError::Failed("isolate and kill stays as it was".into()));
    }
    let verb = Verb::SwitchSet(v1::SwitchSet { name: args.name.word().into(), on });
    perform(&client, verb, Patience::Short, out)
}
