// SPDX-License-Identifier: Apache-2.0
//! The way to the server: name, TCP, TLS. Only in the uplink's thread: resolving a name goes through the C
//! library and whatever name service modules this host has, which the daemon loads nowhere else.

use super::address::{Address, digest};
use super::identity::Identity;
use anyhow::{Context, Result, anyhow};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For each step of the way.
const PATIENCE: Duration = Duration::from_secs(15);

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// As an enrolled host: its certificate, and servers of its authority only.
pub(crate) fn enrolled(identity: &Identity) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(identity.authority.clone()))
        .context("the stored authority is no certificate: lazaretd enroll --again")?;
    let chain = identity.chain.iter().map(|c| CertificateDer::from(c.clone())).collect();
    let key = PrivatePkcs8KeyDer::from(identity.key.clone());
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key.into())
        .context("the stored certificate does not fit the stored key: lazaretd enroll --again")
}

/// Before enrolment: a chain that ends in the one authority whose digest is known.
pub(crate) fn fingerprinted(fingerprint: [u8; 32]) -> Result<ClientConfig> {
    let verifier = Arc::new(Pinned { fingerprint, provider: provider() });
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Looks for the authority in what the server sent, and then trusts nothing else.
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
        let authority = intermediates.iter().find(|c| digest(c) == self.fingerprint).ok_or_else(|| {
            rustls::Error::General(
                "the server's chain holds no certificate with the fingerprint that was given: either the \
                 fingerprint is not that of its authority, or somebody stands in between"
                    .into(),
            )
        })?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
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
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A stream to the server, or which step of the way failed.
pub(crate) async fn dial(address: &Address, config: ClientConfig) -> Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(address.host.clone())
        .with_context(|| format!("\"{}\" is no name of a server", address.host))?;
    // Blocks this thread, which has nothing else to do meanwhile.
    let found: Vec<_> = (address.host.as_str(), address.port)
        .to_socket_addrs()
        .with_context(|| format!("the name {} cannot be resolved", address.host))?
        .collect();
    let mut last = anyhow!("{} has no address", address.host);
    for one in found {
        match timeout(PATIENCE, TcpStream::connect(one)).await {
            Ok(Ok(tcp)) => {
                tcp.set_nodelay(true)?;
                return secured(address, name, tcp, config).await;
            }
            Ok(Err(e)) => last = anyhow!("nobody answers at {one}: {e}"),
            Err(_) => last = anyhow!("nobody answers at {one} within {} s", PATIENCE.as_secs()),
        }
    }
    Err(last)
}

async fn secured(
    address: &Address,
    name: ServerName<'static>,
    tcp: TcpStream,
    config: ClientConfig,
) -> Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::new(config));
    let done = timeout(PATIENCE, connector.connect(name, tcp)).await;
    done.with_context(|| format!("{address} does not speak TLS within {} s", PATIENCE.as_secs()))?
        .with_context(|| format!("no trusted connection to {address} (is this host's clock right?)"))
}
