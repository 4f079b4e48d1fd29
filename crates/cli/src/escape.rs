// SPDX-License-Identifier: Apache-2.0
//! Names and texts from elsewhere, made safe for a terminal.
//!
//! A file name is data: it may hold control sequences that move the cursor, newlines that forge
//! lines, or bidirectional marks that turn the reading order around. None reaches a terminal raw.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A file name or path: printable UTF-8 as it is, `\\` for a backslash, `\n`, `\t`, `\r`, and
/// `\xNN` for every byte of what else is not printable or not UTF-8. Reversible.
pub(crate) fn name(bytes: &[u8]) -> String {
    escape(bytes, true)
}

/// Same for a path.
pub(crate) fn path(path: &Path) -> String {
    name(path.as_os_str().as_bytes())
}

/// A message: as [`name`], but backslashes stay, since the sender may have escaped names in it.
pub(crate) fn text(text: &str) -> String {
    escape(text.as_bytes(), false)
}

/// Arguments as the kernel keeps them (NUL between them), readable: those that a shell would split
/// or change are put in quotes.
pub(crate) fn cmdline(bytes: &[u8]) -> String {
    arguments(bytes)
        .map(|argument| {
            let shown = name(argument);
            let plain = |c: char| c.is_alphanumeric() || "_-+=./:,@%".contains(c);
            if !shown.is_empty() && shown.chars().all(plain) { shown } else { format!("'{shown}'") }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The arguments of a kernel command line, without the empty piece behind the last NUL.
pub(crate) fn arguments(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    whole.split(|b| *b == 0).filter(move |_| !bytes.is_empty())
}

/// Whether a character may change how a terminal or a reader sees what stands around it.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escape(bytes: &[u8], backslashes: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\\' if backslashes => out.push_str("\\\\"),
                c if is_unsafe(c) => {
                    let mut utf8 = [0; 4];
                    push_bytes(&mut out, c.encode_utf8(&mut utf8).as_bytes());
                }
                c => out.push(c),
            }
        }
        push_bytes(&mut out, chunk.invalid());
    }
    out
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        out.push_str("\\x");
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_comes_through() {
        assert_eq!(name(b"/tmp/plain \xc3\xa9.sh"), "/tmp/plain \u{e9}.sh");
        assert_eq!(name(b"a\nb\tc\rd\\e"), "a\\nb\\tc\\rd\\\\e");
        assert_eq!(name(b"\x1b[31mred\x07"), "\\x1b[31mred\\x07");
        assert_eq!(name(b"\xff\xfe.bin"), "\\xff\\xfe.bin");
        // CSI as one C1 character, and the mark that turns "gpj.exe" around.
        assert_eq!(name("\u{9b}2J".as_bytes()), "\\xc2\\x9b2J");
        assert_eq!(name("a\u{202e}gpj.exe".as_bytes()), "a\\xe2\\x80\\xaegpj.exe");
    }

    #[test]
    fn every_byte_is_either_printable_or_escaped() {
        for byte in 0..=u8::MAX {
            let shown = name(&[byte]);
            assert!(!shown.is_empty() && shown.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{byte}");
        }
    }

    #[test]
    fn messages_keep_their_backslashes() {
        assert_eq!(text("file a\\x1b is\nbad"), "file a\\x1b is\\nbad");
    }

    #[test]
    fn a_command_line_reads_like_one() {
        assert_eq!(cmdline(b"sh\0-c\0sleep 1\0"), "sh -c 'sleep 1'");
        assert_eq!(cmdline(b"prog\0\0"), "prog ''");
        assert_eq!(cmdline(b""), "");
        assert_eq!(arguments(b"a\0b").count(), 2);
    }
}
