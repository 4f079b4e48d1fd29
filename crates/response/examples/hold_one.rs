// SPDX-License-Identifier: Apache-2.0
//! Freezes what runs a file and dies the moment everything stands still. For tests of what a crash
//! inside the un-kill window leaves.
//!
//! `hold_one STATE FILE MILLISECONDS`; STATE holds `journal` and `vault`.

#![forbid(unsafe_code)]

use lazaret_model::{Confidence, FileRef, FileTime, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Objection, Order, Plan, Responder, ResponderConfig, Target, Window};
use sha2::Digest;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut given = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(state), Some(path), Some(wait)) = (given.next(), given.next(), given.next()) else {
        return Err("usage: hold_one STATE FILE MILLISECONDS".into());
    };
    let wait = Duration::from_millis(wait.to_string_lossy().parse()?);
    let mut config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    config.journal_bytes = 256 * 1024;
    let (responder, _) = Responder::open(config)?;
    let file = std::fs::File::open(&path)?;
    let m = file.metadata()?;
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec())? };
    let target = Target {
        file: file.into(),
        identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
        sha256: Sha256(sha2::Sha256::digest(std::fs::read(&path)?).into()),
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
    };
    let on_frozen = Box::new(|_| {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    });
    let window = Window { wait, objection: Arc::new(Objection::default()), on_frozen };
    let report =
        responder.execute(Plan { alarm: None, who: "test".into(), order: Order::Window(target, window) });
    Ok(writeln!(std::io::stdout(), "{report:?}")?)
}
