// SPDX-License-Identifier: Apache-2.0
//! The way to the gateway: a source address for each host, TLS, enrolment.

use super::plan::{Authority, Plan};
use super::report::report;
use anyhow::{Context as _, Result, anyhow, ensure};
use lazaret_proto::v1;
use lazaret_session::{Dial, ENROLL_PATH, Limits, connect};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What all hosts share of the way.
pub(crate) struct Gate {
    address: SocketAddr,
    name: ServerName<'static>,
    token: String,
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
    /// Before enrolment.
    stranger: Arc<ClientConfig>,
    /// Made of the authority that the first enrolment brings, checked against the fingerprint.
    verifier: OnceLock<Arc<WebPkiServerVerifier>>,
    pub(crate) limits: Limits,
}

impl Gate {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let fingerprint = match &plan.authority {
            Authority::Fingerprint(digest) => *digest,
            Authority::File(path) => {
                let read = CertificateDer::from_pem_file(path);
                let der = read.map_err(|e| anyhow!("--ca {}: {e}", path.display()))?;
                Sha256::digest(&der).into()
            }
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pinned = Arc::new(Pinned { fingerprint, provider: provider.clone() });
        let mut stranger = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(pinned)
            .with_no_client_auth();
        stranger.resumption = Resumption::disabled();
        Ok(Self {
            address: plan.gateway,
            name: ServerName::IpAddress(plan.gateway.ip().into()),
            token: plan.token.clone(),
            fingerprint,
            provider,
            stranger: Arc::new(stranger),
            verifier: OnceLock::new(),
            limits: Limits::default(),
        })
    }

    async fn dial(&self, host: u32, config: Arc<ClientConfig>) -> Result<TlsStream<TcpStream>> {
        let tcp = self.tcp(host).await?;
        tcp.set_nodelay(true)?;
        let tls = TlsConnector::from(config).connect(self.name.clone(), tcp);
        timeout(self.limits.patience, tls)
            .await
            .with_context(|| format!("{} does not speak TLS", self.address))?
            .with_context(|| format!("no trusted connection to {}", self.address))
    }

    async fn tcp(&self, host: u32) -> Result<TcpStream> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.context("no socket: is the limit on descriptors too low?")?;
        if let Some(source) = source(self.address.ip(), host) {
            socket.bind((source, 0).into()).with_context(|| format!("cannot connect from {source}"))?;
        }
        timeout(self.limits.patience, socket.connect(self.address))
            .await
            .with_context(|| format!("nobody answers at {}", self.address))?
            .with_context(|| format!("nobody answers at {}", self.address))
    }

    /// Exchanges the token for an identity, as `lazaretd enroll` does.
    pub(crate) async fn enroll(&self, host: u32, machine_id: &str, begun_ms: i64) -> Result<Enrolled> {
        let report = report(host, begun_ms);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("no key pair can be made")?;
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, &report.host_name);
        let csr = params.serialize_request(&key).context("no certificate request can be made")?;
        let stream = self.dial(host, self.stranger.clone()).await?;
        let told = |e: lazaret_session::End| anyhow!("enrolment at {}: {e}", self.address);
        let mut channel =
            connect(stream, &self.address.to_string(), ENROLL_PATH, &self.limits).await.map_err(told)?;
        let asked = v1::EnrollRequest {
            token: self.token.clone(),
            csr: csr.der().to_vec(),
            report: Some(report),
            machine_id: machine_id.to_owned(),
        };
        channel.send(&asked).await.map_err(told)?;
        let answer: v1::EnrollAnswer = channel.receive().await.map_err(told)?;
        channel.farewell(None::<&v1::EnrollRequest>).await;
        self.take(answer, &key)
    }

    fn take(&self, answer: v1::EnrollAnswer, key: &KeyPair) -> Result<Enrolled> {
        ensure!(answer.error.is_empty(), Refused(answer.error));
        let digest: [u8; 32] = Sha256::digest(&answer.authority).into();
        ensure!(digest == self.fingerprint, "{} names another authority than the one given", self.address);
        let verifier = if let Some(known) = self.verifier.get() {
            known.clone()
        } else {
            let mut roots = RootCertStore::empty();
            roots.add(answer.authority.into())?;
            let made =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build();
            let made = made.context("the authority cannot be trusted")?;
            self.verifier.get_or_init(|| made).clone()
        };
        let chain = answer.chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_webpki_verifier(verifier)
            .with_client_auth_cert(chain, key.into())
            .context("the certificate does not fit the key")?;
        config.resumption = Resumption::disabled();
        Ok(Enrolled { host: answer.host, config: Arc::new(config) })
    }
}

/// What the server said no with.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server does not enrol the hosts: {}", self.0.escape_debug())
    }
}

impl std::error::Error for Refused {}

/// On loopback each host comes from an address of its own: ephemeral ports do not run out, and limits by
/// address count as they would.
fn source(gateway: IpAddr, host: u32) -> Option<IpAddr> {
    let loopback = matches!(gateway, IpAddr::V4(a) if a.is_loopback());
    // 127.64.0.1 and on, 2^22 of them.
    loopback.then(|| Ipv4Addr::from_bits((127 << 24) | (64 << 16) | ((host + 1) & 0x3f_ffff)).into())
}

/// An identity.
pub(crate) struct Enrolled {
    pub(crate) host: String,
    config: Arc<ClientConfig>,
}

/// How one host reaches the gateway.
pub(crate) struct Way {
    pub(crate) gate: Arc<Gate>,
    pub(crate) number: u32,
    pub(crate) enrolled: Enrolled,
}

impl Dial for Way {
    type Stream = TlsStream<TcpStream>;

    async fn dial(&mut self) -> Result<Self::Stream, String> {
        let config = self.enrolled.config.clone();
        self.gate.dial(self.number, config).await.map_err(|e| format!("{e:#}"))
    }

    fn authority(&self) -> String {
        self.gate.address.to_string()
    }
}

/// Trusts the authority with this digest, which the server shows in its chain, and nothing else.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let is_it = |c: &&CertificateDer<'_>| <[u8; 32]>::from(Sha256::digest(c)) == self.fingerprint;
        let authority = intermediates.iter().find(is_it).ok_or_else(|| {
            rustls::Error::General(
                "the server's chain holds no certificate with the fingerprint given".into(),
            )
        })?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_host_has_a_source_of_its_own_on_loopback() {
        let from = |g: &str, n| source(g.parse().unwrap(), n);
        let all: BTreeSet<_> = (0..10_000).map(|n| from("127.0.0.1", n).unwrap()).collect();
        assert_eq!(all.len(), 10_000);
        assert!(all.iter().all(IpAddr::is_loopback) && all.contains(&"127.64.0.1".parse().unwrap()));
        assert_eq!((from("192.0.2.1", 3), from("::1", 3)), (None, None));
    }
}
