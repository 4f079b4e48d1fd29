// SPDX-License-Identifier: Apache-2.0
//! The benchmarks whose figures the README quotes: `cargo xtask bench [--quick] [NAME...]`.
//!
//! Every figure stands beside its reference in the same run, because absolute numbers move from
//! machine to machine and from minute to minute. Nothing is asserted here.

#![forbid(unsafe_code)]

mod cloud;
mod corpus;
mod deny;
mod exec;
mod fleet;
mod fleet_out;
mod fleet_rows;
mod fleet_store;
mod isolate;
mod keep;
mod memory;
mod open;
mod report;
mod scan;

use std::process::ExitCode;

/// Parts of one of them, which run only when they are named.
const PARTS: [(&str, fn()); 3] =
    [("cloud_ask", cloud::ask), ("cloud_spread", cloud::spread), ("cloud_deep", cloud::deep)];

const ALL: [(&str, fn()); 11] = [
    ("exec", exec::measure),
    ("open", open::measure),
    ("isolate", isolate::measure),
    ("keep", keep::measure),
    ("deny", deny::measure),
    ("memory", memory::measure),
    ("scan", scan::measure),
    ("fleet", fleet::measure),
    ("fleet_store", fleet_store::measure),
    ("fleet_out", fleet_out::measure),
    ("cloud", cloud::measure),
];

fn main() -> ExitCode {
    let (options, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with('-'));
    if let Some(unknown) = options.iter().find(|o| *o != "--quick") {
        report::line(&format!(
            "{unknown} is not known; there is --quick, for the benchmarks that take minutes"
        ));
        return ExitCode::from(64);
    }
    fleet::QUICK.get_or_init(|| !options.is_empty());
    if let Some(unknown) = wanted.iter().find(|w| !ALL.iter().chain(&PARTS).any(|(n, _)| n == w)) {
        let known: Vec<&str> = ALL.iter().chain(&PARTS).map(|(n, _)| *n).collect();
        report::line(&format!("there is no benchmark \"{unknown}\"; known: {}", known.join(", ")));
        return ExitCode::from(64);
    }
    lazaret_kit::needs_root();
    report::machine();
    for (part, (name, measure)) in ALL.map(|m| (false, m)).into_iter().chain(PARTS.map(|m| (true, m))) {
        if (!part && wanted.is_empty()) || wanted.iter().any(|w| w == name) {
            report::title(name);
            measure();
        }
    }
    ExitCode::SUCCESS
}
