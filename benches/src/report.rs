// SPDX-License-Identifier: Apache-2.0
//! How figures are printed: Markdown that goes into the README as it is.

use std::io::Write;
use std::time::Duration;

/// One line on standard output.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

pub(crate) fn title(name: &str) {
    line(&format!("\n### {name}\n"));
}

pub(crate) fn machine() {
    let read = |p: &str| std::fs::read_to_string(p).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name\t: ")).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    line(&format!("{model}, {cores} cores, kernel {}", kernel.trim()));
}

/// Sorted samples.
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// `part` from 0.0 to 1.0.
    pub(crate) fn at(&self, part: f64) -> Duration {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a short list"
        )]
        let i = ((self.0.len().saturating_sub(1)) as f64 * part).round() as usize;
        self.0.get(i).copied().unwrap_or_default()
    }

    pub(crate) fn row(&self, name: &str) {
        line(&format!(
            "| {name} | {} | {} | {} | {} | {} |",
            us(self.at(0.1)),
            us(self.at(0.5)),
            us(self.at(0.99)),
            us(self.at(1.0)),
            self.0.len()
        ));
    }
}

pub(crate) fn header() {
    line("| what | p10 | p50 | p99 | max | samples |");
    line("|---|---|---|---|---|---|");
}

pub(crate) fn us(d: Duration) -> String {
    let us = d.as_secs_f64() * 1e6;
    if us >= 1000.0 { format!("{:.2} ms", us / 1000.0) } else { format!("{us:.1} us") }
}
