// SPDX-License-Identifier: Apache-2.0
//! `lazaret targets`: where a server tells alarms to.

use super::orders::{escape_path, tail};
use super::{Fleet, items, shown};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Look at where the server tells alarms to, and test it
#[derive(Debug, Args)]
pub(crate) struct TargetsArgs {
    #[command(subcommand)]
    verb: TargetsVerb,
}

#[derive(Debug, Subcommand)]
enum TargetsVerb {
    List(ListArgs),
    Test(TestArgs),
}

/// List mails, web hooks and exports, and how far each is
#[derive(Debug, Args)]
struct ListArgs {}

/// Send one test message and say what the target did
///
/// The exit status is 1 when it was not delivered.
#[derive(Debug, Args)]
struct TestArgs {
    /// Its name, its id, or the unique beginning or end of that
    id: String,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &TargetsArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let found = fleet.http.get("/targets", &[])?;
    match &args.verb {
        TargetsVerb::List(ListArgs {}) => {
            if out.json {
                items(&found).iter().try_for_each(|t| out.json(t))?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut table = out.look.table(["Id", "Name", "Kind", "Project", "On", "Sent", "Last error"]);
            for t in items(&found) {
                let project = t["project"].as_str().unwrap_or("every one");
                table.add_row([
                    out.look.cell(Paint::Plain, &tail(t, "id")),
                    out.look.cell(Paint::Plain, &shown(t, "name")),
                    out.look.cell(Paint::Plain, &shown(t, "kind")),
                    out.look.cell(Paint::Plain, &crate::escape::text(project)),
                    out.look.cell(Paint::Plain, if t["enabled"] == true { "yes" } else { "no" }),
                    out.look.cell(Paint::Plain, &t["state"]["sent"].as_i64().unwrap_or(0).to_string()),
                    out.look.cell(Paint::Plain, &shown(&t["state"], "error")),
                ]);
            }
            out.text(&lines(&table))?;
            Ok(ExitCode::SUCCESS)
        }
        TargetsVerb::Test(args) => {
            let id = super::one("target", &args.id, items(&found))?;
            let answer: Value =
                fleet.http.post(&format!("/targets/{}/test", escape_path(&id)), &json!({}))?;
            let delivered = answer["delivered"] == true;
            if out.json {
                out.json(&answer)?;
            } else if delivered {
                out.text("delivered")?;
            } else {
                out.text(&format!("not delivered: {}", shown(&answer, "error")))?;
            }
            Ok(if delivered { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
    }
}
