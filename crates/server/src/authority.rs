// SPDX-License-Identifier: Apache-2.0
//! The authority that signs the server and the hosts: ECDSA P-256, made once by `init`.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The certificate's file within the authority's folder.
pub const CERTIFICATE_FILE: &str = "authority.pem";
/// The key's, mode 0600.
pub const KEY_FILE: &str = "authority.key";
/// How long a host's certificate is valid.
pub const HOST_DAYS: u64 = 30;

const DAY: Duration = Duration::from_secs(86_400);
/// Longer requests are refused before they are looked at.
const MAX_CSR: usize = 8 << 10;
/// Clocks of hosts may be behind.
const BACKDATED: Duration = Duration::from_secs(3600);

/// Why the authority cannot do something.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is one already.
    #[error("{0} is there already: this server has an authority; hosts trust that one")]
    Exists(PathBuf),
    /// A certificate or key that is none.
    #[error("{0}")]
    Bad(String),
    /// A host's request that is not signed.
    #[error("certificate request: {0}")]
    Request(String),
}

/// The authority: its certificate and its key.
pub struct Authority {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

/// A certificate of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// DER, the host's own first.
    pub chain: Vec<Vec<u8>>,
    /// Hexadecimal.
    pub serial: String,
    /// Its end.
    pub until_ms: i64,
}

/// Who a client certificate speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Host id.
    pub host: String,
    /// Hexadecimal.
    pub serial: String,
    /// Its end.
    pub until_ms: i64,
}

impl Authority {
    /// Makes one in a folder, which it makes too (mode 0700).
    ///
    /// # Errors
    /// There is one, or the folder cannot be written.
    pub fn create(folder: &Path, name: &str, now_ms: i64) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|e| bad("a key", &e))?;
        let mut params = params(name, now_ms, 3653 * DAY)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(|e| bad("the authority's certificate", &e))?;
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
        builder.create(folder).map_err(|source| AuthorityError::File { path: folder.to_owned(), source })?;
        // The key first: a certificate without one would look like an authority.
        write_new(&folder.join(KEY_FILE), 0o600, key.serialize_pem().as_bytes())?;
        write_new(&folder.join(CERTIFICATE_FILE), 0o644, certificate.pem().as_bytes())?;
        Self::of(certificate.der(), key)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn load(folder: &Path) -> Result<Self, AuthorityError> {
        let path = folder.join(CERTIFICATE_FILE);
        let der = CertificateDer::from_pem_slice(&read(&path)?)
            .map_err(|e| AuthorityError::Bad(format!("{}: no certificate: {e}", path.display())))?;
        let path = folder.join(KEY_FILE);
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let key = KeyPair::from_pem(&text)
            .map_err(|e| AuthorityError::Bad(format!("{}: no key: {e}", path.display())))?;
        Self::of(&der, key)
    }

    fn of(der: &CertificateDer<'_>, key: KeyPair) -> Result<Self, AuthorityError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(der)
            .map_err(|e| AuthorityError::Bad(format!("the authority's certificate: {e}")))?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(AuthorityError::Bad(
                "the authority's key is not that of its certificate; put both back from one backup"
                    .to_owned(),
            ));
        }
        let issuer =
            Issuer::from_ca_cert_der(der, key).map_err(|e| bad("the authority's certificate", &e))?;
        Ok(Self { der: der.to_vec(), issuer })
    }

    /// The certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What people compare and agents are given: SHA-256 of the certificate, hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }

    /// A certificate and key for the server itself. The authority goes along in the chain, so that an
    /// agent which knows only the fingerprint can check it.
    ///
    /// # Errors
    /// A name that no certificate can carry.
    pub fn server(
        &self,
        names: &[String],
        now_ms: i64,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|e| bad("a key", &e))?;
        let mut params = params("lazaret-server", now_ms, 730 * DAY)?;
        let san = CertificateParams::new(names.to_vec())
            .map_err(|e| AuthorityError::Bad(format!("a name of the server in {names:?}: {e}")))?;
        params.subject_alt_names = san.subject_alt_names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate =
            params.signed_by(&key, &self.issuer).map_err(|e| bad("the server's certificate", &e))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![certificate.der().clone(), CertificateDer::from(self.der.clone())], key))
    }

    /// Signs a host's request. What it says of itself is not looked at: the name is `host`.
    ///
    /// # Errors
    /// The request is none, is not signed by its key, or has a key of another kind.
    pub fn host(&self, csr: &[u8], host: &str, now_ms: i64) -> Result<Issued, AuthorityError> {
        let request = Self::request(csr)?;
        let mut params = params(host, now_ms, DAY * u32::try_from(HOST_DAYS).unwrap_or(u32::MAX))?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&request.public_key, &self.issuer)
            .map_err(|e| bad("the host's certificate", &e))?;
        let der = certificate.der().to_vec();
        let identity =
            identity(&der).ok_or_else(|| AuthorityError::Bad("an unreadable own one".to_owned()))?;
        Ok(Issued { chain: vec![der], serial: identity.serial, until_ms: identity.until_ms })
    }

    /// Whether a request could be signed.
    ///
    /// # Errors
    /// As [`Self::host`].
    pub fn check(csr: &[u8]) -> Result<(), AuthorityError> {
        Self::request(csr).map(|_| ())
    }

    fn request(csr: &[u8]) -> Result<CertificateSigningRequestParams, AuthorityError> {
        if csr.len() > MAX_CSR {
            return Err(AuthorityError::Request(format!("{} bytes, at most {MAX_CSR}", csr.len())));
        }
        let request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr))
            .map_err(|e| AuthorityError::Request(e.to_string()))?;
        let kind = request.public_key.algorithm();
        let taken = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
        if !taken.contains(&kind) {
            return Err(AuthorityError::Request(
                "the key is none of ECDSA P-256, P-384 and Ed25519".to_owned(),
            ));
        }
        Ok(request)
    }
}

