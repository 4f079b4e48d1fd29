// SPDX-License-Identifier: Apache-2.0
//! `lazaret approvals`: orders that wait for a second person.

use super::hosts::done;
use super::orders::{escape_path, tail};
use super::{Fleet, items, shown};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

/// List orders that wait for a second person; approve, reject or take them back
#[derive(Debug, Args)]
pub(crate) struct ApprovalsArgs {
    #[command(subcommand)]
    verb: ApprovalsVerb,
}

#[derive(Debug, Subcommand)]
enum ApprovalsVerb {
    List(ListArgs),
    /// Say yes: it is done now, as it was asked for
    Approve(SayArgs),
    /// Say no: nothing is done
    Reject(SayArgs),
    /// Take the own order back
    Cancel(SayArgs),
}

/// List what waits
#[derive(Debug, Args)]
struct ListArgs {
    /// What was decided too
    #[arg(long)]
    all: bool,
}

/// Decide about one
#[derive(Debug, Args)]
struct SayArgs {
    /// Its id, or the unique beginning or end of it
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    remark: String,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &ApprovalsArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let (say, verb, text) = match &args.verb {
        ApprovalsVerb::List(args) => {
            list(fleet, args.all, out)?;
            return Ok(ExitCode::SUCCESS);
        }
        ApprovalsVerb::Approve(say) => (say, "approve", "approved; it is done now"),
        ApprovalsVerb::Reject(say) => (say, "reject", "rejected; nothing is done"),
        ApprovalsVerb::Cancel(say) => (say, "cancel", "taken back; nothing is done"),
    };
    let found = fleet.http.get("/approvals", &[("state", "pending".to_owned())])?;
    let id = super::one("waiting approval", &say.id, items(&found))?;
    let path = format!("/approvals/{}/{verb}", escape_path(&id));
    let answer = fleet.http.post(&path, &json!({"remark": say.remark}))?;
    done(out, &answer, text)?;
    Ok(ExitCode::SUCCESS)
}

fn list(fleet: &Fleet<'_>, all: bool, out: &mut Output) -> Result<(), CliError> {
    let state = [("state", "pending".to_owned())];
    let found = fleet.http.get("/approvals", if all { &[] } else { &state })?;
    if out.json {
        return items(&found).iter().try_for_each(|a| out.json(a));
    }
    let mut table = out.look.table(["Id", "What", "Ordered by", "Until", "State", "Decided by"]);
    for a in items(&found) {
        let row = [
            tail(a, "id"),
            shown(a, "title"),
            shown(a, "ordered_by"),
            shown(a, "expires_at"),
            shown(a, "state"),
            shown(a, "decided_by"),
        ];
        table.add_row(row.map(|text| out.look.cell(Paint::Plain, &text)));
    }
    out.text(&lines(&table))
}
