// SPDX-License-Identifier: Apache-2.0
//! `lazaret persistence`.

use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::{CliError, EXIT_FOUND};
use crate::output::Output;
use crate::{json, render};
use clap::{Args, Subcommand};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::process::ExitCode;

/// Show, disable and enable what brings a killed program back: cron entries, units and the like
#[derive(Debug, Args)]
pub(crate) struct PersistenceArgs {
    #[command(subcommand)]
    verb: PersistenceVerb,
}

#[derive(Debug, Subcommand)]
enum PersistenceVerb {
    List(ListArgs),
    Disable(DisableArgs),
    Enable(EnableArgs),
}

/// List the entries of one alarm, or of every alarm that has some
#[derive(Debug, Args)]
struct ListArgs {
    /// The alarm's id, or its unique beginning or end; every alarm without one
    alarm: Option<String>,
}

/// Take entries out of force, so that they can be put back exactly
///
/// A line of a crontab becomes a comment, a script that cron runs is no longer executable, a unit
/// or timer of systemd is masked or gets a condition that never holds. Other kinds are only shown.
#[derive(Debug, Args)]
struct DisableArgs {
    /// The alarm's id, or its unique beginning or end
    alarm: String,
    /// The number of the entry; every one that can be disabled without it
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    entry: Option<u32>,
}

/// Put disabled entries back as they were
///
/// A file that somebody edited since keeps the edit; where that cannot be, nothing is changed and
/// the answer says what to do.
#[derive(Debug, Args)]
struct EnableArgs {
    /// The alarm's id, or its unique beginning or end
    alarm: String,
    /// The number of the entry; every one that is disabled without it
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    entry: Option<u32>,
}

/// # Errors
/// No daemon, not permitted, no such alarm or entry, or the daemon refuses.
pub(crate) fn run(args: &PersistenceArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    match &args.verb {
        PersistenceVerb::List(args) => {
            let alarm = args.alarm.clone().unwrap_or_default();
            let alarms = ask(&client, Verb::PersistenceList(v1::PersistenceList { alarm }))?;
            show(out, &alarms)?;
            Ok(ExitCode::SUCCESS)
        }
        PersistenceVerb::Disable(args) => {
            let entry = args.entry.unwrap_or(0);
            let verb = v1::PersistenceDisable { alarm: args.alarm.clone(), entry };
            let alarms = ask(&client, Verb::PersistenceDisable(verb))?;
            show(out, &alarms)?;
            Ok(all_well(&alarms, entry, "disabled"))
        }
        PersistenceVerb::Enable(args) => {
            let entry = args.entry.unwrap_or(0);
            let verb = v1::PersistenceEnable { alarm: args.alarm.clone(), entry };
            let alarms = ask(&client, Verb::PersistenceEnable(verb))?;
            show(out, &alarms)?;
            Ok(all_well(&alarms, entry, "active"))
        }
    }
}

fn ask(client: &Client, verb: Verb) -> Result<Vec<v1::Alarm>, CliError> {
    let answers = client.collect(verb, Patience::Long)?;
    Ok(answers
        .into_iter()
        .filter_map(|a| if let Answer::Alarm(alarm) = a { Some(alarm) } else { None })
        .collect())
}

fn show(out: &mut Output, alarms: &[v1::Alarm]) -> Result<(), CliError> {
    if !out.json {
        return out.text(&render::persistence_list(out.look, alarms));
    }
    for alarm in alarms {
        for entry in alarm.persistence.iter().flat_map(|p| &p.entries) {
            out.json(&json::PersistenceLine::new(&alarm.id, entry))?;
        }
    }
    Ok(())
}

/// Whether every entry that was meant is as it was wanted.
fn all_well(alarms: &[v1::Alarm], entry: u32, wanted: &str) -> ExitCode {
    let entries = alarms.iter().filter_map(|a| a.persistence.as_ref()).flat_map(|p| &p.entries);
    let failed = |e: &v1::PersistenceEntry| {
        let meant = if entry == 0 { e.only_shown.is_empty() } else { e.number == entry };
        meant && e.state != wanted
    };
    if entries.into_iter().any(failed) { ExitCode::from(EXIT_FOUND) } else { ExitCode::SUCCESS }
}
