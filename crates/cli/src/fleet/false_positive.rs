// SPDX-License-Identifier: Apache-2.0
//! `lazaret false-positive`: undone everywhere, after it was shown what that touches.

use super::orders::follow;
use super::{Fleet, shown};
use crate::error::CliError;
use crate::escape;
use crate::output::Output;
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Undo a false positive on every host of the fleet: restore, whitelist, start again, close alarms
///
/// The file of the alarm comes back wherever its content was isolated, the content is whitelisted in
/// the projects concerned, services and containers that were ended with it are started again, and open
/// alarms about it are closed. It is shown first what that touches. Hosts that are away do their part
/// when they come back.
#[derive(Debug, Args)]
pub(crate) struct FalsePositiveArgs {
    /// The alarm's id, or its unique beginning or end
    alarm: String,
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    remark: String,
    /// Do not start again what was ended with it
    #[arg(long)]
    no_restart: bool,
    /// Only show what it would touch
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// # Errors
/// What the server or a host says.
pub(super) fn run(
    fleet: &Fleet<'_>,
    args: &FalsePositiveArgs,
    out: &mut Output,
) -> Result<ExitCode, CliError> {
    let path = format!("/alarms/{}/false-positive", super::alarms::find(fleet, &args.alarm)?);
    let touched = fleet.http.get(&path, &[])?;
    if args.preview && out.json {
        out.json(&touched)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !out.json {
        out.text(&words(&touched))?;
    }
    if args.preview {
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !out.confirm("Undo it everywhere?")? {
        return Err(CliError::Failed("nothing was undone".into()));
    }
    let ordered = fleet.http.post(&path, &json!({"remark": args.remark, "restart": !args.no_restart}))?;
    follow(fleet, &ordered, out)
}

fn list(value: &Value) -> String {
    let words: Vec<String> =
        value.as_array().into_iter().flatten().filter_map(|v| v.as_str()).map(escape::text).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn words(t: &Value) -> String {
    let mut text = format!("Content {}\n", shown(t, "sha256"));
    let later = t["hosts_later"].as_u64().unwrap_or_default();
    let hosts = t["hosts"].as_array().map_or(0, Vec::len);
    let away = if later == 0 { String::new() } else { format!(", {later} of them when they come back") };
    text.push_str(&format!("Restored: {} files on {hosts} hosts{away}\n", t["isolated_total"]));
    for file in t["isolated"].as_array().into_iter().flatten() {
        text.push_str(&format!("  {} on {}\n", shown(file, "path"), shown(&file["host"], "name")));
    }
    text.push_str(&format!("Started again: {}\n", list(&t["restarts"])));
    text.push_str(&format!("Alarms closed: {}\n", t["alarms"]));
    text.push_str(&format!("Whitelisted in the projects: {}\n", list(&t["whitelist_projects"])));
    text.push_str(&format!(
        "Verdict of the cloud scan withdrawn in the projects: {}\n",
        list(&t["withdrawn_projects"])
    ));
    text.push_str(&format!("Found by: {}", list(&t["rules"])));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_touches_is_said_and_escaped() {
        let text = words(&json!({
            "sha256": "ab", "isolated_total": 2, "hosts": [{"name": "web"}, {"name": "db"}], "hosts_later": 1,
            "isolated": [{"path": "/srv/\u{1b}[2J", "host": {"name": "web"}}], "restarts": ["nginx.service"],
            "alarms": 3, "whitelist_projects": ["0"], "withdrawn_projects": ["0"], "rules": []
        }));
        assert!(text.contains("2 files on 2 hosts, 1 of them when they come back"), "{text}");
        assert!(text.contains("nginx.service") && text.contains("Alarms closed: 3"), "{text}");
        assert!(text.contains("withdrawn in the projects: 0"), "{text}");
        assert!(text.contains("Found by: none") && !text.contains('\u{1b}'), "{text}");
    }
}
