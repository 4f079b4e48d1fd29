// SPDX-License-Identifier: Apache-2.0
//! Prints how long isolations take: `measure STATE_DIR TARGET_DIR COUNT BYTES`. Both folders must
//! exist and be empty; they are left as they are.

#![forbid(unsafe_code)]

use lazaret_model::{Confidence, FileRef, FileTime, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Order, Plan, Responder, ResponderConfig, Target};
use lazaret_vault::Vault;
use sha2::Digest;
use std::fs::File;
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

fn show(what: &str, mut all: Vec<Duration>) -> std::io::Result<()> {
    all.sort_unstable();
    let at = |p: usize| all.get((all.len() * p / 100).min(all.len().saturating_sub(1))).copied();
    writeln!(
        std::io::stdout(),
        "{what:10} p50 {:?} p99 {:?} max {:?}",
        at(50).unwrap_or_default(),
        at(99).unwrap_or_default(),
        all.last().copied().unwrap_or_default()
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, state, dir, count, bytes] = args.as_slice() else {
        return Err("usage: measure STATE_DIR TARGET_DIR COUNT BYTES".into());
    };
    let (state, dir) = (PathBuf::from(state), PathBuf::from(dir));
    Vault::init(&state.join("vault"))?;
    let config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    let (r, _) = Responder::open(config)?;
    let content = vec![7; bytes.parse()?];
    let sha256 = Sha256(sha2::Sha256::digest(&content).into());
    let (mut journaled, mut name, mut killed, mut sealed, mut total) =
        (vec![], vec![], vec![], vec![], vec![]);
    for n in 0..count.parse::<u32>()? {
        let path = dir.join(format!("f{n}"));
        std::fs::write(&path, &content)?;
        let file = File::open(&path)?;
        let m = file.metadata()?;
        let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec())? };
        let target = Target {
            identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
            file: file.into(),
            sha256,
            path: path.as_os_str().as_bytes().to_vec(),
            class: MalwareClass::Trojan,
            family: "Test.Standin".to_owned(),
            confidence: Confidence::new(99),
            content_version: "test".to_owned(),
            test: true,
            processes: Box::new(Vec::new),
            may_kill: Arc::new(|_| Ok(())),
            isolate: true,
            kill: true,
        };
        let plan = Plan { alarm: None, who: "measure".to_owned(), order: Order::IsolateAndKill(target) };
        let t = r.execute(plan).timings;
        journaled.push(t.journaled.unwrap_or_default());
        name.push(t.name_gone.unwrap_or_default());
        killed.push(t.killed.unwrap_or_default());
        sealed.push(t.sealed.unwrap_or_default());
        total.push(t.total);
    }
    show("journaled", journaled)?;
    show("name gone", name)?;
    show("killed", killed)?;
    show("sealed", sealed)?;
    show("total", total)?;
    Ok(())
}
