// SPDX-License-Identifier: Apache-2.0
//! What all tests of samples need.

#![allow(dead_code, reason = "each test program uses its part")]

use lazaret_samples::{MAX_PART, SampleError, Samples, SamplesConfig};
use sha2::Digest as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use tempfile::TempDir;

/// A server's folder.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) config: SamplesConfig,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut SamplesConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("authority")).unwrap();
        let mut config = SamplesConfig::in_folder(dir.path());
        config.free_percent = 0;
        change(&mut config);
        Self { dir, config }
    }

    pub(crate) fn open(&self) -> Samples {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Samples, SampleError> {
        Samples::open(&self.config, &self.dir.path().join("authority"))
    }

    pub(crate) fn key_file(&self) -> std::path::PathBuf {
        self.dir.path().join("authority/samples.key")
    }
}

pub(crate) fn sha(bytes: &[u8]) -> Vec<u8> {
    sha2::Sha256::digest(bytes).to_vec()
}

/// Some bytes that do not repeat soon and are nothing that anybody would run.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.flatten().take(length).collect()
}

/// Sends all parts, going on where the server says.
pub(crate) async fn send(samples: &Samples, project: &str, content: &[u8]) -> Result<(), SampleError> {
    let digest = sha(content);
    let mut have = 0;
    loop {
        let at = usize::try_from(have).unwrap();
        let part = &content[at..content.len().min(at + MAX_PART)];
        have = samples.put_part(project, &digest, content.len() as u64, have, part).await?;
        if have == content.len() as u64 {
            return Ok(());
        }
    }
}

/// The whole way.
pub(crate) async fn store(samples: &Samples, project: &str, content: &[u8]) -> Result<(), SampleError> {
    send(samples, project, content).await?;
    samples.finish(project, &sha(content)).await
}

pub(crate) async fn read(samples: &Samples, project: &str, sha: &[u8]) -> Result<Vec<u8>, SampleError> {
    samples.open_sample(project, sha).await.map(all)
}

pub(crate) fn all(mut file: File) -> Vec<u8> {
    let mut out = Vec::new();
    file.read_to_end(&mut out).unwrap();
    out
}

/// Keys of everything that is stored, sorted.
pub(crate) async fn keys(samples: &Samples) -> Vec<String> {
    let mut listing = samples.list();
    let mut out = Vec::new();
    while let Some(object) = listing.next().await {
        out.push(object.unwrap().key);
    }
    out.sort();
    out
}

/// Files below a folder, as text.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.push(path.display().to_string());
        }
    }
    out.sort();
    out
}

/// Whether some bytes stand in any file below a folder.
pub(crate) fn lies_open(folder: &Path, needle: &[u8]) -> bool {
    files(folder).iter().any(|f| std::fs::read(f).unwrap().windows(needle.len()).any(|w| w == needle))
}
