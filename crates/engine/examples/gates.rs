// SPDX-License-Identifier: Apache-2.0
//! Shows what the gates of literals do. Without paths: the literals of each rule, of which one must be in a
//! file before the rule is asked. With paths: scans every file with and without gates, says where the two
//! differ (never), how many files of each type needed no rules, and which rules open gates most.
//!
//! `gates [--content PACK_OR_DIR] [PATH...]`

#![forbid(unsafe_code)]

use lazaret_engine::{Engine, file_type, gate_literals};
use lazaret_pack::Content;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Seen {
    files: u64,
    bytes: u64,
    opened: u64,
    opened_bytes: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut folder = PathBuf::from("content");
    let mut paths = Vec::new();
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--content" {
            folder = arguments.next().ok_or("--content needs a value")?.into();
        } else {
            paths.push(PathBuf::from(argument));
        }
    }
    let content = Content::load(&folder)?;
    if paths.is_empty() { literals(&content) } else { compare(&content, &paths) }
}

fn literals(content: &Content) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for rule in &content.rules {
        let types: Vec<&str> = rule.types.iter().map(|t| t.word()).collect();
        let largest = rule.max_size.map_or("any size".to_owned(), |n| format!("up to {n} bytes"));
        writeln!(out, "{} ({}; {largest})", rule.id, types.join(", "))?;
        match gate_literals(rule) {
            None => writeln!(out, "    no gate: it is asked about every such file")?,
            Some(literals) => {
                for literal in literals {
                    writeln!(out, "    {}", literal.escape_ascii())?;
                }
            }
        }
    }
    Ok(out.flush()?)
}

fn compare(content: &Content, paths: &[PathBuf]) -> Result<(), Box<dyn std::error::Error>> {
    let gated = Engine::load(content, &[]).0;
    let ungated = Engine::load(content, &[]).0.with_gates(false);
    let (mut with, mut without) = (gated.scanner(), ungated.scanner());
    let mut by_type: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut by_rule: BTreeMap<String, u64> = BTreeMap::new();
    let mut different = 0;
    let mut out = std::io::stdout();
    let mut files = Vec::new();
    for path in paths {
        walk(path, &mut files);
    }
    for path in files {
        let Ok(file) = File::open(&path) else { continue };
        let (a, b) = (with.scan_file(&file, true), without.scan_file(&file, true));
        if a != b {
            different += 1;
            writeln!(out, "DIFFERENT {}: {a:?} {b:?}", path.display())?;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let seen = by_type.entry(file_type(&bytes).word()).or_default();
        let opened = gated.gates_opened_by(&bytes);
        seen.files += 1;
        seen.bytes += bytes.len() as u64;
        if !opened.is_empty() {
            seen.opened += 1;
            seen.opened_bytes += bytes.len() as u64;
        }
        for id in opened {
            *by_rule.entry(id).or_default() += 1;
        }
    }
    for (word, seen) in by_type {
        writeln!(
            out,
            "{word}: {} files, {:.1} MB; rules run on {} ({:.2} %), {:.1} MB",
            seen.files,
            seen.bytes as f64 / 1e6,
            seen.opened,
            seen.opened as f64 * 100.0 / seen.files.max(1) as f64,
            seen.opened_bytes as f64 / 1e6
        )?;
    }
    let mut by_rule: Vec<(String, u64)> = by_rule.into_iter().collect();
    by_rule.sort_by_key(|r| std::cmp::Reverse(r.1));
    for (id, count) in by_rule.iter().take(25) {
        writeln!(out, "opened {count} times: {id}")?;
    }
    writeln!(out, "different: {different}")?;
    Ok(())
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return };
    if meta.is_file() {
        files.push(path.to_owned());
    } else if meta.is_dir()
        && let Ok(entries) = std::fs::read_dir(path)
    {
        for entry in entries.flatten() {
            walk(&entry.path(), files);
        }
    }
}
