// SPDX-License-Identifier: Apache-2.0
//! What the pool's tests share: the built programs, and files with content.

#![allow(dead_code, reason = "each test binary uses its part")]

use lazaret_pool::{Job, Pool, PoolConfig};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A program that the workspace's build left beside the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let target = exe.parent().and_then(Path::parent).unwrap();
    let path = target.join(name);
    assert!(
        path.exists(),
        "{} is missing: build the workspace first (cargo build --workspace --all-targets)",
        path.display()
    );
    path
}

/// A pool whose scanner does what its files say.
pub(crate) fn misbehaving(workers: usize) -> PoolConfig {
    PoolConfig {
        scanner: program("examples/misbehave"),
        content: "v1".into(),
        rules: Vec::new(),
        workers,
        reserved: 0,
        deadline: Duration::from_secs(5),
        uid_gid: is_root().then_some((65534, 65534)),
        test_programs: true,
        deep: None,
        on_pid: None,
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// An open file with this content.
pub(crate) fn file(content: &[u8]) -> OwnedFd {
    use std::io::Write;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    // Open for reading and writing: a jailed scanner must not be able to use the latter.
    file.into()
}

pub(crate) fn job(content: &[u8]) -> Job {
    Job { file: file(content), name: b"name".to_vec(), members: true }
}

pub(crate) fn open_job(path: &Path) -> Job {
    let name = path.file_name().unwrap().as_encoded_bytes().to_vec();
    Job { file: File::open(path).unwrap().into(), name, members: true }
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(15), "never came true: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

pub(crate) fn start(config: PoolConfig) -> Pool {
    Pool::start(config).unwrap_or_else(|e| panic!("{e}"))
}
