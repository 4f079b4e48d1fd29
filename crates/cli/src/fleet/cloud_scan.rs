// SPDX-License-Identifier: Apache-2.0
//! `lazaret cloud-scan`: what a project has consented to, and the switch.

use super::files::said;
use super::http::Method;
use super::orders::escape_path;
use super::{Fleet, shown};
use crate::error::CliError;
use crate::escape;
use crate::output::Output;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Show and set what leaves the hosts of a project for Malware Cloud Scan, and switch it
#[derive(Debug, Args)]
pub(crate) struct CloudScanArgs {
    #[command(subcommand)]
    verb: CloudScanVerb,
}

#[derive(Debug, Subcommand)]
enum CloudScanVerb {
    Show(ShowArgs),
    Set(SetArgs),
    On(SwitchArgs),
    Off(OffArgs),
}

/// Show in words what leaves the hosts of the project
#[derive(Debug, Args)]
struct ShowArgs {}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    On,
    Off,
}

/// Change the consent; what is not named stays. It says what leaves the hosts then, and asks
#[derive(Debug, Args)]
struct SetArgs {
    /// Paths, digests, sizes and kinds of programs and scripts are told, and asked about
    #[arg(long, value_name = "ON|OFF")]
    hashes: Option<Choice>,
    /// Unknown programs and scripts are sent as a whole
    #[arg(long, value_name = "ON|OFF")]
    samples: Option<Choice>,
    /// Larger files are never sent
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    /// No file is sent from this folder; instead of those that were named before; again for more
    #[arg(long, value_name = "FOLDER", conflicts_with = "exclude_none")]
    exclude: Vec<String>,
    /// No folder is left out any more
    #[arg(long)]
    exclude_none: bool,
    /// Only files of this kind are sent: executable, script; again for more
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// An execution waits so long for an answer at most, milliseconds
    #[arg(long, value_name = "MS")]
    wait: Option<u32>,
    /// Without an answer in time what no package owns is refused; off: it runs
    #[arg(long, value_name = "ON|OFF")]
    fail_closed: Option<Choice>,
    /// Bytes a second that a host sends of samples; 0: no bound
    #[arg(long, value_name = "BYTES")]
    rate: Option<u64>,
    /// Host group that isolates and kills first; instead of those that were named before; again for more
    #[arg(long, value_name = "GROUP", conflicts_with = "no_canary")]
    canary: Vec<String>,
    /// No group goes first
    #[arg(long)]
    no_canary: bool,
    /// All others follow after so many seconds; 0: at the same time; -1: only when a person says so
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    ring: Option<i64>,
    /// Samples are kept so many days; 0: until somebody deletes them
    #[arg(long, value_name = "DAYS")]
    retention: Option<u32>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Switch it on: a quick scan of all hosts of the project begins, spread over ten minutes
#[derive(Debug, Args)]
struct SwitchArgs {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Switch it off: nothing leaves the hosts any more
#[derive(Debug, Args)]
struct OffArgs {}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &CloudScanArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    if fleet.global.host.is_some() || fleet.global.group.is_some() {
        return Err(CliError::Usage("consent and switch are a project's: give --project".into()));
    }
    let path = format!("/projects/{}/cloud-scan", escape_path(&fleet.project()));
    let before = fleet.http.get(&path, &[])?;
    match &args.verb {
        CloudScanVerb::Show(ShowArgs {}) => {
            if out.json {
                out.json(&before)?
            } else {
                out.text(words(&before).trim_end())?
            }
        }
        CloudScanVerb::Set(args) => {
            let consent = changed(fleet, args, before["consent"].clone())?;
            if !args.yes {
                let asked = format!("{}\nChange it to this?", asks(&consent));
                if !out.confirm(&asked)? {
                    return Err(CliError::Failed("the consent stays as it was".into()));
                }
            }
            let revision = before["revision"].as_i64().unwrap_or_default();
            let answer = fleet.http.put_at(&path, revision, &consent)?;
            said(&answer, out, words(&answer).trim_end())?;
        }
        CloudScanVerb::On(args) => {
            if !args.yes && !out.confirm(&format!("{}Switch it on?", words(&before)))? {
                return Err(CliError::Failed("it stays off".into()));
            }
            let answer = switch(fleet, true)?;
            let task = shown(&answer["scan"], "task");
            let begun = if answer["scan"]["begun"] == true { "begins" } else { "runs already" };
            said(&answer, out, &format!("on; a quick scan of all hosts {begun}: lazaret scans show {task}"))?;
        }
        CloudScanVerb::Off(OffArgs {}) => said(&switch(fleet, false)?, out, "off; nothing leaves the hosts")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn switch(fleet: &Fleet<'_>, on: bool) -> Result<Value, CliError> {
    let body = json!({"project": fleet.project(), "on": on});
    fleet.http.send(Method::Put, "/switches/malware_cloud_scan", &[], Some(&body))
}

fn changed(fleet: &Fleet<'_>, args: &SetArgs, mut consent: Value) -> Result<Value, CliError> {
    let choices = [("hashes", args.hashes), ("samples", args.samples), ("fail_closed", args.fail_closed)];
    for (key, choice) in choices {
        if let Some(choice) = choice {
            consent[key] = json!(choice == Choice::On);
        }
    }
    let numbers = [
        ("max_sample_bytes", args.max_size),
        ("bytes_per_second", args.rate),
        ("wait_ms", args.wait.map(u64::from)),
        ("retention_days", args.retention.map(u64::from)),
    ];
    for (key, number) in numbers {
        if let Some(number) = number {
            consent[key] = json!(number);
        }
    }
    if args.exclude_none || !args.exclude.is_empty() {
        consent["exclude"] = json!(args.exclude);
    }
    if !args.kind.is_empty() {
        consent["kinds"] = json!(args.kind);
    }
    if let Some(seconds) = args.ring {
        consent["ring_seconds"] = json!(seconds);
    }
    if args.no_canary || !args.canary.is_empty() {
        let groups = args.canary.iter().map(|g| fleet.group(g)).collect::<Result<Vec<_>, _>>()?;
        consent["canary_groups"] = json!(groups);
    }
    Ok(consent)
}

/// Short, before it is set: the server's answer has the sentences.
fn asks(consent: &Value) -> String {
    let word = |key: &str| if consent[key] == true { "leave the hosts" } else { "stay on the hosts" };
    format!(
        "Paths and digests of programs and scripts {}; unknown files {}.",
        word("hashes"),
        word("samples")
    )
}

fn words(c: &Value) -> String {
    let mut text = format!(
        "Malware Cloud Scan is {} in project {}\n",
        if c["on"] == true { "on" } else { "off" },
        shown(c, "project")
    );
    for line in c["leaves_hosts"].as_array().into_iter().flatten() {
        text.push_str(&format!("- {}\n", escape::text(line.as_str().unwrap_or_default())));
    }
    if c["scan"].is_object() {
        let state = if c["scan"]["runs"] == true { "runs" } else { "has ended" };
        text.push_str(&format!("Its quick scan {} {state}\n", shown(&c["scan"], "task")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_is_said_line_by_line() {
        let text = words(&json!({"project": "0", "on": true, "leaves_hosts": ["Nothing \u{1b}[2J."],
            "scan": {"task": "t", "runs": false}}));
        assert!(text.contains("is on in project 0\n- Nothing") && text.contains("t has ended"), "{text}");
        assert!(!text.contains('\u{1b}'));
        let asked = asks(&json!({"hashes": true, "samples": false}));
        assert!(asked.contains("scripts leave the hosts; unknown files stay"), "{asked}");
    }
}
