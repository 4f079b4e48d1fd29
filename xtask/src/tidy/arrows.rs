// SPDX-License-Identifier: Apache-2.0
//! Which crate may use which (ARCHITECTURE.md, "Crates"), asked of cargo and not of the manifests.

use crate::cargo::cargo;
use crate::run::{self, Error};
use std::collections::{BTreeMap, BTreeSet};

/// Every crate of the workspace and the crates of the workspace that it may use directly. Test and
/// benchmark members may use everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("sys", &["model"]),
    ("policy", &["model"]),
    ("proto", &["model"]),
    ("pack", &["model"]),
    ("packages", &["model"]),
    ("state", &["model"]),
    ("engine", &["model", "pack"]),
    ("vault", &["model", "sys"]),
    ("response", &["model", "sys", "vault"]),
    ("scanner", &["engine", "model", "pack", "proto", "sys"]),
    ("pool", &["model", "proto", "sys"]),
    ("session", &["model", "proto"]),
    ("store", &["model"]),
    ("notify", &["model", "proto", "store"]),
    ("samples", &["model"]),
    ("deepscan", &["model", "pool", "proto", "samples", "store"]),
    (
        "server",
        &["deepscan", "model", "notify", "policy", "pool", "proto", "pack", "samples", "session", "store"],
    ),
    ("console", &[]),
    ("hss", &["model", "server"]),
    ("server-bin", &["console", "hss", "server"]),
    (
        "agent",
        &[
            "model", "pack", "packages", "policy", "pool", "proto", "response", "session", "state", "sys",
            "vault",
        ],
    ),
    ("cli", &["model", "policy", "pool", "proto", "response", "vault"]),
];
const FREE: [&str; 3] = ["kit", "bench", "xtask"];

/// Crates from outside that only these may use directly.
const KEPT: &[(&str, &[&str])] = &[
    ("yara-x", &["engine"]),
    ("yara-x-parser", &["engine"]),
    ("goblin", &["engine"]),
    ("age", &["vault", "server", "samples"]),
    ("landlock", &["sys"]),
    ("seccompiler", &["sys"]),
    ("prost", &["proto"]),
    ("rusqlite", &["state", "packages"]),
    ("sqlx", &["store"]),
    ("lettre", &["notify"]),
];

/// What may not be in the closure of a crate, however it would come in: what parses untrusted bytes
/// stays out of the processes that are privileged or that people start.
const ABSENT: &[(&str, &[&str])] = &[
    ("agent", &["yara-x", "boreal", "wasmtime", "goblin", "zip", "tar", "lazaret-engine"]),
    ("cli", &["yara-x", "boreal", "wasmtime", "goblin", "zip", "tar", "lazaret-engine"]),
    ("scanner", &["rusqlite", "age", "tokio", "rustls"]),
    ("server", &["yara-x", "boreal", "wasmtime", "goblin", "zip", "tar", "lazaret-engine"]),
    ("server-bin", &["yara-x", "boreal", "wasmtime", "goblin", "zip", "tar", "lazaret-engine"]),
    ("model", &["serde", "prost", "rustix"]),
    ("policy", &["serde", "prost", "rustix"]),
];

/// Nowhere: one TLS library will be enough, and it will not be this one.
const BANNED: [&str; 3] = ["openssl-sys", "native-tls", "git2"];

/// The direct dependencies by crate.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Asks cargo for the dependencies and returns what breaks the tables above.
///
/// # Errors
/// cargo cannot say.
pub(super) fn check() -> Result<Vec<String>, Error> {
    let direct = tree(&["--workspace", "--depth", "1"])?;
    let mut places = compare(&parse(&direct));
    for (name, absent) in ABSENT {
        places.extend(found(name, absent, &tree(&["--package", &format!("lazaret-{name}")])?));
    }
    places.extend(found("the workspace", &BANNED, &tree(&["--workspace"])?));
    Ok(places)
}

