// SPDX-License-Identifier: Apache-2.0
//! Cuts a YARA file into single rules, for files with a syntax error: after one, a parser may not find
//! back before the rule after next, and good rules would be lost with a bad one.
//!
//! A rule begins on a line that begins with `rule NAME`, `private` and `global` before it allowed, outside
//! of block comments. Quotes that are not closed end with their line, as in YARA.

/// Each piece with the number of its first line, from 1. The first holds what stands before any rule:
/// imports and includes.
pub(crate) fn split(source: &[u8]) -> Vec<(u32, &[u8])> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut start_line = 1;
    let mut offset = 0;
    let mut in_comment = false;
    for (i, line) in source.split_inclusive(|&b| b == b'\n').enumerate() {
        let number = u32::try_from(i + 1).unwrap_or(u32::MAX);
        if !in_comment && offset > start && begins_rule(line) {
            out.push((start_line, source.get(start..offset).unwrap_or_default()));
            start = offset;
            start_line = number;
        }
        in_comment = comment_after(line, in_comment);
        offset += line.len();
    }
    out.push((start_line, source.get(start..).unwrap_or_default()));
    out
}

fn begins_rule(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    loop {
        match words.next() {
            Some(b"private" | b"global") => {}
            Some(b"rule") => break,
            _ => return false,
        }
    }
    words.next().is_some_and(|name| name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_'))
}

/// Whether a block comment is open at the end of the line.
fn comment_after(line: &[u8], mut in_comment: bool) -> bool {
    let mut rest = line;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if in_comment {
            if b == b'*' && tail.first() == Some(&b'/') {
                in_comment = false;
                rest = tail.get(1..).unwrap_or_default();
            }
            continue;
        }
        match (b, tail.first()) {
            (b'/', Some(b'*')) => {
                in_comment = true;
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'/', Some(b'/')) => return false,
            // A string, or a regular expression: YARA divides with a backslash.
            (b'"' | b'/', _) => rest = behind_quote(tail, b),
            _ => {}
        }
    }
    in_comment
}

fn behind_quote(text: &[u8], quote: u8) -> &[u8] {
    let mut escaped = false;
    for (i, &b) in text.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if b == b'\\' {
            escaped = true;
        } else if b == quote {
            return text.get(i + 1..).unwrap_or_default();
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn rules_are_found_and_comments_are_not() {
        let text = "import \"elf\"\n// rule no {\nrule a {\n  /* rule b {\nrule c { */\n}\n\
                    \tprivate  global rule d { strings: $a = \"/*\" $b = /\\/*/ condition: $a }\n\
                    rule e : tag {\n  $s = \"open\n}\nrules f\n";
        let pieces: Vec<(u32, String)> = split(text.as_bytes())
            .into_iter()
            .map(|(n, p)| (n, String::from_utf8_lossy(p).into_owned()))
            .collect();
        assert_eq!(pieces.iter().map(|p| p.0).collect::<Vec<_>>(), [1, 3, 7, 8]);
        assert_eq!(pieces.iter().map(|p| p.1.as_str()).collect::<String>(), text);
    }

    #[test]
    fn odd_texts() {
        assert_eq!(split(b""), [(1, &b""[..])]);
        assert_eq!(split(b"rule x"), [(1, &b"rule x"[..])]);
        assert_eq!(split(b"\nrule x {"), [(1, &b"\n"[..]), (2, b"rule x {")]);
    }
}
