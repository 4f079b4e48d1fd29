// SPDX-License-Identifier: Apache-2.0
//! Abnormal ends of the agent, kept on disk so that a killed watchdog does not forget them.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// This many ...
const MANY: usize = 3;
/// ... within this long lead to safe mode, milliseconds.
const WINDOW_MS: u64 = 10 * 60 * 1000;

pub(crate) struct AbnormalEnds {
    /// One time a line, milliseconds UTC.
    file: PathBuf,
    /// Exists while a watchdog runs; holds the boot id, because a power cut is not our fault.
    running: PathBuf,
    times: Vec<u64>,
}

impl AbnormalEnds {
    pub(crate) fn open(state: &Path) -> Result<Self> {
        fs::create_dir_all(state)
            .with_context(|| format!("cannot make the state folder {}", state.display()))?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let mut ends =
            Self { file: state.join("abnormal_ends"), running: state.join("running"), times: Vec::new() };
        // An unreadable or odd file means no history, not no start.
        let text = fs::read_to_string(&ends.file).unwrap_or_default();
        ends.times = text.lines().filter_map(|l| l.trim().parse().ok()).collect();
        if fs::read_to_string(&ends.running).is_ok_and(|b| b == boot) {
            ends.add()?;
        }
        fs::write(&ends.running, boot).with_context(|| format!("cannot write {}", ends.running.display()))?;
        Ok(ends)
    }

    pub(crate) fn add(&mut self) -> Result<()> {
        self.times.push(now_ms());
        let oldest = now_ms().saturating_sub(WINDOW_MS);
        self.times.retain(|t| *t >= oldest);
        let text: String = self.times.iter().map(|t| format!("{t}\n")).collect();
        fs::write(&self.file, text).with_context(|| format!("cannot write {}", self.file.display()))
    }

    pub(crate) fn too_many(&self) -> bool {
        let oldest = now_ms().saturating_sub(WINDOW_MS);
        self.times.iter().filter(|t| **t >= oldest).count() >= MANY
    }

    /// After a clean stop: a person has seen to it.
    pub(crate) fn forget(&self) -> Result<()> {
        if self.file.exists() {
            fs::remove_file(&self.file)?;
        }
        self.close()
    }

    /// The end of this watchdog is known.
    pub(crate) fn close(&self) -> Result<()> {
        fs::remove_file(&self.running).with_context(|| format!("cannot remove {}", self.running.display()))
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|d| u64::try_from(d.as_millis()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_ten_minutes_are_too_many_and_survive_us() {
        let dir = tempfile::tempdir().unwrap();
        let mut ends = AbnormalEnds::open(dir.path()).unwrap();
        ends.add().unwrap();
        ends.add().unwrap();
        assert!(!ends.too_many());
        // The watchdog itself is killed: the next one finds its mark and counts that end too.
        drop(ends);
        let ends = AbnormalEnds::open(dir.path()).unwrap();
        assert!(ends.too_many());
        ends.forget().unwrap();
        assert!(!AbnormalEnds::open(dir.path()).unwrap().too_many());
    }

    #[test]
    fn old_ends_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("abnormal_ends"), "1\n2\n3\nnot a number\n").unwrap();
        assert!(!AbnormalEnds::open(dir.path()).unwrap().too_many());
    }
}
