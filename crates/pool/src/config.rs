// SPDX-License-Identifier: Apache-2.0
//! What a pool is started with.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Hears of every process of a pool.
pub type PidObserver = Arc<dyn Fn(PidChange) + Send + Sync>;

/// A process of the pool came or went: exactly these are exempt from the agent's own events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidChange {
    /// Told before the process opens anything. A sealed worker opens nothing at all.
    Started(i32),
    /// Told once the process is gone.
    Ended(i32),
}

/// How a pool is started.
#[derive(Clone)]
pub struct PoolConfig {
    /// Path of the `lazaret-scanner` program.
    pub scanner: PathBuf,
    /// Content pack, or a folder that the engine accepts as one.
    pub content: PathBuf,
    /// Third-party YARA rules: files or folders.
    pub rules: Vec<PathBuf>,
    /// Workers, at least 1.
    pub workers: usize,
    /// Workers that take no background job and no large event job, so that a permission job never
    /// waits behind one; at most `workers` - 1 count. 0 for a program that only walks folders.
    pub reserved: usize,
    /// Longest time for one file, from the moment that its worker begins it.
    pub deadline: Duration,
    /// Numeric uid and gid of the workers; only root can give them one.
    pub uid_gid: Option<(u32, u32)>,
    /// Whether Lazaret test programs are recognised.
    pub test_programs: bool,
    /// The deep scan of a server; `None` on hosts.
    pub deep: Option<DeepLimits>,
    /// Hears of every process, from any thread; must not block.
    pub on_pid: Option<PidObserver>,
}

/// What the deep scan of a server may take beyond a host's: the test programs that only it finds, and
/// higher limits. The scanner bounds each once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeepLimits {
    /// How deep archives in archives are opened.
    pub depth: u32,
    /// Members of a file, nested ones included.
    pub members: u32,
    /// One member, bytes.
    pub member: u64,
    /// All that is unpacked from a file, bytes.
    pub unpacked: u64,
    /// Private memory of a worker, bytes; 256 MiB to 16 GiB.
    pub memory: u64,
}

impl Default for DeepLimits {
    fn default() -> Self {
        Self { depth: 8, members: 100_000, member: 128 << 20, unpacked: 2 << 30, memory: 2 << 30 }
    }
}

impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("scanner", &self.scanner)
            .field("content", &self.content)
            .field("rules", &self.rules)
            .field("workers", &self.workers)
            .field("reserved", &self.reserved)
            .field("deadline", &self.deadline)
            .field("uid_gid", &self.uid_gid)
            .field("test_programs", &self.test_programs)
            .field("deep", &self.deep)
            .finish_non_exhaustive()
    }
}

impl PoolConfig {
    /// The command line of the spawner.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["--spawner".into(), "--content".into()];
        arguments.push(self.content.clone().into());
        for rules in &self.rules {
            arguments.extend(["--rules".into(), rules.clone().into()]);
        }
        if let Some((uid, gid)) = self.uid_gid {
            arguments.extend(["--uid".into(), uid.to_string().into()]);
            arguments.extend(["--gid".into(), gid.to_string().into()]);
        }
        if !self.test_programs {
            arguments.push("--no-test-programs".into());
        }
        if let Some(deep) = self.deep {
            arguments.push("--deep".into());
            for (name, value) in [
                ("--depth", u64::from(deep.depth)),
                ("--members", u64::from(deep.members)),
                ("--member", deep.member),
                ("--unpacked", deep.unpacked),
                ("--memory", deep.memory),
            ] {
                arguments.extend([name.into(), value.to_string().into()]);
            }
        }
        arguments
    }

    pub(crate) fn tell(&self, change: PidChange) {
        if let Some(observer) = &self.on_pid {
            observer(change);
        }
    }
}
