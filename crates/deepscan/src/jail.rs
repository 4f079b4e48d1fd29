// SPDX-License-Identifier: Apache-2.0
//! The pool of jailed scanners of a worker: started when it can be, started again with newer content.

use crate::settings::Settings;
use lazaret_model::{ScanError, ScanReport};
use lazaret_pool::{Job, Pool, PoolError, Priority};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Scanners that run. The last clone must go where it may take a moment: see [`Jail::stop`].
#[derive(Clone)]
pub(crate) struct Jail {
    pool: Arc<Pool>,
    /// Which file the content came from.
    content: Option<(u64, u64, i64, u64)>,
}

impl Jail {
    /// Starts the scanners; takes as long as loading the content takes.
    pub(crate) async fn start(settings: &Settings) -> Result<Self, String> {
        if !settings.scanner.is_file() {
            let shown = settings.scanner.display();
            return Err(format!(
                "there is no scanner {shown}: install it, or name it in [deep_scan] scanner"
            ));
        }
        let (config, content) = (settings.pool(), mark(&settings.content));
        let started = tokio::task::spawn_blocking(move || Pool::start(config)).await;
        let pool = started.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        Ok(Self { pool: Arc::new(pool), content })
    }

    /// Version and problems of the content, for the log.
    pub(crate) fn told(&self) -> String {
        let info = self.pool.content();
        let problems = match info.problems.len() {
            0 => String::new(),
            n => format!(", {n} problems"),
        };
        let gaps = match self.pool.jail_gaps() {
            gaps if gaps.is_empty() => String::new(),
            gaps => format!(", without {}", gaps.join(", ")),
        };
        format!("content {}, {} rules{problems}{gaps}", info.version, info.rules)
    }

    /// Loads the content again where its file is another one by now. What is in force stays when it does not load.
    pub(crate) async fn renew(&mut self, content: &Path) -> Option<Result<String, String>> {
        let now = mark(content);
        if now.is_none() || now == self.content {
            return None;
        }
        // Of a file that does not load it is said once.
        self.content = now;
        let (pool, content) = (Arc::clone(&self.pool), content.to_owned());
        let done = tokio::task::spawn_blocking(move || pool.reload(content, Vec::new())).await;
        Some(match done {
            Ok(Ok(info)) => Ok(info.version),
            Ok(Err(e)) => Err(PoolError::to_string(&e)),
            Err(e) => Err(e.to_string()),
        })
    }

    /// Scans one sample, members included.
    pub(crate) async fn scan(&self, file: OwnedFd, name: Vec<u8>) -> Result<ScanReport, ScanError> {
        let (sender, receiver) = oneshot::channel();
        let done = Box::new(move |result| {
            // Whoever gave the job back does not wait for it any more.
            let _ = sender.send(result);
        });
        // Not as a walk does: files of a walk go to one scanner together.
        self.pool.submit(Job { file, name, members: true }, Priority::Event, done);
        receiver.await.unwrap_or_else(|_| Err(ScanError::Unavailable("the answer was lost".into())))
    }

    /// Ends the scanners; all of their processes are gone then.
    pub(crate) async fn stop(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// What tells one file from another that took its place.
fn mark(path: &Path) -> Option<(u64, u64, i64, u64)> {
    let m = path.metadata().ok()?;
    Some((m.dev(), m.ino(), m.mtime_nsec() ^ (m.mtime() << 30), m.len()))
}
