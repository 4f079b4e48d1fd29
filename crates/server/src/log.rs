// SPDX-License-Identifier: Apache-2.0
//! The log: one line each on standard error, with the time; the service manager keeps it.

use crate::time;
use std::io::Write as _;

/// Writes a line. Control characters in it are shown, not sent: lines hold names from elsewhere.
pub(crate) fn line(text: &str) {
    let mut out = String::with_capacity(text.len() + 26);
    out.push_str(&time::rfc3339(time::now_ms()));
    out.push(' ');
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    // A log that cannot be written must not stop what it tells of.
    let _ = std::io::stderr().write_all(out.as_bytes());
}
