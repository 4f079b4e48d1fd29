// SPDX-License-Identifier: Apache-2.0
//! `lazaret handle`.

use super::{alarms, is_whole_id, perform};
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use clap::Args;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::process::ExitCode;

/// Deal with an alarm, or take back how it was dealt with
///
/// Ignoring closes this alarm only: new ones of its kind still come. Adding to the whitelist keeps
/// the file from being reported again, as long as its content stays the same; it does not bring an
/// isolated file back. Isolating kills what runs the file and moves it into the vault; the guards
/// that protect critical programs hold here too. Each of the four has an inverse.
#[derive(Debug, Args)]
pub(crate) struct HandleArgs {
    /// The alarm's id, or its unique beginning or end; of a fleet also `all`, with --class
    pub(crate) alarm: String,
    /// What to do with it
    pub(crate) handling: Handling,
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) remark: String,
    /// Of a fleet: another alarm that is dealt with likewise, up to 99 of them
    #[arg(long, value_name = "ALARM")]
    pub(crate) and: Vec<String>,
    /// Of a fleet, with `all`: every alarm of this malware class
    #[arg(long, value_name = "CLASS", conflicts_with = "and")]
    pub(crate) class: Option<MalwareClass>,
    /// With `all`: do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// The model's word as a value of the command line, with hyphens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handling(lazaret_model::Handling);

impl Handling {
    /// As the server's API has it.
    pub(crate) const fn word(self) -> &'static str {
        self.0.word()
    }
}

impl ValueEnum for Handling {
    fn value_variants<'a>() -> &'a [Self] {
        use lazaret_model::Handling as H;
        const ALL: [Handling; 8] = [
            Handling(H::MarkAsHandled),
            Handling(H::Ignore),
            Handling(H::AddToAlarmWhitelist),
            Handling(H::IsolateAndKill),
            Handling(H::Unhandle),
            Handling(H::DoNotIgnore),
            Handling(H::RemoveFromAlarmWhitelist),
            Handling(H::DoNotIsolateOrKill),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        use lazaret_model::Handling as H;
        let (name, help) = match self.0 {
            H::MarkAsHandled => ("mark-as-handled", "It was dealt with by hand"),
            H::Ignore => ("ignore", "Close this alarm; new ones of its kind still come"),
            H::AddToAlarmWhitelist => ("add-to-alarm-whitelist", "Close it and whitelist the file"),
            H::IsolateAndKill => ("isolate-and-kill", "Move the file into the vault and kill what runs it"),
            H::Unhandle => ("unhandle", "Take back mark-as-handled"),
            H::DoNotIgnore => ("do-not-ignore", "Take back ignore"),
            H::RemoveFromAlarmWhitelist => {
                ("remove-from-alarm-whitelist", "Take back add-to-alarm-whitelist")
            }
            H::DoNotIsolateOrKill => {
                ("do-not-isolate-or-kill", "Take back isolate-and-kill: restore the file")
            }
        };
        Some(PossibleValue::new(name).alias(self.0.word()).help(help))
    }
}

/// # Errors
/// No daemon, not permitted, no such alarm, or the daemon refuses.
pub(crate) fn run(args: &HandleArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    if !args.and.is_empty() || args.class.is_some() {
        return Err(CliError::Usage(
            "--and and --class are for a fleet: add --server, --host, --group or --project".into(),
        ));
    }
    let client = Client::new(global)?;
    let id =
        if is_whole_id(&args.alarm) { args.alarm.clone() } else { alarms::find(&client, &args.alarm)?.id };
    let verb =
        Verb::Handle(v1::Handle { id, handling: args.handling.0.word().into(), remark: args.remark.clone() });
    perform(&client, verb, Patience::Long, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handling_is_a_value_in_both_spellings() {
        for handling in lazaret_model::Handling::ALL {
            let hyphens = handling.word().replace('_', "-");
            for word in [handling.word(), &hyphens] {
                assert_eq!(Handling::from_str(word, false).map(|h| h.0), Ok(handling));
            }
        }
    }
}
