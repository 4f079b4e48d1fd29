// SPDX-License-Identifier: Apache-2.0
//! Text of hosts in the text of people: what steers a terminal, a mail reader or the direction of writing is
//! shown, not done.

use std::fmt::Write as _;

/// Of raw bytes, as a path has them; at most so many characters.
pub(crate) fn of_bytes(bytes: &[u8], most: usize) -> String {
    shown(&String::from_utf8_lossy(bytes), most)
}

/// One line without control characters, at most so many characters.
pub(crate) fn shown(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    for (n, c) in text.chars().enumerate() {
        if n >= most {
            out.push('…');
            break;
        }
        if c.is_control() || steers(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Line and paragraph ends, and what turns the direction of writing.
fn steers(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Milliseconds as RFC 3339.
pub(crate) fn time(ms: i64) -> String {
    // What a host sends may be any number; the store holds them to the year 9999, which is a day too many.
    let ms = ms.clamp(0, 253_402_200_000_000);
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |t| format!("{t:.3}"))
}

/// Lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// Milliseconds since the epoch, now.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The word for a severity that the database counts.
pub(crate) const fn severity(number: i64) -> &'static str {
    match number {
        0 => "low",
        1 => "medium",
        3 => "critical",
        _ => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers() {
        let text = shown("a\r\nBcc: x@y\u{202e}\u{1b}[2J\u{2028}", 100);
        assert_eq!(text, "a\\u{d}\\u{a}Bcc: x@y\\u{202e}\\u{1b}[2J\\u{2028}");
        assert_eq!(of_bytes(b"/\xff\xfe", 9), "/\u{fffd}\u{fffd}");
        assert_eq!(shown("abcdef", 3), "abc…");
    }

    #[test]
    fn times() {
        assert_eq!(time(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
        assert!(time(i64::MAX).starts_with("9999-") && time(-5).starts_with("1970-"));
    }
}