/// `cargo tree` without development dependencies: one `<depth><name> <version>` a line.
fn tree(arguments: &[&str]) -> Result<String, Error> {
    let mut command = cargo()?;
    command.args([
        "tree",
        "--quiet",
        "--locked",
        "--edges",
        "normal,build",
        "--prefix",
        "depth",
        "--format",
        "{p}",
    ]);
    if arguments.contains(&"--depth") {
        command.arg("--no-dedupe");
    }
    run::output(command.args(arguments))
}

fn parse(text: &str) -> Arrows {
    let mut arrows = Arrows::new();
    let mut current = String::new();
    for line in text.lines() {
        let Some((depth, name)) = entry(line) else { continue };
        if depth == "0" {
            current = name.to_owned();
            arrows.entry(current.clone()).or_default();
        } else {
            arrows.entry(current.clone()).or_default().insert(name.to_owned());
        }
    }
    arrows
}

/// `12name v1.0.0 (...)` as depth and name.
fn entry(line: &str) -> Option<(&str, &str)> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let name = line[digits..].split(' ').next().filter(|name| !name.is_empty())?;
    Some((&line[..digits], name))
}

fn compare(arrows: &Arrows) -> Vec<String> {
    let mut places = Vec::new();
    for (name, uses) in arrows {
        let short = name.strip_prefix("lazaret-").unwrap_or(name);
        if short == "xtask" && !uses.is_empty() {
            places.push(format!("xtask must have no dependencies, it has {uses:?}"));
        }
        if FREE.contains(&short) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == short) else {
            places.push(format!("{name}: a new crate: say in the table what it may use"));
            continue;
        };
        for used in uses {
            match used.strip_prefix("lazaret-") {
                Some(inner) if !allowed.contains(&inner) => {
                    places.push(format!("{name} -> {used} is not one of the allowed arrows"));
                }
                _ => {}
            }
            if KEPT.iter().any(|(outer, by)| outer == used && !by.contains(&short)) {
                places.push(format!("{name} -> {used}: this dependency is kept to other crates"));
            }
        }
    }
    places
}

fn found(name: &str, absent: &[&str], closure: &str) -> Vec<String> {
    let names: BTreeSet<&str> = closure.lines().filter_map(entry).map(|(_, name)| name).collect();
    let present = absent.iter().filter(|absent| names.contains(**absent));
    present.map(|present| format!("{name}: `{present}` is among its dependencies and must not be")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_arrows_that_are_not_allowed() {
        let text = "0lazaret-model v0.1.0 (/x)\n\n0lazaret-policy v0.1.0 (/x)\n1lazaret-model v0.1.0 (/x)\n\
                    1lazaret-sys v0.1.0 (/x)\n1yara-x v1.2.3\n0lazaret-new v0.1.0 (/x)\n0xtask v0.1.0 (/x)\n\
                    1serde v1.0.0\n0lazaret-kit v0.1.0 (/x)\n1lazaret-agent v0.1.0 (/x)\n";
        let places = compare(&parse(text));
        assert_eq!(places.len(), 4, "{places:?}");
        let all = places.join("\n");
        assert!(all.contains("lazaret-policy -> lazaret-sys is not one"), "{all}");
        assert!(all.contains("lazaret-policy -> yara-x: this dependency"), "{all}");
        assert!(all.contains("lazaret-new: a new crate"), "{all}");
        assert!(all.contains("xtask must have no dependencies"), "{all}");
    }

    #[test]
    fn sees_what_must_be_absent() {
        let closure = "0lazaret-agent v0.1.0 (/x)\n1lazaret-pool v0.1.0 (/x)\n12yara-x v1.2.3 (*)\n";
        assert_eq!(found("agent", &["yara-x", "zip"], closure).len(), 1);
        assert!(found("agent", &["zip", "yara"], closure).is_empty());
    }

    #[test]
    fn the_allowed_arrows_have_no_circle() {
        for (at, (name, uses)) in ALLOWED.iter().enumerate() {
            for used in *uses {
                let place = ALLOWED.iter().position(|(known, _)| known == used).unwrap();
                assert!(place < at, "{name} -> {used}: the table is sorted from the bottom up");
            }
        }
    }
}
