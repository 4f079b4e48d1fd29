// SPDX-License-Identifier: Apache-2.0
//! What an administrator says about samples.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of a part at most.
pub const MAX_PART: usize = 256 << 10;

/// Where samples lie and how much of them.
#[derive(Debug, Clone)]
pub struct SamplesConfig {
    /// Sealed samples, where `s3` is not given. Made with mode 0700.
    pub folder: PathBuf,
    /// Sealed parts on their way; always on this machine.
    pub spool: PathBuf,
    /// Instead of `folder`.
    pub s3: Option<S3Config>,
    /// A larger one is refused.
    pub max_sample_bytes: u64,
    /// Of all samples of one project, sealed.
    pub project_bytes: u64,
    /// Of all parts on their way, sealed.
    pub spool_bytes: u64,
    /// Nothing is written to a file system with less free space, percent.
    pub free_percent: u8,
    /// A request to the store, with its repetitions, takes so long at most.
    pub patience: Duration,
}

impl SamplesConfig {
    /// With everything in a server's data folder.
    #[must_use]
    pub fn in_folder(data: &Path) -> Self {
        Self {
            folder: data.join("samples"),
            spool: data.join("samples-spool"),
            s3: None,
            max_sample_bytes: 64 << 20,
            project_bytes: 20 << 30,
            spool_bytes: 2 << 30,
            free_percent: 5,
            patience: Duration::from_secs(30),
        }
    }
}

/// An S3-compatible store.
#[derive(Clone, Default)]
pub struct S3Config {
    /// `https://HOST:PORT`; empty: AWS itself.
    pub endpoint: String,
    /// It must exist.
    pub bucket: String,
    /// Signed with the requests; most stores take any.
    pub region: String,
    /// Beginning of all keys; may be empty.
    pub prefix: String,
    /// Empty: `AWS_ACCESS_KEY_ID`.
    pub key_id: String,
    /// Empty: `AWS_SECRET_ACCESS_KEY`, with `AWS_SESSION_TOKEN` where it is set.
    pub secret: String,
    /// Without TLS.
    pub allow_http: bool,
    /// `https://HOST/BUCKET/KEY` instead of `https://BUCKET.HOST/KEY`.
    pub path_style: bool,
    /// PEM of the authorities of its certificate; else those of the machine.
    pub authority: Option<PathBuf>,
}

impl std::fmt::Debug for S3Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the secret.
        f.debug_struct("S3Config")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .field("prefix", &self.prefix)
            .field("key_id", &self.key_id)
            .field("allow_http", &self.allow_http)
            .field("path_style", &self.path_style)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}
