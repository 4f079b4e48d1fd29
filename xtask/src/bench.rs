// SPDX-License-Identifier: Apache-2.0
//! `bench`: what `up` builds, the content pack, then the benchmarks.

use crate::run::{self, Error};
use crate::{build, packages};
use std::process::Command;

/// Builds and runs; the arguments go to the benchmark program.
///
/// # Errors
/// Something does not build, or the benchmarks end badly.
pub(crate) fn bench(arguments: &[String]) -> Result<(), Error> {
    packages::install(&[packages::BROWSER])?;
    let built = build::programs()?;
    run::run(Command::new(built.path("lazaret-bench")).args(arguments).current_dir(crate::cargo::root()))
}
