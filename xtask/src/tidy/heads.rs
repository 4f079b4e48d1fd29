// SPDX-License-Identifier: Apache-2.0
//! Every source file says its licence and what it is, and stays short enough to be read in one go.

use super::tree::Tree;

const LICENCE: &str = "// SPDX-License-Identifier: Apache-2.0";
const LONGEST: usize = 500;

pub(super) fn heads(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in tree.texts(".rs") {
        let mut lines = text.lines();
        if lines.next() != Some(LICENCE) {
            places.push(format!("{name}:1: the first line must be `{LICENCE}`"));
        } else if lines.next().is_none_or(|l| l.strip_prefix("//!").is_none_or(|doc| doc.trim().is_empty())) {
            places.push(format!("{name}:2: the second line must begin with `//!` and say what the file is"));
        }
    }
    places
}

pub(super) fn lengths(tree: &Tree) -> Vec<String> {
    let long =
        tree.texts(".rs").map(|(name, text)| (name, text.lines().count())).filter(|(_, n)| *n > LONGEST);
    long.map(|(name, n)| format!("{name}: {n} lines, {LONGEST} are the most: split it by subject")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_bad_heads() {
        let good = format!("{LICENCE}\n//! What it is.\n");
        let tree = Tree::of([
            ("good.rs", good.as_str()),
            ("no_licence.rs", "//! What it is.\n"),
            ("no_doc.rs", &format!("{LICENCE}\nfn main() {{}}\n")),
            ("empty_doc.rs", &format!("{LICENCE}\n//!\n")),
            ("other.txt", ""),
        ]);
        let places = heads(&tree);
        assert_eq!(places.len(), 3, "{places:?}");
        assert!(!places.iter().any(|p| p.starts_with("good.rs")));
    }

    #[test]
    fn sees_long_files() {
        let tree = Tree::of([("fits.rs", "x\n".repeat(500).as_str()), ("long.rs", &"x\n".repeat(501))]);
        let places = lengths(&tree);
        assert!(places.len() == 1 && places[0].starts_with("long.rs: 501 lines"), "{places:?}");
    }
}
