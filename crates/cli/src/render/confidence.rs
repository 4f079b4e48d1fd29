// SPDX-License-Identifier: Apache-2.0
//! The confidence: its place on the scale, and the evidence that makes it up.

use super::field;
use crate::escape;
use crate::output::{Look, Paint, lines};
use lazaret_proto::v1;

/// Where ratings begin, as in force on this host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// *high* from here.
    pub(crate) high: u32,
    /// *medium* from here.
    pub(crate) medium: u32,
}

impl Default for Scale {
    fn default() -> Self {
        let defaults = lazaret_model::Thresholds::default();
        Self { high: defaults.high().into(), medium: defaults.medium().into() }
    }
}

impl Scale {
    /// The thresholds in a status; the defaults when it has none.
    pub(crate) fn of(status: &v1::Status) -> Self {
        if status.high_threshold == 0 {
            return Self::default();
        }
        Self { high: status.high_threshold, medium: status.medium_threshold }
    }
}

/// Cells of the bar: one for every two points.
const CELLS: u32 = 50;

/// `[####|####....|..]`: filled up to the confidence, with a mark where *medium* and *high* begin.
fn bar(confidence: u32, scale: Scale) -> String {
    let cell = |points: u32| points.min(100) * CELLS / 100;
    (0..CELLS)
        .map(|i| {
            if i == cell(scale.medium) || i == cell(scale.high) {
                '|'
            } else if i < cell(confidence) {
                '#'
            } else {
                '.'
            }
        })
        .collect()
}

/// Confidence, scale and evidence of a verdict.
pub(super) fn confidence(look: Look, verdict: &v1::Verdict, rating: &str, scale: Scale) -> String {
    let paint = Paint::of_rating(rating);
    let head = format!(
        "{} of 100: {} (medium from {}, high from {})",
        look.paint(paint, &verdict.confidence.to_string()),
        look.paint(paint, &if rating.is_empty() { "not rated".to_owned() } else { escape::text(rating) }),
        scale.medium,
        scale.high
    );
    let mut out = field("Confidence", &format!("{head}\n0 [{}] 100", bar(verdict.confidence, scale)));
    out.push_str("\nWhat makes it up (weight above zero speaks for malware, below against it):\n");
    if verdict.evidence.is_empty() {
        out.push_str("  no evidence is recorded\n");
    }
    let mut table = look.table(["Weight", "", "Kind", "What", "Found"]);
    for e in &verdict.evidence {
        table.add_row([
            look.cell(if e.weight > 0.0 { Paint::Red } else { Paint::Green }, &format!("{:+.1}", e.weight)),
            look.cell(Paint::Bold, if e.decisive { "decisive" } else { "" }),
            look.cell(Paint::Plain, &escape::text(&e.kind)),
            look.cell(Paint::Plain, &escape::text(&e.id)),
            look.cell(Paint::Plain, &escape::text(&e.detail)),
        ]);
    }
    if !verdict.evidence.is_empty() {
        out.push_str(&lines(&table));
    }
    if !verdict.evidence.iter().any(|e| e.decisive) {
        out.push_str("Without a decisive evidence the confidence stays below the high rating.\n");
    }
    out.push_str(&format!("Judged with content {}.\n", escape::text(&verdict.content_version)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_value_and_thresholds() {
        insta::assert_snapshot!(bar(75, Scale::default()), @r#"##############################|######........|...."#);
        assert_eq!(bar(0, Scale::default()).matches('#').count(), 0);
        assert_eq!(bar(100, Scale::default()).matches('.').count(), 0);
        // A peer may say anything.
        assert_eq!(bar(u32::MAX, Scale { high: u32::MAX, medium: 0 }).len(), 50);
    }
}
