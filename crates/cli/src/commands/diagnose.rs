// SPDX-License-Identifier: Apache-2.0
//! `lazaret diagnose`: what somebody needs to know who helps, in one file without secrets.

use crate::cli::Global;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::{config, escape, json, time};
use clap::Args;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Of a log, its end.
const LOG_BYTES: u64 = 256 << 10;
const LOG_LINES: usize = 500;
/// Files whose names and sizes are told.
const FILES: usize = 2_000;
const REMOVED: &str = "(removed)";
/// A key with one of these in its name holds a secret.
const WORDS: [&str; 6] = ["password", "passphrase", "secret", "token", "credential", "private"];
/// What our own secrets begin with.
const PREFIXES: [&str; 4] = ["lzk_", "lzs_", "lzt_", "AGE-SECRET-KEY-"];
const CONFIGURATION: &str = "/etc/lazaret/lazaretd.toml";

/// Write what somebody needs to know who helps, without secrets
///
/// One JSON file, mode 0600, for a person to read before it is sent: versions, the configuration with its
/// secrets removed, the daemon's status with sensors, scanners, content and vault, names and sizes of the
/// state's files (never what is in them), the last lines of the log, limits and features of the kernel.
/// What cannot be found out is said in its place: it works without a daemon too.
#[derive(Debug, Args)]
pub(crate) struct DiagnoseArgs {
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Take the log's last lines from this file, instead of the service manager's journal
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// # Errors
/// The file cannot be written.
pub(crate) fn run(args: &DiagnoseArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let file = global.config.clone().unwrap_or_else(|| CONFIGURATION.into());
    let state = config::state(global)?;
    let bundle = json!({
        "kind": "lazaret diagnostics",
        "made_at": time::rfc3339(time::now_ms()),
        "version": env!("CARGO_PKG_VERSION"),
        "configuration": configuration(&file),
        "status": status(global),
        "state": files(&state),
        "log": log(args.log.as_deref()),
        "host": host(),
    });
    let failed = |e: &std::io::Error| CliError::file("write", &args.to, e);
    let mut to =
        File::options().write(true).create_new(true).mode(0o600).open(&args.to).map_err(|e| failed(&e))?;
    let text = serde_json::to_string_pretty(&bundle).unwrap_or_default();
    writeln!(to, "{text}").and_then(|()| to.sync_all()).map_err(|e| failed(&e))?;
    if out.json {
        out.json(&json::Done::new(&format!("written to {}", args.to.display())))?;
    } else {
        out.text(&format!("written to {}: read it before you send it", escape::path(&args.to)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn error(why: &impl std::fmt::Display) -> Value {
    json!({ "error": clean(&why.to_string()) })
}

fn status(global: &Global) -> Value {
    let asked = Client::new(global).and_then(|c| c.status());
    match asked {
        Ok(status) => serde_json::to_value(json::Status::from(&status)).unwrap_or(Value::Null),
        Err(e) => error(&e),
    }
}

fn configuration(file: &Path) -> Value {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) => return error(&format!("{}: {e}", file.display())),
    };
    match toml::from_str::<toml::Table>(&text) {
        Ok(mut table) => {
            for (key, value) in &mut table {
                redact(key, value);
            }
            serde_json::to_value(table).unwrap_or(Value::Null)
        }
        // Its text may hold what must not leave.
        Err(e) => error(&format!("{}: {}", file.display(), e.message())),
    }
}

fn redact(key: &str, value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                redact(key, value);
            }
        }
        toml::Value::Array(list) => list.iter_mut().for_each(|v| redact(key, v)),
        toml::Value::String(text) => {
            let name = key.to_ascii_lowercase();
            // A file's name is none.
            if WORDS.iter().any(|w| name.contains(w)) && !text.starts_with('/') && !text.is_empty() {
                REMOVED.clone_into(text);
            } else {
                *text = clean(text);
            }
        }
        _ => {}
    }
}

