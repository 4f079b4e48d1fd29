// SPDX-License-Identifier: Apache-2.0
//! `lazaret rules`.

use super::perform;
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use crate::{json, render};
use clap::{Args, Subcommand};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::process::ExitCode;

/// List rules that are disarmed, disarm one for a fleet, and arm them again
///
/// A rule that hits a file of an intact package, or many running services, is more likely wrong than
/// the host is infected; then it only refuses and reports until a person has looked at its alarms. At a
/// server, people disarm a rule for every host of a project: it only alarms there.
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) verb: RulesVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesVerb {
    Disarmed(DisarmedArgs),
    Disarm(DisarmArgs),
    Rearm(RearmArgs),
}

/// List the rules that only refuse and report: since when, why, and what they held back
#[derive(Debug, Args)]
pub(crate) struct DisarmedArgs {}

/// Let a rule only alarm, on every host of a project; with --server or --project
#[derive(Debug, Args)]
pub(crate) struct DisarmArgs {
    /// The rule, as alarms name it in their evidence
    pub(crate) rule: String,
    /// Why, for those who look at it later
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// Let a rule isolate and kill again
#[derive(Debug, Args)]
pub(crate) struct RearmArgs {
    /// The rule, as `lazaret rules disarmed` names it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) rule: Option<String>,
    /// Every rule that is disarmed
    #[arg(long)]
    all: bool,
}

/// # Errors
/// No daemon, not permitted, or no such breaker.
pub(crate) fn run(args: &RulesArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    match &args.verb {
        RulesVerb::Disarmed(DisarmedArgs {}) => disarmed(&client, out),
        RulesVerb::Disarm(_) => Err(CliError::Usage(
            "a rule is disarmed for the hosts of a project, at their server: name it with --server or --project; on \
             this host alone, a whitelist entry lets a file be"
                .into(),
        )),
        RulesVerb::Rearm(RearmArgs { rule, .. }) => {
            let verb = Verb::BreakerRearm(v1::BreakerRearm { rule: rule.clone().unwrap_or_default() });
            perform(&client, verb, Patience::Short, out)
        }
    }
}

fn disarmed(client: &Client, out: &mut Output) -> Result<ExitCode, CliError> {
    let answers = client.collect(Verb::RulesDisarmed(v1::RulesDisarmed {}), Patience::Short)?;
    let rules: Vec<v1::DisarmedRule> = answers
        .into_iter()
        .filter_map(|a| if let Answer::DisarmedRule(rule) = a { Some(rule) } else { None })
        .collect();
    if out.json {
        for rule in &rules {
            out.json(&json::DisarmedRule::from(rule))?;
        }
    } else {
        out.text(&render::disarmed(out.look, &rules))?;
    }
    Ok(ExitCode::SUCCESS)
}
