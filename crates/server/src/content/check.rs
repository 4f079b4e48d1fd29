// SPDX-License-Identifier: Apache-2.0
//! Whether what somebody wants to add is content: lists are read here, rules are compiled by the scanner,
//! never in this process.

use super::{ContentError, MAX_ITEM, find};
use crate::config::Config;
use lazaret_model::ContentProblem;
use lazaret_pack::{Content, ThirdPartyRules, read_digest_list, write_pack};
use lazaret_pool::{Pool, PoolConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The scanners' own user, where we are root.
const SCANNER: (u32, u32) = (62_991, 62_991);

/// Why it is not taken.
#[derive(Debug)]
pub(crate) enum Rejected {
    /// What was sent is none.
    Problem(String),
    /// The server cannot tell.
    Own(ContentError),
}

/// Checks one at a time: compiling takes memory.
#[derive(Clone)]
pub(crate) struct Checker {
    data: PathBuf,
    scanner: Option<PathBuf>,
    turn: Arc<Semaphore>,
}

fn said(problem: &ContentProblem) -> String {
    format!("line {}, column {}: {}", problem.line, problem.column, problem.message)
}

impl Checker {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            data: config.server.data.clone(),
            scanner: config.content.scanner.clone(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// How many rules or digests it holds.
    pub(crate) async fn check(&self, name: &str, kind: &str, body: &str) -> Result<u64, Rejected> {
        if body.len() > MAX_ITEM {
            return Err(Rejected::Problem(format!("{} bytes, at most {MAX_ITEM}", body.len())));
        }
        if kind == "hashes" {
            let entries = read_digest_list(name, body).map_err(|p| Rejected::Problem(said(&p)))?;
            if entries.is_empty() {
                return Err(Rejected::Problem("it lists no digest".to_owned()));
            }
            return Ok(entries.len() as u64);
        }
        let own = |e: String| Rejected::Own(ContentError::Own(e));
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|e| own(e.to_string()))?;
        let (this, name, body) = (self.clone(), name.to_owned(), body.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            this.compile(&name, body)
        });
        done.await.map_err(|e| own(e.to_string()))?
    }

    fn compile(&self, name: &str, body: String) -> Result<u64, Rejected> {
        let own = |e: String| Rejected::Own(ContentError::Own(e));
        let scanner =
            find("scanner", self.scanner.as_deref(), "lazaret-scanner", "/usr/lib/lazaret/lazaret-scanner")
                .map_err(Rejected::Own)?;
        let rules = ThirdPartyRules { label: name.to_owned(), source: body, promoted: false };
        let content = Content { version: "check".to_owned(), third_party: vec![rules], ..Content::default() };
        let path = self.data.join(format!("check-{}.pack", uuid::Uuid::now_v7()));
        write_pack(&content, &path).map_err(|e| own(e.to_string()))?;
        let started = Pool::start(PoolConfig {
            scanner,
            content: path.clone(),
            rules: Vec::new(),
            workers: 1,
            reserved: 0,
            deadline: Duration::from_secs(10),
            uid_gid: scanners_own_user(),
            test_programs: false,
            deep: None,
            on_pid: None,
        });
        let _ = std::fs::remove_file(&path);
        let pool = started.map_err(|e| own(format!("the scanner that compiles rules: {e}")))?;
        let info = pool.content();
        pool.stop();
        if let Some(problem) = info.problems.first() {
            return Err(Rejected::Problem(said(problem)));
        }
        if info.rules == 0 {
            return Err(Rejected::Problem("it holds no rule".to_owned()));
        }
        Ok(info.rules.into())
    }
}

/// The user that scanners get; `None` where only our own can be had.
pub(crate) fn scanners_own_user() -> Option<(u32, u32)> {
    // Only root can give them a user of their own.
    running_as_root().then_some(SCANNER)
}

/// By what the kernel says: this crate calls no system functions itself.
fn running_as_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("Uid:"));
    line.and_then(|l| l.split_whitespace().nth(1)).is_some_and(|euid| euid == "0")
}
