// SPDX-License-Identifier: Apache-2.0
//! `lazaret hosts`: who belongs to the fleet, and how protected they are.

use super::orders::tail;
use super::{Fleet, http::Method, shown, text};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// List the hosts of a fleet, show one, put it into a group, or take it out
#[derive(Debug, Args)]
pub(crate) struct HostsArgs {
    #[command(subcommand)]
    verb: HostsVerb,
}

#[derive(Debug, Subcommand)]
enum HostsVerb {
    List(ListArgs),
    Show(ShowArgs),
    Assign(AssignArgs),
    Remove(RemoveArgs),
}

/// List hosts with their status and their protection, configured and effective
#[derive(Debug, Args)]
struct ListArgs {
    /// Only those with this status: installing, installed, online, offline, install_failed, not_installed
    #[arg(long)]
    status: Option<String>,
    /// Only those whose name, id or address contains this
    text: Option<String>,
}

/// Show one host: what it is, what is protected there, and what it refused of the server's wishes
#[derive(Debug, Args)]
struct ShowArgs {
    /// Its name or id
    name: String,
}

/// Put a host into a host group, or say how much it matters
#[derive(Debug, Args)]
struct AssignArgs {
    /// Its name or id
    name: String,
    /// Name or id of the host group
    #[arg(long, value_name = "GROUP")]
    into: Option<String>,
    /// important, common or test
    #[arg(long)]
    importance: Option<String>,
}

/// Take a host out of the fleet; its alarms and isolated files stay
#[derive(Debug, Args)]
struct RemoveArgs {
    /// Its name or id
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &HostsArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    match &args.verb {
        HostsVerb::List(args) => {
            let mut query = fleet.only(&["group"])?;
            query.extend(args.status.clone().map(|s| ("status", s)));
            query.extend(args.text.clone().map(|t| ("text", t)));
            list(&fleet.http.all("/hosts", &query)?, out)?;
        }
        HostsVerb::Show(args) => {
            let id = fleet.host(&args.name)?;
            let full = fleet.http.get(&format!("/hosts/{id}"), &[])?;
            if out.json {
                out.json(&full)?;
            } else {
                one(&full, out)?;
            }
        }
        HostsVerb::Assign(args) => {
            let id = fleet.host(&args.name)?;
            let mut body = json!({"hosts": [id]});
            if let Some(group) = &args.into {
                body["group"] = Value::String(fleet.group(group)?);
            }
            if let Some(importance) = &args.importance {
                body["importance"] = Value::String(importance.clone());
            }
            let answer = fleet.http.post("/hosts/assign", &body)?;
            done(out, &answer, "done")?;
        }
        HostsVerb::Remove(args) => {
            let id = fleet.host(&args.name)?;
            let question = "It will have to enrol anew to come back. Take it out of the fleet?";
            if !args.yes && !out.confirm(question)? {
                return Err(CliError::Failed("the host stays".into()));
            }
            let answer = fleet.http.send(Method::Delete, &format!("/hosts/{id}"), &[], None)?;
            done(out, &answer, "the host is out of the fleet")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line, or the server's answer.
pub(super) fn done(out: &mut Output, answer: &Value, text: &str) -> Result<(), CliError> {
    if out.json { out.json(&json!({"type": "done", "answer": answer})) } else { out.text(text) }
}

fn list(hosts: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return hosts.iter().try_for_each(|h| out.json(h));
    }
    let mut table =
        out.look.table(["Id", "Name", "Status", "Protection", "Why not full", "Importance", "Agent", "Seen"]);
    for h in hosts {
        let (status, protection) = (text(h, "status"), text(&h["protection"], "state"));
        let paint = |good: bool| if good { Paint::Green } else { Paint::Yellow };
        table.add_row([
            out.look.cell(Paint::Plain, &tail(h, "id")),
            out.look.cell(Paint::Plain, &shown(h, "name")),
            out.look.cell(paint(status == "online"), status),
            out.look.cell(paint(protection == "full"), protection),
            out.look.cell(Paint::Plain, &shown(&h["protection"], "reason")),
            out.look.cell(Paint::Plain, &shown(h, "importance")),
            out.look.cell(Paint::Plain, &shown(h, "agent_version")),
            out.look.cell(Paint::Plain, &shown(h, "seen_at")),
        ]);
    }
    out.text(&lines(&table))?;
    out.text(&format!("{} hosts", hosts.len()))
}

fn one(full: &Value, out: &mut Output) -> Result<(), CliError> {
    list(std::slice::from_ref(&full["host"]), out)?;
    let h = &full["host"];
    out.text(&format!("{}, {}, kernel {}", shown(h, "os"), shown(h, "arch"), shown(h, "kernel")))?;
    let content = &full["content"];
    if content.is_object() {
        let state = shown(content, "state").replace('_', " ");
        out.text(&format!("content {}, {state}", shown(content, "version")))?;
        if content["reason"].is_string() {
            out.text(&format!("content refused: {}", shown(content, "reason")))?;
        }
    }
    let mut table = out.look.table(["Mount", "Type", "Configured", "Effective", "Why"]);
    for m in full["mounts"].as_array().into_iter().flatten() {
        let good = text(m, "configured") == text(m, "effective");
        table.add_row([
            out.look.cell(Paint::Plain, &shown(m, "path")),
            out.look.cell(Paint::Plain, &shown(m, "fs_type")),
            out.look.cell(Paint::Plain, &shown(m, "configured")),
            out.look.cell(if good { Paint::Green } else { Paint::Yellow }, &shown(m, "effective")),
            out.look.cell(Paint::Plain, &shown(m, "reason")),
        ]);
    }
    out.text(&lines(&table))?;
    let sentences =
        [(&full["degraded"], "degraded"), (&h["refused"], "refused"), (&full["pinned"], "pinned")];
    for (list, word) in sentences {
        for line in list.as_array().into_iter().flatten() {
            out.text(&format!("{word}: {}", crate::escape::text(line.as_str().unwrap_or_default())))?;
        }
    }
    Ok(())
}

/// How the fleet stands, in numbers.
///
/// # Errors
/// What the server says.
pub(super) fn statistics(fleet: &Fleet<'_>, out: &mut Output) -> Result<ExitCode, CliError> {
    let hosts = fleet.http.get("/hosts/statistics", &[])?;
    let alarms = fleet.http.get("/alarms/statistics", &[])?;
    let isolated = fleet.http.get("/isolated-files/statistics", &[])?;
    let ready: Value = serde_json::from_str(&fleet.http.plain("/readyz")?).unwrap_or(Value::Null);
    if out.json {
        let read_only = &ready["read_only"];
        out.json(&json!({"type": "fleet", "hosts": hosts, "alarms": alarms, "isolated": isolated, "read_only": read_only}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let counts = |list: &Value| -> String {
        let words = list.as_array().into_iter().flatten();
        words.map(|c| format!("{} {}", c["count"], shown(c, "word"))).collect::<Vec<_>>().join(", ")
    };
    if ready["read_only"].is_string() {
        out.text(&format!("Read-only   {}", shown(&ready, "read_only")))?;
    }
    out.text(&format!("Hosts       {}: {}", hosts["total"], counts(&hosts["by_status"])))?;
    out.text(&format!("Protection  {}", counts(&hosts["by_protection"])))?;
    out.text(&format!("Alarms      {}", counts(&alarms["by_severity"])))?;
    out.text(&format!("Isolated    {}", counts(&isolated["by_status"])))?;
    Ok(ExitCode::SUCCESS)
}
