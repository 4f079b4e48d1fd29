// SPDX-License-Identifier: Apache-2.0
//! Who this host is to its server: one file under the state folder, made at enrolment and never at
//! installation, so that copies of an image are hosts of their own.

use super::address::{Address, hex, unhex};
use anyhow::{Context, Result};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustix::fs::{CWD, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What enrolment gave.
#[derive(Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) url: Address,
    /// UUID text.
    pub(crate) host: String,
    /// PKCS #8, DER.
    pub(crate) key: Vec<u8>,
    /// DER, the host's own first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// The authority, DER.
    pub(crate) authority: Vec<u8>,
    /// Ed25519: with this the server signs content. Empty: it was never told.
    pub(crate) content_key: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    url: String,
    host: String,
    key: String,
    chain: Vec<String>,
    authority: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    content_key: String,
}

pub(crate) fn folder(state: &Path) -> PathBuf {
    state.join("uplink")
}

fn file(state: &Path) -> PathBuf {
    folder(state).join("identity.toml")
}

/// A key pair with a request for its certificate.
pub(crate) struct Request {
    pub(crate) key: Vec<u8>,
    /// PKCS #10, DER.
    pub(crate) csr: Vec<u8>,
}

impl Request {
    /// The name is for people; the server gives the id.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("no key pair can be made")?;
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        let csr = params.serialize_request(&key).context("no certificate request can be made")?;
        Ok(Self { key: key.serialize_der(), csr: csr.der().to_vec() })
    }
}

impl Identity {
    /// `None` before enrolment.
    pub(crate) fn load(state: &Path) -> Result<Option<Self>> {
        let path = file(state);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        };
        Self::parse(&text).map(Some).with_context(|| {
            format!("{} is damaged: enrol this host again with lazaretd enroll --again", path.display())
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let s: Stored = toml::from_str(text)?;
        let bytes = |t: &String| unhex(t).context("not hexadecimal");
        let identity = Self {
            url: Address::parse(&s.url).map_err(anyhow::Error::msg)?,
            host: s.host,
            key: bytes(&s.key)?,
            chain: s.chain.iter().map(bytes).collect::<Result<_>>()?,
            authority: bytes(&s.authority)?,
            content_key: bytes(&s.content_key)?,
        };
        anyhow::ensure!(!identity.chain.is_empty(), "it holds no certificate");
        Ok(identity)
    }

    /// Replaces what was there, or leaves it whole.
    pub(crate) fn store(&self, state: &Path) -> Result<()> {
        let stored = Stored {
            url: self.url.to_string(),
            host: self.host.clone(),
            key: hex(&self.key),
            chain: self.chain.iter().map(|c| hex(c)).collect(),
            authority: hex(&self.authority),
            content_key: hex(&self.content_key),
        };
        replace(&file(state), toml::to_string(&stored)?.as_bytes())
    }

    /// Begin and end of the host's own certificate, milliseconds UTC.
    pub(crate) fn validity(&self) -> Option<(i64, i64)> {
        let (_, own) = X509Certificate::from_der(self.chain.first()?).ok()?;
        let validity = own.validity();
        Some((validity.not_before.timestamp() * 1000, validity.not_after.timestamp() * 1000))
    }

    /// From two thirds of its life on.
    pub(crate) fn wants_renewal(&self, now_ms: i64) -> bool {
        self.validity().is_some_and(|(from, until)| now_ms >= from + (until - from) / 3 * 2)
    }
}

/// Which form of the file is there now: another number means that somebody enrolled anew.
pub(crate) fn stamp(state: &Path) -> Option<(u64, i64)> {
    let m = fs::metadata(file(state)).ok()?;
    Some((m.ino(), m.mtime_nsec() ^ m.mtime()))
}

/// A clone: the other one keeps the identity.
pub(crate) fn discard(state: &Path) -> Result<()> {
    match fs::remove_file(file(state)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).context("cannot discard the identity"),
        _ => Ok(()),
    }
}

/// Whole or not at all, mode 0600 in a folder of root's, durable on return.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("no folder")?;
    if let Err(e) = fs::DirBuilder::new().mode(0o700).recursive(true).create(folder) {
        return Err(e).with_context(|| format!("cannot make {}", folder.display()));
    }
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let write = || -> Result<()> {
        let mut out: File = rustix::fs::openat(CWD, &fresh, flags, Mode::from_raw_mode(0o600))?.into();
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn identity() -> Identity {
        Identity {
            url: Address::parse("wss://s:1").unwrap(),
            host: "h".into(),
            key: vec![1, 2],
            chain: vec![vec![3], vec![4, 5]],
            authority: vec![6],
            content_key: vec![7],
        }
    }

    #[test]
    fn comes_back_and_is_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Identity::load(dir.path()).unwrap().is_none());
        identity().store(dir.path()).unwrap();
        let first = stamp(dir.path());
        assert!(Identity::load(dir.path()).unwrap() == Some(identity()));
        let mode = |p: PathBuf| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file(dir.path())), mode(folder(dir.path()))), (0o600, 0o700));
        identity().store(dir.path()).unwrap();
        assert_ne!(stamp(dir.path()), first);
        discard(dir.path()).unwrap();
        discard(dir.path()).unwrap();
        assert!(Identity::load(dir.path()).unwrap().is_none());
    }

    #[test]
    fn damage_names_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        identity().store(dir.path()).unwrap();
        for text in ["", "x", "url = \"wss://s\"\nhost = \"h\"\nkey = \"0\"\nchain = []\nauthority = \"\""] {
            fs::write(file(dir.path()), text).unwrap();
            let e = format!("{:#}", Identity::load(dir.path()).err().unwrap());
            assert!(e.contains("--again"), "{e}");
        }
    }

    #[test]
    fn renewal_from_two_thirds_on() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 1, 31);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let i = Identity { chain: vec![der], ..identity() };
        let (from, until) = i.validity().unwrap();
        assert_eq!(until - from, 30 * 86_400_000);
        assert!(!i.wants_renewal(from + 19 * 86_400_000) && i.wants_renewal(from + 20 * 86_400_000));
        assert!(Request::new("h").unwrap().csr.len() > 100);
    }
}
