// SPDX-License-Identifier: Apache-2.0
//! `lazaret-swarm`: many hosts for one server, in one process (see `lazaret_kit::swarm`).

#![forbid(unsafe_code)]

use anyhow::{Context as _, Result};
use lazaret_kit::swarm::{self, Wanted};
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Nobody is left to tell when this fails.
            let _ = writeln!(std::io::stderr(), "lazaret-swarm: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let plan = match swarm::parse(std::env::args().skip(1))? {
        Wanted::Help => {
            return write!(std::io::stdout(), "{}", swarm::USAGE).context("cannot write to standard output");
        }
        Wanted::Run(plan) => *plan,
    };
    swarm::room(plan.hosts)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(plan.threads)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(swarm::run(plan));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    done.map(drop)
}
