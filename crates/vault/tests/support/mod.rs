// SPDX-License-Identifier: Apache-2.0
//! Vaults and manifests for tests.

#![allow(dead_code, reason = "each test binary uses its part")]

use lazaret_model::{Confidence, IsolatedId, IsolatedStatus, JournalId, MalwareClass, Outcome, Sha256};
use lazaret_vault::{
    Folder, KilledRecord, LayerFile, MANIFEST_SCHEMA, Manifest, RawBytes, RawPath, Stamp, Surroundings,
    Vault, VaultError, Xattr,
};
use sha2::Digest;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(crate) fn manifest(id: IsolatedId, content: &[u8]) -> Manifest {
    Manifest {
        schema: MANIFEST_SCHEMA.into(),
        id,
        alarm: None,
        journal: JournalId::new(),
        who: "test".into(),
        path: RawPath(b"/srv/\xff\nodd".to_vec()),
        links: vec![RawPath(b"/srv/other".to_vec())],
        sha256: Sha256(sha2::Sha256::digest(content).into()),
        size: content.len() as u64,
        extents: Vec::new(),
        uid: 1,
        gid: 2,
        mode: 0o104_755,
        nlink: 2,
        atime: Stamp { sec: -1, nsec: 999_999_999 },
        mtime: Stamp { sec: 1, nsec: 2 },
        ctime: Stamp::default(),
        btime: Some(Stamp { sec: 5, nsec: 6 }),
        xattrs: vec![Xattr { name: RawPath(b"user.x".to_vec()), value: RawBytes(vec![0, 255]) }],
        flags: Some(0x10),
        dev: 3,
        ino: 4,
        class: MalwareClass::Miner,
        family: "Test".into(),
        confidence: Confidence::new(99),
        content_version: "1".into(),
        test: true,
        blob: None,
        status: IsolatedStatus::Isolating,
        reason: String::new(),
        isolated_at_ms: 5,
        staged: None,
        killed: vec![KilledRecord {
            pid: 7,
            start_time: 8,
            boot_id: RawBytes(vec![9; 16]),
            exe: RawPath(b"/x".to_vec()),
            cmdline: RawPath(b"x\0y".to_vec()),
            outcome: Outcome::Partial("state D".into()),
            unit: Some("web.service".into()),
            container: None,
        }],
        left_alone: Vec::new(),
        around: Surroundings {
            mount: Some(RawPath(b"/srv".to_vec())),
            filesystem: "overlay".into(),
            folders: vec![Folder { uid: 3, gid: 4, mode: 0o040_750 }],
            layers: vec![LayerFile {
                path: RawPath(b"/layers/a/x".to_vec()),
                dev: 1,
                ino: 2,
                ctime: Stamp { sec: 1, nsec: 2 },
                size: 3,
            }],
        },
        later: serde_json::Map::new(),
    }
}

pub(crate) fn source(content: &[u8]) -> File {
    let mut f = tempfile::tempfile().unwrap();
    f.write_all(content).unwrap();
    f
}

pub(crate) fn put(v: &Vault, content: &[u8]) -> IsolatedId {
    let id = IsolatedId::new();
    v.put(id, source(content).as_fd(), manifest(id, content)).unwrap();
    id
}

pub(crate) fn take(v: &Vault, id: IsolatedId) -> Result<Vec<u8>, VaultError> {
    let mut out = Vec::new();
    v.take(id, &mut out).map(|()| out)
}

pub(crate) fn new() -> (tempfile::TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    let (v, _) = Vault::init(&dir.path().join("v")).unwrap();
    (dir, v)
}

pub(crate) fn mode(p: &Path) -> u32 {
    std::fs::metadata(p).unwrap().mode() & 0o7777
}

/// Of another owner.
pub(crate) fn put_of(v: &Vault, uid: u32, content: &[u8]) -> Result<IsolatedId, VaultError> {
    let id = IsolatedId::new();
    v.put(id, source(content).as_fd(), Manifest { uid, ..manifest(id, content) }).map(|_| id)
}

/// Inode numbers of the sealed files.
pub(crate) fn blobs(root: &Path) -> std::collections::HashSet<u64> {
    std::fs::read_dir(root.join("objects"))
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().extension().is_some_and(|x| x == "age"))
        .map(|e| e.metadata().unwrap().ino())
        .collect()
}

/// What Debian's `age` makes of a blob.
pub(crate) fn age(key: &Path, blob: &Path) -> Vec<u8> {
    let out = std::process::Command::new("age").arg("-d").arg("-i").arg(key).arg(blob).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}
