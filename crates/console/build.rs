// SPDX-License-Identifier: Apache-2.0
//! Puts the built console into the crate: `console/dist`, or the folder that LAZARET_CONSOLE_DIST names. Without
//! one the table is empty.

#[path = "src/embed.rs"]
mod embed;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("cargo::error={e}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    const VARIABLE: &str = "LAZARET_CONSOLE_DIST";
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or(format!("{name} is not set"));
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let dist = match folder(VARIABLE) {
        Ok(given) => given,
        Err(_) => folder("CARGO_MANIFEST_DIR")?.join("../../console/dist"),
    };
    // A folder is looked through by cargo; one that is not there yet makes it ask again the next time.
    println!("cargo::rerun-if-changed={}", dist.display());
    embed::write(&dist, &folder("OUT_DIR")?)
}
