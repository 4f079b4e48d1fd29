// SPDX-License-Identifier: Apache-2.0
//! Measures the engine: walks paths, scans every regular file with scanners of their own in N threads, and
//! prints files and megabytes a second and what was found.
//!
//! `measure [--threads N] [--content PACK_OR_DIR] [--no-members] [--hash-only] [--slowest] [--no-gates] PATH...`

#![forbid(unsafe_code)]

use lazaret_engine::Engine;
use lazaret_model::{Rating, ScanError, ScanReport, Thresholds};
use lazaret_pack::Content;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Options {
    threads: usize,
    content: PathBuf,
    members: bool,
    hash_only: bool,
    slowest: bool,
    no_gates: bool,
    paths: Vec<PathBuf>,
}

#[derive(Default)]
struct Total {
    files: u64,
    objects: u64,
    bytes: u64,
    ratings: BTreeMap<Rating, u64>,
    errors: Vec<String>,
    unscanned: u64,
    slowest: Vec<(Duration, PathBuf)>,
}

fn options() -> Result<Options, String> {
    let mut o = Options { threads: 1, content: "content".into(), members: true, ..Options::default() };
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg:?} needs a value"));
        match arg.to_str() {
            Some("--threads") => {
                let n = value()?;
                o.threads = n.to_str().and_then(|n| n.parse().ok()).ok_or("--threads needs a number")?;
            }
            Some("--content") => o.content = value()?.into(),
            Some("--no-members") => o.members = false,
            Some("--hash-only") => o.hash_only = true,
            Some("--slowest") => o.slowest = true,
            Some("--no-gates") => o.no_gates = true,
            _ => o.paths.push(arg.into()),
        }
    }
    Ok(o)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options()?;
    let mut out = std::io::stdout();
    let start = Instant::now();
    let content = Content::load(&options.content)?;
    let (engine, info) = Engine::load(&content, &[]);
    let engine = engine.with_gates(!options.no_gates);
    writeln!(out, "load: {:?}, {} rules, version {}", start.elapsed(), info.rules, info.version)?;
    for problem in &info.problems {
        writeln!(out, "problem: {problem}")?;
    }
    let start = Instant::now();
    let scanner = engine.scanner();
    writeln!(out, "scanner: {:?}", start.elapsed())?;
    drop(scanner);
    let start = Instant::now();
    let mut files = Vec::new();
    for path in &options.paths {
        walk(path, &mut files);
    }
    writeln!(out, "walk: {:?}, {} files", start.elapsed(), files.len())?;
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Total::default());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| {
                let mine = work(&engine, &options, &files, &next);
                add(&mut total.lock().unwrap_or_else(std::sync::PoisonError::into_inner), mine);
            });
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut total = total.into_inner()?;
    writeln!(
        out,
        "{} files, {} objects, {:.1} MB in {seconds:.3} s: {:.0} files/s, {:.1} MB/s, {} threads",
        total.files,
        total.objects,
        total.bytes as f64 / 1e6,
        total.files as f64 / seconds,
        total.bytes as f64 / 1e6 / seconds,
        options.threads
    )?;
    writeln!(
        out,
        "found: {:?}, errors {}, not scanned {}",
        total.ratings,
        total.errors.len(),
        total.unscanned
    )?;
    for error in total.errors.iter().take(20) {
        writeln!(out, "error: {error}")?;
    }
    if options.slowest {
        total.slowest.sort_by_key(|s| std::cmp::Reverse(s.0));
        for (time, path) in total.slowest.iter().take(20) {
            writeln!(out, "slow: {time:?} {}", path.display())?;
        }
    }
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

fn work(engine: &Engine, options: &Options, files: &[PathBuf], next: &AtomicUsize) -> Total {
    let mut scanner = engine.scanner();
    let mut total = Total::default();
    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let start = Instant::now();
        total.files += 1;
        let Ok(file) = File::open(path) else { continue };
        if options.hash_only {
            total.bytes += hash(&file);
            continue;
        }
        match scanner.scan_file(&file, options.members) {
            Ok(report) => note(path, &report, &mut total),
            Err(ScanError::NotAFile(_)) => {}
            Err(e) => total.errors.push(format!("{}: {e}", path.display())),
        }
        if options.slowest && start.elapsed() > Duration::from_millis(20) {
            total.slowest.push((start.elapsed(), path.clone()));
        }
    }
    total
}

fn hash(file: &File) -> u64 {
    use sha2::Digest;
    use std::io::Read;
    let mut bytes = Vec::new();
    let mut file = file;
    if file.read_to_end(&mut bytes).is_ok() {
        std::hint::black_box(sha2::Sha256::digest(&bytes));
    }
    bytes.len() as u64
}

fn note(path: &Path, report: &ScanReport, total: &mut Total) {
    total.objects += u64::from(report.objects);
    total.bytes += report.verdict.size;
    total.unscanned += report.unscanned.len() as u64;
    for verdict in report.verdicts() {
        let Some(rating) = verdict.rating(Thresholds::default()) else { continue };
        *total.ratings.entry(rating).or_default() += 1;
        let member = verdict.member.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let reasons: Vec<&str> = verdict.evidence.iter().map(|e| e.id.as_str()).collect();
        let line = format!(
            "{rating} {} {} {} {} {member} {reasons:?}\n",
            verdict.confidence,
            verdict.class,
            verdict.file_type.word(),
            path.display()
        );
        // What cannot be printed does not matter to what is measured.
        let _printed = std::io::stdout().write_all(line.as_bytes());
    }
}

fn add(total: &mut Total, mine: Total) {
    total.files += mine.files;
    total.objects += mine.objects;
    total.bytes += mine.bytes;
    total.unscanned += mine.unscanned;
    total.errors.extend(mine.errors);
    total.slowest.extend(mine.slowest);
    for (rating, count) in mine.ratings {
        *total.ratings.entry(rating).or_default() += count;
    }
}
