// SPDX-License-Identifier: Apache-2.0
//! `lazaret scan`.

mod findings;
mod locate;
mod walk;

use crate::error::{CliError, EXIT_FOUND, EXIT_INTERRUPTED, EXIT_UNSCANNED};
use crate::escape;
use crate::output::Output;
use clap::Args;
use findings::Findings;
use lazaret_pool::cache::CleanCache;
use lazaret_pool::{Pool, PoolConfig, PoolError};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// User and group of the scanner processes when root scans. They belong to nobody: high enough to
/// be above what distributions give to people and services, below what containers map.
const JAIL_ID: u32 = 62991;

/// Longest time for one file.
const DEADLINE: Duration = Duration::from_secs(120);

/// Scan files and folders for malicious programs
///
/// Works without the daemon and for every user, on the files that user may read. Folders are
/// scanned with everything below them, archives with their members. Symbolic links are followed
/// where they are named on the command line, and nowhere else; kernel filesystems such as /proc
/// are left out. Nothing is changed, moved or killed. The files are looked at by jailed processes
/// that can neither write nor use the network.
///
/// Exit status: 0 nothing found, 1 something found (low ratings count), 2 nothing found but not
/// everything could be scanned, 130 interrupted by Ctrl-C, after the summary of what was done; a
/// second Ctrl-C ends it at once.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Scanner processes [default: as many as there are processors]
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Extra YARA rules: a .yar or .yara file, or a folder of them; may be given more than once.
    /// They alone rate at most medium
    #[arg(long, value_name = "DIR_OR_FILE")]
    content: Vec<PathBuf>,
    /// The content pack [default: /usr/share/lazaret/content.pack, or content.pack or lazaret.pack
    /// beside this program]
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Leave out this file or folder with everything below it; may be given more than once
    #[arg(long, value_name = "PATH")]
    pub(crate) exclude: Vec<PathBuf>,
    /// Stay on the filesystem of each named folder
    #[arg(long, short = 'x')]
    one_file_system: bool,
    /// Do not look into archives
    #[arg(long)]
    no_members: bool,
    /// Scan also what an earlier scan found clean, and remember nothing
    #[arg(long)]
    no_cache: bool,
}

/// # Errors
/// When the scan cannot begin, or its output is not taken.
pub(crate) fn run(args: &ScanArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the second signal finds the flag set and ends the process.
        let status = 128 + signal;
        signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|e| CliError::Failed(format!("cannot listen for Ctrl-C: {e}")))?;
    }
    for rules in &args.content {
        if !rules.exists() {
            return Err(CliError::Usage(format!("there are no rules at {}", escape::path(rules))));
        }
    }
    let pool = Arc::new(start(args)?);
    let content = pool.content();
    let mut findings = Findings::new(out);
    findings.content(&content)?;
    let cache = if args.no_cache { None } else { remembered(args, &content.version, &mut findings) };
    let cache = walk::walk(&pool, args, cache, &stop, &mut findings)?;
    if let Some(mut cache) = cache
        && let Err(e) = cache.save()
    {
        findings.warn(&format!("what was found clean is not remembered for the next scan: {e}"));
    }
    let interrupted = stop.load(Ordering::Relaxed);
    let summary = findings.finish(interrupted)?;
    if interrupted {
        // The summary is the last line; it says so itself.
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    Ok(match (summary.found(), summary.errors) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(EXIT_UNSCANNED),
        _ => ExitCode::from(EXIT_FOUND),
    })
}

/// What earlier scans found clean. Without it everything is scanned, which is always right.
fn remembered(args: &ScanArgs, content_version: &str, findings: &mut Findings<'_>) -> Option<CleanCache> {
    let file = match locate::cache() {
        Ok(file) => file?,
        Err((folder, e)) => {
            let folder = escape::path(&folder);
            findings
                .warn(&format!("cannot make {folder}, so no scan can be shortened by the one before: {e}"));
            return None;
        }
    };
    let options: &[u8] = if args.no_members { b"files" } else { b"files and members" };
    let (cache, problem) = CleanCache::load(&file, content_version, options);
    if let Some(problem) = problem {
        findings.warn(&escape::text(&problem.to_string()));
    }
    Some(cache)
}

fn start(args: &ScanArgs) -> Result<Pool, CliError> {
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Pool::start(PoolConfig {
        scanner: locate::scanner()?,
        content: locate::pack(args.pack.as_deref())?,
        rules: args.content.clone(),
        workers: args.threads.map_or_else(processors, usize::from),
        reserved: 0,
        deadline: DEADLINE,
        uid_gid: rustix::process::geteuid().is_root().then_some((JAIL_ID, JAIL_ID)),
        test_programs: true,
        deep: None,
        on_pid: None,
    })
    .map_err(|e| {
        let way_out = match &e {
            PoolError::Content { .. } => ". Name another content pack with --pack",
            _ => "",
        };
        CliError::Unscanned(format!("{}{way_out}", escape::text(&e.to_string())))
    })
}
