// SPDX-License-Identifier: Apache-2.0
//! `lazaret-stage`: a real server with real enrolled hosts on this machine, for who works on the console and
//! for its stories. What it is told and answers stands in `lazaret_kit::stage`.

#![forbid(unsafe_code)]

use lazaret_kit::stage::{self, Wanted};
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match stage::parse(std::env::args().skip(1)) {
        Ok(Wanted::Help) => write!(std::io::stdout(), "{}", stage::USAGE).map_err(anyhow::Error::from),
        Ok(Wanted::Run(options)) => stage::run(&options),
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Nobody is left to tell when this fails.
            let _ = writeln!(std::io::stderr(), "lazaret-stage: {e:#}");
            ExitCode::FAILURE
        }
    }
}
