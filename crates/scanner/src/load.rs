// SPDX-License-Identifier: Apache-2.0
//! Loads the content into the engine.

use lazaret_engine::{Engine, ExtraRules, FileScanner, Limits};
use lazaret_model::{ContentInfo, ContentProblem, ScanError, ScanReport};
use lazaret_scanner::{Arguments, Content, Judge};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A larger rule file is not read, bytes.
const MAX_RULE_FILE: u64 = 64 * 1024 * 1024;
/// Folders below a rule folder are looked into this deep.
const MAX_DEPTH: usize = 16;

/// The engine, loaded.
pub(crate) struct Loaded {
    engine: Engine,
    info: ContentInfo,
}

impl Content for Loaded {
    fn info(&self) -> ContentInfo {
        self.info.clone()
    }

    fn judge(&self) -> Box<dyn Judge + '_> {
        Box::new(Scanner(self.engine.scanner()))
    }
}

struct Scanner<'e>(FileScanner<'e>);

impl Judge for Scanner<'_> {
    fn judge(&mut self, file: &File, _name: &[u8], members: bool) -> Result<ScanReport, ScanError> {
        self.0.scan_file(file, members)
    }
}

/// Loads the pack and the added rules. Added rules that cannot be read or compiled are problems in
/// the info, and the rest is in force.
pub(crate) fn load(arguments: &Arguments) -> Result<Loaded, String> {
    let content = lazaret_pack::Content::load(&arguments.content).map_err(|e| e.to_string())?;
    let mut problems = Vec::new();
    let mut extra = Vec::new();
    for path in &arguments.rules {
        // A file that was named counts whatever its extension is.
        if path.is_dir() {
            collect(path, 0, &mut extra, &mut problems);
        } else {
            add(path, &mut extra, &mut problems);
        }
    }
    let (engine, mut info) = Engine::load(&content, &extra);
    info.problems.extend(problems);
    let mut engine = engine.with_test_programs(arguments.test_programs).with_limits(limits(arguments));
    if arguments.deep {
        engine = engine.with_cloud_test_programs();
    }
    Ok(Loaded { engine, info })
}

/// Those of a host, unless the command line says others; never beyond what the engine takes.
fn limits(arguments: &Arguments) -> Limits {
    let host = Limits::default();
    let depth = arguments.depth.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let members = arguments.members.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    Limits {
        depth: depth.unwrap_or(host.depth),
        members: members.unwrap_or(host.members),
        member: arguments.member.unwrap_or(host.member),
        output: arguments.unpacked.unwrap_or(host.output),
    }
}

/// Every `.yar` and `.yara` below a folder, by name.
fn collect(folder: &Path, depth: usize, extra: &mut Vec<ExtraRules>, problems: &mut Vec<ContentProblem>) {
    let entries: io::Result<Vec<PathBuf>> =
        std::fs::read_dir(folder).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(e) => return problems.push(problem(folder, &e)),
    };
    entries.sort();
    for path in entries {
        let is_folder = path.symlink_metadata().is_ok_and(|m| m.is_dir());
        let is_rules =
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yar") || e.eq_ignore_ascii_case("yara"));
        if is_folder && depth >= MAX_DEPTH {
            problems.push(problem(
                &path,
                &io::Error::other(format!("it lies more than {MAX_DEPTH} folders deep")),
            ));
        } else if is_folder {
            collect(&path, depth + 1, extra, problems);
        } else if is_rules {
            add(&path, extra, problems);
        }
    }
}

fn add(path: &Path, extra: &mut Vec<ExtraRules>, problems: &mut Vec<ContentProblem>) {
    match read(path) {
        Ok(source) => extra.push(ExtraRules { label: path.display().to_string(), source, promoted: false }),
        Err(e) => problems.push(problem(path, &e)),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MAX_RULE_FILE {
        return Err(io::Error::other(format!("it is over the limit of {MAX_RULE_FILE} bytes")));
    }
    let mut source = Vec::new();
    File::open(path)?.take(MAX_RULE_FILE).read_to_end(&mut source)?;
    Ok(source)
}

fn problem(path: &Path, error: &io::Error) -> ContentProblem {
    ContentProblem {
        file: path.display().to_string(),
        line: 0,
        column: 0,
        message: format!("it cannot be read: {error}"),
    }
}
