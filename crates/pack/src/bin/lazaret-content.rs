// SPDX-License-Identifier: Apache-2.0
//! Tool for those who write content: build, check and look into it.

#![forbid(unsafe_code)]

use lazaret_pack::{Content, read_source, read_sources, rot47, write_pack};
use std::error::Error;
use std::ffi::OsString;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage:
  lazaret-content build DIR... OUT source folders to one pack; refuses a folder with problems
  lazaret-content check DIR        structure of a source folder: prints problems, exit status 1 if any
  lazaret-content list PACK        version, rules and counts of a pack or folder
  lazaret-content show FILE        decoded (or encoded: ROT47 is its own inverse) file to standard output
  lazaret-content encode FILE OUT  the same into a file
";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut verb = args.first().and_then(|a| a.to_str()).unwrap_or_default();
    let fits = match verb {
        "build" => args.len() >= 3,
        "encode" => args.len() == 3,
        _ => args.len() == 2,
    };
    if !fits {
        verb = "";
    }
    let path = |i: usize| args.get(i).map_or(Path::new(""), Path::new);
    let done = match verb {
        "build" => build(args.get(1..).unwrap_or_default()),
        "check" => check(path(1)),
        "list" => list(path(1)),
        "show" => show(path(1)),
        "encode" => encode(path(1), path(2)),
        _ => {
            let _written = std::io::stderr().write_all(USAGE.as_bytes());
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            let _written = writeln!(std::io::stderr(), "lazaret-content: {e}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<ExitCode, Box<dyn Error>>;

fn build(args: &[OsString]) -> Done {
    let Some((out, dirs)) = args.split_last() else { return Ok(ExitCode::from(64)) };
    let (out, dirs): (&Path, Vec<&Path>) = (Path::new(out), dirs.iter().map(Path::new).collect());
    let content = read_sources(&dirs)?;
    // Of several folders a problem names its own.
    let below = if let [dir] = dirs.as_slice() { format!("{}/", dir.display()) } else { String::new() };
    if report(&below, &content)? > 0 {
        return Err("the pack was not built: mend these first".into());
    }
    write_pack(&content, out)?;
    writeln!(stdout(), "{}: {}", out.display(), summary(&content))?;
    Ok(ExitCode::SUCCESS)
}

fn check(dir: &Path) -> Done {
    let content = read_source(dir)?;
    let problems = report(&format!("{}/", dir.display()), &content)?;
    writeln!(stdout(), "{}: {}, problems {problems}", dir.display(), summary(&content))?;
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what is wrong and says how much it is.
fn report(below: &str, content: &Content) -> std::io::Result<usize> {
    let mut problems: Vec<String> = content.problems.iter().map(ToString::to_string).collect();
    for rule in &content.rules {
        for (case, word) in [(&rule.matching, "match"), (&rule.other, "no_match")] {
            if case.is_none() {
                problems.push(format!("{}:{}:0: rule {}: no case {word}", rule.file, rule.line, rule.id));
            }
        }
    }
    for problem in &problems {
        writeln!(std::io::stderr(), "{below}{problem}")?;
    }
    Ok(problems.len())
}

fn summary(content: &Content) -> String {
    format!(
        "version {}, rules {}, known bad {}, known good {}",
        content.version,
        content.rules.len(),
        content.known_bad.len(),
        content.known_good.len()
    )
}

fn list(pack: &Path) -> Done {
    let content = Content::load(pack)?;
    let mut out = std::io::BufWriter::new(stdout().lock());
    for r in &content.rules {
        let types: Vec<&str> = r.types.iter().map(|t| t.word()).collect();
        let decisive = if r.decisive { "decisive" } else { "" };
        writeln!(
            out,
            "{}\t{}\t{}\t{:.1}\t{decisive}\t{}\t{}",
            r.id,
            r.class,
            r.family,
            r.weight,
            types.join(","),
            r.description
        )?;
    }
    for problem in &content.problems {
        writeln!(std::io::stderr(), "{problem}")?;
    }
    writeln!(out, "{}: {}", pack.display(), summary(&content))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn turned(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(rot47(&bytes))
}

fn show(path: &Path) -> Done {
    stdout().write_all(&turned(path)?)?;
    Ok(ExitCode::SUCCESS)
}

fn encode(path: &Path, out: &Path) -> Done {
    std::fs::write(out, turned(path)?).map_err(|e| format!("cannot write {}: {e}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}
