// SPDX-License-Identifier: Apache-2.0
//! `lazaret whitelist`.

use super::{is_whole_id, one_of, perform};
use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::CliError;
use crate::output::Output;
use crate::{escape, json, render};
use clap::{ArgGroup, Args, Subcommand};
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use sha2::Digest as _;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Say what is not to be reported or acted on, although it is rated as malicious
///
/// What is whitelisted is still detected, and every hit is counted; only alarms and actions stay
/// away. Files that are already isolated are not brought back by it.
#[derive(Debug, Args)]
pub(crate) struct WhitelistArgs {
    #[command(subcommand)]
    pub(crate) verb: WhitelistVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WhitelistVerb {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// Add an entry
///
/// A file's path alone would let anybody who can write there run what he likes; so an entry for a
/// file's path also holds the content's digest, unless --any-content says otherwise.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct AddArgs {
    /// Whatever has this content, wherever it lies
    #[arg(long, value_name = "SHA256", group = "what")]
    hash: Option<Sha256>,
    /// The file of this path, with the content that it has now
    #[arg(long, value_name = "PATH", group = "what")]
    file_path: Option<PathBuf>,
    /// Whatever the program of this path writes or runs
    #[arg(long, value_name = "PATH", group = "what")]
    process_path: Option<PathBuf>,
    /// Whatever a process with this command line writes or runs
    #[arg(long, value_name = "TEXT", group = "what")]
    process_cmdline: Option<OsString>,
    /// The path or command line need only contain the text
    #[arg(long, conflicts_with = "hash")]
    contains: bool,
    /// The content's digest, in place of that of the file as it lies there now
    #[arg(long, value_name = "SHA256", conflicts_with_all = ["hash", "process_path", "process_cmdline", "any_content"])]
    sha256: Option<Sha256>,
    /// Any content at that path
    #[arg(long, conflicts_with_all = ["hash", "process_path", "process_cmdline"])]
    any_content: bool,
    /// Why, for whoever looks at it later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Of a fleet: also restore what is isolated and would have been let be; without it that is listed
    #[arg(long)]
    pub(crate) restore: bool,
}

/// List the entries, each with how often it was hit
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

/// Remove entries
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Their ids, or the unique beginnings or ends of them
    #[arg(required = true)]
    pub(crate) id: Vec<String>,
    /// Of a fleet: list the alarms again that the entries suppressed
    #[arg(long)]
    pub(crate) restore_alarm: bool,
}

