// SPDX-License-Identifier: Apache-2.0
//! `up`: builds everything and protects this machine until Ctrl-C.

use crate::build::{self, Built};
use crate::config::Config;
use crate::run::{self, Error};
use crate::{announce, cargo, fleet, preflight};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const STATE: &str = "/var/lib/lazaret";
const RUN: &str = "/run/lazaret";

/// Builds, tests on a private tmpfs, then becomes the daemon.
///
/// # Errors
/// A step did not work; nothing is protected then and nothing stays marked.
pub(crate) fn up(arguments: &[String]) -> Result<(), Error> {
    let (with_server, arguments): (bool, Vec<String>) = (
        !arguments.iter().any(|a| a == "--no-server"),
        arguments.iter().filter(|a| *a != "--no-server").cloned().collect(),
    );
    let mounts = mounts(&arguments)?;
    let root = run::is_root();
    if !root {
        eprintln!(
            "Without root Lazaret cannot watch the file system (fanotify), refuse a program, kill a process of \
             another user or isolate a file. It can scan what you can read. For protection run this as root."
        );
    }
    let built = build::programs()?;
    if !root {
        return offer_scan(&built);
    }
    preflight::preflight()?;

    let run_folder = Path::new(RUN);
    std::fs::create_dir_all(run_folder).map_err(|e| Error::failed(format!("{RUN}: {e}")))?;
    let fleet = if with_server { Some(fleet::start(&built, run_folder)?) } else { None };
    let config = Config {
        state: Path::new(STATE),
        run: run_folder,
        mounts: &mounts,
        isolate_and_kill: false,
        server: fleet.as_ref().map_or("", |f| f.section.as_str()),
    };
    let file = run_folder.join("up.toml");
    std::fs::write(&file, config.toml(&built)?)
        .map_err(|e| Error::failed(format!("{}: {e}", file.display())))?;

    let to_try = mounts.first().map_or(Path::new("/var/tmp"), PathBuf::as_path);
    let words = fleet::leave(fleet.as_ref().map_or("", |f| f.words.as_str()), run_folder)?;
    announce::beside(std::process::id(), &built.path("lazaret"), &file, to_try, &words)?;
    let mut daemon = Command::new(built.path("lazaretd"));
    daemon.arg("--config").arg(&file).current_dir("/");
    // The daemon shall see a plain environment: cargo's variables are none of its business.
    daemon.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    run::say(&daemon);
    Err(Error::failed(format!("lazaretd could not be started: {}", daemon.exec())))
}

/// Reads `--mounts DIR` and `--mounts=DIR`; each DIR must be a folder.
fn mounts(arguments: &[String]) -> Result<Vec<PathBuf>, Error> {
    let mut mounts = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let folder = match argument.strip_prefix("--mounts") {
            Some("") => rest.next().map(String::as_str),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        let Some(folder) = folder.filter(|f| !f.is_empty()) else {
            return Err(Error::usage(format!(
                "`{argument}` is not understood; it is up [--mounts DIR]... [--no-server]"
            )));
        };
        let path =
            std::fs::canonicalize(folder).map_err(|e| Error::usage(format!("--mounts {folder}: {e}")))?;
        if !path.is_dir() {
            return Err(Error::usage(format!("--mounts {folder}: not a folder")));
        }
        mounts.push(path);
    }
    Ok(mounts)
}

/// What is left without root: a scan of the checkout, and the command line to go on with.
fn offer_scan(built: &Built) -> Result<(), Error> {
    let mut scan = Command::new(built.path("lazaret"));
    scan.arg("scan").arg(cargo::root().join("docs"));
    eprintln!("\nScanning needs no root. For example:");
    run::run(&mut scan)?;
    eprintln!("Try your own: {} scan PATH...", built.path("lazaret").display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mounts() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().to_str().unwrap().to_owned();
        let both = mounts(&["--mounts".into(), name.clone(), format!("--mounts={name}")]).unwrap();
        assert_eq!(both, [folder.path().canonicalize().unwrap(), folder.path().canonicalize().unwrap()]);
        for bad in [&["--mounts"][..], &["--mounts", "/nonexistent"], &["--mounts=/etc/passwd"], &["/tmp"]] {
            let bad: Vec<String> = bad.iter().map(|b| (*b).to_owned()).collect();
            assert!(matches!(mounts(&bad), Err(Error::Usage(_))), "{bad:?}");
        }
    }
}
