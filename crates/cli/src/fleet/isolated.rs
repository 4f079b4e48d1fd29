// SPDX-License-Identifier: Apache-2.0
//! Isolated files of the fleet.

use super::orders::{escape_path, follow, tail};
use super::{Fleet, shown, text};
use crate::commands::isolated::{DeleteArgs, IsolatedArgs, IsolatedVerb, RestoreArgs};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use lazaret_model::Sha256;
use serde_json::{Value, json};
use std::process::ExitCode;

/// # Errors
/// What the server or the host says.
pub(super) fn run(fleet: &Fleet<'_>, args: &IsolatedArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    match &args.verb {
        IsolatedVerb::List(args) => {
            let mut query = fleet.only(&["host"])?;
            query.extend(args.status.map(|s| ("status", s.to_owned())));
            list(&fleet.http.all("/isolated-files", &query)?, out)?;
            Ok(ExitCode::SUCCESS)
        }
        IsolatedVerb::Show(args) => {
            let id = find(fleet, &args.id)?;
            let full = fleet.http.get(&format!("/isolated-files/{id}"), &[])?;
            if out.json {
                out.json(&full)?;
            } else {
                list(std::slice::from_ref(&full["summary"]), out)?;
                out.text(&format!("alarm {}", shown(&full["summary"], "alarm")))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        IsolatedVerb::Restore(args) => restore(fleet, args, out),
        IsolatedVerb::Delete(args) => delete(fleet, args, out),
        IsolatedVerb::Verify(_) => Err(CliError::Usage(
            "a vault is verified on its own host: run lazaret isolated verify there".into(),
        )),
    }
}

fn find(fleet: &Fleet<'_>, word: &str) -> Result<String, CliError> {
    if crate::commands::is_whole_id(word) {
        return Ok(escape_path(word));
    }
    super::one("isolated file", word, &fleet.http.all("/isolated-files", &fleet.only(&["host"])?)?)
}

fn list(files: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return files.iter().try_for_each(|f| out.json(f));
    }
    let mut table = out.look.table(["Id", "Isolated", "Host", "Status", "Conf", "Malware", "Path", "Reason"]);
    for f in files {
        let status = text(f, "status");
        table.add_row([
            out.look.cell(Paint::Plain, &tail(f, "id")),
            out.look.cell(Paint::Plain, &shown(f, "isolated_at")),
            out.look.cell(Paint::Plain, &shown(&f["host"], "name")),
            out.look.cell(Paint::of_outcome(status), status),
            out.look.cell(Paint::Plain, &f["confidence"].to_string()),
            out.look.cell(Paint::Plain, format!("{} {}", shown(f, "class"), shown(f, "family")).trim_end()),
            out.look.cell(Paint::Plain, &shown(f, "path")),
            out.look.cell(Paint::Plain, &shown(f, "reason")),
        ]);
    }
    out.text(&lines(&table))
}

fn restore(fleet: &Fleet<'_>, args: &RestoreArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    if args.to.is_some() {
        return Err(CliError::Usage(
            "a server restores to where the file was, or with --released to the host's folder for that; any \
             other place only on the host itself"
                .into(),
        ));
    }
    let mut body = json!({"released": args.released, "parents": args.parents, "restart": args.restart});
    let path = match (&args.id, &args.sha256) {
        (Some(word), _) => format!("/isolated-files/{}/restore", find(fleet, word)?),
        (None, Some(sha256)) => {
            everywhere(fleet, sha256, args.yes, &mut body, out)?;
            "/isolated-files/restore".to_owned()
        }
        (None, None) => return Err(CliError::Usage("which file? Give its id, or --sha256".into())),
    };
    let ordered = fleet.http.post(&path, &body)?;
    follow(fleet, &ordered, out)
}

/// Of one content every file, on the named host or on all: shown, and asked about.
fn everywhere(
    fleet: &Fleet<'_>,
    sha256: &Sha256,
    yes: bool,
    body: &mut Value,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut query = fleet.only(&["host"])?;
    let one_host = !query.is_empty();
    query.push(("sha256", sha256.to_string()));
    query.push(("status", "isolated,isolated_in_place,restore_failed,delete_failed".to_owned()));
    let found = fleet.http.all("/isolated-files", &query)?;
    if found.is_empty() {
        return Err(CliError::Failed(format!("no file with the content {sha256} is isolated")));
    }
    if one_host {
        body["files"] = json!(found.iter().map(|f| text(f, "id")).collect::<Vec<_>>());
    } else {
        body["sha256"] = json!(sha256.to_string());
    }
    if !out.json {
        list(&found, out)?;
    }
    let question = format!("They are let be on their hosts from then on. Restore these {}?", found.len());
    if !yes && !out.confirm(&question)? {
        return Err(CliError::Failed("nothing was restored".into()));
    }
    Ok(())
}

fn delete(fleet: &Fleet<'_>, args: &DeleteArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let mut ids = Vec::new();
    for word in &args.id {
        ids.push(find(fleet, word)?);
    }
    let question = format!("Nobody can restore a deleted file. Delete {} for good?", ids.len());
    if !args.yes && !out.confirm(&question)? {
        return Err(CliError::Failed("nothing was deleted".into()));
    }
    let ordered = fleet.http.post("/isolated-files/delete", &json!({"files": ids}))?;
    follow(fleet, &ordered, out)
}
