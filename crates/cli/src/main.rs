// SPDX-License-Identifier: Apache-2.0
//! `lazaret`: what a person types on a protected host. Talks to the daemon over its control
//! socket; `scan` works alone. Exit statuses are those of [`error::CliError`] and of each verb.

#![forbid(unsafe_code)]

mod cli;
mod client;
mod commands;
mod config;
mod error;
mod escape;
mod fleet;
mod json;
mod output;
mod render;
mod time;

use clap::Parser as _;
use cli::Cli;
use error::{CliError, EXIT_USAGE};
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return refuse_arguments(&e),
    };
    let mut out = Output::new(&cli.global);
    let ended =
        fleet::run(&cli.verb, &cli.global, &mut out).unwrap_or_else(|| cli.verb.run(&cli.global, &mut out));
    let result = ended.and_then(|code| out.flush().map(|()| code));
    match result {
        Ok(code) => code,
        Err(error) => report(&error, &mut out),
    }
}

/// Help and version are answers, not mistakes; everything else is a usage error.
fn refuse_arguments(error: &clap::Error) -> ExitCode {
    // A closed stderr or stdout leaves nobody to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS }
}

fn report(error: &CliError, out: &mut Output) -> ExitCode {
    if !error.is_quiet() {
        out.warn(&error.to_string());
        if out.json {
            // The reader of a closed pipe wants no more lines.
            let _ = out.json(&json::Failure::from(error)).and_then(|()| out.flush());
        }
    }
    ExitCode::from(error.exit_status())
}
