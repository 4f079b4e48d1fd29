// SPDX-License-Identifier: Apache-2.0
//! The rules of the tree (CONTRIBUTING.md), each a function from a tree to the places that break it.
//!
//! `cargo xtask tidy` prints them; `cargo test -p xtask` runs the same functions, and shows of each
//! that it can fail.

mod arrows;
mod code;
mod console;
mod content;
mod documents;
mod heads;
mod lints;
mod manifests;
mod tree;
mod unsafe_code;
mod words;

use crate::run::Error;
use tree::Tree;

/// A rule that needs only the files.
type Check = fn(&Tree) -> Vec<String>;

/// Every rule over files, with the name that tests and messages use.
const CHECKS: &[(&str, Check)] = &[
    ("file heads", heads::heads),
    ("file lengths", heads::lengths),
    ("console: file heads", console::heads),
    ("console: file lengths", console::lengths),
    ("console: markup", console::markup),
    ("unsafe code", unsafe_code::check),
    ("words left open", words::open_ends),
    ("plain test strings", words::plain_test_strings),
    ("lint exceptions", lints::check),
    ("manifests", manifests::check),
    ("content files", content::check),
    ("paths in ARCHITECTURE.md", documents::paths),
    ("links between documents", documents::links),
    ("tests that documents name", documents::named_tests),
    ("required documents", documents::required),
];

/// Runs every rule.
///
/// # Errors
/// At least one place breaks a rule, or the tree cannot be read.
pub(crate) fn tidy(arguments: &[String]) -> Result<(), Error> {
    if let Some(argument) = arguments.first() {
        return Err(Error::usage(format!("tidy takes no arguments, got `{argument}`")));
    }
    let tree = Tree::load(&crate::cargo::root())?;
    let mut problems = 0;
    for (name, check) in CHECKS {
        problems += report(name, &check(&tree));
    }
    problems += report("crate arrows", &arrows::check()?);
    match problems {
        0 => {
            eprintln!("tidy: {} files, {} rules, nothing to say", tree.len(), CHECKS.len() + 1);
            Ok(())
        }
        n => Err(Error::failed(format!("{n} places break the rules of the tree"))),
    }
}

fn report(name: &str, places: &[String]) -> usize {
    for place in places {
        eprintln!("tidy: {name}: {place}");
    }
    places.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_keeps_every_rule() {
        let tree = Tree::load(&crate::cargo::root()).unwrap();
        let broken: Vec<String> = CHECKS
            .iter()
            .flat_map(|(name, check)| check(&tree).into_iter().map(move |place| format!("{name}: {place}")))
            .collect();
        assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    }

    #[test]
    fn the_crates_keep_their_arrows() {
        let broken = arrows::check().unwrap();
        assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    }
}
