// SPDX-License-Identifier: Apache-2.0
//! `lazaret isolated`.

use super::{is_whole_id, one_of, perform, show};
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::{CliError, EXIT_FOUND};
use crate::output::Output;
use crate::{escape, json, render};
use clap::{Args, Subcommand};
use lazaret_model::{IsolatedStatus, Sha256};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// List, show, restore, delete or verify isolated files
#[derive(Debug, Args)]
pub(crate) struct IsolatedArgs {
    #[command(subcommand)]
    pub(crate) verb: IsolatedVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IsolatedVerb {
    List(ListArgs),
    Show(ShowArgs),
    Restore(RestoreArgs),
    Delete(DeleteArgs),
    Verify(VerifyArgs),
}

/// List what the vault holds or held
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those with this status: isolating, isolated, isolated_in_place, restoring, restored,
    /// deleting, deleted, isolate_failed, restore_failed, delete_failed
    #[arg(long, value_parser = status_word)]
    pub(crate) status: Option<&'static str>,
}

/// Show one isolated file with everything that is known about it
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id, or the unique beginning or end of it
    pub(crate) id: String,
}

/// Put an isolated file back, byte for byte, with its owner, mode, times and attributes
///
/// The receipt says for each attribute whether it came back. A file that stands at that place by
/// now is never overwritten. The restored content is left alone on this host from now on, until
/// `lazaret exception remove SHA256`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Its id, or the unique beginning or end of it
    #[arg(required_unless_present = "sha256")]
    pub(crate) id: Option<String>,
    /// Of a fleet: every isolated file with this content, on all hosts or the one of --host
    #[arg(long, value_name = "SHA256", conflicts_with_all = ["id", "to"])]
    pub(crate) sha256: Option<Sha256>,
    /// Where to put it instead of where it was: the path of the new file
    #[arg(long, value_name = "PATH")]
    pub(crate) to: Option<PathBuf>,
    /// Make folders of the path that are missing, as they were when the file was isolated
    #[arg(long)]
    pub(crate) parents: bool,
    /// Start the services again that were ended with it
    #[arg(long)]
    pub(crate) restart: bool,
    /// Of a fleet: not to where it was, but to the folder `released` in the host's state folder, for root alone
    #[arg(long, conflicts_with = "to")]
    pub(crate) released: bool,
    /// With --sha256: do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Destroy isolated files for good
///
/// Asks first on a terminal. A deleted file cannot be restored by anybody.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Their ids, or the unique beginnings or ends of them
    #[arg(required = true)]
    pub(crate) id: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Check that isolated files are whole in the vault and could be restored
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Its id, or the unique beginning or end of it; all without one
    id: Option<String>,
}

fn status_word(word: &str) -> Result<&'static str, String> {
    IsolatedStatus::from_word(&word.replace('-', "_"))
        .map(IsolatedStatus::word)
        .ok_or_else(|| "no isolated file has such a status".to_owned())
}

/// # Errors
/// No daemon, not permitted, no such file, or the daemon refuses.
pub(crate) fn run(args: &IsolatedArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    match &args.verb {
        IsolatedVerb::List(args) => {
            let files = list(&client, args.status.unwrap_or_default())?;
            if out.json {
                for file in &files {
                    out.json(&json::Isolated::from(file))?;
                }
            } else {
                out.text(&render::isolated_list(out.look, &files))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        IsolatedVerb::Show(args) => {
            let verb = Verb::IsolatedShow(v1::IsolatedShow { id: whole_id(&client, &args.id)? });
            for answer in client.collect(verb, Patience::Short)? {
                show(out, &answer)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        IsolatedVerb::Restore(args) => restore(&client, args, out),
        IsolatedVerb::Delete(args) => delete(&client, args, out),
        IsolatedVerb::Verify(args) => verify(&client, args, out),
    }
}

/// What the vault holds or held.
pub(super) fn list(client: &Client, status: &str) -> Result<Vec<v1::Isolated>, CliError> {
    let verb = Verb::IsolatedList(v1::IsolatedList { status: status.to_owned() });
    let answers = client.collect(verb, Patience::Short)?;
    Ok(answers.into_iter().filter_map(|a| if let Answer::Isolated(i) = a { Some(i) } else { None }).collect())
}

fn whole_id(client: &Client, id: &str) -> Result<String, CliError> {
    if is_whole_id(id) {
        return Ok(id.to_owned());
    }
    one_of(id, "isolated file", list(client, "")?.into_iter().map(|i| i.id))
}

fn restore(client: &Client, args: &RestoreArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let Some(id) = &args.id else {
        return Err(CliError::Usage("--sha256 is for a fleet: lazaret isolated list shows ids here".into()));
    };
    let to = match &args.to {
        // The daemon has another working folder.
        Some(to) => Some(std::path::absolute(to).map_err(|e| CliError::file("use", to, &e))?),
        None => None,
    };
    let verb = Verb::IsolatedRestore(v1::IsolatedRestore {
        id: whole_id(client, id)?,
        to: to.map(|p| p.into_os_string().into_vec()),
        parents: args.parents,
        restart: args.restart,
    });
    perform(client, verb, Patience::Long, out)
}

fn delete(client: &Client, args: &DeleteArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let known = list(client, "")?;
    let mut files = Vec::new();
    for id in &args.id {
        let id = one_of(id, "isolated file", known.iter().map(|i| i.id.clone()))?;
        files.extend(known.iter().find(|i| i.id == id));
    }
    if !args.yes {
        let names: String =
            files.iter().map(|f| format!("  {}  {}\n", escape::text(&f.id), escape::name(&f.path))).collect();
        let question = format!(
            "{names}Destroy {} for good? Nobody can restore what is deleted.",
            match files.len() {
                1 => "this isolated file".to_owned(),
                n => format!("these {n} isolated files"),
            }
        );
        if !out.confirm(&question)? {
            return Err(CliError::Failed("nothing was deleted".into()));
        }
    }
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let verb = Verb::IsolatedDelete(v1::IsolatedDelete { id: file.id.clone() });
        match perform(client, verb, Patience::Long, out) {
            Ok(one) if one == ExitCode::SUCCESS => {}
            Ok(one) => code = one,
            // The others are deleted all the same.
            Err(CliError::Failed(why)) => {
                out.warn(&format!("{} was not deleted: {why}", escape::text(&file.id)));
                code = ExitCode::from(EXIT_FOUND);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(code)
}

fn verify(client: &Client, args: &VerifyArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let id = match &args.id {
        Some(id) => whole_id(client, id)?,
        None => String::new(),
    };
    let verb = Verb::IsolatedVerify(v1::IsolatedVerify { id });
    if out.json {
        return perform(client, verb, Patience::Long, out);
    }
    let answers = client.collect(verb, Patience::Long)?;
    let results: Vec<_> =
        answers.into_iter().filter_map(|a| if let Answer::Verify(v) = a { Some(v) } else { None }).collect();
    out.text(&render::verifications(out.look, &results))?;
    Ok(if results.iter().all(|r| r.ok) { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}
