// SPDX-License-Identifier: Apache-2.0
//! Words that may not stand in the tree: work left open, and the strings of the test programs.

use super::tree::Tree;

/// Left in pieces, so that this file keeps its own rule.
const OPEN_ENDS: [&str; 6] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
];

pub(super) fn open_ends(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in tree.texts(".rs") {
        for (number, line) in text.lines().enumerate() {
            for word in OPEN_ENDS.iter().filter(|word| line.contains(**word)) {
                places
                    .push(format!("{name}:{}: `{word}`: finish it, or describe it in an issue", number + 1));
            }
        }
    }
    places
}

/// A checkout that holds one of these in plain form would be isolated where Lazaret is at work.
pub(super) fn plain_test_strings(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, bytes) in tree.files() {
        if contains(bytes, &eicar_start()) {
            places.push(format!("{name}: holds the EICAR string in plain form"));
        }
        if holds_marker(bytes) {
            places.push(format!("{name}: holds the marker of a test program in plain form"));
        }
    }
    places
}

/// Put together at run time: a constant would stand in the compiled xtask.
fn eicar_start() -> Vec<u8> {
    std::hint::black_box(["X5O!P%@", "AP[4\\PZX", "54(P^)7C", "C)7}$EIC"]).concat().into_bytes()
}

fn marker_start() -> Vec<u8> {
    let mut words = std::hint::black_box(["LAZARET", "TEST", "PROGRAM", "DO", "NOT", "DEPLOY"]).join("-");
    words.push('/');
    words.into_bytes()
}

/// The start of the marker alone is harmless; with a class and a rating behind it, it counts.
fn holds_marker(bytes: &[u8]) -> bool {
    let start = marker_start();
    bytes.windows(start.len()).enumerate().filter(|(_, window)| *window == start).any(|(at, _)| {
        let mut rest = bytes[at + start.len()..].split(|b| *b == b'/');
        let class = rest.next().unwrap_or_default();
        let rating = rest.next().unwrap_or_default();
        !class.is_empty()
            && class.iter().all(u8::is_ascii_lowercase)
            && matches!(rating, b"high" | b"medium" | b"low")
            && rest.next().is_some()
    })
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_work_left_open() {
        for word in OPEN_ENDS {
            let tree = Tree::of([("a.rs", format!("fn f() {{\n    {word}\n}}\n").as_str()), ("a.md", word)]);
            let places = open_ends(&tree);
            assert!(!places.is_empty() && places.iter().all(|p| p.starts_with("a.rs:2: ")), "{places:?}");
        }
    }

    #[test]
    fn sees_plain_test_strings() {
        let start = String::from_utf8(marker_start()).unwrap();
        let eicar = String::from_utf8(eicar_start()).unwrap();
        let tree = Tree::of([
            ("docs/prefix.md", format!("{start}<class>/<rating>/ is the form, {start}").as_str()),
            ("bad/marker.sh", &format!("#!/bin/sh\n# {start}miner/high/\n")),
            ("bad/eicar.txt", &format!("text before {eicar}")),
        ]);
        let places = plain_test_strings(&tree);
        assert_eq!(places.len(), 2, "{places:?}");
        assert!(places.iter().all(|p| p.starts_with("bad/")));
    }
}
