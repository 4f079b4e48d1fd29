// SPDX-License-Identifier: Apache-2.0
//! `test`: the rules of the tree, one build, every test, doc tests, clippy.

use crate::build::Built;
use crate::cargo::{cargo, root};
use crate::run::{self, Error};
use crate::{cache, console, hss_table, npm, packages, python, schemathesis, tidy};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the suite. The last line is `N passed, N failed`; each check (fmt, tidy, clippy) counts as one.
///
/// # Errors
/// Something failed, or the tests could not be run.
pub(crate) fn test(arguments: &[String]) -> Result<(), Error> {
    let (full, filters) = options(arguments)?;
    let filters = &filters;
    if !run::is_root() {
        return Err(Error::failed(
            "the suite needs root: it mounts file systems, marks them with fanotify and starts jailed scanners. \
             Run it as root on a machine for tests. Without root: cargo test -p lazaret-model -p lazaret-policy",
        ));
    }
    packages::install(&[packages::UP, packages::TEST, packages::BROWSER])?;
    python::install()?;
    cache::prune();
    if let Err(error) = npm::install("idp") {
        eprintln!("{error}\nGoing on without a provider: the test that needs it will fail and say so.");
    }
    if let Err(error) = schemathesis::install() {
        eprintln!("{error}\nGoing on without schemathesis: the test that needs it will fail and say so.");
    }

    console::build_or_go_on();

    let mut score = Score::default();
    if filters.is_empty() {
        score.check("fmt", run::run(cargo()?.args(["fmt", "--all", "--check"])));
        score.check("tidy", tidy::tidy(&[]));
    }
    // A tree that does not compile has no tests to run: this one ends it.
    run::run(cargo()?.args(["build", "--locked", "--workspace", "--all-targets"]))?;
    let built = Built::here()?;
    built.pack()?;

    match nextest()? {
        Some(runner) => with_nextest(runner, full, filters, &mut score)?,
        None => with_cargo_test(full, filters, &mut score)?,
    }
    if filters.is_empty() {
        let mut doc = cargo()?;
        doc.args(["test", "--quiet", "--locked", "--workspace", "--doc", "--no-fail-fast"]);
        score.libtest("doc tests", &mut doc)?;
        let mut clippy = cargo()?;
        clippy.args(["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
        score.check("clippy", run::run(&mut clippy));
        score.check("console", console::check());
        score.check("hss-table", hss_table::hss_table(&["--check".to_owned()]));
    }
    // Their programs were built with the console that `check` has just looked at.
    match console::stories(&built, filters) {
        Ok((report, ended)) => score.junit("console's stories", &report, ended),
        Err(error) => score.check("console's stories", Err(error)),
    }
    score.end()
}

/// `--full` and the filters.
fn options(arguments: &[String]) -> Result<(bool, Vec<String>), Error> {
    let (options, filters): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|a| a.starts_with('-'));
    match options.iter().find(|o| **o != "--full") {
        Some(option) => {
            Err(Error::usage(format!("`{option}` is not understood; it is test [--full] [FILTER]...")))
        }
        None => Ok((!options.is_empty(), filters.into_iter().cloned().collect())),
    }
}

/// What tells the tests to take their full numbers of rounds. Never inherited: a variable that somebody has set
/// would make the normal suite run for hours into its time limits.
fn rounds(command: &mut Command, full: bool) {
    if full {
        command.env("LAZARET_FULL", "1");
    } else {
        command.env_remove("LAZARET_FULL");
    }
}

/// The runner with groups and time limits: from PATH, from the cache, or installed into the cache.
fn nextest() -> Result<Option<PathBuf>, Error> {
    if run::in_path("cargo-nextest") {
        return Ok(Some("cargo-nextest".into()));
    }
    let tools = cache::folder()?.join("tools");
    let program = tools.join("bin/cargo-nextest");
    if !program.is_file() {
        eprintln!("cargo-nextest is missing and is installed into {} now (a few minutes).", tools.display());
        let mut install = cargo()?;
        // Unoptimised: it starts other programs and waits, and compiles in a third of the time.
        install.args(["install", "cargo-nextest", "--version", "0.9.143", "--locked", "--debug", "--root"]);
        install.arg(&tools).env("CARGO_PROFILE_DEV_DEBUG", "0");
        // Its own folder: the profile differs from ours.
        install.env("CARGO_TARGET_DIR", tools.join("target"));
        if let Err(error) = run::run(&mut install) {
            eprintln!("{error}\nGoing on with plain `cargo test`: no time limit for a single test.");
            return Ok(None);
        }
        // Only the program is wanted.
        let _ = std::fs::remove_dir_all(tools.join("target"));
    }
    Ok(Some(program))
}

fn with_nextest(runner: PathBuf, full: bool, filters: &[String], score: &mut Score) -> Result<(), Error> {
    // nextest keeps its store below the workspace, wherever cargo builds.
    let profile = if full { "full" } else { "ci" };
    let report = root().join("target/nextest").join(profile).join("junit.xml");
    // A report of an earlier run must not count for this one.
    let _ = std::fs::remove_file(&report);
    let mut nextest = like(&cargo()?, runner);
    nextest.args(["nextest", "run", "--locked", "--workspace", "--profile", profile]);
    nextest.args(["--no-tests", "pass", "--"]);
    rounds(&mut nextest, full);
    let ended = run::run(nextest.args(filters));
    score.junit("nextest", &report, ended);
    Ok(())
}

fn with_cargo_test(full: bool, filters: &[String], score: &mut Score) -> Result<(), Error> {
    let mut test = cargo()?;
    test.args(["test", "--locked", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast", "--"]);
    // The stories share the machine: two at a time, as in .config/nextest.toml.
    test.args(["--test-threads", "2"]).args(filters);
    rounds(&mut test, full);
    score.libtest("tests", &mut test)
}

/// Another program with the environment and folder of `cargo`.
fn like(cargo: &Command, program: PathBuf) -> Command {
    let mut command = Command::new(program);
    if let Some(folder) = cargo.get_current_dir() {
        command.current_dir(folder);
    }
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// What has passed and failed so far.
#[derive(Debug, Default)]
struct Score {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
}

impl Score {
    /// One check is one entry.
    fn check(&mut self, name: &str, ended: Result<(), Error>) {
        match ended {
            Ok(()) => self.passed += 1,
            Err(error) => {
                self.failed += 1;
                self.failures.push(format!("{name}: {error}"));
            }
        }
    }

    /// Counts what a report in JUnit's form says. Without a report no test matched, when it ended well.
    fn junit(&mut self, name: &str, report: &Path, ended: Result<(), Error>) {
        let text = std::fs::read_to_string(report).unwrap_or_default();
        let (tests, failed) = junit(&text).unwrap_or_default();
        self.passed += tests.saturating_sub(failed);
        self.failed += failed;
        if ended.is_err() && failed == 0 {
            self.check(name, ended);
        }
    }

    /// Counts what the standard test harness reports.
    fn libtest(&mut self, name: &str, command: &mut Command) -> Result<(), Error> {
        let (mut passed, mut failed) = (0, 0);
        let well = run::tee(command, |line| {
            if let Some((p, f)) = libtest_result(line) {
                passed += p;
                failed += f;
            }
        })?;
        self.passed += passed;
        self.failed += failed;
        if !well && failed == 0 {
            self.check(name, Err(Error::failed(format!("`{}` failed", run::shown(command)))));
        }
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        for failure in &self.failures {
            eprintln!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { Ok(()) } else { Err(Error::Reported) }
    }
}

/// `test result: ok. 3 passed; 0 failed; ...` as the two numbers.
fn libtest_result(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let before = rest.split(word).next()?;
        before.rsplit(|c: char| !c.is_ascii_digit()).find(|n| !n.is_empty())?.parse().ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

/// Tests and failures (errors included) from the head of a JUnit report.
fn junit(text: &str) -> Option<(u64, u64)> {
    let head = text.split("<testsuites").nth(1)?.split('>').next()?;
    let number = |name: &str| -> Option<u64> {
        head.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    Some((number("tests")?, number("failures")? + number("errors")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_results() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.01s";
        assert_eq!(libtest_result(line), Some((12, 3)));
        assert_eq!(libtest_result("running 3 tests"), None);
        let xml = "<?xml version=\"1.0\"?>\n<testsuites name=\"ci\" tests=\"40\" failures=\"2\" errors=\"1\" uuid=\"x\">\n\
                   <testsuite name=\"a\" tests=\"3\" failures=\"0\" errors=\"0\">";
        assert_eq!(junit(xml), Some((40, 3)));
        assert_eq!(junit(""), None);
    }

    #[test]
    fn full_is_an_option_and_the_rest_are_filters() {
        let words = |a: &[&str]| a.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(options(&words(&["race", "--full"])).unwrap(), (true, words(&["race"])));
        assert_eq!(options(&words(&[])).unwrap(), (false, vec![]));
        assert!(options(&words(&["--fast"])).is_err());
        let mut command = Command::new("true");
        rounds(&mut command, true);
        assert!(command.get_envs().any(|(k, v)| k == "LAZARET_FULL" && v.is_some()));
        rounds(&mut command, false);
        assert!(command.get_envs().any(|(k, v)| k == "LAZARET_FULL" && v.is_none()));
    }

    #[test]
    fn a_failed_check_fails_the_suite() {
        let mut score = Score::default();
        score.check("good", Ok(()));
        score.check("bad", Err(Error::failed("why")));
        assert_eq!((score.passed, score.failed), (1, 1));
        assert!(score.end().is_err());
        assert!(Score { passed: 1, ..Score::default() }.end().is_ok());
    }

    #[test]
    fn counts_a_harness_that_dies_as_failed() {
        let mut score = Score::default();
        score
            .libtest(
                "tests",
                Command::new("sh").args(["-c", "echo 'test result: ok. 2 passed; 0 failed;'; exit 3"]),
            )
            .unwrap();
        assert_eq!((score.passed, score.failed, score.failures.len()), (2, 1, 1));
    }
}
