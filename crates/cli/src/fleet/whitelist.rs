// SPDX-License-Identifier: Apache-2.0
//! The whitelist of a fleet.

use super::orders::{escape_path, follow, tail};
use super::{Fleet, http::Method, shown};
use crate::commands::whitelist::{AddArgs, RemoveArgs, WhitelistArgs, WhitelistVerb, entry};
use crate::error::CliError;
use crate::escape;
use crate::output::{Output, Paint, lines};
use base64::Engine as _;
use lazaret_model::Sha256;
use serde_json::{Value, json};
use std::process::ExitCode;

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &WhitelistArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    match &args.verb {
        WhitelistVerb::Add(args) => return add(fleet, args, out),
        WhitelistVerb::List(_) => list(&fleet.http.all("/whitelist", &[])?, out)?,
        WhitelistVerb::Remove(args) => remove(fleet, args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(fleet: &Fleet<'_>, args: &AddArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let entry = entry(args)?;
    let mut body = json!({
        "project": fleet.project(),
        "scope": "project",
        "field": entry.field,
        "judge": entry.judge,
        "any_content": entry.any_content,
        "description": if entry.description.is_empty() { "by the command line" } else { &entry.description },
    });
    match std::str::from_utf8(&entry.value) {
        Ok(text) => body["value"] = json!(text),
        Err(_) => {
            body["value_b64"] = json!(base64::engine::general_purpose::STANDARD.encode(&entry.value));
        }
    }
    if let Some(sha256) = Sha256::from_slice(&entry.sha256) {
        body["sha256"] = json!(sha256.to_string());
    }
    for (scope, id) in fleet.selection()? {
        body["scope"] = json!(scope);
        body["scope_id"] = json!(id);
    }
    let answer = fleet.http.post("/whitelist", &body)?;
    let isolated = answer["isolated"].as_array().map_or(&[][..], Vec::as_slice);
    if out.json {
        out.json(&answer)?;
    } else {
        out.text(&format!("whitelist entry {} added", shown(&answer["entry"], "id")))?;
    }
    if args.restore {
        return restore(fleet, isolated, answer["isolated_more"] == true, out);
    }
    if !out.json {
        offer(isolated, answer["isolated_more"] == true, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What stays isolated although the entry would have let it be.
fn offer(isolated: &[Value], more: bool, out: &mut Output) -> Result<(), CliError> {
    for f in isolated {
        out.text(&format!(
            "isolated before, and stays so unless it is restored: {} on {}: lazaret isolated restore {} --host {}",
            shown(f, "path"),
            shown(&f["host"], "name"),
            tail(f, "id"),
            shown(&f["host"], "id")
        ))?;
    }
    if more {
        out.text("and more of them: lazaret isolated list --project 0 --status isolated")?;
    }
    Ok(())
}

fn restore(
    fleet: &Fleet<'_>,
    isolated: &[Value],
    more: bool,
    out: &mut Output,
) -> Result<ExitCode, CliError> {
    if isolated.is_empty() {
        if !out.json {
            out.text("nothing is isolated that it would have let be")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let ids: Vec<&str> = isolated.iter().filter_map(|f| f["id"].as_str()).collect();
    let ordered = fleet.http.post("/isolated-files/restore", &json!({"files": ids, "parents": true}))?;
    let done = follow(fleet, &ordered, out)?;
    if more {
        out.warn("there are more than a hundred: lazaret isolated list --project 0 --status isolated");
    }
    Ok(done)
}

fn list(entries: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return entries.iter().try_for_each(|w| out.json(w));
    }
    let mut table =
        out.look.table(["Id", "Scope", "Field", "Judge", "Value", "Until", "Today", "Ever", "Owner", "Why"]);
    for w in entries {
        let cells = [
            tail(w, "id"),
            shown(w, "scope"),
            shown(w, "field"),
            shown(w, "judge"),
            shown(w, "value"),
            shown(w, "expires_at"),
            w["hits_today"].to_string(),
            w["hits_total"].to_string(),
            shown(w, "owner"),
            shown(w, "description"),
        ];
        table.add_row(cells.map(|c| out.look.cell(Paint::Plain, &c)));
    }
    out.text(&lines(&table))
}

fn remove(fleet: &Fleet<'_>, args: &RemoveArgs, out: &mut Output) -> Result<(), CliError> {
    let known = fleet.http.all("/whitelist", &[])?;
    for word in &args.id {
        let id = super::one("whitelist entry", word, &known)?;
        let query: Vec<_> =
            args.restore_alarm.then(|| ("restore_alarm", "true".to_owned())).into_iter().collect();
        let answer =
            fleet.http.send(Method::Delete, &format!("/whitelist/{}", escape_path(&id)), &query, None)?;
        let mut text = format!("whitelist entry {} removed", escape::text(&id));
        if args.restore_alarm {
            text.push_str(&format!(", {} alarms are listed again", answer["alarms"]));
        }
        super::hosts::done(out, &answer, &text)?;
    }
    Ok(())
}
