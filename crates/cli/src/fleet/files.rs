// SPDX-License-Identifier: Apache-2.0
//! `lazaret file`: the programs and scripts of a fleet by their content, where they are, and what is thought
//! of them.

use super::hosts::done;
use super::orders::{escape_path, follow};
use super::{Fleet, shown, text};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use crate::{escape, render};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Look at the programs and scripts of a fleet; call one bad, or take that back
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    #[command(subcommand)]
    verb: FileVerb,
}

#[derive(Debug, Subcommand)]
enum FileVerb {
    List(ListArgs),
    /// Show what is known of a content: standing, verdict, votes, alarms, isolated files
    Show(OneArgs),
    /// List the hosts and paths that have it, and since when
    Places(OneArgs),
    Verdict(VerdictArgs),
    Withdraw(WithdrawArgs),
    Release(ReleaseArgs),
    /// Let the deep scan look at its sample again
    Rescan(OneArgs),
}

/// List contents, newest in the project first
#[derive(Debug, Args)]
struct ListArgs {
    /// Only these, separated by commas: unknown, pending, clean, bad
    #[arg(long, value_name = "WORDS")]
    standing: Option<String>,
    /// Only those judged to be of this class
    #[arg(long)]
    class: Option<String>,
    /// Only those with this text in a path
    #[arg(long, value_name = "TEXT")]
    path: Option<String>,
    /// Only those whose SHA-256 begins like this
    #[arg(long, value_name = "DIGITS")]
    sha256: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

#[derive(Debug, Args)]
struct OneArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
}

/// Call a content bad: every host of the project refuses to run it at once
///
/// Canary hosts isolate and kill it as their policy says, all others when the ring's time is over, or
/// at once with `lazaret file release`.
#[derive(Debug, Args)]
struct VerdictArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
    /// What it is: malware, virus, worm, trojan, botnet, backdoor, rootkit, ransomware, hacktool, webshell,
    /// miner, reverseshell
    #[arg(long, default_value = "malware")]
    class: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Take a verdict back: hosts run it again; what was isolated is listed, and can be restored with it
#[derive(Debug, Args)]
struct WithdrawArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Restore it wherever it was isolated
    #[arg(long)]
    restore: bool,
}

