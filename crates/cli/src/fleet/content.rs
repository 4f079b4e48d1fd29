// SPDX-License-Identifier: Apache-2.0
//! `lazaret content` over a fleet: what people added to a project's content.

use super::hosts::done;
use super::orders::{escape_path, tail};
use super::{Fleet, http::Method, items, shown};
use crate::commands::content::{ContentArgs, ContentVerb};
use crate::error::CliError;
use crate::escape;
use crate::output::{Output, Paint, lines};
use serde_json::{Value, json};
use std::process::ExitCode;

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &ContentArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let of_project = [("project", fleet.project())];
    match &args.verb {
        ContentVerb::Reload(_) => {
            return Err(CliError::Usage(
                "content is reloaded on one host: run it there, without --server, --host, --group and --project"
                    .into(),
            ));
        }
        ContentVerb::List(_) => list(&fleet.http.get("/content", &of_project)?, out)?,
        ContentVerb::Add(args) => {
            let body = std::fs::read_to_string(&args.file)
                .map_err(|e| CliError::file("read the rules or digests", &args.file, &e))?;
            let name = match &args.name {
                Some(name) => name.clone(),
                None => args.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            };
            let kind = if args.hashes { "hashes" } else { "yara" };
            let ask = json!({"project": fleet.project(), "name": name, "kind": kind, "body": body});
            let answer = fleet.http.post("/content", &ask)?;
            let text = format!(
                "{} is added with {} entries; it reaches the rating medium at most, until it is promoted",
                shown(&answer, "name"),
                answer["entries"]
            );
            done(out, &answer, &text)?;
        }
        ContentVerb::Promote(args) => {
            let id = find(fleet, &args.id)?;
            let question = "Its hits may then isolate files and kill programs by themselves. Promote it?";
            if !args.no && !args.yes && !out.confirm(question)? {
                return Err(CliError::Failed("it stays as it was".into()));
            }
            let path = format!("/content/{}", escape_path(&id));
            let ask = json!({"promoted": !args.no});
            let answer = fleet.http.send(Method::Put, &path, &[], Some(&ask))?;
            done(out, &answer, if args.no { "it reaches medium at most again" } else { "promoted" })?;
        }
        ContentVerb::Remove(args) => {
            let path = format!("/content/{}", escape_path(&find(fleet, &args.id)?));
            let answer = fleet.http.send(Method::Delete, &path, &[], None)?;
            done(out, &answer, "removed; the project's hosts drop it within seconds")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find(fleet: &Fleet<'_>, word: &str) -> Result<String, CliError> {
    let found = fleet.http.get("/content", &[("project", fleet.project())])?;
    super::one("content", word, items(&found))
}

fn list(found: &Value, out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return out.json(found);
    }
    let pack = &found["pack"];
    if pack.is_null() {
        out.text("Hosts of this project use the content that is installed there.")?;
    } else {
        let text =
            format!("Version {}, number {}, {} bytes", shown(pack, "version"), pack["number"], pack["size"]);
        out.text(&escape::text(&text))?;
    }
    let mut table = out.look.table(["Id", "Name", "Kind", "Entries", "Reaches", "Added by"]);
    for item in items(found) {
        let promoted = item["promoted"] == true;
        let reach = if promoted { "high" } else { "medium" };
        table.add_row([
            out.look.cell(Paint::Plain, &tail(item, "id")),
            out.look.cell(Paint::Plain, &shown(item, "name")),
            out.look.cell(Paint::Plain, &shown(item, "kind")),
            out.look.cell(Paint::Plain, &item["entries"].to_string()),
            out.look.cell(Paint::of_rating(reach), reach),
            out.look.cell(Paint::Plain, &shown(item, "added_by")),
        ]);
    }
    if !items(found).is_empty() {
        out.text(&lines(&table))?;
    }
    Ok(())
}
