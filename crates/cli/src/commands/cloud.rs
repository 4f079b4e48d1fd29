// SPDX-License-Identifier: Apache-2.0
//! `lazaret cloud`.

use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use crate::{json, render, time};
use clap::{Args, Subcommand, ValueEnum};
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::process::ExitCode;

/// Malware Cloud Scan on this host: what leaves it, what was sent and when, what came back
///
/// The cloud is the fleet's own server. Nothing leaves a host before its project has consented: hashes of
/// programs, or unknown programs too. `[cloud]` in lazaretd.toml takes away from that on this host.
#[derive(Debug, Args)]
pub(crate) struct CloudArgs {
    #[command(subcommand)]
    pub(crate) verb: CloudVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CloudVerb {
    Status(StatusArgs),
    Sent(SentArgs),
    Verdicts(VerdictsArgs),
}

/// Show what may leave this host, why not more, and how far it is
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

/// List what was sent to a server, the newest first
///
/// One line for each file and day: repeats are counted. The list goes back 30 days, and 100,000 lines.
#[derive(Debug, Args)]
pub(crate) struct SentArgs {
    /// Only hashes, or only samples
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) what: Option<What>,
    /// Only of this content: 64 hexadecimal digits
    #[arg(long, value_name = "SHA256")]
    pub(crate) sha256: Option<Sha256>,
    /// Only of the last so many hours
    #[arg(long, value_name = "HOURS")]
    pub(crate) hours: Option<u32>,
    /// At most so many lines; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: u32,
}

/// List the server's verdicts that hold on this host, the newest first
///
/// What is listed may not run here; where the ring of this host is reached, it is isolated and killed as
/// the host's policy says.
#[derive(Debug, Args)]
pub(crate) struct VerdictsArgs {
    /// Only on this content: 64 hexadecimal digits
    #[arg(long, value_name = "SHA256")]
    pub(crate) sha256: Option<Sha256>,
    /// At most so many lines; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: u32,
}

/// What leaves a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    Hash,
    Sample,
}

/// # Errors
/// No daemon, not permitted, or no server.
pub(crate) fn run(args: &CloudArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    match &args.verb {
        CloudVerb::Status(StatusArgs {}) => status(&client, out)?,
        CloudVerb::Sent(args) => sent(&client, args, out)?,
        CloudVerb::Verdicts(args) => verdicts(&client, args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn status(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let verb = Verb::CloudStatus(v1::CloudStatusRequest {});
    let answers = client.collect(verb, Patience::Short)?;
    let found = answers.into_iter().find_map(|a| if let Answer::CloudStatus(s) = a { Some(s) } else { None });
    let status = found.ok_or_else(|| CliError::Failed("the daemon answered without a status".into()))?;
    if out.json {
        out.json(&json::CloudLine::from(&status))
    } else {
        out.text(&render::cloud(out.look, &status))
    }
}

fn digest(given: Option<Sha256>) -> Vec<u8> {
    given.map(|d| d.0.to_vec()).unwrap_or_default()
}

fn sent(client: &Client, args: &SentArgs, out: &mut Output) -> Result<(), CliError> {
    let what = match args.what {
        None => "",
        Some(What::Hash) => "hash",
        Some(What::Sample) => "sample",
    };
    let since = args.hours.map_or(0, |h| time::now_ms().saturating_sub(i64::from(h) * 3_600_000));
    let verb = Verb::CloudSent(v1::CloudSentList {
        what: what.into(),
        sha256: digest(args.sha256),
        since_ms: since.max(0),
        limit: args.limit,
    });
    let rows: Vec<v1::CloudSent> = client
        .collect(verb, Patience::Short)?
        .into_iter()
        .filter_map(|a| if let Answer::CloudSent(row) = a { Some(row) } else { None })
        .collect();
    if out.json {
        return rows.iter().try_for_each(|row| out.json(&json::CloudSent::from(row)));
    }
    out.text(&render::cloud_sent(out.look, &rows, args.limit))
}

fn verdicts(client: &Client, args: &VerdictsArgs, out: &mut Output) -> Result<(), CliError> {
    let verb = Verb::CloudVerdicts(v1::CloudVerdictsList { sha256: digest(args.sha256), limit: args.limit });
    let rows: Vec<v1::CloudVerdict> = client
        .collect(verb, Patience::Short)?
        .into_iter()
        .filter_map(|a| if let Answer::CloudVerdict(row) = a { Some(row) } else { None })
        .collect();
    if out.json {
        return rows.iter().try_for_each(|row| out.json(&json::CloudVerdict::from(row)));
    }
    out.text(&render::cloud_verdicts(out.look, &rows, args.limit))
}
