// SPDX-License-Identifier: Apache-2.0
//! Orders to hosts: each ends with a result, which is waited for and shown.

use super::{Fleet, shown, text};
use crate::error::{CliError, EXIT_FOUND};
use crate::output::{Output, Paint, lines};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// An order is waited for so long; a host that is away does it when it comes back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Show what was ordered of the hosts and what came of it, or take it back
#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    #[command(subcommand)]
    verb: TasksVerb,
}

#[derive(Debug, Subcommand)]
enum TasksVerb {
    List(ListArgs),
    Cancel(CancelArgs),
}

/// List orders, newest first
#[derive(Debug, Args)]
struct ListArgs {
    /// Only those of this task
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Only those that have not ended
    #[arg(long)]
    open: bool,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

/// Take a task's orders back, as far as the hosts have not done them
#[derive(Debug, Args)]
struct CancelArgs {
    /// The task's id
    task: String,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &TasksArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    match &args.verb {
        TasksVerb::List(args) => {
            let mut query = Vec::new();
            query.extend(args.task.clone().map(|t| ("task", t)));
            query.extend(args.open.then(|| ("state", "pending,sent".to_owned())));
            query.extend(fleet.only(&["host"])?);
            let found = fleet.http.some("/commands", &query, args.limit as usize)?;
            show(&found, out)?;
        }
        TasksVerb::Cancel(args) => {
            let answer =
                fleet.http.post(&format!("/tasks/{}/cancel", escape_path(&args.task)), &json!({}))?;
            if out.json {
                out.json(&answer)?;
            } else {
                out.text(&format!("{} orders taken back", answer["commands"]))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Only what an id is made of: the rest would be another path.
pub(super) fn escape_path(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// Waits for the end of what was ordered and shows each result; exit status 1 when one of them is not
/// what was ordered.
pub(super) fn follow(fleet: &Fleet<'_>, ordered: &Value, out: &mut Output) -> Result<ExitCode, CliError> {
    if let Some(approval) = ordered["approval"].as_str() {
        let approval = crate::escape::text(approval);
        if out.json {
            out.json(ordered)?;
        } else {
            out.text(&format!("it waits for a second person ({approval}): lazaret approvals list"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut well = true;
    for refused in ordered["refused"].as_array().into_iter().flatten() {
        well = false;
        out.warn(&format!("{}: {}", shown(refused, "id"), shown(refused, "reason")));
    }
    for done in ordered["done"].as_array().into_iter().flatten() {
        if !out.json {
            out.text(&format!("{} done", crate::escape::text(done.as_str().unwrap_or_default())))?;
        }
    }
    if let Some(task) = ordered["task"].as_str() {
        let commands = wait(fleet, task)?;
        well &= commands.iter().all(|c| text(c, "state") == "done");
        show(&commands, out)?;
        let open = commands.iter().filter(|c| is_open(c)).count();
        if open > 0 && !out.json {
            out.text(&format!(
                "{open} of {} are still to come, from hosts that are away or busy: lazaret tasks list --task {task}",
                commands.len()
            ))?;
        }
    } else if out.json {
        out.json(ordered)?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

fn is_open(command: &Value) -> bool {
    matches!(text(command, "state"), "pending" | "sent")
}

fn wait(fleet: &Fleet<'_>, task: &str) -> Result<Vec<Value>, CliError> {
    let until = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(100);
    loop {
        let commands = fleet.http.all("/commands", &[("task", task.to_owned())])?;
        if !commands.iter().any(is_open) || Instant::now() >= until {
            return Ok(commands);
        }
        std::thread::sleep(pause);
        pause = (pause * 3 / 2).min(Duration::from_secs(2));
    }
}

fn show(commands: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return commands.iter().try_for_each(|c| out.json(c));
    }
    let mut table = out.look.table(["Order", "Host", "Verb", "About", "State", "Reason"]);
    for c in commands {
        let state = text(c, "state");
        table.add_row([
            out.look.cell(Paint::Plain, &tail(c, "id")),
            out.look.cell(Paint::Plain, &tail(c, "host")),
            out.look.cell(Paint::Plain, &shown(c, "verb")),
            out.look.cell(Paint::Plain, &tail(c, "about")),
            out.look.cell(Paint::of_outcome(state), state),
            out.look.cell(Paint::Plain, &shown(c, "reason")),
        ]);
    }
    out.text(&lines(&table))
}

/// The end of an id, which is where ids of one minute differ.
pub(super) fn tail(value: &Value, key: &str) -> String {
    let id = shown(value, key);
    id.chars().skip(id.chars().count().saturating_sub(12)).collect()
}
