// SPDX-License-Identifier: Apache-2.0
//! `lazaret scans`: the scans of a fleet, and how far they are.

use super::orders::{escape_path, follow};
use super::{Fleet, shown};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// List the scans of a fleet, pause one, let it go on, or end it
#[derive(Debug, Args)]
pub(crate) struct ScansArgs {
    #[command(subcommand)]
    verb: ScansVerb,
}

#[derive(Debug, Subcommand)]
enum ScansVerb {
    List(ListArgs),
    Show(ShowArgs),
    Pause(PauseArgs),
    Resume(ResumeArgs),
    Cancel(CancelArgs),
}

/// List scans, newest first
#[derive(Debug, Args)]
struct ListArgs {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

/// Show how each host of a scan stands
#[derive(Debug, Args)]
struct ShowArgs {
    /// The scan's id
    scan: String,
}

/// Let hosts stop where they are, also over restarts, and others wait for their turn
#[derive(Debug, Args)]
struct PauseArgs {
    /// The scan's id
    scan: String,
}

/// Let a paused scan go on, from the last folder that each host has finished
#[derive(Debug, Args)]
struct ResumeArgs {
    /// The scan's id
    scan: String,
}

/// End a scan before its time
#[derive(Debug, Args)]
struct CancelArgs {
    /// The scan's id
    scan: String,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &ScansArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let post = |scan: &str, verb: &str| {
        fleet.http.post(&format!("/scan-tasks/{}/{verb}", escape_path(scan)), &json!({}))
    };
    match &args.verb {
        ScansVerb::List(args) => {
            list(&fleet.http.some("/scan-tasks", &[], args.limit as usize)?, out)?;
        }
        ScansVerb::Show(args) => {
            hosts(&fleet.http.all(&format!("/scan-tasks/{}/hosts", escape_path(&args.scan)), &[])?, out)?;
        }
        ScansVerb::Pause(args) => return follow(fleet, &post(&args.scan, "pause")?, out),
        ScansVerb::Resume(args) => return follow(fleet, &post(&args.scan, "resume")?, out),
        ScansVerb::Cancel(args) => {
            let answer = post(&args.scan, "cancel")?;
            if out.json {
                out.json(&answer)?;
            } else {
                out.text(&format!("scan {} ends", shown(&answer["task"], "id")))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(scans: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return scans.iter().try_for_each(|s| out.json(s));
    }
    let mut table = out.look.table(["Scan", "Name", "Kind", "State", "By", "Begun"]);
    for s in scans {
        table.add_row(
            ["id", "name", "kind", "task_status", "started_by", "created_at"]
                .map(|key| out.look.cell(Paint::Plain, &shown(s, key))),
        );
    }
    out.text(&lines(&table))
}

fn hosts(found: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return found.iter().try_for_each(|h| out.json(h));
    }
    let mut table = out.look.table(["Host", "State", "Done", "Files", "Found", "Errors", "Why"]);
    for h in found {
        let percent = h["permille"].as_u64().unwrap_or_default() / 10;
        table.add_row([
            out.look.cell(Paint::Plain, &shown(&h["host"], "name")),
            out.look.cell(Paint::Plain, &shown(h, "host_task_status")),
            out.look.cell(Paint::Plain, &format!("{percent} %")),
            out.look.cell(Paint::Plain, &h["scan_file_num"].to_string()),
            out.look.cell(Paint::Plain, &h["virus_num"].to_string()),
            out.look.cell(Paint::Plain, &h["errors"].to_string()),
            out.look.cell(Paint::Plain, &shown(h, "fail_reason")),
        ]);
    }
    out.text(&lines(&table))
}
