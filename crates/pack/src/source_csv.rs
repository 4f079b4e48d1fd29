// SPDX-License-Identifier: Apache-2.0
//! Hash lists in CSV (RFC 4180, one record a line, first line is the header).

use crate::{KnownBad, KnownGood};
use lazaret_model::{ContentProblem, Sha256};

const BAD_COLUMNS: [&str; 6] = ["sha256", "size", "class", "family", "test", "reference"];
const GOOD_COLUMNS: [&str; 3] = ["sha256", "name", "reference"];
/// No name, family or address is this long.
const MAX_FIELD: usize = 4096;

pub(crate) fn known_bad(file: &str, text: &str, problems: &mut Vec<ContentProblem>) -> Vec<KnownBad> {
    records(file, text, BAD_COLUMNS, problems, |[sha256, size, class, family, test, reference]| {
        Ok(KnownBad {
            sha256: digest(&sha256)?,
            size: size.parse().map_err(|_| format!("size \"{size}\" is not a number of bytes"))?,
            class: class.parse().map_err(|e| format!("{e}"))?,
            family: if family.is_empty() { return Err("family is empty".to_owned()) } else { family },
            test: match test.as_str() {
                "true" | "1" => true,
                "false" | "0" | "" => false,
                other => return Err(format!("test is \"{other}\"; true or false is needed")),
            },
            reference,
        })
    })
}

pub(crate) fn known_good(file: &str, text: &str, problems: &mut Vec<ContentProblem>) -> Vec<KnownGood> {
    records(file, text, GOOD_COLUMNS, problems, |[sha256, name, reference]| {
        Ok(KnownGood { sha256: digest(&sha256)?, name, reference })
    })
}

fn digest(word: &str) -> Result<Sha256, String> {
    word.parse().map_err(|e: lazaret_model::ParseHashError| e.to_string())
}

fn records<const N: usize, T>(
    file: &str,
    text: &str,
    columns: [&str; N],
    problems: &mut Vec<ContentProblem>,
    make: impl Fn([String; N]) -> Result<T, String>,
) -> Vec<T> {
    let mut out = Vec::new();
    let mut problem = |line: usize, message: String| {
        let line = u32::try_from(line).unwrap_or(0);
        problems.push(ContentProblem { file: file.to_owned(), line, column: 0, message });
    };
    let mut lines = text.lines().enumerate().map(|(i, l)| (i + 1, l.trim_end()));
    match lines.find(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
        Some((_, head)) if head == columns.join(",") => {}
        Some((line, _)) => {
            problem(line, format!("the header must be {}; the whole file was left out", columns.join(",")));
            return out;
        }
        None => return out,
    }
    for (line, text) in lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
        let made = fields(text).and_then(|fields| {
            let count = fields.len();
            let fields = <[String; N]>::try_from(fields)
                .map_err(|_| format!("has {count} fields, {N} are needed: {}", columns.join(",")))?;
            make(fields)
        });
        match made {
            Ok(record) => out.push(record),
            Err(message) => problem(line, message),
        }
    }
    out
}

fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut field = String::new();
    let mut chars = line.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (false, ',') => out.push(std::mem::take(&mut field)),
            (false, '"') if field.is_empty() => quoted = true,
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            (true, '"') => quoted = false,
            _ => field.push(c),
        }
        if field.len() > MAX_FIELD {
            return Err(format!("a field is longer than {MAX_FIELD} bytes"));
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    out.push(field);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_line_does_not_lose_the_others() {
        let good = "a".repeat(64);
        let other = "b".repeat(64);
        let text = format!(
            "sha256,size,class,family,test,reference\n{good},68,virus,x,true,https://e.org/\nxyz,1,virus,x,,r\n\
             {other},1,spam,x,,r\n{other},-1,virus,x,,r\n{other},9,miner,\"a,\"\"b\",false,r\n"
        );
        let mut problems = Vec::new();
        let entries = known_bad("hashes/k", &text, &mut problems);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].family, "a,\"b");
        assert!(entries[0].test && !entries[1].test);
        assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(problems[1].to_string().contains("hashes/k:4:0: unknown malware class \"spam\""));
    }

    #[test]
    fn a_wrong_header_is_said_once() {
        let mut problems = Vec::new();
        assert!(known_good("f", "hash,name\n1,2\n3,4\n", &mut problems).is_empty());
        assert_eq!(problems.len(), 1);
    }
}
