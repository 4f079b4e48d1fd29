// SPDX-License-Identifier: Apache-2.0
//! Paragraphs of `Field: value` lines, read one at a time.

use std::io::{self, BufRead};

/// A longer paragraph is no package's.
const MAX_STANZA: usize = 4 * 1024 * 1024;

/// Reads paragraphs.
pub(crate) struct Stanzas<R> {
    reader: R,
    buffer: Vec<u8>,
}

/// One paragraph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stanza<'a>(&'a [u8]);

impl<R: BufRead> Stanzas<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// The next paragraph, `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Stanza<'_>>> {
        self.buffer.clear();
        loop {
            let before = self.buffer.len();
            let room = (MAX_STANZA + 1).saturating_sub(before) as u64;
            let read = io::Read::take(&mut self.reader, room).read_until(b'\n', &mut self.buffer)?;
            if self.buffer.len() > MAX_STANZA {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a paragraph is over 4 MiB long"));
            }
            let line = self.buffer.get(before..).unwrap_or_default();
            let blank = line.iter().all(u8::is_ascii_whitespace);
            if read == 0 || (blank && before > 0) {
                self.buffer.truncate(before);
                return Ok((before > 0).then_some(Stanza(&self.buffer)));
            }
            if blank {
                self.buffer.clear();
            }
        }
    }
}

impl<'a> Stanza<'a> {
    /// A field's value: from after the colon to the end of its last continuation line, without the
    /// blanks around it. Names compare without regard to case.
    pub(crate) fn field(self, name: &str) -> Option<&'a [u8]> {
        let mut at = 0;
        let mut start = None;
        for line in self.0.split_inclusive(|b| *b == b'\n') {
            let continues = matches!(line.first(), Some(b' ' | b'\t'));
            if let (Some(start), false) = (start, continues) {
                return self.0.get(start..at).map(<[u8]>::trim_ascii);
            }
            let head = line.get(..name.len());
            if start.is_none()
                && line.get(name.len()) == Some(&b':')
                && head.is_some_and(|h| h.eq_ignore_ascii_case(name.as_bytes()))
            {
                start = Some(at + name.len() + 1);
            }
            at += line.len();
        }
        start.and_then(|s| self.0.get(s..)).map(<[u8]>::trim_ascii)
    }

    /// The same as text; `None` also when it is not UTF-8.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.field(name).and_then(|v| std::str::from_utf8(v).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_fields() {
        let text = b"\n\nPackage: a\nDescription: x\n y\n .\n z\nVersion:1\n\n\npackage: b\nEmpty:\nLast: v";
        let mut s = Stanzas::new(&text[..]);
        let a = s.next().unwrap().unwrap();
        assert_eq!(a.field("Package"), Some(&b"a"[..]));
        assert_eq!(a.field("Description"), Some(&b"x\n y\n .\n z"[..]));
        assert_eq!(a.text("version"), Some("1"));
        assert_eq!(a.field("Pack"), None);
        let b = s.next().unwrap().unwrap();
        assert_eq!(b.text("Package"), Some("b"));
        assert_eq!(b.text("Empty"), Some(""));
        assert_eq!(b.text("Last"), Some("v"));
        assert!(s.next().unwrap().is_none());
    }

    #[test]
    fn endless_paragraph_is_refused() {
        let long = vec![b'x'; MAX_STANZA + 10];
        assert!(Stanzas::new(&long[..]).next().is_err());
    }
}