/// # Errors
/// No daemon, not permitted, no such entry, or a file that cannot be read for its digest.
pub(crate) fn run(args: &WhitelistArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    match &args.verb {
        WhitelistVerb::Add(AddArgs { restore: true, .. })
        | WhitelistVerb::Remove(RemoveArgs { restore_alarm: true, .. }) => Err(CliError::Usage(
            "--restore and --restore-alarm are for a fleet: add --server, --host, --group or --project"
                .into(),
        )),
        WhitelistVerb::Add(args) => {
            let verb = Verb::WhitelistAdd(v1::WhitelistAdd { entry: Some(entry(args)?) });
            perform(&client, verb, Patience::Short, out)
        }
        WhitelistVerb::List(ListArgs {}) => {
            let entries = list(&client)?;
            if out.json {
                for entry in &entries {
                    out.json(&json::WhitelistEntry::from(entry))?;
                }
            } else {
                out.text(&render::whitelist(out.look, &entries))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        WhitelistVerb::Remove(args) => {
            let mut code = ExitCode::SUCCESS;
            for id in &args.id {
                let id = if is_whole_id(id) {
                    id.clone()
                } else {
                    one_of(id, "whitelist entry", list(&client)?.into_iter().map(|w| w.id))?
                };
                let verb = Verb::WhitelistRemove(v1::WhitelistRemove { id });
                let one = perform(&client, verb, Patience::Short, out)?;
                if one != ExitCode::SUCCESS {
                    code = one;
                }
            }
            Ok(code)
        }
    }
}

fn list(client: &Client) -> Result<Vec<v1::WhitelistEntry>, CliError> {
    let answers = client.collect(Verb::WhitelistList(v1::WhitelistList {}), Patience::Short)?;
    Ok(answers
        .into_iter()
        .filter_map(|a| if let Answer::WhitelistEntry(w) = a { Some(w) } else { None })
        .collect())
}

pub(crate) fn entry(args: &AddArgs) -> Result<v1::WhitelistEntry, CliError> {
    let mut entry = v1::WhitelistEntry {
        judge: if args.contains { "contain" } else { "equal" }.into(),
        any_content: args.any_content,
        description: args.description.clone(),
        ..v1::WhitelistEntry::default()
    };
    // A part of a path is compared as it is written; a whole one is seen from the root.
    let seen_from_root = |path: &PathBuf| {
        if args.contains {
            return Ok(path.clone());
        }
        std::path::absolute(path).map_err(|e| CliError::file("use", path, &e))
    };
    if let Some(hash) = args.hash {
        entry.field = "hash".into();
        entry.value = hash.to_string().into_bytes();
    } else if let Some(text) = &args.process_cmdline {
        entry.field = "process_cmdline".into();
        entry.value = text.clone().into_vec();
    } else if let Some(path) = &args.process_path {
        entry.field = "process_path".into();
        entry.value = seen_from_root(path)?.into_os_string().into_vec();
    } else if let Some(path) = &args.file_path {
        entry.field = "file_path".into();
        let path = seen_from_root(path)?;
        entry.sha256 = content_of(args, &path)?.map(|h| h.0.to_vec()).unwrap_or_default();
        entry.value = path.into_os_string().into_vec();
    }
    Ok(entry)
}

/// The digest that a file's path is bound to; `None` for any content.
fn content_of(args: &AddArgs, path: &Path) -> Result<Option<Sha256>, CliError> {
    match args.sha256 {
        _ if args.any_content => Ok(None),
        Some(given) => Ok(Some(given)),
        None if args.contains => Err(CliError::Usage(
            "a part of a path names no single file whose digest could be taken: give --sha256, or --any-content to \
             let everything be that has it"
                .into(),
        )),
        None => digest_of(path).map(Some),
    }
}

/// The digest of a regular file.
fn digest_of(path: &Path) -> Result<Sha256, CliError> {
    let cannot = |why: &str| {
        CliError::Failed(format!(
            "cannot take the digest of {}: {why}. Give it with --sha256, or use --any-content",
            escape::path(path)
        ))
    };
    // Opening a FIFO would wait for its writer.
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut file =
        File::options().read(true).custom_flags(nonblock).open(path).map_err(|e| cannot(&e.to_string()))?;
    if !file.metadata().map_err(|e| cannot(&e.to_string()))?.is_file() {
        return Err(cannot("it is not a regular file"));
    }
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let n = file.read(&mut buffer).map_err(|e| cannot(&e.to_string()))?;
        if n == 0 {
            return Sha256::from_slice(&hasher.finalize())
                .ok_or_else(|| cannot("the digest has another length"));
        }
        hasher.update(&buffer[..n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Verb};
    use clap::Parser as _;

    fn parse(words: &[&str]) -> Result<v1::WhitelistEntry, u8> {
        let all = ["lazaret", "whitelist", "add"].iter().chain(words);
        match Cli::try_parse_from(all).map_err(|_| 64)?.verb {
            Verb::Whitelist(WhitelistArgs { verb: WhitelistVerb::Add(args) }) => {
                entry(&args).map_err(|e| e.exit_status())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_is_bound_to_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tool");
        std::fs::write(&file, b"abc").unwrap();
        let entry = parse(&["--file-path", file.to_str().unwrap()]).unwrap();
        assert_eq!((entry.field.as_str(), entry.judge.as_str()), ("file_path", "equal"));
        assert_eq!(
            Sha256::from_slice(&entry.sha256).unwrap().to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let any = parse(&["--file-path", file.to_str().unwrap(), "--any-content"]).unwrap();
        assert!(any.any_content && any.sha256.is_empty());
        let process = parse(&["--process-path", "/usr/bin/tool"]).unwrap();
        assert_eq!(
            (process.field.as_str(), process.value.as_slice()),
            ("process_path", &b"/usr/bin/tool"[..])
        );
        assert_eq!(parse(&["--file-path", "/nonexistent/x"]).unwrap_err(), 1);
        assert_eq!(parse(&["--file-path", dir.path().to_str().unwrap()]).unwrap_err(), 1);
    }

    #[test]
    fn one_thing_at_a_time() {
        assert_eq!(parse(&[]).unwrap_err(), 64);
        assert_eq!(parse(&["--hash", "zz"]).unwrap_err(), 64);
        assert_eq!(parse(&["--hash", &"0".repeat(64), "--file-path", "/x"]).unwrap_err(), 64);
        assert_eq!(parse(&["--file-path", "/srv/", "--contains"]).unwrap_err(), 64);
        assert_eq!(parse(&["--hash", &"0a".repeat(32)]).unwrap().value, "0a".repeat(32).into_bytes());
        assert_eq!(parse(&["--process-path", "/x", "--any-content"]).unwrap_err(), 64);
        let cmdline = parse(&["--process-cmdline", "backup --all", "--contains"]).unwrap();
        assert_eq!((cmdline.judge.as_str(), cmdline.value.as_slice()), ("contain", &b"backup --all"[..]));
    }
}
