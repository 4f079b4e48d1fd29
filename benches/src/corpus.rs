// SPDX-License-Identifier: Apache-2.0
//! 50,000 small source files: copies of what cargo has unpacked here, each with its own last line.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const FILES: usize = 50_000;

pub(crate) fn small_files() -> TempDir {
    let folder = tempfile::Builder::new().prefix("lazaret-corpus-").tempdir_in("/var/tmp").expect("folder");
    let home = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cargo"),
        PathBuf::from,
    );
    let mut sources = Vec::new();
    collect(&home.join("registry/src"), &mut sources);
    assert!(!sources.is_empty(), "cargo has unpacked no sources under {}", home.display());
    sources.sort();
    for i in 0..FILES {
        let source = &sources[i % sources.len()];
        let mut bytes = std::fs::read(source).unwrap_or_default();
        bytes.extend(format!("\n// {i}\n").bytes());
        let below = folder.path().join(format!("{:03}", i / 500));
        if i % 500 == 0 {
            std::fs::create_dir(&below).expect("folder");
        }
        std::fs::write(below.join(format!("{i}.rs")), bytes).expect("file");
    }
    folder
}

/// Sources of 2 to 60 KiB.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if into.len() >= FILES {
            return;
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            collect(&path, into);
        } else if path.extension().is_some_and(|x| x == "rs" || x == "js" || x == "py")
            && entry.metadata().is_ok_and(|m| (2048..61_440).contains(&m.len()))
        {
            into.push(path);
        }
    }
}
