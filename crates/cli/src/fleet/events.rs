// SPDX-License-Identifier: Apache-2.0
//! What changes in the fleet, as it changes.

use super::{Fleet, shown};
use crate::commands::events::EventsArgs;
use crate::error::CliError;
use crate::output::Output;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::ExitCode;

/// # Errors
/// What the server says, or that it went away.
pub(super) fn run(fleet: &Fleet<'_>, args: &EventsArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let past = fleet.http.some("/alarms/handlings", &[], args.past as usize)?;
    for line in past.iter().rev() {
        if out.json {
            out.json(line)?;
        } else {
            out.text(&format!(
                "{} {} by {}: {}",
                shown(line, "at"),
                shown(line, "operate_type"),
                shown(line, "who"),
                shown(line, "title")
            ))?;
        }
    }
    out.flush()?;
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        let stream = BufReader::new(fleet.http.stream("/events/stream")?);
        for line in stream.lines() {
            // It ends every quarter of an hour, and is asked for anew.
            let Ok(line) = line else { break };
            let Some(data) = line.strip_prefix("data:") else { continue };
            let Ok(event) = serde_json::from_str::<Value>(data.trim()) else { continue };
            tell(fleet, &event, out)?;
            out.flush()?;
        }
    }
}

/// A change says what to look at; of an alarm, this is shown.
fn tell(fleet: &Fleet<'_>, event: &Value, out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return out.json(event);
    }
    let (kind, id) = (shown(event, "kind"), shown(event, "id"));
    let text = match (kind.as_str(), event["id"].as_str()) {
        ("alarm", Some(id)) => {
            let full = fleet.http.get(&format!("/alarms/{}", super::orders::escape_path(id)), &[])?;
            format!("alarm {}: {}", shown(&full["summary"]["host"], "name"), shown(&full["summary"], "title"))
        }
        _ => format!("{kind} {id}"),
    };
    out.text(text.trim_end())
}