/// Without what looks like one of our own secrets, and without passwords in addresses.
fn clean(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let secret = PREFIXES.iter().find_map(|p| word.find(p).map(|at| at + p.len()));
        let mut word = match secret {
            Some(end) => format!("{}{REMOVED}", word.get(..end).unwrap_or_default()),
            None => word.to_owned(),
        };
        if let Some((scheme, rest)) = word.clone().split_once("://")
            && let Some((user, host)) = rest.rsplit_once('@')
        {
            let user = user.split(':').next().unwrap_or_default();
            word = format!("{scheme}://{user}:{REMOVED}@{host}");
        }
        words.push(word);
    }
    words.join(" ")
}

/// Names, sizes and modes: never what is in them.
fn files(state: &Path) -> Value {
    let mut list = Vec::new();
    let mut folders = vec![state.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(meta) = entry.path().symlink_metadata() else { continue };
            if list.len() >= FILES {
                list.push(json!({ "more": true }));
                return list.into();
            }
            list.push(json!({
                "path": entry.path().to_string_lossy(),
                "bytes": meta.len(),
                "mode": format!("{:o}", meta.mode() & 0o7777),
                "uid": meta.uid(),
            }));
            if meta.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    list.into()
}

fn log(file: Option<&Path>) -> Value {
    let read = match file {
        Some(path) => tail(path).map_err(|e| format!("{}: {e}", path.display())),
        None => Command::new("journalctl")
            .args(["--no-pager", "--quiet", "--lines", "500", "--output", "cat", "--unit", "lazaretd"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
            .map_err(|e| format!("journalctl: {e}; name a file with --log")),
    };
    match read {
        Ok(text) => {
            let all: Vec<&str> = text.lines().collect();
            let last = all.get(all.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
            last.iter().map(|l| clean(l)).collect::<Vec<_>>().into()
        }
        Err(e) => error(&e),
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn host() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let kernel: serde_json::Map<String, Value> = [
        "kernel/osrelease",
        "kernel/version",
        "kernel/threads-max",
        "kernel/pid_max",
        "fs/file-max",
        "fs/fanotify/max_queued_events",
        "fs/fanotify/max_user_marks",
        "fs/fanotify/max_user_groups",
        "kernel/seccomp/actions_avail",
        "kernel/unprivileged_userns_clone",
    ]
    .iter()
    .map(|name| ((*name).to_owned(), read(&format!("/proc/sys/{name}")).into()))
    .collect();
    // What the kernel was built with, where it says so.
    let built = format!("/boot/config-{}", read("/proc/sys/kernel/osrelease"));
    let features: Vec<String> = read(&built)
        .lines()
        .filter(|l| ["FANOTIFY", "SECCOMP", "LANDLOCK", "CGROUP_FREEZER"].iter().any(|w| l.contains(w)))
        .map(str::to_owned)
        .collect();
    json!({
        "os": read("/etc/os-release").lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).unwrap_or_default(),
        "cpus": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory": read("/proc/meminfo").lines().take(3).map(str::to_owned).collect::<Vec<_>>(),
        "security_modules": read("/sys/kernel/security/lsm"),
        "kernel": kernel,
        "kernel_features": features,
        "limits": read("/proc/self/limits").lines().map(str::to_owned).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_configuration_go() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lazaretd.toml");
        std::fs::write(
            &file,
            "[server]\nurl = \"wss://u:geheim@s\"\ntoken = \"lzt_geheim\"\ntoken_file = \"/run/t\"\nca_fingerprint = \"ab\"\n",
        )
        .unwrap();
        let text = configuration(&file).to_string();
        assert!(!text.contains("geheim") && text.contains("/run/t") && text.contains("ab"), "{text}");
        std::fs::write(&file, "token = lzt_geheim").unwrap();
        let text = configuration(&file).to_string();
        assert!(text.contains("error") && !text.contains("geheim"), "{text}");
    }

    #[test]
    fn lines_lose_what_looks_like_a_secret() {
        let text = clean("took lzt_abc from postgres://u:pw@h/x");
        assert!(!text.contains("abc") && !text.contains("pw") && text.contains("@h/x"), "{text}");
    }
}
