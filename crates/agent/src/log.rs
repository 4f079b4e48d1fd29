// SPDX-License-Identifier: Apache-2.0
//! Lines on standard error, where systemd's journal takes them from.
//!
//! Never called by the gate: whoever reads the log may wait for the gate's answer.

/// One line, as `format!`. A closed standard error is nobody's problem.
macro_rules! log {
    ($($t:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), "lazaretd: {}", format_args!($($t)*));
    }};
}

pub(crate) use log;

/// File names are data: control characters and invalid UTF-8 never reach a terminal or a log raw.
pub(crate) fn printable(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
        }
        for b in chunk.invalid() {
            out.push_str(&format!("\\x{b:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        assert_eq!(printable(b"a\nb\x1b[31m\xff"), "a\\nb\\u{1b}[31m\\xff");
        assert_eq!(printable("käse".as_bytes()), "käse");
    }
}
