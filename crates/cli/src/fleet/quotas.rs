// SPDX-License-Identifier: Apache-2.0
//! `lazaret quotas`: how many hosts may have which edition, and which have.

use super::hosts::done;
use super::orders::tail;
use super::{Fleet, items, shown};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

/// List and make quotas of editions, give them to hosts and take them back
#[derive(Debug, Args)]
pub(crate) struct QuotasArgs {
    #[command(subcommand)]
    verb: QuotasVerb,
}

#[derive(Debug, Subcommand)]
enum QuotasVerb {
    List(ListArgs),
    Add(AddArgs),
    Bind(BindArgs),
    Unbind(UnbindArgs),
}

/// List quotas: edition, how many hosts, how many are left, until when
#[derive(Debug, Args)]
struct ListArgs {}

/// Make a quota for a project (--project), or for all with --shared
#[derive(Debug, Args)]
struct AddArgs {
    /// basic, professional, enterprise, premium, wtp or container
    edition: String,
    /// Hosts; without it any number
    #[arg(long, value_name = "N")]
    total: Option<u64>,
    /// Ends then (RFC 3339)
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Hosts that enrol take from it by themselves
    #[arg(long)]
    automatic: bool,
    /// For all projects
    #[arg(long)]
    shared: bool,
    /// For people
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
}

/// Give hosts a quota; what they had goes back
#[derive(Debug, Args)]
struct BindArgs {
    /// The quota's id, or the unique beginning or end of it
    quota: String,
    /// Names or ids of hosts
    #[arg(required = true, num_args = 1..=100)]
    hosts: Vec<String>,
}

/// Take from hosts what they have; files can be restored as before
#[derive(Debug, Args)]
struct UnbindArgs {
    /// Names or ids of hosts
    #[arg(required = true, num_args = 1..=100)]
    hosts: Vec<String>,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &QuotasArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let ids = |hosts: &[String]| hosts.iter().map(|h| fleet.host(h)).collect::<Result<Vec<_>, _>>();
    match &args.verb {
        QuotasVerb::List(ListArgs {}) => list(fleet, out)?,
        QuotasVerb::Add(args) => {
            let project = if args.shared { "*".to_owned() } else { fleet.project() };
            let mut body = json!({"project": project, "edition": args.edition, "automatic": args.automatic,
                "note": args.note});
            if let Some(total) = args.total {
                body["total"] = json!(total);
            }
            if let Some(expires) = &args.expires {
                body["expires_at"] = json!(expires);
            }
            let answer = fleet.http.post("/quotas", &body)?;
            let text = format!("quota {}", shown(&answer, "id"));
            done(out, &answer, &text)?;
        }
        QuotasVerb::Bind(args) => {
            let found = fleet.http.get("/quotas", &[])?;
            let quota = super::one("quota", &args.quota, items(&found))?;
            let body = json!({"quota": quota, "hosts": ids(&args.hosts)?});
            let answer = fleet.http.post("/quotas/bind", &body)?;
            done(out, &answer, &format!("bound to {} hosts", answer["hosts"]))?;
        }
        QuotasVerb::Unbind(args) => {
            let body = json!({"hosts": ids(&args.hosts)?});
            let answer = fleet.http.post("/quotas/unbind", &body)?;
            done(out, &answer, &format!("taken from {} hosts", answer["hosts"]))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(fleet: &Fleet<'_>, out: &mut Output) -> Result<(), CliError> {
    let found = fleet.http.get("/quotas", &[])?;
    if out.json {
        return items(&found).iter().try_for_each(|q| out.json(q));
    }
    let mut table = out.look.table([
        "Id",
        "Project",
        "Edition",
        "Status",
        "Total",
        "Used",
        "Idle",
        "Until",
        "At enrolment",
    ]);
    for q in items(&found) {
        let number = |key: &str, none: &str| q[key].as_i64().map_or(none.to_owned(), |n| n.to_string());
        let any = if q["unlimited"] == true { "any" } else { "-" };
        let status = shown(q, "quota_status");
        let paint = if status == "normal" { Paint::Green } else { Paint::Yellow };
        table.add_row([
            out.look.cell(Paint::Plain, &tail(q, "id")),
            out.look.cell(Paint::Plain, &shown(q, "project")),
            out.look.cell(Paint::Plain, &shown(q, "edition")),
            out.look.cell(paint, &status),
            out.look.cell(Paint::Plain, &number("total", any)),
            out.look.cell(Paint::Plain, &number("used", "-")),
            out.look.cell(Paint::Plain, &number("idle", any)),
            out.look.cell(Paint::Plain, &shown(q, "expires_at")),
            out.look.cell(Paint::Plain, if q["automatic"] == true { "yes" } else { "no" }),
        ]);
    }
    out.text(&lines(&table))
}
