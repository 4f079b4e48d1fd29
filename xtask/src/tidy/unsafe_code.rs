// SPDX-License-Identifier: Apache-2.0
//! `unsafe` stands in `crates/sys` only, and every other crate root forbids it.

use super::code::without_literals;
use super::tree::Tree;

const HOME: &str = "crates/sys/";
const FORBID: &str = "#![forbid(unsafe_code)]";

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in tree.texts(".rs").filter(|(name, _)| !name.starts_with(HOME)) {
        if is_root(tree, name) && !text.lines().any(|line| line.trim() == FORBID) {
            places.push(format!("{name}: a crate root must contain `{FORBID}`"));
        }
        for (number, line) in without_literals(&text).lines().enumerate() {
            if uses_unsafe(line) {
                places
                    .push(format!("{name}:{}: `unsafe` outside {HOME}: give sys a safe wrapper", number + 1));
            }
        }
    }
    places
}

/// Whether cargo compiles this file as a library, a program or an example of the workspace. The fuzz
/// targets are left out: the macro that makes their entry point expands to unsafe code.
fn is_root(tree: &Tree, name: &str) -> bool {
    if name.starts_with("fuzz/") {
        return false;
    }
    let parts: Vec<&str> = name.split('/').collect();
    let package = |depth: usize| {
        let folder = &parts[..parts.len() - depth];
        tree.has(&folder.iter().chain(&["Cargo.toml"]).copied().collect::<Vec<_>>().join("/"))
    };
    match parts.as_slice() {
        [.., "src", "lib.rs" | "main.rs"] | [.., "examples", _] => package(2),
        [.., "src", "bin", _] | [.., "examples", _, "main.rs"] => package(3),
        [.., "src", "bin", _, "main.rs"] => package(4),
        _ => false,
    }
}

/// Whether the keyword stands in a line of code; the lint's name is another word.
fn uses_unsafe(line: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_roots_that_do_not_forbid() {
        let tree = Tree::of([
            ("crates/a/Cargo.toml", ""),
            ("crates/a/src/lib.rs", "fn a() {}"),
            ("crates/a/src/inner.rs", "fn a() {}"),
            ("crates/a/src/bin/tool.rs", "fn main() {}"),
            ("crates/a/examples/show.rs", "fn main() {}"),
            ("crates/a/examples/more/main.rs", "fn main() {}"),
            ("crates/b/Cargo.toml", ""),
            ("crates/b/src/main.rs", "#![forbid(unsafe_code)]\nfn main() {}"),
            ("crates/sys/Cargo.toml", ""),
            ("crates/sys/src/lib.rs", "unsafe { }"),
        ]);
        let places = check(&tree);
        assert_eq!(places.len(), 4, "{places:?}");
        assert!(places.iter().all(|p| p.starts_with("crates/a/")));
    }

    #[test]
    fn sees_the_keyword() {
        let bad = "fn f() {\n    let x = unsafe { y() };\n}\n#[unsafe(no_mangle)]\n";
        let good =
            "// unsafe { is explained }\n#![deny(unsafe_op_in_unsafe_fn)]\nconst A: &str = \"unsafe {\";\n";
        let places = check(&Tree::of([("crates/a/src/bad.rs", bad), ("crates/a/src/good.rs", good)]));
        assert_eq!(places.len(), 2, "{places:?}");
        assert!(
            places[0].starts_with("crates/a/src/bad.rs:2:")
                && places[1].starts_with("crates/a/src/bad.rs:4:")
        );
    }
}
