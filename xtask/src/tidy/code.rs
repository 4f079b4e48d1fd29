// SPDX-License-Identifier: Apache-2.0
//! Rust text without its comments and literals, so that a rule sees only code.

/// Replaces what stands in comments, strings and characters by spaces. Lines keep their numbers.
pub(super) fn without_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        match end {
            Some(end) => {
                let end = end.min(bytes.len());
                for byte in out[at..end].iter_mut().filter(|b| **b != b'\n') {
                    *byte = b' ';
                }
                at = end;
            }
            // Words are skipped whole: the `r` of `for` starts no raw string.
            None if is_word(bytes[at]) => at += bytes[at..].iter().take_while(|b| is_word(**b)).count(),
            None => at += 1,
        }
    }
    // Only whole literals were blanked; what is left was valid before.
    String::from_utf8_lossy(&out).into_owned()
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the comment or literal that starts at `at` ends; `None`: there starts none.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        let end = rest.windows(2).position(|w| w == b"*/");
        return Some(end.map_or(bytes.len(), |end| at + end + 2));
    }
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = rest.get(prefix.len()..).unwrap_or_default();
        let hashes = after.iter().take_while(|b| **b == b'#').count();
        rest.starts_with(prefix.as_bytes())
            && after.get(hashes) == Some(&b'"')
            && (hashes == 0 || prefix.ends_with('r'))
    });
    if let Some(prefix) = prefix {
        let hashes = rest[prefix.len()..].iter().take_while(|b| **b == b'#').count();
        let open = at + prefix.len() + hashes + 1;
        return Some(string_end(bytes, open, prefix.ends_with('r').then_some(hashes)));
    }
    character_end(bytes, at)
}

/// The end of a string whose text begins at `open`; raw strings end at a quote with their hashes.
fn string_end(bytes: &[u8], open: usize, raw: Option<usize>) -> usize {
    let mut at = open;
    while at < bytes.len() {
        match (bytes[at], raw) {
            (b'\\', None) => at += 2,
            (b'"', None) => return at + 1,
            (b'"', Some(hashes)) if bytes[at + 1..].iter().take_while(|b| **b == b'#').count() >= hashes => {
                return at + 1 + hashes;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a character literal; a lifetime is none.
fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at] != b'\'' {
        return None;
    }
    if bytes.get(at + 1) == Some(&b'\\') {
        let close = bytes.get(at + 3..)?.iter().position(|b| *b == b'\'')?;
        return Some(at + 3 + close + 1);
    }
    // One character of up to four bytes, then the quote.
    let close = bytes.get(at + 2..)?.iter().take(4).position(|b| *b == b'\'')?;
    let one = std::str::from_utf8(&bytes[at + 1..at + 2 + close]).is_ok_and(|c| c.chars().count() == 1);
    one.then_some(at + 2 + close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_code_only() {
        for (text, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b\nb */ c", "a     \n     c"),
            (r#"f("x \" y", z)"#, "f(        , z)"),
            ("f(r#\"a \" b\"#, z)", "f(          , z)"),
            ("f(b\"x\", 'y', '\\'', '\"', z)", "f(    ,    ,     ,    , z)"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("for x in r { }", "for x in r { }"),
        ] {
            assert_eq!(without_literals(text), code);
        }
    }

    #[test]
    fn ends_with_the_text() {
        for text in ["\"open", "r#\"open\"", "/* open", "'", "'\\", "b\"\\", "\u{e9}'\u{e9}"] {
            assert_eq!(without_literals(text).lines().count(), 1);
        }
    }
}