/// Reads who a certificate speaks for; the TLS handshake has checked it.
#[must_use]
pub fn identity(der: &[u8]) -> Option<Identity> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let host = certificate.subject().iter_common_name().next()?.as_str().ok()?.to_owned();
    Some(Identity {
        host,
        serial: hex(certificate.raw_serial()),
        until_ms: certificate.validity().not_after.timestamp().checked_mul(1000)?,
    })
}

fn params(name: &str, now_ms: i64, valid: Duration) -> Result<CertificateParams, AuthorityError> {
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial)
        .map_err(|_| AuthorityError::Bad("the system gave no random numbers".to_owned()))?;
    // Positive, and of full length.
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let now = rcgen::date_time_ymd(1970, 1, 1)
        + Duration::from_millis(u64::try_from(now_ms).unwrap_or_default().max(1000));
    let mut params = CertificateParams::default();
    params.not_before = now - BACKDATED;
    params.not_after = now + valid;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn bad(what: &str, e: &rcgen::Error) -> AuthorityError {
    AuthorityError::Bad(format!("{what} cannot be made: {e}"))
}

fn read(path: &Path) -> Result<Vec<u8>, AuthorityError> {
    std::fs::read(path).map_err(|source| AuthorityError::File { path: path.to_owned(), source })
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), AuthorityError> {
    let fail = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AlreadyExists => AuthorityError::Exists(path.to_owned()),
        _ => AuthorityError::File { path: path.to_owned(), source },
    };
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(fail)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fail)
}

/// Lower case, two digits a byte.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const NOW: i64 = 1_790_000_000_000;

    fn csr(name: &str, key: &KeyPair) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serialize_request(key).unwrap().der().to_vec()
    }

    #[test]
    fn is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authority");
        let made = Authority::create(&path, "Lazaret test", NOW).unwrap();
        assert_eq!(made.fingerprint(), Authority::load(&path).unwrap().fingerprint());
        assert_eq!(made.fingerprint().len(), 64);
        let mode = std::fs::metadata(path.join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(Authority::create(&path, "x", NOW), Err(AuthorityError::Exists(_))));
        assert_eq!(made.fingerprint(), Authority::load(&path).unwrap().fingerprint());
    }

    #[test]
    fn a_request_cannot_choose_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), "Lazaret test", NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        let issued = authority.host(&csr("another-host", &key), "the-host", NOW).unwrap();
        let who = identity(&issued.chain[0]).unwrap();
        assert_eq!((who.host.as_str(), &who.serial), ("the-host", &issued.serial));
        assert_eq!(issued.until_ms, NOW + 30 * 86_400_000);
        let text = String::from_utf8_lossy(&issued.chain[0]).into_owned();
        assert!(!text.contains("another-host") && !text.contains("evil.example"));
        let other = authority.host(&csr("x", &key), "the-host", NOW).unwrap();
        assert_ne!(issued.serial, other.serial);
    }

    #[test]
    fn refuses_requests_that_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), "Lazaret test", NOW).unwrap();
        let mut forged = csr("x", &KeyPair::generate().unwrap());
        let n = forged.len();
        forged[n - 3] ^= 1;
        for bytes in [&[][..], &[0x30, 0x82, 0xff, 0xff], &vec![0; MAX_CSR + 1], &forged] {
            assert!(matches!(authority.host(bytes, "h", NOW), Err(AuthorityError::Request(_))));
        }
    }

    #[test]
    fn a_key_of_another_backup_is_noticed() {
        let one = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        Authority::create(one.path(), "one", NOW).unwrap();
        Authority::create(other.path(), "other", NOW).unwrap();
        std::fs::copy(other.path().join(KEY_FILE), one.path().join(KEY_FILE)).unwrap();
        assert!(Authority::load(one.path()).unwrap_err().to_string().contains("backup"));
    }
}
