// SPDX-License-Identifier: Apache-2.0
//! What is known of the server's content across restarts: which pack is in force, and the numbers below
//! which none is taken.

use crate::uplink::identity::replace;
use anyhow::{Context as _, Result};
use lazaret_proto::v1;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Channels whose numbers are kept: a host is moved between few projects.
const CHANNELS: usize = 64;

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// Of the pack in force; empty: the installed one is.
    channel: String,
    number: u64,
    version: String,
    sha256: String,
    previous_version: String,
    /// By channel, the highest that was in force.
    numbers: BTreeMap<String, u64>,
}

fn file(state: &Path) -> PathBuf {
    state.join("content").join("server.toml")
}

fn hex(bytes: &[u8]) -> String {
    crate::uplink::address::hex(bytes)
}

impl Kept {
    /// Nothing where there is no file, or a damaged one: the server offers again.
    pub(super) fn load(state: &Path) -> Self {
        fs::read_to_string(file(state)).ok().and_then(|t| toml::from_str(&t).ok()).unwrap_or_default()
    }

    pub(super) fn store(&self, state: &Path) -> Result<()> {
        let text = toml::to_string(self).context("what is in force cannot be written down")?;
        replace(&file(state), text.as_bytes())
    }

    /// The pack in force, if it is the server's and is still what was verified.
    pub(super) fn pack(&self, state: &Path) -> Option<PathBuf> {
        let path = crate::content::current(state);
        let bytes = self.in_force().and_then(|_| fs::read(&path).ok())?;
        (hex(&Sha256::digest(&bytes)) == self.sha256).then_some(path)
    }

    pub(super) fn in_force(&self) -> Option<u64> {
        (!self.sha256.is_empty()).then_some(self.number)
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn previous_version(&self) -> &str {
        &self.previous_version
    }

    /// Lowest number that is taken.
    pub(super) fn number(&self, channel: &str) -> u64 {
        self.numbers.get(channel).copied().unwrap_or(0)
    }

    pub(super) fn is(&self, offer: &v1::ContentOffer) -> bool {
        self.sha256 == hex(&offer.sha256) && self.number == offer.number && self.channel == offer.channel
    }

    /// It is in force now.
    pub(super) fn take(&mut self, offer: &v1::ContentOffer, before: &str) {
        self.channel.clone_from(&offer.channel);
        self.number = offer.number;
        self.version.clone_from(&offer.version);
        self.sha256 = hex(&offer.sha256);
        before.clone_into(&mut self.previous_version);
        if self.numbers.len() >= CHANNELS && !self.numbers.contains_key(&offer.channel) {
            self.numbers.pop_first();
        }
        self.numbers.insert(offer.channel.clone(), offer.number);
    }

    /// The installed one is in force; the numbers stay.
    pub(super) fn leave(&mut self) {
        self.previous_version = std::mem::take(&mut self.version);
        self.sha256.clear();
        self.channel.clear();
        self.number = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(number: u64, bytes: &[u8]) -> v1::ContentOffer {
        v1::ContentOffer {
            number,
            channel: "0".into(),
            version: format!("v{number}"),
            sha256: Sha256::digest(bytes).to_vec(),
            ..v1::ContentOffer::default()
        }
    }

    #[test]
    fn comes_back_and_believes_only_what_was_verified() {
        let dir = tempfile::tempdir().unwrap();
        let pack = crate::content::current(dir.path());
        assert_eq!(Kept::load(dir.path()).pack(dir.path()), None);
        let mut kept = Kept::default();
        kept.take(&offer(7, b"pack"), "installed");
        kept.store(dir.path()).unwrap();
        assert_eq!(Kept::load(dir.path()), kept);
        assert_eq!(kept.pack(dir.path()), None, "no file");
        fs::write(&pack, b"pack").unwrap();
        assert_eq!(kept.pack(dir.path()), Some(pack.clone()));
        fs::write(&pack, b"pick").unwrap();
        assert_eq!(kept.pack(dir.path()), None, "another file");
        assert!(kept.is(&offer(7, b"pack")) && !kept.is(&offer(8, b"pack")) && !kept.is(&offer(7, b"x")));
        kept.leave();
        assert_eq!((kept.in_force(), kept.number("0"), kept.previous_version()), (None, 7, "v7"));
        fs::write(file(dir.path()), b"\xff\x00").unwrap();
        assert_eq!(Kept::load(dir.path()), Kept::default());
    }

    #[test]
    fn channels_are_bounded() {
        let mut kept = Kept::default();
        for n in 0..200 {
            kept.take(&v1::ContentOffer { channel: format!("p{n:03}"), number: n, ..offer(1, b"x") }, "");
        }
        assert_eq!((kept.numbers.len(), kept.number("p199")), (CHANNELS, 199));
    }
}
