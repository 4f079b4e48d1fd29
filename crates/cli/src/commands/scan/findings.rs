// SPDX-License-Identifier: Apache-2.0
//! What a scan shows while it runs, and counts.

use crate::error::CliError;
use crate::json::{ContentProblem, ScanFault, Summary, VerdictLine};
use crate::output::{Output, Paint};
use crate::{escape, render};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lazaret_model::{ContentInfo, ScanError, ScanReport, Thresholds, Verdict};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Shows findings at once and keeps the counts.
pub(super) struct Findings<'a> {
    out: &'a mut Output,
    thresholds: Thresholds,
    summary: Summary,
    bar: ProgressBar,
    began: Instant,
    /// When the bar was last told.
    told: Instant,
}

impl<'a> Findings<'a> {
    pub(super) fn new(out: &'a mut Output) -> Self {
        // A dumb terminal and a file get no bar.
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self {
            out,
            thresholds: Thresholds::default(),
            summary: Summary::default(),
            bar,
            began: now,
            told: now,
        }
    }

    /// What of the content did not load; the rest is in force.
    pub(super) fn content(&mut self, content: &ContentInfo) -> Result<(), CliError> {
        for problem in &content.problems {
            self.out.warn(&format!("content: {}", escape::text(&problem.to_string())));
            if self.out.json {
                self.out.json(&ContentProblem::from(problem))?;
            }
        }
        if content.rules == 0 && content.known_bad == 0 {
            return Err(CliError::Unscanned(
                "the content holds no rule and no known-bad digest, so nothing could be found".into(),
            ));
        }
        self.bar.enable_steady_tick(Duration::from_millis(100));
        Ok(())
    }

    /// One file's answer.
    pub(super) fn file(
        &mut self,
        path: &[u8],
        result: &Result<ScanReport, ScanError>,
    ) -> Result<(), CliError> {
        match result {
            Ok(report) => {
                self.summary.objects += u64::from(report.objects);
                self.summary.bytes += report.bytes;
                for verdict in report.verdicts() {
                    self.verdict(path, verdict)?;
                }
                for reason in &report.unscanned {
                    self.fault(path, reason)?;
                }
            }
            Err(error) => self.fault(path, &error.to_string())?,
        }
        self.progress();
        Ok(())
    }

    /// Files that an earlier scan with the same content has found clean and that did not change.
    pub(super) fn known_clean(&mut self, files: u64, bytes: u64) {
        self.summary.objects += files;
        self.summary.bytes += bytes;
        self.progress();
    }

    fn verdict(&mut self, path: &[u8], verdict: &Verdict) -> Result<(), CliError> {
        let Some(rating) = verdict.rating(self.thresholds) else { return Ok(()) };
        self.summary.count(rating);
        let Self { out, bar, thresholds, .. } = self;
        bar.suspend(|| {
            if out.json {
                if let Some(line) = VerdictLine::new(path, verdict, *thresholds) {
                    out.json(&line)?;
                }
            } else {
                out.text(&text(out, path, verdict, rating.word()))?;
            }
            out.flush()
        })
    }

    fn fault(&mut self, path: &[u8], reason: &str) -> Result<(), CliError> {
        self.summary.errors += 1;
        let Self { out, bar, .. } = self;
        bar.suspend(|| {
            if out.json {
                out.json(&ScanFault::new(path, reason))?;
                return out.flush();
            }
            out.warn(&format!("{}: {}", escape::name(path), escape::text(reason)));
            Ok(())
        })
    }

    /// Something that does not change the result.
    pub(super) fn warn(&mut self, text: &str) {
        let Self { out, bar, .. } = self;
        bar.suspend(|| out.warn(text));
    }

    fn progress(&mut self) {
        // Formatting for every file would cost more than scanning the small ones.
        if self.bar.is_hidden() || self.told.elapsed() < Duration::from_millis(100) {
            return;
        }
        self.told = Instant::now();
        let s = &self.summary;
        let per_second = s.objects as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!(
            "{}, {}, {per_second:.0} a second, {} found, {} not scanned",
            render::count(s.objects, "object"),
            render::size(s.bytes),
            s.found(),
            s.errors
        ));
    }

    /// Shows the end and returns the counts.
    pub(super) fn finish(mut self, interrupted: bool) -> Result<Summary, CliError> {
        self.bar.finish_and_clear();
        self.summary.seconds = (self.began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        let s = &self.summary;
        if self.out.json {
            self.out.json(s)?;
        } else {
            let look = self.out.look;
            let number = |n: u64, word: &str| {
                let paint = if n > 0 { Paint::of_rating(word) } else { Paint::Plain };
                look.paint(paint, &format!("{n} {word}"))
            };
            let cut = if interrupted { "Interrupted. " } else { "" };
            let errors =
                if s.errors > 0 { format!("; {} could not be scanned", s.errors) } else { String::new() };
            self.out.text(&format!(
                "{cut}Scanned {} ({}) in {:.1} s: {}, {}, {}{errors}.",
                render::count(s.objects, "object"),
                render::size(s.bytes),
                s.seconds,
                number(s.high, "high"),
                number(s.medium, "medium"),
                number(s.low, "low")
            ))?;
        }
        self.out.flush()?;
        Ok(self.summary)
    }
}

/// `high    97  miner xmrig  /srv/a.sh`, and below it the evidence.
fn text(out: &Output, path: &[u8], verdict: &Verdict, rating: &str) -> String {
    let family =
        if verdict.family.is_empty() { String::new() } else { format!(" {}", escape::text(&verdict.family)) };
    let member = verdict.member.as_deref().map(|m| format!(" [{}]", escape::name(m))).unwrap_or_default();
    let test = if verdict.test { " (harmless test file)" } else { "" };
    let look = out.look;
    let mut lines = format!(
        "{} {:>3}  {}{family}{test}  {}{member}\n",
        look.paint(Paint::of_rating(rating), &format!("{rating:<6}")),
        verdict.confidence,
        verdict.class,
        escape::name(path)
    );
    for e in &verdict.evidence {
        let detail =
            if e.detail.is_empty() { String::new() } else { format!(": {}", escape::text(&e.detail)) };
        let line = format!("            {:+.1} {} {}{detail}", e.weight, e.kind.word(), escape::text(&e.id));
        lines.push_str(&look.paint(Paint::Dim, &line));
        lines.push('\n');
    }
    lines
}
