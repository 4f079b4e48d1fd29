// SPDX-License-Identifier: Apache-2.0
//! What the documents point at is there.

use super::tree::Tree;

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Every path in backticks in ARCHITECTURE.md exists, and every crate has its place in it.
pub(super) fn paths(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.text(ARCHITECTURE) else { return vec![format!("{ARCHITECTURE} is missing")] };
    let mut places = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2).filter(|q| is_path(q)) {
            if !tree.has(quoted) {
                places.push(format!("{ARCHITECTURE}:{}: `{quoted}` does not exist", number + 1));
            }
        }
    }
    for (name, _) in tree.texts("/Cargo.toml").filter(|(name, _)| name.starts_with("crates/")) {
        let folder = name.trim_end_matches("/Cargo.toml");
        let named =
            |line: &str| line.contains(&format!("`{folder}`")) || line.contains(&format!("`{folder}/`"));
        if !text.lines().any(named) {
            places.push(format!("{ARCHITECTURE}: does not say what `{folder}` is for"));
        }
    }
    places
}

/// A path from the root of the tree: neither absolute, nor in a home, nor with a place to fill in.
fn is_path(quoted: &str) -> bool {
    let plain = quoted.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    let file = [".md", ".rs", ".toml", ".json", ".service"].iter().any(|end| quoted.ends_with(end));
    plain && !quoted.starts_with(['/', '.']) && (quoted.contains('/') || file) || quoted.starts_with(".ci/")
}

/// Tests that a document names as `path.rs: name` are there.
pub(super) fn named_tests(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (document, text) in tree.texts(".md") {
        for (number, line) in text.lines().enumerate() {
            for quoted in line.split('`').skip(1).step_by(2) {
                let Some((path, name)) = quoted.split_once(".rs: ") else { continue };
                let source = tree.text(&format!("{path}.rs")).unwrap_or_default();
                if !source.contains(&format!("fn {name}(")) {
                    places.push(format!("{document}:{}: there is no test `{quoted}`", number + 1));
                }
            }
        }
    }
    places
}

/// Links between documents lead somewhere.
pub(super) fn links(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in tree.texts(".md") {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in text.lines().enumerate() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let target = target.split('#').next().unwrap_or_default();
                if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if !tree.has(&joined(folder, target)) {
                    places.push(format!("{name}:{}: the link to `{target}` leads nowhere", number + 1));
                }
            }
        }
    }
    places
}

/// `target` as seen from `folder`, with `..` taken away.
fn joined(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What a visitor of the project looks for.
pub(super) fn required(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for name in ["LICENSE", "README.md", ARCHITECTURE, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        if !tree.has(name) {
            places.push(format!("{name} is missing"));
        }
    }
    let readme = tree.text("README.md").unwrap_or_default();
    for command in ["cargo xtask up", "cargo xtask test"] {
        if !readme.contains(command) {
            places.push(format!("README.md does not show `{command}`"));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_paths_that_are_gone() {
        let text = "`crates/a` and `crates/gone/src/x.rs`, `README.md`, `model::Verdict`, `/etc/lazaret`,\n\
                    `docs/<name>.md` and `a b/c`\n";
        let tree = Tree::of([(ARCHITECTURE, text), ("crates/a/Cargo.toml", ""), ("crates/b/Cargo.toml", "")]);
        let places = paths(&tree);
        assert_eq!(places.len(), 3, "{places:?}");
        assert!(places[0].contains("crates/gone/src/x.rs") && places[1].contains("README.md"));
        assert!(places[2].contains("`crates/b`"));
    }

    #[test]
    fn sees_dead_links() {
        let tree = Tree::of([
            ("docs/adr/0001-a.md", "[up](../threat.md) [gone](../gone.md) [web](https://example.org/x)"),
            ("docs/threat.md", "[self](#there) [root](../README.md)"),
        ]);
        let places = links(&tree);
        assert_eq!(places.len(), 2, "{places:?}");
        assert!(places[0].contains("../gone.md") && places[1].contains("../README.md"));
    }

    #[test]
    fn sees_tests_that_are_gone() {
        let tree = Tree::of([
            ("docs/a.md", "`crates/a/src/x.rs: kept`, `crates/a/src/x.rs: gone`, `crates/b/src/y.rs: kept`"),
            ("crates/a/src/x.rs", "#[test]\nfn kept() {}\nfn gone_by() {}\n"),
        ]);
        let places = named_tests(&tree);
        assert_eq!(places.len(), 2, "{places:?}");
    }

    #[test]
    fn sees_missing_documents() {
        let tree = Tree::of([("README.md", "Run `cargo xtask up`."), ("LICENSE", "")]);
        assert_eq!(required(&tree).len(), 5);
    }
}
