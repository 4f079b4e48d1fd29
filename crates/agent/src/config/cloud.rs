// SPDX-License-Identifier: Apache-2.0
//! `[cloud]`: what this host does not give to Malware Cloud Scan, whatever its project consents to. There
//! is nothing here by which it would give more.

use super::ConfigError;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cloud {
    /// Off: neither hashes nor samples leave this host.
    pub(crate) hashes: bool,
    /// Off: no samples do.
    pub(crate) samples: bool,
    /// No samples of files below these folders.
    pub(crate) exclude: Vec<PathBuf>,
    /// No samples that are larger, bytes; 0: as the project says.
    pub(crate) max_sample_bytes: u64,
    /// Bytes of samples in a second, at most; 0: as the project says.
    pub(crate) bytes_per_second: u64,
}

impl Default for Cloud {
    fn default() -> Self {
        Self { hashes: true, samples: true, exclude: Vec::new(), max_sample_bytes: 0, bytes_per_second: 0 }
    }
}

impl Cloud {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(path) = self.exclude.iter().find(|p| !p.is_absolute()) {
            return Err(ConfigError(format!(
                "[cloud] exclude: \"{}\" must be an absolute path",
                path.display()
            )));
        }
        if (1..1024).contains(&self.bytes_per_second) {
            let given = self.bytes_per_second;
            return Err(ConfigError(format!(
                "[cloud] bytes_per_second = {given}: must be 0 (as the project says) or at least 1024; samples = \
                 false sends none"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn a_host_can_only_give_less() {
        let c = Config::parse("").unwrap().cloud;
        assert!(c.hashes && c.samples && c.exclude.is_empty(), "as the project says");
        let c = Config::parse("[cloud]\nsamples = false\nexclude = [\"/srv/secret\"]").unwrap().cloud;
        assert!(c.hashes && !c.samples);
        let refused = |text: &str| Config::parse(text).unwrap_err().to_string();
        assert!(refused("[cloud]\nexclude = [\"srv\"]").contains("absolute"));
        assert!(refused("[cloud]\nbytes_per_second = 5").contains("1024"));
        assert!(refused("[cloud]\nsample = false").contains("line 2"));
    }
}
