// SPDX-License-Identifier: Apache-2.0
//! Source folder to content.

use crate::{Content, KnownBadSet, KnownGoodSet, PackError, rot47, source_csv, source_rules};
use lazaret_model::ContentProblem;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A source file larger than this is refused, bytes.
const MAX_FILE: u64 = 256 << 20;
/// Ending of every encoded source file.
const ENCODED: &str = ".rot47";

/// Reads a content folder: `VERSION`, `rules/*.toml.rot47`, `hashes/known_bad.csv.rot47` and
/// `hashes/known_good.csv.rot47` (the lists may be missing).
///
/// What is wrong in a file becomes a problem of the content; the rest of the file counts.
///
/// # Errors
/// When the folder or a file in it cannot be read, or has no `VERSION`.
pub fn read_source(dir: &Path) -> Result<Content, PackError> {
    read_sources(&[dir])
}

/// Reads several content folders into one content: that of hosts, and what is only for the deep scan of a
/// server. An id counts over all of them, and so do the lists; the version names each, and so does what a
/// problem says about its place.
///
/// # Errors
/// As [`read_source`]; without any folder there is no version.
pub fn read_sources(dirs: &[&Path]) -> Result<Content, PackError> {
    let mut content = Content::default();
    let (mut ids, mut bad, mut good) = (std::collections::HashMap::new(), Vec::new(), Vec::new());
    for dir in dirs {
        let version = version(dir)?;
        if !content.version.is_empty() {
            content.version.push('+');
        }
        content.version.push_str(&version);
        // One folder is known; of several it is said which.
        let from = if dirs.len() == 1 { *dir } else { Path::new("") };
        for path in rule_files(&dir.join("rules"))? {
            let label = label(from, &path);
            if let Some(text) = decoded(&path, &label, &mut content.problems)? {
                source_rules::parse(&label, &text, &mut ids, &mut content);
            }
        }
        if let Some((label, text)) = list((dir, from), "known_bad", &mut content.problems)? {
            bad.extend(source_csv::known_bad(&label, &text, &mut content.problems));
        }
        if let Some((label, text)) = list((dir, from), "known_good", &mut content.problems)? {
            good.extend(source_csv::known_good(&label, &text, &mut content.problems));
        }
    }
    content.known_bad = KnownBadSet::new(&bad);
    content.known_good = KnownGoodSet::new(&good);
    Ok(content)
}

fn version(dir: &Path) -> Result<String, PackError> {
    let source = |reason: String| PackError::Source { path: dir.to_owned(), reason };
    let version_path = dir.join("VERSION");
    let version = read(&version_path)?.ok_or_else(|| source("it has no file VERSION".to_owned()))?;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    if version.is_empty() || version.len() > 200 || version.chars().any(char::is_control) {
        return Err(source("VERSION must hold one line of at most 200 characters".to_owned()));
    }
    Ok(version)
}

fn label(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).display().to_string()
}

fn list(
    (dir, from): (&Path, &Path),
    name: &str,
    problems: &mut Vec<ContentProblem>,
) -> Result<Option<(String, String)>, PackError> {
    let path = dir.join("hashes").join(format!("{name}.csv{ENCODED}"));
    let label = label(from, &path);
    Ok(decoded(&path, &label, problems)?.map(|text| (label, text)))
}

fn rule_files(dir: &Path) -> Result<Vec<PathBuf>, PackError> {
    let read = |error| PackError::Read { path: dir.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.to_str().is_some_and(|p| p.ends_with(&format!(".toml{ENCODED}"))) {
            files.push(path);
        }
    }
    // The folder's order is not ours to rely on.
    files.sort();
    Ok(files)
}

/// `None` when there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, PackError> {
    let failed = |error| PackError::Read { path: path.to_owned(), error };
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed(std::io::Error::other("it is larger than 256 MiB")));
    }
    Ok(Some(bytes))
}

fn decoded(
    path: &Path,
    label: &str,
    problems: &mut Vec<ContentProblem>,
) -> Result<Option<String>, PackError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    match String::from_utf8(rot47(&bytes)) {
        Ok(text) => Ok(Some(text)),
        Err(e) => {
            let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n').count();
            problems.push(ContentProblem {
                file: label.to_owned(),
                line: u32::try_from(line + 1).unwrap_or(0),
                column: 0,
                message: "is not UTF-8; the whole file was left out".to_owned(),
            });
            Ok(None)
        }
    }
}
