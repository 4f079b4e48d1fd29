// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask`: build and run Lazaret here (`up`), test it, check the tree, run the benchmarks.
//!
//! No dependencies: a fresh clone compiles this in seconds, before anything heavy. Every program is
//! started by name with an argument list, never through a shell, so that no path is ever parsed.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "xtask talks to the person who runs it")]

mod announce;
mod bench;
mod build;
mod cache;
mod cargo;
mod config;
mod console;
mod fleet;
mod hss_table;
mod npm;
mod packages;
mod preflight;
mod python;
mod run;
mod schemathesis;
mod test;
mod tidy;
mod up;

use run::Error;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <verb>

  up [--mounts DIR]... [--no-server]
                            build everything, the web console too, start the fleet's server and protect this machine until
                            Ctrl-C; DIR limits the protection to the file system mounted there
  test [--full] [FILTER]... build everything and run the whole test suite (as root);
                            FILTER runs only the tests whose names contain it,
                            --full the full numbers of rounds: hours, not minutes
  console                   build the web console into console/dist, which `up`, `test` and `bench` do too
  screenshots               pictures of every page of the web console, in both languages (as root)
  tidy                      check the rules of the tree (CONTRIBUTING.md)
  hss-table [--check]       write what the public SDK of HSS knows into crates/hss/sdk.json, and where the fields of our
                            answers come from into docs/hss-api.md; --check only says whether they are up to date
  bench [ARGUMENT]...       build with the release profile and run the benchmarks

Build results are kept in ~/.cache/lazaret/target, or in CARGO_TARGET_DIR where it is set.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = match std::env::args_os().skip(1).map(|a| a.into_string()).collect() {
        Ok(arguments) => arguments,
        Err(bad) => {
            eprintln!("xtask: the argument {} is not UTF-8", bad.display());
            return ExitCode::from(64);
        }
    };
    let Some((verb, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(64);
    };
    let done = match verb.as_str() {
        "up" => up::up(rest),
        "test" => test::test(rest),
        "tidy" => tidy::tidy(rest),
        "hss-table" => hss_table::hss_table(rest),
        "bench" => bench::bench(rest),
        "console" => console::console(rest),
        "screenshots" => console::screenshots(rest),
        // Started by `up` only.
        "preflight" => preflight::inside(rest),
        "announce" => announce::announce(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(Error::usage(format!("`{other}` is not a verb; `cargo xtask help` lists them"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, Error::Reported) {
                eprintln!("xtask {verb}: {error}");
            }
            ExitCode::from(error.exit_status())
        }
    }
}
