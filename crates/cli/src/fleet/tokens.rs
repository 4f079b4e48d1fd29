// SPDX-License-Identifier: Apache-2.0
//! `lazaret tokens`: rights to enrol.

use super::hosts::done;
use super::orders::{escape_path, tail};
use super::{Fleet, http::Method, items, shown};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Make, list and revoke the tokens with which hosts enrol
#[derive(Debug, Args)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    verb: TokensVerb,
}

#[derive(Debug, Subcommand)]
enum TokensVerb {
    Add(AddArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Make a token; its secret and the line for the new host are shown this once
///
/// With --group the hosts that enrol with it go into that host group.
#[derive(Debug, Args)]
struct AddArgs {
    /// Valid for so many hours
    #[arg(long, value_name = "N", default_value_t = 24)]
    hours: u32,
    /// For so many hosts; without it for any number
    #[arg(long, value_name = "N")]
    uses: Option<u32>,
    /// For people
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
}

/// List tokens, without their secrets
#[derive(Debug, Args)]
struct ListArgs {}

/// Revoke a token; hosts that enrolled with it stay
#[derive(Debug, Args)]
struct RevokeArgs {
    /// Its id, or the unique beginning or end of it
    id: String,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &TokensArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    match &args.verb {
        TokensVerb::Add(args) => {
            let mut body = json!({"project": fleet.project(), "note": args.note, "valid_hours": args.hours});
            if let Some(uses) = args.uses {
                body["uses"] = json!(uses);
            }
            if let Some(group) = &fleet.global.group {
                body["group"] = Value::String(fleet.group(group)?);
            }
            let answer = fleet.http.post("/enrolment-tokens", &body)?;
            if out.json {
                out.json(&answer)?;
            } else {
                out.text("As root on the new host:")?;
                out.text(&format!("  {}", shown(&answer, "install")))?;
                out.text("or, where the agent is installed already:")?;
                out.text(&format!("  {}", shown(&answer, "enrol")))?;
            }
        }
        TokensVerb::List(ListArgs {}) => {
            let found = fleet.http.get("/enrolment-tokens", &[])?;
            if out.json {
                items(&found).iter().try_for_each(|t| out.json(t))?;
            } else {
                let mut table = out.look.table(["Id", "Until", "Uses left", "Made by", "Note"]);
                for t in items(&found) {
                    let left = t["uses_left"].as_i64().map_or("any".to_owned(), |n| n.to_string());
                    table.add_row([
                        out.look.cell(Paint::Plain, &tail(t, "id")),
                        out.look.cell(Paint::Plain, &shown(t, "expires_at")),
                        out.look.cell(Paint::Plain, &left),
                        out.look.cell(Paint::Plain, &shown(t, "created_by")),
                        out.look.cell(Paint::Plain, &shown(t, "note")),
                    ]);
                }
                out.text(&lines(&table))?;
            }
        }
        TokensVerb::Revoke(args) => {
            let found = fleet.http.get("/enrolment-tokens", &[])?;
            let id = super::one("token", &args.id, items(&found))?;
            let path = format!("/enrolment-tokens/{}", escape_path(&id));
            let answer = fleet.http.send(Method::Delete, &path, &[], None)?;
            done(out, &answer, "revoked")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
