// SPDX-License-Identifier: Apache-2.0
//! The agent's programs that new hosts fetch from this server, and their sums.

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What a host needs, as the build names it.
pub(crate) const NAMES: [&str; 4] = ["lazaretd", "lazaret", "lazaret-scanner", "lazaret.pack"];

/// Tells a file that was replaced from the one that was summed.
type Stamp = (u64, u64, i64, i64);

/// The folder of `[install] programs`.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    folder: Option<PathBuf>,
    sums: Mutex<HashMap<&'static str, (Stamp, String)>>,
}

impl Programs {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, sums: Mutex::default() }
    }

    /// Where one of them lies; `None` for every other name, and where none are given out.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let known = NAMES.iter().find(|n| **n == name)?;
        Some(self.folder.as_ref()?.join(known))
    }

    /// Each with its SHA-256 sum; none where none are given out. Reads what it has not read yet: not for
    /// a thread that others wait for.
    ///
    /// # Errors
    /// Names the file that is missing or cannot be read.
    pub(crate) fn sums(&self) -> Result<Vec<(&'static str, String)>, String> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let mut out = Vec::with_capacity(NAMES.len());
        for name in NAMES {
            let path = folder.join(name);
            let sum = self.sum(name, &path).map_err(|e| {
                format!("[install] programs: {} cannot be given to new hosts: {e}", path.display())
            })?;
            out.push((name, sum));
        }
        Ok(out)
    }

    fn sum(&self, name: &'static str, path: &Path) -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(std::io::Error::other("it is no file"));
        }
        let stamp = (meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec());
        let known = self.sums.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some((_, sum)) = known.filter(|(of, _)| *of == stamp) {
            return Ok(sum);
        }
        let mut digest = Sha256::new();
        let mut part = vec![0; 256 << 10];
        loop {
            match file.read(&mut part)? {
                0 => break,
                n => digest.update(part.get(..n).unwrap_or_default()),
            }
        }
        let sum = crate::json::hex(&digest.finalize()).unwrap_or_default();
        let kept = (stamp, sum.clone());
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).insert(name, kept);
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_files_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Programs::new(None).sums().unwrap().is_empty());
        let programs = Programs::new(Some(folder.path().to_owned()));
        assert!(programs.sums().unwrap_err().contains("lazaretd"), "what is missing is named");
        for name in NAMES {
            std::fs::write(folder.path().join(name), "abc").unwrap();
        }
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for _ in 0..2 {
            assert!(programs.sums().unwrap().iter().all(|(_, sum)| sum == abc));
        }
        std::fs::write(folder.path().join("lazaret"), "abcd").unwrap();
        let changed = programs.sums().unwrap();
        assert!(changed.iter().all(|(name, sum)| (*name == "lazaret") != (sum == abc)), "{changed:?}");
    }

    #[test]
    fn only_what_a_host_needs_is_given_out() {
        let programs = Programs::new(Some("/srv/programs".into()));
        assert_eq!(programs.path("lazaret.pack"), Some("/srv/programs/lazaret.pack".into()));
        for other in ["", "lazaret-server", "../../etc/shadow", "lazaretd/", "/etc/shadow"] {
            assert_eq!(programs.path(other), None, "{other}");
        }
        assert_eq!(Programs::new(None).path("lazaretd"), None);
    }
}