/// Let all hosts isolate and kill it now, beyond the canary hosts
#[derive(Debug, Args)]
struct ReleaseArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &FileArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    if !matches!(args.verb, FileVerb::List(_)) {
        fleet.only(&[])?;
    }
    match &args.verb {
        FileVerb::List(args) => list_some(fleet, args, out)?,
        FileVerb::Show(args) => {
            let full = fleet.http.get(&path(fleet, &args.sha256, "")?, &of_project(fleet))?;
            if out.json { out.json(&full)? } else { out.text(words(&full).trim_end())? }
        }
        FileVerb::Places(args) => {
            let found = fleet.http.all(&path(fleet, &args.sha256, "/places")?, &of_project(fleet))?;
            places(&found, out)?;
        }
        FileVerb::Verdict(args) => return verdict(fleet, args, out),
        FileVerb::Withdraw(args) => return withdraw(fleet, args, out),
        FileVerb::Release(args) => {
            let path = path(fleet, &args.sha256, "/release")?;
            let question =
                "Every host of the project that has it isolates and kills it now, as its policy says. Go on?";
            if !args.yes && !out.confirm(question)? {
                return Err(CliError::Failed("nothing was released".into()));
            }
            let answer = fleet.http.post(&with_project(fleet, &path), &json!({}))?;
            said(&answer, out, "released")?;
        }
        FileVerb::Rescan(args) => {
            let path = path(fleet, &args.sha256, "/rescan")?;
            let answer = fleet.http.post(&with_project(fleet, &path), &json!({}))?;
            done(out, &answer, "queued; lazaret file show tells what comes of it")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The project as a filter.
pub(super) fn of_project(fleet: &Fleet<'_>) -> Vec<(&'static str, String)> {
    vec![("project", fleet.project())]
}

/// The same for what is not a list.
pub(super) fn with_project(fleet: &Fleet<'_>, path: &str) -> String {
    format!("{path}?project={}", escape_path(&fleet.project()))
}

/// The whole SHA-256 of what begins so.
pub(super) fn digest(fleet: &Fleet<'_>, word: &str) -> Result<String, CliError> {
    let word = word.to_ascii_lowercase();
    if !word.bytes().all(|b| b.is_ascii_hexdigit()) || !(8..=64).contains(&word.len()) {
        return Err(CliError::Usage(format!(
            "\"{}\" is no SHA-256: 64 hexadecimal digits, or 8 of them at least",
            escape::text(&word)
        )));
    }
    if word.len() == 64 {
        return Ok(word);
    }
    let mut query = of_project(fleet);
    query.push(("sha256", word.clone()));
    let found = fleet.http.some("/files", &query, 2)?;
    match found.as_slice() {
        [one] => Ok(escape_path(text(one, "sha256"))),
        [] => Err(CliError::Failed(format!("the server knows no file whose SHA-256 begins with {word}"))),
        _ => Err(CliError::Failed(format!("several files begin with {word}: give more digits"))),
    }
}

fn path(fleet: &Fleet<'_>, word: &str, tail: &str) -> Result<String, CliError> {
    Ok(format!("/files/{}{tail}", digest(fleet, word)?))
}

fn list_some(fleet: &Fleet<'_>, args: &ListArgs, out: &mut Output) -> Result<(), CliError> {
    let mut query = fleet.only(&["host"])?;
    query.extend(of_project(fleet));
    query.extend(args.standing.clone().map(|s| ("standing", s)));
    query.extend(args.class.clone().map(|c| ("class", c)));
    query.extend(args.path.clone().map(|p| ("path", p)));
    query.extend(args.sha256.clone().map(|s| ("sha256", s.to_ascii_lowercase())));
    let found = fleet.http.some("/files", &query, args.limit as usize)?;
    if out.json {
        return found.iter().try_for_each(|f| out.json(f));
    }
    let mut table = out.look.table([
        "SHA-256",
        "Standing",
        "What",
        "Conf",
        "Kind",
        "Size",
        "Hosts",
        "Packaged",
        "First seen",
    ]);
    for f in &found {
        let v = &f["verdict"];
        let number = |key: &str| f[key].as_u64().unwrap_or_default().to_string();
        table.add_row([
            out.look.cell(Paint::Plain, &shown(f, "sha256").chars().take(16).collect::<String>()),
            out.look.cell(paint(text(f, "standing")), &shown(f, "standing")),
            out.look.cell(Paint::Plain, format!("{} {}", shown(v, "class"), shown(v, "family")).trim()),
            out.look.cell(Paint::Plain, &v["confidence"].as_u64().map_or(String::new(), |n| n.to_string())),
            out.look.cell(Paint::Plain, &shown(f, "kind")),
            out.look.cell(Paint::Plain, &render::size(f["size"].as_u64().unwrap_or_default())),
            out.look.cell(Paint::Plain, &number("hosts")),
            out.look.cell(Paint::Plain, &number("packaged_hosts")),
            out.look.cell(Paint::Plain, &shown(f, "first_seen_at")),
        ]);
    }
    out.text(&lines(&table))
}

fn paint(standing: &str) -> Paint {
    match standing {
        "bad" => Paint::Red,
        "clean" | "known_good" => Paint::Green,
        _ => Paint::Yellow,
    }
}

fn places(found: &[Value], out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return found.iter().try_for_each(|p| out.json(p));
    }
    let mut table = out.look.table(["Host", "Path", "Packaged", "First seen", "Last seen"]);
    for p in found {
        table.add_row([
            out.look.cell(Paint::Plain, &shown(&p["host"], "name")),
            out.look.cell(Paint::Plain, &shown(p, "path")),
            out.look.cell(Paint::Plain, if p["packaged"] == true { "yes" } else { "no" }),
            out.look.cell(Paint::Plain, &shown(p, "first_seen_at")),
            out.look.cell(Paint::Plain, &shown(p, "last_seen_at")),
        ]);
    }
    out.text(&lines(&table))
}

fn words(full: &Value) -> String {
    let (f, v) = (&full["file"], &full["verdict"]);
    let mut text = format!(
        "{}\n{} {}, {}\n",
        shown(f, "sha256"),
        render::size(f["size"].as_u64().unwrap_or_default()),
        shown(f, "kind"),
        shown(f, "standing").replace('_', " ")
    );
    text.push_str(&format!(
        "on {} hosts, package-owned on {}, first seen {}\n",
        f["hosts"],
        f["packaged_hosts"],
        shown(f, "first_seen_at")
    ));
    if v.is_object() {
        let what = format!("{} {}", shown(v, "class"), shown(v, "family"));
        let word = if v["withdrawn"] == true { "withdrawn" } else { "in force" };
        text.push_str(&format!(
            "verdict {} {word}: {}, confidence {}, by {}\n",
            v["number"],
            what.trim(),
            v["confidence"],
            shown(v, "origin").replace('_', " ")
        ));
    }
    for e in full["judged"]["evidence"].as_array().into_iter().flatten() {
        text.push_str(&format!("  {} {} {}\n", shown(e, "kind"), shown(e, "id"), shown(e, "detail")));
    }
    for vote in full["votes"].as_array().into_iter().flatten() {
        text.push_str(&format!("  vote of {}: {}\n", shown(vote, "source"), shown(vote, "opinion")));
    }
    for h in full["history"].as_array().into_iter().flatten() {
        text.push_str(&format!("{}  {}\n", shown(h, "at"), shown(h, "text")));
    }
    text.push_str(&format!("{} alarms, {} isolated files\n", full["alarms_total"], full["isolated_total"]));
    text
}

/// One line, or that it waits for somebody.
pub(super) fn said(answer: &Value, out: &mut Output, word: &str) -> Result<(), CliError> {
    if out.json {
        return out.json(answer);
    }
    match answer["approval"].as_str() {
        Some(approval) => {
            let approval = escape::text(approval);
            out.text(&format!("it waits for a second person ({approval}): lazaret approvals list"))
        }
        None => out.text(word),
    }
}

fn verdict(fleet: &Fleet<'_>, args: &VerdictArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let digest = digest(fleet, &args.sha256)?;
    let question = format!("Every host of the project refuses to run {digest} from then on. Call it bad?");
    if !args.yes && !out.confirm(&question)? {
        return Err(CliError::Failed("it stands as it stood".into()));
    }
    let body = json!({"verdict": "bad", "class": args.class, "reason": args.reason});
    let path = with_project(fleet, &format!("/files/{digest}/verdict"));
    let answer = fleet.http.post(&path, &body)?;
    said(&answer, out, &format!("called bad; {} hosts have it", answer["hosts"]))?;
    Ok(ExitCode::SUCCESS)
}

fn withdraw(fleet: &Fleet<'_>, args: &WithdrawArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let digest = digest(fleet, &args.sha256)?;
    let body = json!({"verdict": "withdrawn", "reason": args.reason});
    let path = with_project(fleet, &format!("/files/{digest}/verdict"));
    let answer = fleet.http.post(&path, &body)?;
    let n = answer["isolated_total"].as_u64().unwrap_or_default();
    if !args.restore || n == 0 {
        said(&answer, out, &format!("withdrawn; {n} files with it are isolated"))?;
        if n > 0 && !out.json {
            out.text(&format!("to restore them: lazaret isolated restore --sha256 {digest}"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut well = true;
    // Of this project alone: ids, and no more than one order takes.
    let found = answer["isolated"].as_array().cloned().unwrap_or_default();
    for part in found.chunks(100) {
        let files: Vec<&str> = part.iter().map(|f| text(f, "id")).collect();
        let ordered =
            fleet.http.post("/isolated-files/restore", &json!({"files": files, "parents": true}))?;
        well &= follow(fleet, &ordered, out)? == ExitCode::SUCCESS;
    }
    if n > found.len() as u64 {
        out.warn(&format!("{} more are isolated: run it again", n - found.len() as u64));
        well = false;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(crate::error::EXIT_FOUND) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_in_words_and_escaped() {
        let text = words(&json!({
            "file": {"sha256": "ab", "size": 2048, "kind": "script", "standing": "known_good", "hosts": 3,
                "packaged_hosts": 1, "first_seen_at": "T"},
            "verdict": {"number": 7, "class": "worm", "family": "x\u{1b}[2J", "confidence": 99, "origin": "deep_scan"},
            "judged": {"evidence": [{"kind": "known_bad", "id": "cloud:ab", "detail": ""}]},
            "votes": [{"source": "clamd", "opinion": "bad"}],
            "history": [{"at": "T2", "text": "first seen"}],
            "alarms_total": 2, "isolated_total": 1
        }));
        for part in [
            "2.0 KiB script, known good",
            "on 3 hosts",
            "verdict 7 in force: worm",
            "by deep scan",
            "vote of clamd: bad",
            "T2  first seen",
            "2 alarms, 1 isolated",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
