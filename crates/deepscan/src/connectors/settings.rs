// SPDX-License-Identifier: Apache-2.0
//! What a connector is made from.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Least and most that a vote may weigh, log-odds.
pub const MIN_WEIGHT: f32 = 0.5;
/// See [`MIN_WEIGHT`].
pub const MAX_WEIGHT: f32 = 8.0;

/// How it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectorKind {
    /// ClamAV's daemon: the content goes to it.
    Clamd,
    /// An API like version 3 of VirusTotal: only the hash goes to it.
    VirusTotal,
    /// An API like that of MalwareBazaar: only the hash goes to it.
    MalwareBazaar,
}

impl ConnectorKind {
    /// All.
    pub const ALL: [Self; 3] = [Self::Clamd, Self::VirusTotal, Self::MalwareBazaar];

    /// The word in the configuration and in votes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clamd => "clamd",
            Self::VirusTotal => "virustotal",
            Self::MalwareBazaar => "malwarebazaar",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }
}

/// One that is to be asked.
#[derive(Clone)]
pub struct ConnectorSettings {
    /// For people: small letters, digits, `-` and `_`.
    pub name: String,
    /// How it is spoken to.
    pub kind: ConnectorKind,
    /// `unix:/path` or `tcp:host:port` of clamd; `https://host` of the others.
    pub address: String,
    /// What it wants to see before it answers; empty for clamd.
    pub key: String,
    /// Of its vote, log-odds; 5.1 alone is 75 of 100.
    pub weight: f32,
    /// Whose word it is: votes of one source count once. Empty: the kind.
    pub source: String,
    /// For a whole answer.
    pub timeout: Duration,
    /// Larger samples are not sent to it, bytes; clamd only.
    pub largest: u64,
    /// PEM of the authority of its certificate; absent: those of the machine.
    pub authority: Option<PathBuf>,
}

impl fmt::Debug for ConnectorSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorSettings")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("address", &self.address)
            .field("weight", &self.weight)
            .field("source", &self.source)
            .field("timeout", &self.timeout)
            .field("largest", &self.largest)
            .finish_non_exhaustive()
    }
}

impl ConnectorSettings {
    /// With what most need.
    #[must_use]
    pub fn new(name: &str, kind: ConnectorKind, address: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            address: address.to_owned(),
            key: String::new(),
            weight: 5.1,
            source: String::new(),
            timeout: Duration::from_secs(60),
            largest: 100 << 20,
            authority: None,
        }
    }

    /// Whose word it is.
    #[must_use]
    pub fn source(&self) -> &str {
        if self.source.is_empty() { self.kind.word() } else { &self.source }
    }

    /// Bounds and words.
    ///
    /// # Errors
    /// Names the connector and what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let word = |text: &str| {
            (1..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
        };
        if !word(&self.name) {
            return Err(format!(
                "connector {:?}: a name is 1 to 40 small letters, digits, - and _",
                self.name
            ));
        }
        let wrong = |what: String| Err(format!("connector {}: {what}", self.name));
        if !self.source.is_empty() && !word(&self.source) {
            return wrong(format!("source = {:?}: 1 to 40 small letters, digits, - and _", self.source));
        }
        if !(MIN_WEIGHT..=MAX_WEIGHT).contains(&self.weight) {
            return wrong(format!("weight = {}: must be {MIN_WEIGHT} to {MAX_WEIGHT}", self.weight));
        }
        let seconds = self.timeout.as_secs_f64();
        if !(0.01..=600.0).contains(&seconds) {
            return wrong(format!("a time-out of {seconds} s: must be up to 600"));
        }
        if self.largest == 0 || self.largest > 4 << 30 {
            return wrong(format!("max_bytes = {}: must be 1 to {}", self.largest, 4u64 << 30));
        }
        let (given, wanted) = (self.address.as_str(), "unix:/path or tcp:host:port");
        match self.kind {
            ConnectorKind::Clamd if given.starts_with("unix:/") => Ok(()),
            ConnectorKind::Clamd if given.strip_prefix("tcp:").is_some_and(has_port) => Ok(()),
            ConnectorKind::Clamd => wrong(format!("address = {given:?}: must be {wanted}")),
            _ if self.key.is_empty() => wrong("it needs a key (key_file)".to_owned()),
            _ if !self.key.bytes().all(|b| b.is_ascii_graphic()) => {
                wrong("its key holds something that is neither letter, digit nor sign".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn has_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut ConnectorSettings)) -> String {
        let mut settings = ConnectorSettings::new("clam", ConnectorKind::Clamd, "unix:/run/clamd");
        settings.check().unwrap();
        change(&mut settings);
        settings.check().unwrap_err()
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert!(refused(|s| s.name = "Clam AV".into()).contains("Clam AV"));
        assert!(refused(|s| s.weight = 40.0).contains("0.5 to 8"));
        assert!(refused(|s| s.weight = f32::NAN).contains("weight"));
        assert!(refused(|s| s.address = "/run/clamd".into()).contains("unix:/path"));
        assert!(refused(|s| s.address = "tcp:host".into()).contains("unix:/path"));
        assert!(refused(|s| s.timeout = Duration::ZERO).contains("time-out"));
        assert!(refused(|s| s.largest = 0).contains("max_bytes"));
        assert!(refused(|s| s.source = "A b".into()).contains("source"));
        assert!(refused(|s| s.kind = ConnectorKind::VirusTotal).contains("key_file"));
        assert!(
            refused(|s| {
                s.kind = ConnectorKind::MalwareBazaar;
                s.key = "two\nlines".into();
            })
            .contains("key")
        );
    }

    #[test]
    fn a_key_is_never_shown() {
        let mut settings = ConnectorSettings::new("vt", ConnectorKind::VirusTotal, "https://vt.example");
        settings.key = "s3cret".into();
        assert!(!format!("{settings:?}").contains("s3cret"));
        for kind in ConnectorKind::ALL {
            assert_eq!(ConnectorKind::from_word(kind.word()), Some(kind));
        }
    }
}
