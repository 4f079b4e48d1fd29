// SPDX-License-Identifier: Apache-2.0
//! Rules that are disarmed for the hosts of a project.

use super::{Fleet, http::Method, items, shown};
use crate::commands::rules::{RulesArgs, RulesVerb};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use serde_json::{Value, json};
use std::process::ExitCode;

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &RulesArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    if fleet.global.host.is_some() || fleet.global.group.is_some() {
        return Err(CliError::Usage(
            "a rule is disarmed for a whole project: use --project, or run lazaret rules on the host itself"
                .into(),
        ));
    }
    match &args.verb {
        RulesVerb::Disarmed(_) => {
            let query: Vec<_> =
                fleet.global.project.iter().map(|project| ("project", project.clone())).collect();
            let answer = fleet.http.get("/disarmed-rules", &query)?;
            list(items(&answer), out)?;
        }
        RulesVerb::Disarm(a) => {
            let body = json!({"project": fleet.project(), "rule": a.rule, "reason": a.reason});
            let answer = fleet.http.post("/disarmed-rules", &body)?;
            said(out, &answer, "only alarms now")?;
        }
        RulesVerb::Rearm(a) => {
            let project = fleet.project();
            let rules = match &a.rule {
                Some(rule) => vec![rule.clone()],
                None => {
                    let all = fleet.http.get("/disarmed-rules", &[("project", project.clone())])?;
                    items(&all).iter().filter_map(|r| r["rule"].as_str().map(str::to_owned)).collect()
                }
            };
            for rule in rules {
                let path = format!("/disarmed-rules/{}", encoded(&rule));
                let answer = fleet.http.send(Method::Delete, &path, &[("project", project.clone())], None)?;
                said(out, &answer, "acts again")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As one part of a path.
fn encoded(rule: &str) -> String {
    rule.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn said(out: &mut Output, answer: &Value, what: &str) -> Result<(), CliError> {
    if out.json {
        return out.json(answer);
    }
    out.text(&format!("rule {} {what} in project {}", shown(answer, "rule"), shown(answer, "project")))
}

fn list(rules: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return rules.iter().try_for_each(|r| out.json(r));
    }
    if rules.is_empty() {
        return out.text("no rule is disarmed");
    }
    let mut table = out.look.table(["Rule", "Project", "Since", "By", "Why"]);
    for r in rules {
        table.add_row([
            out.look.cell(Paint::Yellow, &shown(r, "rule")),
            out.look.cell(Paint::Plain, &shown(r, "project")),
            out.look.cell(Paint::Plain, &shown(r, "disarmed_at")),
            out.look.cell(Paint::Plain, &shown(r, "disarmed_by")),
            out.look.cell(Paint::Plain, &shown(r, "reason")),
        ]);
    }
    out.text(&lines(&table))?;
    out.text("They only alarm there. When one is right: lazaret rules rearm RULE")
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_rule_is_one_part_of_a_path() {
        assert_eq!(encoded("webshell_php_eval"), "webshell_php_eval");
        assert_eq!(encoded("vendor/a?b c\u{e9}"), "vendor%2Fa%3Fb%20c%C3%A9");
    }
}
