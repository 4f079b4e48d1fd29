// SPDX-License-Identifier: Apache-2.0
//! A lint exception says why it is there.

use super::code::without_literals;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in tree.texts(".rs") {
        let text = without_literals(&text);
        let mut from = 0;
        while let Some((at, attribute)) = next_exception(&text, from) {
            if !attribute.contains("reason") {
                let number = text[..at].matches('\n').count() + 1;
                places.push(format!("{name}:{number}: a lint exception must say its `reason = \"...\"`"));
            }
            from = at + attribute.len();
        }
    }
    places
}

/// The next attribute that lowers a lint, at or after `from`; attributes may span lines.
fn next_exception(text: &str, from: usize) -> Option<(usize, &str)> {
    let starts = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
    let at = starts.iter().filter_map(|start| text[from..].find(start).map(|at| from + at)).min()?;
    let length = text[at..].find(")]").map_or(text.len() - at, |end| end + 2);
    Some((at, &text[at..at + length]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_exceptions_without_a_reason() {
        let text = "#![allow(dead_code, reason = \"shown\")]\n\
                    #[allow(unused)]\nfn a() {}\n\
                    #[expect(\n    unused,\n)]\nfn b() {}\n\
                    #[allow(\n    unused,\n    reason = \"shown\"\n)]\nfn c() {}\n\
                    // #[allow(unused)] is a comment\n";
        let places = check(&Tree::of([("a.rs", text)]));
        assert_eq!(places.len(), 2, "{places:?}");
        assert!(places[0].starts_with("a.rs:2:") && places[1].starts_with("a.rs:4:"), "{places:?}");
    }
}
