// SPDX-License-Identifier: Apache-2.0
//! Single-threaded driver for crash tests: does one verb and, if told so, kills itself at a step.
//!
//! `isolate_one STATE_DIR isolate|restore|delete|replay PATH_OR_ID [STEP]`

#![forbid(unsafe_code)]

use lazaret_model::{Confidence, FileRef, FileTime, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Responder, ResponderConfig, Step, Target};
use sha2::Digest;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

fn target(path: &str) -> Result<Target, Box<dyn std::error::Error>> {
    let file = File::open(path)?;
    let m = file.metadata()?;
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec())? };
    Ok(Target {
        identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
        file: file.into(),
        sha256: Sha256(sha2::Sha256::digest(std::fs::read(path)?).into()),
        path: path.as_bytes().to_vec(),
        class: MalwareClass::Trojan,
        family: "Test.Standin".to_owned(),
        confidence: Confidence::new(99),
        content_version: "test".to_owned(),
        test: true,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        kill: true,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, state, verb, what, rest @ ..] = args.as_slice() else {
        return Err("usage: isolate_one STATE_DIR isolate|restore|delete|replay PATH_OR_ID [STEP]".into());
    };
    let state = PathBuf::from(state);
    let mut config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    config.journal_bytes = 256 * 1024;
    if let Some(fatal) = rest.first().cloned() {
        config.on_step = Some(Arc::new(move |step: Step| {
            if format!("{step:?}") == fatal {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            }
        }));
    }
    let (responder, replayed) = Responder::open(config)?;
    for r in &replayed {
        writeln(&format!("replayed {:?}", r.report.status))?;
    }
    let order = match verb.as_str() {
        "isolate" => Order::IsolateAndKill(target(what)?),
        "restore" => Order::Restore { id: what.parse()?, to: None, parents: false },
        "delete" => Order::Delete { id: what.parse()? },
        _ => return Ok(()),
    };
    let report = responder.execute(Plan { alarm: None, who: "driver".to_owned(), order });
    writeln(&format!("{:?} {:?} {:?}", report.isolated.map(|i| i.to_string()), report.status, report.records))
}

fn writeln(line: &str) -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
