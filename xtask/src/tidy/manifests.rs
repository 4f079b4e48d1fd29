// SPDX-License-Identifier: Apache-2.0
//! Every crate takes version, edition, licence and lints from the workspace, and names no version of
//! a dependency itself.

use super::tree::Tree;

const SPDX: &str = "# SPDX-License-Identifier: Apache-2.0";
const NEEDED: [&str; 5] = [
    "version.workspace = true",
    "edition.workspace = true",
    "license.workspace = true",
    "rust-version.workspace = true",
    "publish.workspace = true",
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in tree.texts("Cargo.toml") {
        if text.lines().next() != Some(SPDX) {
            places.push(format!("{name}:1: the first line must be `{SPDX}`"));
        }
        // The root is the source of the rest; the fuzz targets are a workspace of their own.
        if name == "Cargo.toml" || name.starts_with("fuzz/") {
            continue;
        }
        for line in NEEDED {
            if !text.lines().any(|l| l.trim() == line) {
                places.push(format!("{name}: must contain `{line}`"));
            }
        }
        if !text.contains("[lints]\nworkspace = true") {
            places.push(format!(
                "{name}: must take the lints of the workspace (`[lints]`, `workspace = true`)"
            ));
        }
        places.extend(own_versions(name, &text));
    }
    places
}

/// Dependencies that do not come from the table of the workspace.
fn own_versions(name: &str, text: &str) -> Vec<String> {
    let mut places = Vec::new();
    let mut in_dependencies = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            in_dependencies = section.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies
            && line.contains('=')
            && !line.starts_with('#')
            && !line.contains("workspace = true")
        {
            places.push(format!("{name}:{}: `{line}` must come from [workspace.dependencies]", number + 1));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_bad_manifests() {
        let good = format!(
            "{SPDX}\n[package]\nname = \"a\"\n{}\n\n[lints]\nworkspace = true\n\n[dependencies]\n\
             x.workspace = true\ny = {{ workspace = true, features = [\"z\"] }}\n",
            NEEDED.join("\n")
        );
        let tree = Tree::of([
            ("Cargo.toml", format!("{SPDX}\n[workspace]\n").as_str()),
            ("crates/good/Cargo.toml", &good),
            ("crates/head/Cargo.toml", &good.replacen(SPDX, "", 1)),
            ("crates/lints/Cargo.toml", &good.replace("[lints]\nworkspace = true", "")),
            ("crates/own/Cargo.toml", &good.replace("x.workspace = true", "x = \"1\"")),
            ("crates/publish/Cargo.toml", &good.replace("publish.workspace = true", "")),
        ]);
        let places = check(&tree);
        assert_eq!(places.len(), 4, "{places:?}");
        assert!(!places.iter().any(|p| p.starts_with("crates/good") || p.starts_with("Cargo.toml")));
    }
}
