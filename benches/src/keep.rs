// SPDX-License-Identifier: Apache-2.0
//! Isolating and restoring files of several sizes, in turns with `cp --reflink=never` and `sha256sum` of the
//! same file, once as they are and once with the copy made durable, as the vault's is.

use crate::report::line;
use lazaret_model::{Action, Confidence, FileRef, FileTime, MalwareClass, Outcome, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Responder, ResponderConfig, Target};
use lazaret_vault::Vault;
use sha2::Digest;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes and turns.
const SIZES: [(&str, u64, usize); 4] =
    [("1 KiB", 1 << 10, 40), ("1 MiB", 1 << 20, 20), ("100 MiB", 100 << 20, 5), ("1 GiB", 1 << 30, 3)];

struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

/// Bytes that do not compress and hold no zeros in a row.
fn fill(path: &Path, size: u64) {
    let mut file = File::create(path).expect("create");
    let mut x = 0x9E37_79B9_7F4A_7C15_u64 ^ size;
    let mut block = Vec::with_capacity(1 << 20);
    let mut left = size;
    while left > 0 {
        block.clear();
        while block.len() < 1 << 20 && (block.len() as u64) < left {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            block.extend_from_slice(&x.to_le_bytes());
        }
        file.write_all(&block).expect("write");
        left = left.saturating_sub(block.len() as u64);
    }
    file.sync_all().expect("sync");
}

fn digest(path: &Path) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    let mut file = File::open(path).expect("open");
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block).expect("read") {
            0 => return Sha256(hasher.finalize().into()),
            n => hasher.update(&block[..n]),
        }
    }
}

fn target(path: &Path, sha256: Sha256) -> Target {
    let file = File::open(path).expect("open");
    let m = file.metadata().expect("metadata");
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec()).unwrap_or(0) };
    Target {
        identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
        file: file.into(),
        sha256,
        path: path.as_os_str().as_encoded_bytes().to_vec(),
        class: MalwareClass::Trojan,
        family: "Bench".into(),
        confidence: Confidence::new(99),
        content_version: "bench".into(),
        test: true,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        kill: false,
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn quietly(command: &mut Command) {
    let done = command.stdout(Stdio::null()).status().expect("run");
    assert!(done.success(), "{command:?}");
}

fn copy_and_digest(path: &Path, copy: &Path, durable: bool) -> Duration {
    let took = timed(|| {
        quietly(Command::new("cp").arg("--reflink=never").arg(path).arg(copy));
        quietly(Command::new("sha256sum").arg(copy));
        if durable {
            quietly(Command::new("sync").arg(copy));
        }
    });
    std::fs::remove_file(copy).expect("remove");
    took
}

fn row(what: &str, size: u64, mut all: Vec<Duration>) {
    all.sort_unstable();
    let median = all[all.len() / 2];
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let speed = |d: Duration| size as f64 / d.as_secs_f64() / 1e6;
    line(&format!(
        "| {what} | {:.2} | {:.2} | {:.1} |",
        median.as_secs_f64() * 1e3,
        all[0].as_secs_f64() * 1e3,
        speed(median)
    ));
}

pub(crate) fn measure() {
    let folder = tempfile::Builder::new().prefix("lazaret-bench-").tempdir_in("/var/tmp").expect("folder");
    let state = folder.path().join("state");
    Vault::init(&state.join("vault")).expect("vault");
    let config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    let (responder, _) = Responder::open(config).expect("responder");
    line("| what | median ms | best ms | MB/s |\n|---|---|---|---|");
    for (name, size, turns) in SIZES {
        let path = folder.path().join("file");
        let copy = folder.path().join("copy");
        fill(&path, size);
        let sha256 = digest(&path);
        let [mut plain, mut durable, mut isolated, mut restored] = [const { Vec::new() }; 4];
        for _ in 0..turns {
            plain.push(copy_and_digest(&path, &copy, false));
            durable.push(copy_and_digest(&path, &copy, true));
            let mut id = None;
            let plan = |order| Plan { alarm: None, who: "bench".into(), order };
            isolated.push(timed(|| {
                let order = Order::IsolateAndKill(target(&path, sha256));
                let report = responder.execute(plan(order));
                assert_eq!(report.outcome(Action::Isolate), Some(&Outcome::Done), "{report:?}");
                id = report.isolated;
            }));
            let id = id.expect("isolated");
            restored.push(timed(|| {
                let report = responder.execute(plan(Order::Restore { id, to: None, parents: false }));
                assert_eq!(report.outcome(Action::Restore), Some(&Outcome::Done), "{report:?}");
            }));
        }
        row(&format!("{name}: cp + sha256sum"), size, plain);
        row(&format!("{name}: cp + sha256sum + sync"), size, durable);
        row(&format!("{name}: isolate, sealed, verified, durable"), size, isolated);
        row(&format!("{name}: restore, verified, durable"), size, restored);
        std::fs::remove_file(&path).expect("remove");
    }
}
