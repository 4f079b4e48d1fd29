// SPDX-License-Identifier: Apache-2.0
//! `[deep_scan]`: how samples are scanned, and who else is asked about them.

use lazaret_deepscan::{ConnectorKind, ConnectorSettings};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Bytes of a key file.
const MAX_KEY: u64 = 4_096;

/// How samples are scanned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeepScan {
    /// Samples at the same time, each with a scanner of its own; 0: this process scans none, 64 at most.
    pub workers: u32,
    /// The `lazaret-scanner` that looks at them; absent: beside this program, or where it is installed.
    pub scanner: Option<PathBuf>,
    /// The content of the deep scan; absent: `deep.pack` beside this program, or where it is installed.
    pub pack: Option<PathBuf>,
    /// For one sample, 5 to 3600.
    pub deadline_seconds: u32,
    /// Larger samples are not opened, bytes; 1 MiB to 4 GiB.
    pub max_bytes: u64,
    /// How deep archives in archives are opened, 1 to 16.
    pub max_depth: u32,
    /// Members of a sample, 1 to 1,000,000.
    pub max_members: u32,
    /// Larger members are not judged, bytes; up to 512 MiB.
    pub max_member_bytes: u64,
    /// All that is unpacked from a sample, bytes; up to 16 GiB.
    pub max_unpacked_bytes: u64,
    /// Memory of a scanner, bytes; 256 MiB to 16 GiB.
    pub memory_bytes: u64,
    /// A worker that is not heard for so long loses its jobs to others, 10 to 3600.
    pub lease_seconds: u32,
    /// Who else is asked.
    pub connectors: Vec<ConnectorConfig>,
}

impl Default for DeepScan {
    fn default() -> Self {
        let limits = lazaret_pool::DeepLimits::default();
        Self {
            workers: 2,
            scanner: None,
            pack: None,
            deadline_seconds: 120,
            max_bytes: 512 << 20,
            max_depth: limits.depth,
            max_members: limits.members,
            max_member_bytes: limits.member,
            max_unpacked_bytes: limits.unpacked,
            memory_bytes: limits.memory,
            lease_seconds: 60,
            connectors: Vec::new(),
        }
    }
}

/// Another scanner.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// For people: small letters, digits, `-` and `_`.
    pub name: String,
    /// `clamd`, `virustotal`, `malwarebazaar`.
    pub kind: String,
    /// `unix:/path` or `tcp:HOST:PORT` of clamd; `https://HOST` of the others.
    pub address: String,
    /// A file with the key that it wants to see.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Of its vote, 0.5 to 8; 5.1 alone is 75 of 100.
    #[serde(default = "weight")]
    pub weight: f32,
    /// Whose word it is: votes of one source count once. Empty: the kind.
    #[serde(default)]
    pub source: String,
    /// For a whole answer, 1 to 600.
    #[serde(default = "timeout")]
    pub timeout_seconds: u32,
    /// Larger samples are not sent to it, bytes; clamd only.
    #[serde(default = "largest")]
    pub max_bytes: u64,
    /// PEM of the authority of its certificate; absent: those of the machine.
    #[serde(default)]
    pub authority: Option<PathBuf>,
}

fn weight() -> f32 {
    5.1
}

fn timeout() -> u32 {
    60
}

fn largest() -> u64 {
    100 << 20
}

impl DeepScan {
    /// Bounds and words. Key files are read when the worker starts.
    pub(super) fn check(&self) -> Result<(), String> {
        let bounds = [
            ("workers", u64::from(self.workers), 0, 64),
            ("deadline_seconds", self.deadline_seconds.into(), 5, 3_600),
            ("max_bytes", self.max_bytes, 1 << 20, 4 << 30),
            ("max_depth", self.max_depth.into(), 1, 16),
            ("max_members", self.max_members.into(), 1, 1_000_000),
            ("max_member_bytes", self.max_member_bytes, 1, 512 << 20),
            ("max_unpacked_bytes", self.max_unpacked_bytes, 1, 16 << 30),
            ("memory_bytes", self.memory_bytes, 256 << 20, 16 << 30),
            ("lease_seconds", self.lease_seconds.into(), 10, 3_600),
        ];
        for (key, given, least, most) in bounds {
            if !(least..=most).contains(&given) {
                return Err(format!("[deep_scan] {key} = {given}: must be {least} to {most}"));
            }
        }
        if let Some(path) = [&self.scanner, &self.pack].into_iter().flatten().find(|p| !p.is_absolute()) {
            return Err(format!("[deep_scan] \"{}\" must be an absolute path", path.display()));
        }
        for (place, connector) in self.connectors.iter().enumerate() {
            let wrong = |e: String| format!("[[deep_scan.connectors]] {e}");
            let mut paths = [&connector.key_file, &connector.authority].into_iter().flatten();
            if let Some(path) = paths.find(|p| !p.is_absolute()) {
                return Err(wrong(format!(
                    "{}: \"{}\" must be an absolute path",
                    connector.name,
                    path.display()
                )));
            }
            let mut settings = connector.settings().map_err(wrong)?;
            if connector.key_file.is_some() {
                // What is in the file is seen when it is read.
                settings.key = "key".to_owned();
            }
            settings.check().map_err(wrong)?;
            if self.connectors.iter().take(place).any(|c| c.name == connector.name) {
                return Err(wrong(format!("{}: two of this name", connector.name)));
            }
        }
        Ok(())
    }
}

