// SPDX-License-Identifier: Apache-2.0
//! `hss-table`: what the public SDK of HSS knows (`crates/hss/sdk.json`), and where every field comes from that the
//! server answers it with (`docs/hss-api.md`).

use crate::cargo::root;
use crate::python;
use crate::run::{self, Error};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Says which operations are answered.
const RUN: &str = "crates/hss/src/run.rs";
const SDK: &str = "crates/hss/sdk.json";
const DOCUMENT: &str = "docs/hss-api.md";

/// Writes both files anew; with `--check` writes nothing.
///
/// # Errors
/// There is no Python with the SDK; the SDK lacks an operation; a field has no line in `crates/hss/fields`, or a line no
/// field; with `--check`, a file is not up to date.
pub(crate) fn hss_table(arguments: &[String]) -> Result<(), Error> {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        _ => {
            return Err(Error::usage(format!(
                "`{}` is not understood; it is hss-table [--check]",
                arguments.join(" ")
            )));
        }
    };
    python::install()?;
    let path = root().join(RUN);
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Error::failed(format!("cannot read {}: {e}", path.display())))?;
    let names = answered(&text);
    if names.is_empty() {
        return Err(Error::failed(format!("{RUN} names no operation as `\"name\" => ...`")));
    }
    let sdk = run::output(script("tests/hss/introspect.py")?.args(names))?;
    kept(SDK, &sdk, check)?;
    let mut table = script("tests/hss/table.py")?;
    table.args(["docs/hss-api.head.md", SDK, "crates/hss/fields", "crates/hss/src"]);
    kept(DOCUMENT, &run::output(&mut table)?, check)
}

/// One of ours, started where paths of the tree are short.
fn script(path: &str) -> Result<Command, Error> {
    let mut command = Command::new(python::program()?);
    command.arg(path).current_dir(root()).env("PYTHONUTF8", "1");
    Ok(command)
}

/// The names in the arms of a match.
fn answered(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.trim_start().split_once(" =>"))
        .filter(|(arm, _)| arm.starts_with('"'))
        .flat_map(|(arm, _)| arm.split('"').skip(1).step_by(2))
        .collect()
}

/// Writes a file, or says that it should be written.
fn kept(name: &str, text: &str, check: bool) -> Result<(), Error> {
    keep(&root().join(name), text, check).map_err(|why| Error::failed(format!("{name} {why}")))
}

fn keep(path: &Path, text: &str, check: bool) -> Result<(), String> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if check {
        return Err("is not up to date: run `cargo xtask hss-table`".to_owned());
    }
    std::fs::write(path, text).map_err(|e| format!("cannot be written: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_arms_of_a_match() {
        let text = "match name {\n    \"one\" => a::one(call).await,\n    \"two\" | \"three\" => {\n        x(\"four\")\n    }\n    \
                    other => Err(\"five\"),\n}\nlet s = \"six\";\n";
        assert_eq!(answered(text).into_iter().collect::<Vec<_>>(), ["one", "three", "two"]);
        let real = std::fs::read_to_string(root().join(RUN)).unwrap();
        let real = answered(&real);
        assert!(real.contains("list_security_events") && real.contains("switch_antivirus_task"), "{real:?}");
        assert_eq!(
            real.len(),
            real.iter().filter(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).count()
        );
    }

    #[test]
    fn a_check_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.md");
        assert!(keep(&path, "new", true).unwrap_err().contains("cargo xtask hss-table"));
        assert!(!path.exists());
        keep(&path, "new", false).unwrap();
        keep(&path, "new", true).unwrap();
        assert!(keep(&path, "newer", true).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn other_arguments_are_refused() {
        assert!(matches!(hss_table(&["--all".to_owned()]), Err(Error::Usage(_))));
        assert!(matches!(hss_table(&["--check".to_owned(), "x".to_owned()]), Err(Error::Usage(_))));
    }
}
