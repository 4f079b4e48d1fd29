// SPDX-License-Identifier: Apache-2.0
//! What the drivers of this crate's tests share.
#![allow(dead_code, reason = "each driver uses a part of it")]

use lazaret_model::{Confidence, FileRef, FileTime, MalwareClass, Sha256};
use lazaret_response::{DenyInode, Target};
use sha2::Digest;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

/// Nobody answers the kernel here.
pub(crate) struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

/// The file at `path`, judged as it is now.
pub(crate) fn target(path: &Path, kill: bool) -> Result<Target, Box<dyn std::error::Error>> {
    let file = File::open(path)?;
    let m = file.metadata()?;
    let ctime = FileTime { sec: m.ctime(), nsec: u32::try_from(m.ctime_nsec())? };
    let mut content = vec![0; usize::try_from(m.len())?];
    file.read_exact_at(&mut content, 0)?;
    Ok(Target {
        identity: FileRef { dev: m.dev(), ino: m.ino(), ctime, size: m.len() },
        file: file.into(),
        sha256: Sha256(sha2::Sha256::digest(&content).into()),
        path: path.as_os_str().as_bytes().to_vec(),
        class: MalwareClass::Trojan,
        family: "Test.Standin".to_owned(),
        confidence: Confidence::new(99),
        content_version: "test".to_owned(),
        test: true,
        processes: Box::new(Vec::new),
        may_kill: Arc::new(|_| Ok(())),
        isolate: true,
        kill,
    })
}
