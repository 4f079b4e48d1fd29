// SPDX-License-Identifier: Apache-2.0
//! Single-threaded driver for the fault tests: one verb, its report as one line of JSON.
//!
//! `driver isolate|restore|delete|replay --state DIR [--file PATH] [--id ID] [--die STEP]
//! [--full yes]`; with `--full` the vault takes nothing.
//!
//! A tracer that is to fail the N-th call of a verb needs to know where the verb begins and ends:
//! `getppid`, which nothing else here calls, is called right before and right after it.

#![forbid(unsafe_code)]

use lazaret_model::{Action, Confidence, FileRef, FileTime, IsolatedId, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Replayed, Report, Responder, ResponderConfig, Step, Target};
use lazaret_vault::Vault;
use serde_json::{Value, json};
use sha2::Digest;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

type Error = Box<dyn std::error::Error>;

struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

#[derive(Default)]
struct Arguments {
    verb: String,
    state: PathBuf,
    file: PathBuf,
    id: Option<IsolatedId>,
    die: Option<String>,
    full: bool,
}

fn arguments() -> Result<Arguments, Error> {
    let mut all = std::env::args().skip(1);
    let mut found = Arguments { verb: all.next().ok_or("which verb?")?, ..Arguments::default() };
    while let Some(name) = all.next() {
        let value = all.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--state" => found.state = value.into(),
            "--file" => found.file = value.into(),
            "--id" => found.id = Some(value.parse()?),
            "--full" => found.full = true,
            "--die" => found.die = Some(value),
            _ => return Err(format!("{name} is not understood").into()),
        }
    }
    Ok(found)
}

fn target(path: &Path) -> Result<Target, Error> {
    let file = File::open(path)?;
    let m = file.metadata()?;
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec())? };
    let mut content = vec![0; usize::try_from(m.len())?];
    file.read_exact_at(&mut content, 0)?;
    Ok(Target {
        identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
        file: file.into(),
        sha256: Sha256(sha2::Sha256::digest(&content).into()),
        path: path.as_os_str().as_encoded_bytes().to_vec(),
        class: MalwareClass::Trojan,
        family: "Test.Standin".to_owned(),
        confidence: Confidence::new(99),
        content_version: "test".to_owned(),
        test: true,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        // Looking through /proc would be most of the calls, and changes nothing.
        kill: false,
    })
}

fn report(r: &Report) -> Value {
    let last = [Action::Isolate, Action::Restore, Action::Delete]
        .into_iter()
        .find_map(|a| r.outcome(a))
        .map(|o| json!({ "word": o.word(), "reason": o.reason() }));
    json!({
        "isolated": r.isolated.map(|i| i.to_string()),
        "status": r.status.map(|s| s.word()),
        "outcome": last,
        "differences": r.receipt.iter().flat_map(|r| r.differences()).map(|l| l.attribute.clone()).collect::<Vec<_>>(),
    })
}

fn replayed(r: &Replayed) -> Value {
    json!({
        "replayed": report(&r.report),
        "path": String::from_utf8_lossy(&r.path),
        "rescan": r.rescan,
        "open": r.open,
    })
}

fn main() -> Result<(), Error> {
    let a = arguments()?;
    let vault = a.state.join("vault");
    if !Vault::exists(&vault) {
        Vault::init(&vault)?;
    }
    let mut config = ResponderConfig::new(a.state.join("journal"), vault, Arc::new(Nobody));
    config.journal_bytes = 64 * 1024;
    config.link_search = Duration::from_millis(200);
    if a.full {
        config.vault_limits.object_bytes = 10;
    }
    if let Some(fatal) = a.die {
        config.on_step = Some(Arc::new(move |step: Step| {
            if format!("{step:?}") == fatal {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            }
        }));
    }
    let marks_replay = a.verb == "replay";
    if marks_replay {
        let _ = rustix::process::getppid();
    }
    let (responder, closed) = Responder::open(config)?;
    if marks_replay {
        let _ = rustix::process::getppid();
    }
    for r in &closed {
        line(&replayed(r))?;
    }
    let id = || a.id.ok_or("which object?");
    let order = match a.verb.as_str() {
        "isolate" => Order::IsolateAndKill(target(&a.file)?),
        "restore" => Order::Restore { id: id()?, to: None, parents: false },
        "delete" => Order::Delete { id: id()? },
        "replay" => return Ok(()),
        other => return Err(format!("{other} is no verb").into()),
    };
    let plan = Plan { alarm: None, who: "driver".to_owned(), order };
    let _ = rustix::process::getppid();
    let done = responder.execute(plan);
    let _ = rustix::process::getppid();
    line(&json!({ "report": report(&done) }))
}

fn line(value: &Value) -> Result<(), Error> {
    // Not with `write`, which the tracer may be failing for good.
    let text = format!("{value}\n");
    rustix::io::writev(std::io::stdout(), &[std::io::IoSlice::new(text.as_bytes())])?;
    Ok(())
}
