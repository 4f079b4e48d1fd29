// SPDX-License-Identifier: Apache-2.0
//! `lazaret sample`: files that hosts have sent for the deep scan.

use super::files::{digest, of_project, said, with_project};
use super::hosts::done;
use super::http::Method;
use super::{Fleet, shown};
use crate::error::CliError;
use crate::output::{Output, Paint, lines};
use crate::{escape, render};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// List the samples that hosts have sent; hold, delete or download one
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    #[command(subcommand)]
    verb: SampleVerb,
}

#[derive(Debug, Subcommand)]
enum SampleVerb {
    List(ListArgs),
    Hold(HoldArgs),
    Delete(DeleteArgs),
    Download(DownloadArgs),
}

/// List samples, newest first
#[derive(Debug, Args)]
struct ListArgs {
    /// Only those in this state: receiving, stored, failed, deleting, deleted
    #[arg(long)]
    state: Option<String>,
    /// Only those that are held
    #[arg(long)]
    held: bool,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

/// Keep a sample whatever its age (legal hold); nobody can delete it until that is taken back
#[derive(Debug, Args)]
struct HoldArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present = "off")]
    reason: Option<String>,
    /// Take the hold back
    #[arg(long)]
    off: bool,
}

/// Delete a sample for good; what is known of its content stays
#[derive(Debug, Args)]
struct DeleteArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Download a sample as an encrypted archive; it may be malicious, and the download is on record
#[derive(Debug, Args)]
struct DownloadArgs {
    /// Its SHA-256, or the unique beginning of it (8 digits at least)
    sha256: String,
    /// Write the archive there [default: SHA256.age]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Encrypt with the first line of this file; without it the server makes a password up
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// # Errors
/// What the server says.
pub(super) fn run(fleet: &Fleet<'_>, args: &SampleArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    if !matches!(args.verb, SampleVerb::List(_)) {
        fleet.only(&[])?;
    }
    match &args.verb {
        SampleVerb::List(args) => list(fleet, args, out)?,
        SampleVerb::Hold(args) => {
            let path = with_project(fleet, &format!("/samples/{}/hold", digest(fleet, &args.sha256)?));
            let body = json!({"held": !args.off, "reason": args.reason.clone().unwrap_or_default()});
            let answer = fleet.http.send(Method::Put, &path, &[], Some(&body))?;
            said(&answer, out, if args.off { "it is not held any more" } else { "held" })?;
        }
        SampleVerb::Delete(args) => {
            let path = format!("/samples/{}", digest(fleet, &args.sha256)?);
            if !args.yes && !out.confirm("It cannot be scanned or downloaded any more then. Delete it?")? {
                return Err(CliError::Failed("nothing was deleted".into()));
            }
            let answer = fleet.http.send(Method::Delete, &path, &of_project(fleet), None)?;
            done(out, &answer, "deleted")?;
        }
        SampleVerb::Download(args) => download(fleet, args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(fleet: &Fleet<'_>, args: &ListArgs, out: &mut Output) -> Result<(), CliError> {
    let mut query = fleet.only(&["host"])?;
    query.extend(of_project(fleet));
    query.extend(args.state.clone().map(|s| ("state", s)));
    query.extend(args.held.then(|| ("held", "true".to_owned())));
    let found = fleet.http.some("/samples", &query, args.limit as usize)?;
    if out.json {
        return found.iter().try_for_each(|s| out.json(s));
    }
    let mut table =
        out.look.table(["SHA-256", "State", "Kind", "Size", "From", "Stored", "Kept until", "Held by"]);
    for s in &found {
        let until = if s["hold"].is_object() { "held".to_owned() } else { shown(s, "kept_until") };
        table.add_row([
            out.look.cell(Paint::Plain, &shown(s, "sha256").chars().take(16).collect::<String>()),
            out.look.cell(Paint::Plain, &shown(s, "state")),
            out.look.cell(Paint::Plain, &shown(s, "kind")),
            out.look.cell(Paint::Plain, &render::size(s["size"].as_u64().unwrap_or_default())),
            out.look.cell(Paint::Plain, &shown(&s["host"], "name")),
            out.look.cell(Paint::Plain, &shown(s, "stored_at")),
            out.look.cell(Paint::Plain, &until),
            out.look.cell(Paint::Plain, &shown(&s["hold"], "by")),
        ]);
    }
    out.text(&lines(&table))
}

fn password(path: &Path) -> Result<String, CliError> {
    let read = std::fs::read_to_string(path).map_err(|e| {
        CliError::Failed(format!("cannot read {}: {e}", escape::text(&path.to_string_lossy())))
    })?;
    let line = read.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        return Err(CliError::Usage(format!("{} holds no password", escape::text(&path.to_string_lossy()))));
    }
    Ok(line)
}

fn download(fleet: &Fleet<'_>, args: &DownloadArgs, out: &mut Output) -> Result<(), CliError> {
    let digest = digest(fleet, &args.sha256)?;
    let mut body = json!({});
    if let Some(path) = &args.password_file {
        body["password"] = Value::String(password(path)?);
    }
    let to = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{digest}.age")));
    let name = escape::text(&to.to_string_lossy());
    let failed = |e: std::io::Error| CliError::Failed(format!("cannot write {name}: {e}"));
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&to).map_err(failed)?;
    let path = with_project(fleet, &format!("/samples/{digest}/download"));
    let got = fleet
        .http
        .file(&path, &body, "x-lazaret-archive-password", &mut file)
        .and_then(|got| file.flush().and_then(|()| file.sync_all()).map_err(failed).map(|()| got));
    let (size, generated) = match got {
        Ok(got) => got,
        Err(e) => {
            // Ours, and half of it helps nobody.
            let _ = std::fs::remove_file(&to);
            return Err(e);
        }
    };
    if out.json {
        return out
            .json(&json!({"type": "sample", "sha256": digest, "file": to.to_string_lossy(), "size": size,
            "password": generated}));
    }
    out.text(&format!("{name}, {}", render::size(size)))?;
    if let Some(password) = generated {
        out.text(&format!("password: {}", escape::text(&password)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        std::fs::write(&path, "secret words\nmore\n").unwrap();
        assert_eq!(password(&path).unwrap(), "secret words");
        std::fs::write(&path, "\n").unwrap();
        assert!(password(&path).is_err());
        assert!(password(&folder.path().join("none")).unwrap_err().to_string().contains("none"));
    }
}
