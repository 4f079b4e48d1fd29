// SPDX-License-Identifier: Apache-2.0
//! The switches of a project.

use super::{Fleet, http::Method, shown};
use crate::commands::switch::{MEANING, Name, Position, SwitchArgs};
use crate::error::CliError;
use crate::output::Output;
use serde_json::json;
use std::process::ExitCode;

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &SwitchArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    if fleet.global.host.is_some() || fleet.global.group.is_some() {
        return Err(CliError::Usage(
            "a switch is a project's; for some hosts give their group a policy group that says otherwise"
                .into(),
        ));
    }
    if matches!(args.name, Name::TestPrograms | Name::DryRun) {
        return Err(CliError::Usage(
            "a server has the switches isolate-and-kill, malware-cloud-scan and high-detection; test programs and \
             dry runs are settings of a policy group"
                .into(),
        ));
    }
    let on = args.position == Position::On;
    if on && args.name == Name::IsolateAndKill && !args.yes && !out.confirm(MEANING)? {
        return Err(CliError::Failed("isolate and kill stays as it was".into()));
    }
    let project = fleet.project();
    let body = json!({"project": project, "on": on});
    let path = format!("/switches/{}", args.name.word());
    let answer = fleet.http.send(Method::Put, &path, &[], Some(&body))?;
    if out.json {
        out.json(&answer)?;
    } else if let Some(approval) = answer["approval"].as_str() {
        let approval = crate::escape::text(approval);
        out.text(&format!("it waits for a second person ({approval}): lazaret approvals list"))?;
    } else {
        out.text(&format!(
            "{} is {} in project {} ({})",
            shown(&answer, "name").replace('_', " "),
            if answer["on"] == true { "on" } else { "off" },
            shown(&answer, "project"),
            shown(&answer, "set_by")
        ))?;
        if answer["scan"].is_object() {
            let begun = if answer["scan"]["begun"] == true { "begins" } else { "runs already" };
            let task = shown(&answer["scan"], "task");
            out.text(&format!("a quick scan of all hosts {begun}: lazaret scans show {task}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
