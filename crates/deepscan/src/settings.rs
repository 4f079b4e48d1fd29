// SPDX-License-Identifier: Apache-2.0
//! What a worker is started with.

use lazaret_pool::{DeepLimits, PoolConfig};
use std::path::PathBuf;
use std::time::Duration;

/// How a worker works. The connectors are given apart: they know how to ask.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Path of the `lazaret-scanner` program.
    pub scanner: PathBuf,
    /// The deep content.
    pub content: PathBuf,
    /// Jobs at the same time, each with a scanner of its own.
    pub workers: usize,
    /// Longest time for one sample.
    pub deadline: Duration,
    /// Larger samples are not opened, bytes; those who know hashes are asked all the same.
    pub largest: u64,
    /// What is unpacked, and with how much memory.
    pub limits: DeepLimits,
    /// Numeric uid and gid of the scanners; only root can give them one.
    pub uid_gid: Option<(u32, u32)>,
    /// A job is ours for so long, and again with each renewal, a third of it apart.
    pub lease: Duration,
    /// It is looked for jobs this often when there are none.
    pub poll: Duration,
    /// A job waits so long before its second try, four times as long before the third.
    pub retry: Duration,
}

impl Settings {
    /// With what most need.
    #[must_use]
    pub fn new(scanner: PathBuf, content: PathBuf) -> Self {
        Self {
            scanner,
            content,
            workers: 2,
            deadline: Duration::from_secs(120),
            largest: 512 << 20,
            limits: DeepLimits::default(),
            uid_gid: None,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            retry: Duration::from_secs(15),
        }
    }

    pub(crate) fn pool(&self) -> PoolConfig {
        PoolConfig {
            scanner: self.scanner.clone(),
            content: self.content.clone(),
            rules: Vec::new(),
            workers: self.workers,
            reserved: 0,
            deadline: self.deadline,
            uid_gid: self.uid_gid,
            test_programs: true,
            deep: Some(self.limits),
            on_pid: None,
        }
    }

    /// How long a job waits after so many tries.
    pub(crate) fn wait(&self, tries: u32) -> Duration {
        self.retry * 4u32.saturating_pow(tries.saturating_sub(1).min(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_get_longer() {
        let settings = Settings::new("s".into(), "c".into());
        let waits: Vec<u64> = (0..5).map(|t| settings.wait(t).as_secs()).collect();
        assert_eq!(waits, [15, 15, 60, 240, 960]);
        assert_eq!(settings.wait(u32::MAX), settings.wait(5), "bounded");
    }
}
