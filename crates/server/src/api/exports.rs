// SPDX-License-Identifier: Apache-2.0
//! Files that are written while nobody waits: lists as CSV. They are in the database, so that any API gives
//! them out.

use crate::time;
use lazaret_store::ExportLimits;

/// Kept for so long.
pub(crate) const KEPT_MS: i64 = time::DAY_MS;
/// A server that writes one says so at least as often, with every part.
pub(crate) const STALE_MS: i64 = 5 * 60_000;

/// What all exports together may take of the database.
pub(crate) const LIMITS: ExportLimits =
    ExportLimits { running: 4, kept: 200, bytes: 2 << 30, stale_ms: STALE_MS };

/// A cell that no spreadsheet takes for a formula, and no reader for two lines.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let first = text.trim_start().chars().next();
    if text.starts_with(['\t', '\r', '\n'])
        || first.is_some_and(|c| "=+-@|%\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c))
    {
        out.push('\'');
    }
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "|cmd", "%x"] {
            assert!(cell(bad).starts_with('\''), "{bad}");
        }
        assert_eq!(cell("/usr/bin/a"), "/usr/bin/a");
        assert_eq!(cell("a\nb"), "a\\nb");
    }
}
