// SPDX-License-Identifier: Apache-2.0
//! `lazaret self-test`.

mod cleanup;
mod cloud;
mod place;
mod programs;
mod report;
mod steps;
mod watch;

use crate::cli::Global;
use crate::client::{Client, Patience};
use crate::error::{CliError, EXIT_FOUND};
use crate::output::Output;
use clap::Args;
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use report::Report;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use watch::Bench;

/// Prove with harmless files that detection, refusal, killing, isolation and restoring work here
///
/// Drops the EICAR test file and Lazaret test programs into a private folder on a protected mount,
/// runs them, and shows for each step whether it worked and how long it took. Everything is cleaned
/// up afterwards: files, isolated files, the exception that a restore grants; the alarms are marked
/// as handled with the remark "self-test".
///
/// While isolate and kill is off, nothing is refused or isolated by itself, and those steps are
/// skipped; with --switch it is turned on for the test and off again afterwards, also when the test
/// fails or is interrupted. On a terminal it asks.
///
/// On a host that belongs to a server, and whose project has consented to samples, a last test program
/// is sent there: only Malware Cloud Scan finds it.
///
/// Exit status: 0 when no step failed, 1 when one did.
#[derive(Debug, Args)]
pub(crate) struct SelfTestArgs {
    /// Where to drop the test files [default: a folder on a mount whose protection is full]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Turn isolate and kill on for the test when it is off, and off again afterwards
    #[arg(long)]
    switch: bool,
    /// How long to wait for anything that should take milliseconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
}

const QUESTION: &str = "\
Isolate and kill is off, so refusing and isolating by itself cannot be tested.
Turn it on for the test, for a few seconds, and off again afterwards?";

/// # Errors
/// No daemon, not root, no protected folder, or interrupted (after cleaning up).
pub(crate) fn run(args: &SelfTestArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let client = Client::new(global)?;
    let status = client.status()?;
    if !rustix::process::geteuid().is_root() {
        return Err(CliError::NotPermitted(
            "the self-test isolates and restores files, which only root may order: `sudo lazaret self-test`"
                .into(),
        ));
    }
    let turn_on = !status.isolate_and_kill && wants_switch(args, out)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|e| CliError::Failed(format!("cannot listen for Ctrl-C: {e}")))?;
    }
    let folder = place::private_folder(args.dir.as_deref(), &status)?;
    let acting = status.isolate_and_kill || turn_on;
    let class = automatic_class(&status).filter(|_| acting);
    let bench = Bench { client, folder, stop, class, limit: Duration::from_secs(args.wait) };
    let mut report = Report::new(out, &bench.folder);
    let switched = if turn_on { switch(&bench.client, true) } else { Ok(()) };
    // Whatever happens in between, what was changed is put back.
    let result = switched.and_then(|()| steps::run(&bench, acting, &mut report));
    cleanup::run(&bench, turn_on, &mut report);
    let well = report.finish()?;
    result?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

fn wants_switch(args: &SelfTestArgs, out: &mut Output) -> Result<bool, CliError> {
    if args.switch {
        return Ok(true);
    }
    // Without a person to ask, what the administrator has set stays.
    if out.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    out.confirm(QUESTION)
}

fn switch(client: &Client, on: bool) -> Result<(), CliError> {
    let verb = Verb::SwitchSet(v1::SwitchSet { name: "isolate_and_kill".into(), on });
    client.collect(verb, Patience::Short).map(drop)
}

/// A class that this host's policy isolates by itself; Trojan where it may be chosen.
fn automatic_class(status: &v1::Status) -> Option<MalwareClass> {
    let mut classes = status.automatic_classes.iter().filter_map(|c| c.parse::<MalwareClass>().ok());
    let first = classes.clone().next()?;
    Some(classes.find(|c| *c == MalwareClass::Trojan).unwrap_or(first))
}
