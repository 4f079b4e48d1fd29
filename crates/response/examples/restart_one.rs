// SPDX-License-Identifier: Apache-2.0
//! Isolates a service's program with its process, puts it back and starts the service again, with the
//! service manager of the system that it runs on: for the test that boots one in a container.
//! Arguments: a folder for its state, the program. What came of it goes to standard output.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for tests speaks to them")]

use lazaret_model::{Confidence, FileRef, FileTime, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Report, Responder, ResponderConfig, Target};
use lazaret_vault::Vault;
use sha2::Digest;
use std::error::Error;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

fn target(path: &Path) -> Result<Target, Box<dyn Error>> {
    let file = File::open(path)?;
    let m = file.metadata()?;
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec())? };
    Ok(Target {
        identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
        file: file.into(),
        sha256: Sha256(sha2::Sha256::digest(std::fs::read(path)?).into()),
        path: path.as_os_str().as_bytes().to_vec(),
        class: MalwareClass::Trojan,
        family: "Test.Standin".into(),
        confidence: Confidence::new(99),
        content_version: "test".into(),
        test: true,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        kill: true,
    })
}

fn tell(report: &Report) {
    for r in &report.records {
        println!("{} {}: {}", r.action.word(), r.target, r.outcome);
    }
    for k in &report.killed {
        println!("killed {} of {}", k.outcome, k.unit.as_deref().unwrap_or("no service"));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(state), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("a folder and a program".into());
    };
    Vault::init(&state.join("vault"))?;
    let config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    let (responder, _) = Responder::open(config)?;
    let order = |order| responder.execute(Plan { alarm: None, who: "test".into(), order });
    let report = order(Order::IsolateAndKill(target(&program)?));
    tell(&report);
    let id = report.isolated.ok_or("it was not isolated")?;
    tell(&order(Order::Restore { id, to: None, parents: false }));
    tell(&order(Order::Restart { id }));
    Ok(())
}
