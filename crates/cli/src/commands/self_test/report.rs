// SPDX-License-Identifier: Apache-2.0
//! One line a step, and the end of it.

use crate::error::CliError;
use crate::escape;
use crate::output::{Output, Paint};
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// What came of one step.
pub(super) enum Outcome {
    /// It worked, in this time.
    Ok(Duration, String),
    /// It did not; says what was seen instead.
    Failed(String),
    /// It was not tried; says why.
    Skipped(String),
}

/// `{"type":"step",...}`.
#[derive(Debug, Serialize)]
struct StepLine<'a> {
    r#type: &'static str,
    step: &'a str,
    what: &'a str,
    result: &'static str,
    ms: Option<f64>,
    detail: &'a str,
}

/// `{"type":"summary",...}`.
#[derive(Debug, Serialize)]
struct SummaryLine {
    r#type: &'static str,
    ok: bool,
    passed: u32,
    failed: u32,
    skipped: u32,
    seconds: f64,
}

/// Shows steps as they happen and counts them.
pub(super) struct Report<'a> {
    out: &'a mut Output,
    began: Instant,
    passed: u32,
    failed: u32,
    skipped: u32,
    /// The first line that stdout did not take; the test goes on to its cleaning up.
    broken: Option<CliError>,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut Output, folder: &Path) -> Self {
        let mut report = Self { out, began: Instant::now(), passed: 0, failed: 0, skipped: 0, broken: None };
        if !report.out.json {
            report.line(&format!("Self-test in {} (harmless files only)\n", escape::path(folder)));
        }
        report
    }

    /// Shows one step: the verb that it proves, what was done, what came of it.
    pub(super) fn step(&mut self, step: &str, what: &str, outcome: Outcome) {
        let (result, paint, took, detail) = match outcome {
            Outcome::Ok(took, detail) => {
                self.passed += 1;
                ("ok", Paint::Green, Some(took), detail)
            }
            Outcome::Failed(why) => {
                self.failed += 1;
                ("failed", Paint::Red, None, why)
            }
            Outcome::Skipped(why) => {
                self.skipped += 1;
                ("skipped", Paint::Yellow, None, why)
            }
        };
        let ms = took.map(|t| (t.as_secs_f64() * 1e6).round() / 1e3);
        if self.out.json {
            let line = StepLine { r#type: "step", step, what, result, ms, detail: &detail };
            let result = self.out.json(&line).and_then(|()| self.out.flush());
            self.note(result);
            return;
        }
        let word = if result == "failed" { "FAILED" } else { result };
        let word = self.out.look.paint(paint, &format!("{word:<7}"));
        let time = ms.map_or_else(|| " ".repeat(11), |ms| format!("{ms:>8.1} ms"));
        let detail = if detail.is_empty() { String::new() } else { format!(" ({})", escape::text(&detail)) };
        self.line(&format!("  {word} {time}  {step:<8} {what}{detail}"));
    }

    /// Shows the end; true when nothing failed.
    pub(super) fn finish(mut self) -> Result<bool, CliError> {
        let well = self.failed == 0;
        let seconds = (self.began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        if self.out.json {
            let (passed, failed, skipped) = (self.passed, self.failed, self.skipped);
            let line = SummaryLine { r#type: "summary", ok: well, passed, failed, skipped, seconds };
            let result = self.out.json(&line);
            self.note(result);
        } else {
            let word = match (well, self.skipped) {
                (false, _) => self.out.look.paint(Paint::Red, "This host is not protected as it should be:"),
                (true, 0) => self.out.look.paint(Paint::Green, "Everything works:"),
                (true, _) => self.out.look.paint(Paint::Yellow, "What was tried works:"),
            };
            let (passed, failed, skipped) = (self.passed, self.failed, self.skipped);
            self.line(&format!(
                "\n{word} {passed} ok, {failed} failed, {skipped} skipped in {seconds:.1} s."
            ));
            if !well {
                self.line(
                    "See what is missing with `lazaret status`, and why with `journalctl -u lazaretd`.",
                );
            }
        }
        match self.broken {
            Some(error) => Err(error),
            None => Ok(well),
        }
    }

    fn line(&mut self, text: &str) {
        let result = self.out.text(text).and_then(|()| self.out.flush());
        self.note(result);
    }

    fn note(&mut self, result: Result<(), CliError>) {
        if let (Err(error), None) = (result, &self.broken) {
            self.broken = Some(error);
        }
    }
}
