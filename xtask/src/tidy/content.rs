// SPDX-License-Identifier: Apache-2.0
//! Rules and cases are stored encoded, below `content/` only.

use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, bytes) in tree.files() {
        let inside = name.starts_with("content/");
        if name.ends_with(".rot47") && !inside {
            places.push(format!("{name}: encoded content belongs below content/"));
        }
        if (name.ends_with(".yar") || name.ends_with(".yara")) && inside {
            places.push(format!("{name}: shipped rules are stored encoded (docs/content-authoring.md)"));
        }
        if name.ends_with(".pack") || bytes.starts_with(b"\x7fELF") {
            places.push(format!("{name}: build results do not belong into the tree"));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_misplaced_content() {
        let tree = Tree::of([
            ("content/rules/a.rot47", ""),
            ("content/rules/plain.yar", ""),
            ("docs/a.rot47", ""),
            ("lazaret.pack", ""),
            ("tests/data/program", "\x7fELF..."),
        ]);
        assert_eq!(check(&tree).len(), 4);
    }
}
