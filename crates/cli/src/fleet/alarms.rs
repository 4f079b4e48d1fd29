// SPDX-License-Identifier: Apache-2.0
//! Alarms of the fleet.

use super::orders::{escape_path, follow, tail};
use super::{Fleet, shown, text};
use crate::commands::alarms::{AlarmsArgs, AlarmsVerb};
use crate::commands::handle::HandleArgs;
use crate::commands::thaw::ThawArgs;
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use serde_json::{Value, json};
use std::process::ExitCode;

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &AlarmsArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    match &args.verb {
        AlarmsVerb::List(args) => {
            let mut query = fleet.selection()?;
            query.extend(args.rating.map(|r| ("rating", r.word().to_owned())));
            query.extend(args.class.map(|c| ("class", c.word().to_owned())));
            query.extend(args.unhandled.then(|| ("handle_status", "unhandled".to_owned())));
            query.extend(args.tests.then(|| ("test", "true".to_owned())));
            let most = if args.limit == 0 { usize::MAX } else { args.limit as usize };
            let found = fleet.http.some("/alarms", &query, most)?;
            list(&found, out)?;
        }
        AlarmsVerb::Show(args) => {
            let id = find(fleet, &args.alarm)?;
            let full = fleet.http.get(&format!("/alarms/{id}"), &[])?;
            if out.json {
                out.json(&full)?;
            } else {
                one(&full, out)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of an alarm by its id, or by its unique beginning or end among the newest ten thousand.
pub(super) fn find(fleet: &Fleet<'_>, word: &str) -> Result<String, CliError> {
    if crate::commands::is_whole_id(word) {
        return Ok(escape_path(word));
    }
    let found = fleet.http.some("/alarms", &fleet.selection()?, 10_000)?;
    super::one("alarm", word, &found)
}

fn list(alarms: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return alarms.iter().try_for_each(|a| out.json(a));
    }
    let mut table =
        out.look.table(["Id", "Last seen", "Host", "Severity", "Rating", "Conf", "What", "State"]);
    for a in alarms {
        let (severity, rating) = (text(a, "severity"), text(a, "rating"));
        let confidence = a["confidence"].as_i64().map(|c| c.to_string()).unwrap_or_default();
        let state =
            if text(a, "handle_status") == "handled" { text(&a["handled"], "by") } else { "unhandled" };
        table.add_row([
            out.look.cell(Paint::Plain, &tail(a, "id")),
            out.look.cell(Paint::Plain, &shown(a, "last")),
            out.look.cell(Paint::Plain, &shown(&a["host"], "name")),
            out.look.cell(Paint::of_rating(severity), severity),
            out.look.cell(Paint::of_rating(rating), rating),
            out.look.cell(Paint::Plain, &confidence),
            out.look.cell(Paint::Plain, &shown(a, "title")),
            out.look.cell(Paint::Plain, state),
        ]);
    }
    out.text(&lines(&table))?;
    out.text(&format!("{} alarms. One with everything that is known: lazaret alarms show ID", alarms.len()))
}

fn one(full: &Value, out: &mut Output) -> Result<(), CliError> {
    let a = &full["summary"];
    out.text(&out.look.paint(Paint::Bold, &shown(a, "title")))?;
    let host = &a["host"];
    let mut table = out.look.table(["", ""]);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            table.add_row([out.look.cell(Paint::Dim, name), out.look.cell(Paint::Plain, &value)]);
        }
    };
    row("Id", shown(a, "id"));
    row("Host", format!("{} ({})", shown(host, "name"), shown(host, "id")));
    row("Seen", format!("{} to {}, {} times", shown(a, "at"), shown(a, "last"), a["count"]));
    row("Severity", shown(a, "severity"));
    if let Some(confidence) = a["confidence"].as_i64() {
        row("Confidence", format!("{confidence} of 100, {}", text(a, "rating")));
    }
    row("Class", shown(a, "class_title"));
    row("ATT&CK", format!("{} {}", shown(a, "att_ck"), shown(a, "technique")).trim().to_owned());
    row("File", shown(a, "path"));
    row("SHA-256", shown(a, "sha256"));
    row("Decision", shown(a, "decision"));
    for evidence in full["alarm"]["verdict"]["evidence"].as_array().into_iter().flatten() {
        row(
            "Evidence",
            format!("{} {}: {}", shown(evidence, "kind"), shown(evidence, "id"), shown(evidence, "detail")),
        );
    }
    for reason in full["alarm"]["reasons"].as_array().into_iter().flatten() {
        row("Why", crate::escape::text(reason.as_str().unwrap_or_default()));
    }
    for p in full["alarm"]["chain"].as_array().into_iter().flatten() {
        row("Process", format!("{} {}", p["pid"], shown(p, "exe")));
    }
    for step in full["alarm"]["timeline"].as_array().into_iter().flatten() {
        let line = format!(
            "{} {} {} {}",
            shown(step, "at"),
            shown(step, "action"),
            shown(step, "outcome"),
            shown(step, "reason")
        );
        row("Done", line.trim_end().to_owned());
    }
    for h in full["history"].as_array().into_iter().flatten() {
        row(
            "Handled",
            format!(
                "{} {} by {} {}",
                shown(h, "at"),
                shown(h, "operate_type"),
                shown(h, "who"),
                shown(h, "remark")
            ),
        );
    }
    row("What now", shown(full, "recommendation"));
    out.text(&lines(&table))
}

/// # Errors
/// What the server or the host says.
pub(super) fn handle(fleet: &Fleet<'_>, args: &HandleArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let mut body = json!({"operate_type": args.handling.word(), "remark": args.remark});
    let path = match (args.alarm.as_str(), args.class) {
        ("all", Some(class)) => {
            // It would be of every host, whatever was named.
            fleet.only(&[])?;
            body["class"] = json!(class.word());
            if let Some(project) = &fleet.global.project {
                body["project"] = json!(project);
            }
            let question = format!("This is for every alarm of the class {}. Do it?", class.word());
            if !args.yes && !out.confirm(&question)? {
                return Err(CliError::Failed("nothing was done".into()));
            }
            "/alarms/handle-all".to_owned()
        }
        ("all", None) => return Err(CliError::Usage("all of which class? Add --class CLASS".into())),
        (_, Some(_)) => return Err(CliError::Usage("--class goes with `all` in the alarm's place".into())),
        (alarm, None) if args.and.is_empty() => format!("/alarms/{}/handle", find(fleet, alarm)?),
        (alarm, None) => {
            let mut ids = vec![find(fleet, alarm)?];
            for word in &args.and {
                ids.push(find(fleet, word)?);
            }
            body["alarms"] = json!(ids);
            "/alarms/handle".to_owned()
        }
    };
    let ordered = fleet.http.post(&path, &body)?;
    follow(fleet, &ordered, out)
}

/// # Errors
/// What the server or the host says.
pub(super) fn thaw(fleet: &Fleet<'_>, args: &ThawArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let id = find(fleet, &args.alarm)?;
    let ordered = fleet.http.post(&format!("/alarms/{id}/thaw"), &json!({"remark": args.remark}))?;
    follow(fleet, &ordered, out)
}
