// SPDX-License-Identifier: Apache-2.0
//! The console's stories: a real browser before a real server with real hosts (`console/stories/`).

use super::{build as build_console, folder, packages};
use crate::build::{self, Built};
use crate::cargo::root;
use crate::npm as node;
use crate::packages as debian;
use crate::run::{self, Error};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Pictures for the README: as the stories write them below the folder of pictures, and as they are called there.
const SHOWN: [(&str, &str); 4] = [
    ("en/dashboard.png", "dashboard.png"),
    ("en/alarms.png", "alarms.png"),
    ("en/alarm.png", "alarm.png"),
    ("en/isolated-files.png", "isolated-files.png"),
];

/// Runs the stories whose title contains one of the filters; all but the pictures without one. The path of their
/// report, in JUnit's form, and how they ended.
///
/// # Errors
/// They cannot be run.
pub(crate) fn stories(built: &Built, filters: &[String]) -> Result<(PathBuf, Result<(), Error>), Error> {
    node::usable()?;
    packages()?;
    let report = root().join("target/console/junit.xml");
    // A report of an earlier run must not count for this one.
    let _ = std::fs::remove_file(&report);
    let mut run = playwright(built, &["--grep-invert", "@screenshots", "--pass-with-no-tests"]);
    run.args(["--reporter", "list,junit"]).env("PLAYWRIGHT_JUNIT_OUTPUT_FILE", &report);
    if !filters.is_empty() {
        run.args(["--grep", &any_of(filters)]);
    }
    Ok((report, run::run(&mut run)))
}

/// `screenshots`: pictures of every page in both languages below `target/screenshots`; the main ones into
/// `docs/images`.
///
/// # Errors
/// Something does not build, a story fails, or a picture is missing.
pub(crate) fn screenshots(arguments: &[String]) -> Result<(), Error> {
    if let Some(argument) = arguments.first() {
        return Err(Error::usage(format!("screenshots takes no arguments, got `{argument}`")));
    }
    if !run::is_root() {
        return Err(Error::failed("the pictures are of real hosts, which need root"));
    }
    debian::install(&[debian::UP, debian::BROWSER])?;
    node::usable()?;
    // `programs` would go on without it.
    build_console()?;
    let built = build::programs()?;
    packages()?;
    let pictures = root().join("target/screenshots");
    let _ = std::fs::remove_dir_all(&pictures);
    let mut run = playwright(&built, &["--grep", "@screenshots", "--reporter", "list"]);
    run::run(run.env("LAZARET_SCREENSHOTS", &pictures))?;
    let images = root().join("docs/images");
    let failed = |e: std::io::Error| Error::failed(format!("{}: {e}", images.display()));
    std::fs::create_dir_all(&images).map_err(failed)?;
    for (from, to) in SHOWN {
        let from = pictures.join(from);
        std::fs::copy(&from, images.join(to))
            .map_err(|e| Error::failed(format!("{} into {}: {e}", from.display(), images.display())))?;
    }
    eprintln!("The pictures are in {}, the main ones in {}.", pictures.display(), images.display());
    Ok(())
}

fn playwright(built: &Built, arguments: &[&str]) -> Command {
    let folder = folder();
    let mut command = Command::new(folder.join("node_modules/.bin/playwright"));
    command.arg("test").args(["--workers", &workers().to_string()]).args(arguments).stdin(Stdio::null());
    command.env("LAZARET_STAGE", built.path("lazaret-stage"));
    // Two stories at once on two processors, with a server and hosts each: what is slow is not wrong.
    if std::env::var_os("LAZARET_PATIENCE").is_none() {
        command.env("LAZARET_PATIENCE", "2");
    }
    // Results of failed stories lie where everything that is built lies, not in the checkout's console.
    command.arg("--output").arg(root().join("target/console/results")).current_dir(folder);
    command
}

/// Each has a browser, a server and a host, which leave a processor something to do between two clicks.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4)
}

/// A pattern that fits what contains one of these words.
fn any_of(words: &[String]) -> String {
    let quoted = |word: &String| {
        word.chars().fold(String::new(), |mut text, c| {
            if !c.is_alphanumeric() && !" _-".contains(c) {
                text.push('\\');
            }
            text.push(c);
            text
        })
    };
    words.iter().map(quoted).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_words_and_no_patterns() {
        let words = |w: &[&str]| w.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(any_of(&words(&["race"])), "race");
        assert_eq!(any_of(&words(&["a.b", "sign-in (once)"])), "a\\.b|sign-in \\(once\\)");
    }

    #[test]
    fn as_many_at_a_time_as_the_machine_bears() {
        assert!((1..=4).contains(&workers()));
    }
}
