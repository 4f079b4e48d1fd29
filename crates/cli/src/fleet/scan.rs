// SPDX-License-Identifier: Apache-2.0
//! Scans and self-tests of hosts.

use super::orders::follow;
use super::{Fleet, shown};
use crate::commands::scan::ScanArgs;
use crate::error::CliError;
use crate::output::Output;
use serde_json::json;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &ScanArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let mut paths = Vec::new();
    for path in &args.paths {
        if !path.is_absolute() {
            return Err(CliError::Usage(format!(
                "{}: on other hosts a path must be absolute",
                crate::escape::path(path)
            )));
        }
        paths.push(String::from_utf8(path.as_os_str().as_bytes().to_vec()).map_err(|_| {
            CliError::Usage(format!("{} is not UTF-8: name a folder above it", crate::escape::path(path)))
        })?);
    }
    let exclude: Vec<String> = args.exclude.iter().map(|p| p.display().to_string()).collect();
    let chosen = fleet.selection()?;
    let mut settings = json!({"kind": "custom", "include": paths, "exclude": exclude, "spread_minutes": 0});
    settings["all_hosts"] = json!(chosen.is_empty());
    for (key, value) in chosen {
        settings[format!("{key}s")] = json!([value]);
    }
    let body = json!({"project": fleet.project(), "name": "lazaret scan", "settings": settings});
    let answer = fleet.http.post("/scan-tasks", &body)?;
    if out.json {
        out.json(&answer)?;
    } else {
        out.text(&format!("scan {} has begun; its findings become alarms", shown(&answer["task"], "id")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// What the server or the host says.
pub(super) fn self_test(fleet: &Fleet<'_>, out: &mut Output) -> Result<ExitCode, CliError> {
    let Some(name) = &fleet.global.host else {
        return Err(CliError::Usage("which host? lazaret self-test --host NAME".into()));
    };
    let id = fleet.host(name)?;
    let ordered = fleet.http.post(&format!("/hosts/{id}/self-test"), &json!({}))?;
    follow(fleet, &ordered, out)
}
