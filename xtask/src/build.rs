// SPDX-License-Identifier: Apache-2.0
//! Builds the programs and the content pack, and knows where they stand.

use crate::cargo::{cargo, root};
use crate::run::{self, Error};
use crate::{cache, console, packages};
use std::path::PathBuf;
use std::process::Command;

/// The folder with the built programs and the content pack.
#[derive(Debug)]
pub(crate) struct Built {
    folder: PathBuf,
}

impl Built {
    /// Where the programs are, built or not: `up`, `test` and `bench` share cargo's development profile
    /// (own hot crates and all dependencies optimised), so that the pattern engine is built once.
    ///
    /// # Errors
    /// There is no place for the target folder.
    pub(crate) fn here() -> Result<Self, Error> {
        Ok(Self { folder: cache::target()?.join("debug") })
    }

    /// A program or file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Compiles `content/` into the packs beside the programs: that of hosts, and that of the deep scan.
    ///
    /// # Errors
    /// A rule or a case in the content is wrong, or the pack cannot be written.
    pub(crate) fn pack(&self) -> Result<(), Error> {
        let mut tool = Command::new(self.path("lazaret-content"));
        tool.current_dir(root()).args(["build", "content"]).arg(self.path("lazaret.pack"));
        run::run(&mut tool)?;
        // What a server's deep scan knows: the rules of hosts and more.
        let mut tool = Command::new(self.path("lazaret-content"));
        tool.current_dir(root()).args(["build", "content", "content/deep"]).arg(self.path("deep.pack"));
        run::run(&mut tool)
    }
}

/// Builds the programs that protect a host, and their content.
///
/// # Errors
/// Something is missing that cannot be installed, or does not compile.
pub(crate) fn programs() -> Result<Built, Error> {
    packages::install(&[packages::UP])?;
    cache::prune();
    console::build_or_go_on();
    let built = Built::here()?;
    if !built.path("lazaretd").exists() {
        eprintln!(
            "The first build takes 10 to 20 minutes on two cores (the pattern engine); later ones seconds."
        );
    }
    let mut build = cargo()?;
    // Exactly what `test` builds: with other targets the dependencies get other features, and the
    // pattern engine would be built twice.
    build.args(["build", "--locked", "--workspace", "--all-targets"]);
    run::run(&mut build)?;
    built.pack()?;
    Ok(built)
}
