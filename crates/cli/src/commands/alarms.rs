// SPDX-License-Identifier: Apache-2.0
//! `lazaret alarms`.

use super::show;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use crate::{json, render};
use clap::{Args, Subcommand, ValueEnum};
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::ops::ControlFlow;
use std::process::ExitCode;

/// List alarms, or show one with everything that is known about it
#[derive(Debug, Args)]
pub(crate) struct AlarmsArgs {
    #[command(subcommand)]
    pub(crate) verb: AlarmsVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlarmsVerb {
    List(ListArgs),
    Show(ShowArgs),
}

/// List alarms, newest first
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only alarms of this rating
    #[arg(long)]
    pub(crate) rating: Option<Rating>,
    /// Only alarms of this malware class: malware, virus, worm, trojan, botnet, backdoor, rootkit,
    /// ransomware, hacktool, webshell, miner, reverseshell
    #[arg(long)]
    pub(crate) class: Option<MalwareClass>,
    /// Only alarms that nobody has dealt with
    #[arg(long)]
    pub(crate) unhandled: bool,
    /// Only alarms of harmless test programs
    #[arg(long)]
    pub(crate) tests: bool,
    /// Over a fleet: only alarms of hosts with this address, or this part of it
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
    /// Over a fleet: only alarms that stand so in an attack
    #[arg(long, value_name = "TAG", value_parser = ["attack_blocked", "attack_success", "attack_attempt", "abnormal_behavior"])]
    pub(crate) attack_tag: Option<String>,
    /// Over a fleet: only alarms of this phase of an attack
    #[arg(long, value_name = "PHASE", value_parser = ["delivery", "exploit", "installation", "command_and_control", "actions"])]
    pub(crate) attack_phase: Option<String>,
    /// Over a fleet: only alarms of this ATT&CK technique and those below it, such as T1059
    #[arg(long, value_name = "TECHNIQUE")]
    pub(crate) technique: Option<String>,
    /// Over a fleet: only alarms from containers with this in their id or name
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) container: Option<String>,
    /// At most this many, the newest; 0 for all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) limit: u32,
}

impl ListArgs {
    /// What only a server can be asked, as its list takes it.
    pub(crate) fn of_fleet(&self) -> Vec<(&'static str, String)> {
        let asked = [
            ("address", &self.address),
            ("attack_tag", &self.attack_tag),
            ("attack_phase", &self.attack_phase),
            ("technique", &self.technique),
            ("container", &self.container),
        ];
        asked.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// Show one alarm: confidence and evidence, file, process chain, what was done, what to do next
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The alarm's id, or its unique beginning or end
    pub(crate) alarm: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Rating {
    High,
    Medium,
    Low,
}

impl Rating {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// # Errors
/// No daemon, not permitted, or no such alarm.
pub(crate) fn run(args: &AlarmsArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    match &args.verb {
        AlarmsVerb::List(args) => list(&client, args, out)?,
        AlarmsVerb::Show(args) => one(&client, &args.alarm, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(client: &Client, args: &ListArgs, out: &mut Output) -> Result<(), CliError> {
    if let Some((name, _)) = args.of_fleet().first() {
        let option = name.replace('_', "-");
        return Err(CliError::Usage(format!("--{option} is for a fleet: say --server URL too")));
    }
    let verb = Verb::AlarmsList(v1::AlarmsList {
        rating: args.rating.map(|r| r.word().to_owned()).unwrap_or_default(),
        class: args.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        unhandled_only: args.unhandled,
        limit: args.limit,
        tests_only: args.tests,
    });
    let mut alarms = Vec::new();
    client.call(verb, Patience::Short, |answer| {
        if let Answer::Alarm(alarm) = answer {
            if out.json {
                out.json(&json::Alarm::from(&alarm))?;
            } else {
                alarms.push(alarm);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if !out.json {
        out.text(&render::alarms(out.look, &alarms))?;
    }
    Ok(())
}

fn one(client: &Client, id: &str, out: &mut Output) -> Result<(), CliError> {
    let alarm = find(client, id)?;
    if out.json {
        show(out, &Answer::Alarm(alarm))?;
    } else {
        // The thresholds in force; without them the scale shows the defaults.
        let status = client.status().ok();
        out.text(&render::alarm(out.look, &alarm, status.as_ref()))?;
    }
    Ok(())
}

/// The alarm of an id, or of its unique beginning or end.
pub(super) fn find(client: &Client, id: &str) -> Result<v1::Alarm, CliError> {
    client
        .collect(Verb::AlarmsShow(v1::AlarmsShow { id: id.to_owned() }), Patience::Short)?
        .into_iter()
        .find_map(|a| if let Answer::Alarm(alarm) = a { Some(alarm) } else { None })
        .ok_or_else(|| CliError::Failed("the daemon answered without the alarm".into()))
}
