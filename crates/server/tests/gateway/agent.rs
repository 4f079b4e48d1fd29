// SPDX-License-Identifier: Apache-2.0
//! An agent that does what a test says, over real TLS.

use crate::rig::Rig;
use lazaret_proto::v1;
use lazaret_session::{Channel, ENROLL_PATH, End, Limits, SESSION_PATH, connect};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use v1::agent_frame::Kind as Say;
use v1::server_frame::Kind as Told;

pub(crate) type Line = Channel<TlsStream<TcpStream>>;

/// Trusts the authority with this fingerprint, which the server shows in its chain.
#[derive(Debug)]
struct Pinned {
    fingerprint: Vec<u8>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = intermediates
            .iter()
            .find(|c| Sha256::digest(c).as_slice() == self.fingerprint.as_slice())
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|e| Error::General(e.to_string()))?
            .verify_server_cert(end_entity, &[], server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// An enrolled host.
pub(crate) struct Agent {
    pub(crate) host: String,
    pub(crate) key: KeyPair,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) run: String,
    pub(crate) machine: String,
    pub(crate) boot: String,
}

pub(crate) fn csr(key: &KeyPair) -> Vec<u8> {
    CertificateParams::default().serialize_request(key).unwrap().der().to_vec()
}

/// TLS to the gateway.
pub(crate) async fn tls(
    rig: &Rig,
    fingerprint: &[u8],
    own: Option<(&[Vec<u8>], &KeyPair)>,
) -> Result<TlsStream<TcpStream>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pinned = Pinned { fingerprint: fingerprint.to_vec(), provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned));
    let config = match own {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = chain.iter().map(|c| CertificateDer::from(c.clone())).collect();
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let tcp = TcpStream::connect(rig.gateway.address()).await.map_err(|e| e.to_string())?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(|e| e.to_string())
}

pub(crate) fn fingerprint(rig: &Rig) -> Vec<u8> {
    Sha256::digest(rig.authority.der()).to_vec()
}

/// Sends a request to enrol; gives the answer as it came.
pub(crate) async fn ask_to_enroll(rig: &Rig, request: v1::EnrollRequest) -> v1::EnrollAnswer {
    let stream = tls(rig, &fingerprint(rig), None).await.unwrap();
    let mut channel = connect(stream, "localhost", ENROLL_PATH, &Limits::default()).await.unwrap();
    channel.send(&request).await.unwrap();
    channel.receive().await.unwrap()
}

impl Agent {
    pub(crate) async fn enroll(rig: &Rig, token: &str, machine: &str) -> Result<Self, String> {
        let key = KeyPair::generate().unwrap();
        let request = v1::EnrollRequest {
            token: token.to_owned(),
            csr: csr(&key),
            report: Some(v1::HostReport {
                host_name: format!("{machine}.example"),
                ..v1::HostReport::default()
            }),
            machine_id: machine.to_owned(),
        };
        let answer = ask_to_enroll(rig, request).await;
        if !answer.error.is_empty() {
            return Err(answer.error);
        }
        assert_eq!(answer.authority, rig.authority.der());
        Ok(Self {
            host: answer.host,
            key,
            chain: answer.chain,
            run: format!("run-{machine}"),
            machine: machine.to_owned(),
            boot: format!("boot-{machine}"),
        })
    }

    /// One that is enrolled with a token made for it.
    pub(crate) async fn new(rig: &Rig, machine: &str) -> Self {
        let token = format!("token-{machine}");
        rig.token(&token, 1, 60_000).await;
        Self::enroll(rig, &token, machine).await.unwrap()
    }

    /// A WebSocket without a hello.
    pub(crate) async fn line(&self, rig: &Rig) -> Line {
        let stream = tls(rig, &fingerprint(rig), Some((&self.chain, &self.key))).await.unwrap();
        connect(stream, "localhost", SESSION_PATH, &Limits::default()).await.unwrap()
    }

    pub(crate) fn hello(&self) -> v1::AgentHello {
        v1::AgentHello {
            version_min: 1,
            version_max: 1,
            host: self.host.clone(),
            run: self.run.clone(),
            first: Some(at(1, 1)),
            last: Some(at(1, 0)),
            report: Some(v1::HostReport {
                host_name: format!("{}.example", self.machine),
                kernel: "6.1.0".to_owned(),
                ..v1::HostReport::default()
            }),
            machine_id: self.machine.clone(),
            boot_id: self.boot.clone(),
            ..v1::AgentHello::default()
        }
    }

    /// Says hello; gives what comes first.
    pub(crate) async fn greet(&self, rig: &Rig, hello: v1::AgentHello) -> (Line, Told) {
        let mut line = self.line(rig).await;
        say(&mut line, Say::Hello(hello)).await;
        let first = hear(&mut line).await.unwrap();
        (line, first)
    }

    /// A session that stands.
    pub(crate) async fn session(&self, rig: &Rig) -> (Line, v1::ServerHello) {
        match self.greet(rig, self.hello()).await {
            (line, Told::Hello(hello)) => (line, hello),
            (_, other) => panic!("no hello: {other:?}"),
        }
    }
}

pub(crate) fn at(epoch: u64, seq: u64) -> v1::Position {
    v1::Position { epoch, seq }
}

pub(crate) async fn say(line: &mut Line, kind: Say) {
    line.send(&v1::AgentFrame { kind: Some(kind) }).await.unwrap();
}

pub(crate) async fn hear(line: &mut Line) -> Result<Told, End> {
    let frame: v1::ServerFrame = line.receive().await?;
    Ok(frame.kind.expect("a frame without content"))
}

/// Passes over desired states until something else comes.
pub(crate) async fn hear_else(line: &mut Line) -> Told {
    loop {
        match hear(line).await.unwrap() {
            Told::Desired(_) => {}
            other => return other,
        }
    }
}

/// The goodbye that must come next.
pub(crate) async fn goodbye(line: &mut Line) -> v1::Goodbye {
    match hear_else(line).await {
        Told::Goodbye(g) => g,
        other => panic!("no goodbye: {other:?}"),
    }
}

pub(crate) fn record(epoch: u64, seq: u64, what: v1::record::What) -> v1::Record {
    v1::Record { at: Some(at(epoch, seq)), at_ms: 1_790_000_000_000, what: Some(what) }
}

pub(crate) fn event(epoch: u64, seq: u64) -> v1::Record {
    let event = v1::Event { kind: "daemon".to_owned(), text: format!("entry {seq}"), ..v1::Event::default() };
    record(epoch, seq, v1::record::What::Event(event))
}

pub(crate) async fn send_records(line: &mut Line, records: Vec<v1::Record>) {
    say(line, Say::Records(v1::Records { records })).await;
}

pub(crate) async fn acked(line: &mut Line) -> (u64, u64) {
    match hear_else(line).await {
        Told::Acked(v1::Acked { at: Some(at) }) => (at.epoch, at.seq),
        other => panic!("no acknowledgement: {other:?}"),
    }
}
