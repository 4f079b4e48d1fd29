// SPDX-License-Identifier: Apache-2.0
//! First facts about scripts that speak for malware a little, and the form of such findings.

use crate::finding::Finding;
use lazaret_model::{Evidence, EvidenceKind, MalwareClass};
use memchr::memmem;

/// All findings about structure are one group: together they stay far below *medium*.
const CORRELATE: &str = "structure";
/// A line of nothing but encoded data counts from this length.
const ENCODED_LINE: usize = 2048;

/// A finding about how an object is made. It condemns nothing by itself.
pub(crate) fn structure(id: &str, weight: f32, detail: String) -> Finding {
    Finding {
        evidence: Evidence {
            kind: EvidenceKind::Heuristic,
            id: id.to_owned(),
            weight,
            detail,
            decisive: false,
        },
        correlate: CORRELATE.to_owned(),
        class: MalwareClass::Unclassified,
        family: String::new(),
        test: false,
    }
}

/// Findings about a file that begins with `#!`.
pub(crate) fn examine(bytes: &[u8], findings: &mut Vec<Finding>) {
    let line = bytes.get(2..bytes.len().min(512)).unwrap_or_default();
    let line = line.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii();
    let interpreter = line.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
    if [&b"/tmp/"[..], b"/var/tmp/", b"/dev/shm/"].iter().any(|t| interpreter.starts_with(t)) {
        findings.push(structure(
            "script_interpreter_temporary",
            2.0,
            format!("its interpreter is {:?}", String::from_utf8_lossy(interpreter)),
        ));
    }
    if let Some(length) = encoded_line(bytes)
        && decodes(bytes)
    {
        findings.push(structure(
            "script_runs_encoded_data",
            1.5,
            format!("it decodes and runs {length} bytes of its own"),
        ));
    }
}

/// The length of the first long run of base64 or hexadecimal digits. Such a run covers one of the places
/// that are looked at; around it it is followed to both sides.
fn encoded_line(bytes: &[u8]) -> Option<usize> {
    let is_other = |&b: &u8| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    (ENCODED_LINE - 1..bytes.len()).step_by(ENCODED_LINE).find_map(|at| {
        let (before, from) = bytes.split_at_checked(at)?;
        let before = before.iter().rev().take_while(|b| !is_other(b)).count();
        let length = match from.iter().position(is_other) {
            Some(0) => return None,
            Some(after) => before + after,
            None => before + from.len(),
        };
        (length >= ENCODED_LINE).then_some(length)
    })
}

fn decodes(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| memmem::find(bytes, needle).is_some();
    let decode = has(b"base64 -d") || has(b"base64 --decode") || has(b"b64decode") || has(b"decode_base64");
    let run = has(b"| sh") || has(b"|sh") || has(b"| bash") || has(b"|bash") || has(b"eval") || has(b"exec(");
    decode && run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(script: &str) -> Vec<String> {
        let mut findings = Vec::new();
        examine(script.as_bytes(), &mut findings);
        findings.into_iter().map(|f| f.evidence.id).collect()
    }

    #[test]
    fn oddities() {
        assert_eq!(ids("#!/bin/sh\necho hello\n"), [""; 0]);
        assert_eq!(ids("#! /dev/shm/x -e\n"), ["script_interpreter_temporary"]);
        let data = "QUJD".repeat(1000);
        assert_eq!(ids(&format!("#!/bin/sh\necho {data} | base64 -d | sh\n")), ["script_runs_encoded_data"]);
        assert_eq!(ids(&format!("#!/bin/sh\nlogo={data}\n")), [""; 0]);
        assert_eq!(ids("#!"), [""; 0]);
    }

    #[test]
    fn a_long_run_is_found_wherever_it_stands() {
        for before in [0, 1, 2046, 2047, 2048, 5000] {
            for (length, found) in [(2047, None), (2048, Some(2048)), (2049, Some(2049)), (7000, Some(7000))]
            {
                for after in ["", " end"] {
                    let text = format!("{}{}{after}", ".".repeat(before), "A".repeat(length));
                    assert_eq!(encoded_line(text.as_bytes()), found, "{before} {length} {after}");
                }
            }
        }
        let two = format!("{} {}", "a".repeat(3000), "b".repeat(4000));
        assert_eq!(encoded_line(two.as_bytes()), Some(3000));
        assert_eq!(encoded_line(b""), None);
    }
}
