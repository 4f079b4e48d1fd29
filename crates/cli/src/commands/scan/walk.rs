// SPDX-License-Identifier: Apache-2.0
//! Runs the pool's walk beside the main thread, so that Ctrl-C never has to wait for it.

use super::ScanArgs;
use super::findings::Findings;
use crate::error::CliError;
use lazaret_model::ScanError;
use lazaret_pool::cache::CleanCache;
use lazaret_pool::walk::WalkOptions;
use lazaret_pool::{Found, Pool, TreeOptions, scan_tree};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Answers that may wait to be shown; a slow reader slows the walk.
const WAITING: usize = 1024;

/// How long Ctrl-C may go unnoticed while nothing is found.
const TICK: Duration = Duration::from_millis(50);

/// Scans everything that was named. Gives the cache back with what was found clean, unless the
/// scan was interrupted: then the walk is left behind and ends with the process.
///
/// # Errors
/// When the output does not take a finding.
pub(super) fn walk(
    pool: &Arc<Pool>,
    args: &ScanArgs,
    mut cache: Option<CleanCache>,
    stop: &AtomicBool,
    findings: &mut Findings<'_>,
) -> Result<Option<CleanCache>, CliError> {
    let roots = roots(&args.paths, findings)?;
    let workers = pool.workers().len();
    let options = TreeOptions {
        walk: WalkOptions { one_file_system: args.one_file_system, exclude: exclude(&roots, &args.exclude) },
        members: !args.no_members,
        // One feeds two workers.
        threads: workers.div_ceil(2),
    };
    let pool = Arc::clone(pool);
    let (sender, receiver) = sync_channel(WAITING);
    let walker = std::thread::Builder::new()
        .name("walk".into())
        .spawn(move || {
            scan_tree(&pool, &roots, &options, cache.as_mut(), &mut |found| {
                // Nobody listens any more after Ctrl-C.
                let _ = sender.send(found);
            });
            cache
        })
        .map_err(|e| CliError::Failed(format!("cannot start a thread: {e}")))?;
    while !stop.load(Ordering::Relaxed) {
        match receiver.recv_timeout(TICK) {
            Ok(Found::File { path, result, .. }) => findings.file(&path, &result)?,
            Ok(Found::KnownClean { files, bytes }) => findings.known_clean(files, bytes),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return walker
                    .join()
                    .map_err(|_| CliError::Failed("the walk ended by a fault in lazaret".into()));
            }
        }
    }
    Ok(None)
}

/// What to walk. The walk itself follows no link; one that a person names is meant to be followed.
fn roots(named: &[PathBuf], findings: &mut Findings<'_>) -> Result<Vec<PathBuf>, CliError> {
    let mut roots = Vec::new();
    for path in named {
        let is_link = path.symlink_metadata().is_ok_and(|m| m.is_symlink());
        match if is_link { path.canonicalize() } else { Ok(path.clone()) } {
            Ok(root) => roots.push(root),
            Err(e) => {
                let why = match e.kind() {
                    io::ErrorKind::NotFound => "the symbolic link leads nowhere".to_owned(),
                    _ => format!("the symbolic link cannot be followed: {e}"),
                };
                findings.file(path.as_os_str().as_bytes(), &Err(ScanError::Unreadable(why)))?;
            }
        }
    }
    Ok(roots)
}

/// The walk compares paths as it spells them, which is as the root was named.
fn exclude(roots: &[PathBuf], named: &[PathBuf]) -> Vec<PathBuf> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = Vec::new();
    for path in named {
        let path = absolute(path);
        for root in roots {
            if let Ok(below) = path.strip_prefix(absolute(root)) {
                out.push(if below.as_os_str().is_empty() { root.clone() } else { root.join(below) });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_paths_are_spelled_as_the_walk_does() {
        let here = std::env::current_dir().unwrap();
        let roots = [PathBuf::from("src"), PathBuf::from("/srv")];
        let named = [here.join("src/json"), "src/render".into(), "/srv/x/".into(), "/elsewhere".into()];
        let expected = ["src/json", "src/render", "/srv/x"].map(PathBuf::from);
        assert_eq!(exclude(&roots, &named), expected);
        assert_eq!(exclude(&roots, &["/srv".into()]), [PathBuf::from("/srv")]);
    }
}