impl ConnectorConfig {
    /// Without its key.
    fn settings(&self) -> Result<ConnectorSettings, String> {
        let kind = ConnectorKind::from_word(&self.kind).ok_or_else(|| {
            let known = ConnectorKind::ALL.map(ConnectorKind::word).join(", ");
            format!("{}: kind = {:?}: must be one of {known}", self.name, self.kind)
        })?;
        Ok(ConnectorSettings {
            name: self.name.clone(),
            kind,
            address: self.address.clone(),
            key: String::new(),
            weight: self.weight,
            source: self.source.clone(),
            timeout: Duration::from_secs(self.timeout_seconds.into()),
            largest: self.max_bytes,
            authority: self.authority.clone(),
        })
    }

    /// With what its key file holds.
    pub(crate) fn load(&self) -> Result<ConnectorSettings, String> {
        let mut settings = self.settings()?;
        if let Some(path) = &self.key_file {
            let shown = path.display();
            let failed = |e: std::io::Error| format!("connector {}: {shown}: {e}", self.name);
            let size = std::fs::metadata(path).map_err(failed)?.len();
            if size > MAX_KEY {
                return Err(format!("connector {}: {shown}: {size} bytes are no key", self.name));
            }
            let key = std::fs::read_to_string(path).map_err(failed)?;
            key.trim().clone_into(&mut settings.key);
        }
        settings.check()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    const CLAM: &str = "[[deep_scan.connectors]]\nname = \"clam\"\nkind = \"clamd\"\naddress = \"unix:/run/clamav/clamd.ctl\"\n";

    fn refused(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_people_write() {
        let config = Config::parse(CLAM).unwrap().deep_scan;
        assert_eq!((config.workers, config.connectors.len()), (2, 1));
        let settings = config.connectors[0].load().unwrap();
        assert_eq!((settings.weight, settings.source()), (5.1, "clamd"));
        assert_eq!(Config::parse("[deep_scan]\nworkers = 0\n").unwrap().deep_scan.workers, 0);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (text, part) in [
            ("[deep_scan]\nworkers = 65\n".to_owned(), "0 to 64"),
            ("[deep_scan]\ndeadline_seconds = 1\n".to_owned(), "5 to 3600"),
            ("[deep_scan]\nmax_depth = 17\n".to_owned(), "1 to 16"),
            ("[deep_scan]\nmemory_bytes = 5\n".to_owned(), "memory_bytes"),
            ("[deep_scan]\nscanner = \"here\"\n".to_owned(), "absolute"),
            (format!("{CLAM}weight = 9.5\n"), "0.5 to 8"),
            (format!("{CLAM}timeout_seconds = 0\n"), "time-out"),
            (format!("{CLAM}{CLAM}"), "two of this name"),
            (CLAM.replace("\"clamd\"", "\"oracle\""), "clamd, virustotal, malwarebazaar"),
            (CLAM.replace("unix:", ""), "unix:/path"),
            (CLAM.replace("\"clamd\"", "\"virustotal\""), "key_file"),
            (format!("{CLAM}key_file = \"k\"\n"), "absolute"),
            (format!("{CLAM}password = \"k\"\n"), "password"),
        ] {
            let e = refused(&text);
            assert!(e.contains(part), "{text}: {e}");
        }
    }

    #[test]
    fn a_key_is_what_its_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let text = format!(
            "[[deep_scan.connectors]]\nname = \"vt\"\nkind = \"virustotal\"\naddress = \"https://vt.example\"\nkey_file = \"{}\"\n",
            path.display()
        );
        let connector = Config::parse(&text).unwrap().deep_scan.connectors.remove(0);
        assert!(connector.load().unwrap_err().contains("vt"), "it is not there yet");
        std::fs::write(&path, "s3cret\n").unwrap();
        assert_eq!(connector.load().unwrap().key, "s3cret");
        std::fs::write(&path, "\n").unwrap();
        assert!(connector.load().unwrap_err().contains("key"));
        std::fs::write(&path, vec![b'a'; 5_000]).unwrap();
        assert!(connector.load().unwrap_err().contains("no key"));
    }
}
